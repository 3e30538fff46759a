// Whole seeds: determinism, that every fault happens, and that a planted bug is found.
#include <iostream>
#include <set>

#include <gtest/gtest.h>

#include "scenarios/table.hpp"
#include "scenarios/toy.hpp"

namespace ethnet::sim {
namespace {

TEST(ToyScenario, TheSameSeedGivesTheSameTrace) {
  const ScenarioSpec spec = make_toy_spec();
  const Verdict first = run_seed(spec, 1);
  const Verdict other = run_seed(spec, 2);
  const Verdict again = run_seed(spec, 1);
  EXPECT_EQ(first.text(), again.text());
  EXPECT_EQ(first.trace, again.trace);
  EXPECT_NE(first.trace, other.trace);
}

// A fixed value, so that clang++ and g++ are held to the same one. It moves whenever the simulator
// draws differently; then put the new value here.
TEST(ToyScenario, TheTraceIsTheSameOnEveryCompiler) {
  EXPECT_EQ(hash_text(run_seed(make_toy_spec(), 1).trace), "fd165d4ead5fd42b");
}

TEST(ToyScenario, ReadingTheTraceDoesNotChangeIt) {
  const ScenarioSpec spec = make_toy_spec();
  std::size_t lines = 0;
  const Verdict read = run_seed(spec, 3, [&lines](std::string_view) { ++lines; });
  EXPECT_EQ(read.trace, run_seed(spec, 3).trace);
  EXPECT_GT(lines, 1'000U);
}

TEST(ToyScenario, DifferentSeedsDiffer) {
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    traces.insert(run_seed(make_toy_spec(), seed).trace);
  EXPECT_EQ(traces.size(), 20U);
}

// Seeds pass, and between them everything that can go wrong does.
TEST(ToyScenario, PassesUnderEveryFault) {
  constexpr std::uint64_t kSeeds = 60;
  WorldStats sum;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Verdict verdict = run_seed(make_toy_spec(), seed);
    ASSERT_TRUE(verdict.ok()) << verdict.text();
    const WorldStats& stats = verdict.stats;
    sum.events += stats.events;
    sum.delivered += stats.delivered;
    sum.duplicated += stats.duplicated;
    sum.reordered += stats.reordered;
    sum.corrupted += stats.corrupted;
    for (std::size_t i = 0; i < kDropReasons; ++i) sum.dropped[i] += stats.dropped[i];
    sum.sink_full += stats.sink_full;
    sum.slow_jobs += stats.slow_jobs;
    sum.crashes += stats.crashes;
    sum.restarts += stats.restarts;
    sum.pauses += stats.pauses;
    sum.wall_jumps += stats.wall_jumps;
    sum.rebinds += stats.rebinds;
    sum.cuts += stats.cuts;
  }
  EXPECT_GT(sum.duplicated, 0U);
  EXPECT_GT(sum.reordered, 0U);
  EXPECT_GT(sum.corrupted, 0U);
  for (const DropReason reason : {DropReason::partition, DropReason::loss, DropReason::burst,
                                  DropReason::no_route, DropReason::host_down}) {
    EXPECT_GT(sum.drops(reason), 0U) << to_string(reason);
  }
  EXPECT_GT(sum.sink_full, 0U);
  EXPECT_GT(sum.slow_jobs, 0U);
  EXPECT_GT(sum.crashes, 0U);
  EXPECT_EQ(sum.restarts, sum.crashes);
  EXPECT_GT(sum.pauses, 0U);
  EXPECT_GT(sum.wall_jumps, 0U);
  EXPECT_GT(sum.rebinds, 0U);
  EXPECT_GT(sum.cuts, 0U);
  std::cout << "seeds: " << kSeeds << " toy\ntoy: " << sum.events << " events, " << sum.delivered
            << " datagrams delivered\n";
}

// The first violation within some seeds.
std::optional<Verdict> hunt(const ScenarioSpec& spec, std::uint64_t seeds) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Verdict verdict = run_seed(spec, seed);
    if (!verdict.ok()) return verdict;
  }
  return std::nullopt;
}

TEST(ToyScenario, FindsACounterThatTellsTooEarly) {
  const auto found = hunt(make_toy_spec({.counter = toy::CounterBug::tells_too_early}), 100);
  ASSERT_TRUE(found);
  ASSERT_TRUE(found->safety);
  EXPECT_NE(found->safety->what.find("nobody knows more than the owner"), std::string::npos);
  EXPECT_NE(found->text().find("safety=VIOLATED"), std::string::npos);
  EXPECT_NE(found->text().find("reproduce: ethnet-sim seed"), std::string::npos);
}

TEST(ToyScenario, FindsAnEchoPeerThatCountsDuplicates) {
  const auto found = hunt(make_toy_spec({.echo = toy::EchoBug::counts_duplicates}), 50);
  ASSERT_TRUE(found);
  ASSERT_TRUE(found->safety);
  EXPECT_NE(found->safety->what.find("answers are counted once"), std::string::npos);
}

TEST(ToyScenario, ADeadlineThatIsTooShortIsALivenessViolation) {
  ScenarioSpec spec = make_toy_spec();
  spec.safety = milliseconds(100);
  spec.liveness = milliseconds(100);
  const Verdict verdict = run_seed(spec, 1);
  ASSERT_TRUE(verdict.liveness);
  EXPECT_FALSE(verdict.ok());
  EXPECT_NE(verdict.text().find("safety=ok liveness=VIOLATED"), std::string::npos);
}

TEST(ScenarioTable, NamesAreUniqueAndDescribed) {
  std::set<std::string_view> names;
  for (const ScenarioSpec& spec : make_scenario_table()) {
    EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
    EXPECT_FALSE(spec.description.empty());
    EXPECT_TRUE(spec.make);
  }
  EXPECT_TRUE(names.contains("toy"));
}

}  // namespace
}  // namespace ethnet::sim
