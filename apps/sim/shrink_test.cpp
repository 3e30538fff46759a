#include "shrink.hpp"

#include <bit>

#include <gtest/gtest.h>
#include <sim/scenarios/toy.hpp>

namespace ethnet::sim {
namespace {

Result<Shrunk> shrink(const ScenarioSpec& spec, std::uint64_t seed) {
  return shrink_seed(spec, seed, 60, [](const std::string&) {});
}

// The planted bug needs a crash: a replica tells before it has stored, and forgets.
TEST(Shrink, KeepsOfAFailingSeedWhatTheBugNeeds) {
  const ScenarioSpec spec = make_toy_spec({.counter = toy::CounterBug::tells_too_early});
  std::uint64_t seed = 1;
  while (run_seed(spec, seed).ok()) ++seed;
  const auto shrunk = shrink(spec, seed);
  ASSERT_TRUE(shrunk);
  EXPECT_EQ(shrunk->kind, run_seed(spec, seed).kind());
  ASSERT_TRUE(shrunk->spec.narrowed.faults);
  const Verdict verdict = run_seed(shrunk->spec, seed);
  EXPECT_EQ(verdict.kind(), shrunk->kind);
  EXPECT_EQ(verdict.text(), shrunk->text);
  EXPECT_LE(verdict.hosts, count_hosts(spec, seed));
  EXPECT_LT(std::popcount(verdict.faults), std::popcount(run_seed(spec, seed).faults));
  EXPECT_EQ(verdict.hosts, count_hosts(shrunk->spec, seed));
  // Nothing can be taken away any more.
  for (std::uint32_t bit = 1; bit <= kAllFaults; bit <<= 1) {
    if ((verdict.faults & bit) == 0) continue;
    ScenarioSpec smaller = shrunk->spec;
    smaller.narrowed.faults = verdict.faults & ~bit;
    smaller.narrowed.safety.reset();
    EXPECT_NE(run_seed(smaller, seed).kind(), shrunk->kind) << faults_text(bit);
  }
  const auto again = shrink(spec, seed);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->spec.command(seed), shrunk->spec.command(seed));
  EXPECT_EQ(again->runs, shrunk->runs);
}

TEST(Shrink, RefusesASeedThatPasses) {
  const auto shrunk = shrink(make_toy_spec(), 1);
  ASSERT_FALSE(shrunk);
  EXPECT_TRUE(shrunk.error().is(ShrinkError::seed_passes));
}

TEST(Narrowed, IsPartOfTheCommandThatRepeatsASeed) {
  ScenarioSpec spec = make_toy_spec();
  EXPECT_EQ(spec.command(7), "ethnet-sim seed 7 --scenario toy");
  spec.narrowed = {.hosts = 2, .faults = Fault::loss | Fault::crash, .safety = seconds(3)};
  EXPECT_EQ(spec.command(7),
            "ethnet-sim seed 7 --scenario toy --hosts 2 --faults loss,crash --safety-ms 3000");
}

TEST(Faults, AreReadAsTheyAreWritten) {
  for (std::uint32_t bit = 1; bit <= kAllFaults; bit <<= 1) {
    const auto back = parse_faults(faults_text(bit));
    ASSERT_TRUE(back) << faults_text(bit);
    EXPECT_EQ(*back, bit);
  }
  EXPECT_EQ(parse_faults(faults_text(kAllFaults)), kAllFaults);
  EXPECT_EQ(parse_faults("none"), 0U);
  for (const std::string_view bad :
       {"", "fun", "loss,", ",loss", "loss,,crash", "Loss", "none,loss"}) {
    const auto refused = parse_faults(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_TRUE(refused.error().is(FaultsError::unknown_fault)) << bad;
  }
  EXPECT_EQ(parse_faults("loss,fun").error().offset(), 5U);
}

}  // namespace
}  // namespace ethnet::sim
