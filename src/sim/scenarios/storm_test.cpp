// What the storm's own checkers and acts are worth: each is shown to find, or to do, its thing.
#include "storm.hpp"

#include <ostream>

#include <gtest/gtest.h>

#include "../hostile/act.hpp"

namespace ethnet::sim {

// Tests are named by it.
static void PrintTo(const ActRow& row, std::ostream* out) { *out << row.reached; }

namespace {

// The first of some seeds that fails.
std::optional<Verdict> first_failure(ScenarioSpec spec, std::uint64_t seeds) {
  spec.narrowed.hosts = 3;  // it need not cost much
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Verdict verdict = run_seed(spec, seed);
    if (!verdict.ok()) return verdict;
  }
  return std::nullopt;
}

TEST(Storm, FindsTablesThatAreKeptWithoutASession) {
  const auto found = first_failure(make_storm_spec({.bug = PlantedBug::stays}), 1);
  ASSERT_TRUE(found && found->liveness);
  EXPECT_TRUE(found->liveness->what.contains(" without a session")) << found->text();
}

TEST(Storm, FindsACapabilityThatWasNotOffered) {
  const auto found = first_failure(make_storm_spec({.bug = PlantedBug::offers_less}), 10);
  ASSERT_TRUE(found && found->safety);
  EXPECT_EQ(found->kind(), "safety: only what was agreed") << found->text();
}

TEST(Storm, ExemptsOnlyWhatALostDiskHeld) {
  const auto found = first_failure(make_storm_spec({.bug = PlantedBug::forgets_last_record}), 30);
  ASSERT_TRUE(found && found->safety);
  EXPECT_EQ(found->kind(), "safety: what is acknowledged survives") << found->text();
}

TEST(Storm, ANarrowedSeedHasFewerHostsAndFaults) {
  ScenarioSpec spec = make_storm_spec();
  const Verdict whole = run_seed(spec, 1);
  spec.narrowed = {.hosts = 2, .faults = 0, .safety = seconds(2)};
  const Verdict narrowed = run_seed(spec, 1);
  EXPECT_TRUE(narrowed.ok()) << narrowed.text();
  EXPECT_EQ(narrowed.faults, 0U);
  EXPECT_LE(narrowed.hosts, 4U);  // two of each kind
  EXPECT_LT(narrowed.stats.events, whole.stats.events);
}

// Each act alone, without faults: it is done, what it provokes is provoked, and the honest get on.
class EachAct : public ::testing::TestWithParam<ActRow> {};

TEST_P(EachAct, IsDoneAndAnsweredAndStopsNobody) {
  const ActRow& row = GetParam();
  ScenarioSpec spec = make_storm_spec({.act = row.act});
  spec.narrowed = {.hosts = 3, .faults = 0, .safety = seconds(20)};
  const Verdict verdict = run_seed(spec, 1);
  EXPECT_TRUE(verdict.ok()) << verdict.text();
  EXPECT_GT(verdict.reached.count(row.reached), 0U) << row.reached;
  if (!row.answer.empty()) {
    EXPECT_GT(verdict.reached.count(row.answer), 0U) << row.answer;
  }
}

INSTANTIATE_TEST_SUITE_P(Storm, EachAct, ::testing::ValuesIn(kActs));

TEST(Acts, AreNamedInTheirOrder) {
  for (std::size_t i = 0; i < kActCount; ++i) EXPECT_EQ(static_cast<std::size_t>(kActs[i].act), i);
}

}  // namespace
}  // namespace ethnet::sim
