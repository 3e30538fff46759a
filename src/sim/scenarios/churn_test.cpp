// A network of whole nodes under churn, over the simulator's own oracle; and that this oracle finds
// what is wrong.
#include "churn.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

namespace ethnet::sim {
namespace {

// A share in each run; all of it by ETHNET_CHURN_NODES=200, other runs by ETHNET_CHURN_SEED.
std::uint64_t wish(const char* variable, std::uint64_t usual) {
  const char* const wished = std::getenv(variable);
  return wished == nullptr ? usual : std::stoull(wished);
}

TEST(Churn, LookupsFindTheNearestOfAllLiveNodesAndEveryHeadIsTheRulesChoice) {
  ScenarioSpec spec = make_churn_spec();
  spec.narrowed.hosts = static_cast<HostId>(wish("ETHNET_CHURN_NODES", 20));
  const Verdict verdict = run_seed(spec, wish("ETHNET_CHURN_SEED", 1));
  EXPECT_TRUE(verdict.ok()) << verdict.text();
  for (const std::string_view name : spec.sometimes) {
    EXPECT_GT(verdict.reached.count(name), 0U) << name;
  }
  const std::uint64_t right = verdict.reached.count("a look-up found the nearest of all");
  const std::uint64_t wrong = verdict.reached.count("a look-up missed one of the nearest");
  EXPECT_EQ(right + wrong, *spec.narrowed.hosts);
  EXPECT_GE(verdict.stats.crashes, *spec.narrowed.hosts / 5);
  std::cout << "seeds: 1 churn\nchurn: " << *spec.narrowed.hosts << " nodes, " << right << " of "
            << right + wrong << " look-ups right" << std::endl;
}

TEST(Churn, FindsALookupThatMissesTheNearest) {
  ScenarioSpec spec = make_churn_spec(PlantedBug::short_lookups);
  spec.narrowed.hosts = 6;
  const Verdict verdict = run_seed(spec, 1);
  ASSERT_TRUE(verdict.liveness.has_value()) << verdict.text();
  EXPECT_TRUE(verdict.liveness->what.starts_with("0 of 6 look-ups found the nearest"))
      << verdict.text();
}

TEST(Churn, FindsAHeadThatIsNotTheRulesChoice) {
  ScenarioSpec spec = make_churn_spec(PlantedBug::never_dials);
  spec.narrowed.hosts = 6;
  const Verdict verdict = run_seed(spec, 1);
  ASSERT_TRUE(verdict.liveness.has_value()) << verdict.text();
  EXPECT_TRUE(verdict.liveness->what.contains("the rule's choice of all is")) << verdict.text();
}

}  // namespace
}  // namespace ethnet::sim
