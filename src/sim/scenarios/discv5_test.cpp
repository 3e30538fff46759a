// Networks of discv5 alone, over the simulator's own oracle, with and without churn; and that the
// oracle finds what is wrong. A share in each run: 200 nodes; all of it with a release build by
// ETHNET_DISCV5_NODES=10000.
#include "discv5.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

namespace ethnet::sim {
namespace {

using Spec = ScenarioSpec (*)(Discv5Size, PlantedBug);

// 0: nothing was wished.
std::uint64_t wish(const char* variable) {
  const char* const wished = std::getenv(variable);
  return wished == nullptr ? 0 : std::stoull(wished);
}

void expect_found(Spec make, HostId brief) {
  const std::uint64_t nodes = wish("ETHNET_DISCV5_NODES");
  ScenarioSpec spec = make(nodes > 0 ? Discv5Size::whole : Discv5Size::brief, PlantedBug::none);
  spec.narrowed.hosts = nodes > 0 ? static_cast<HostId>(nodes) : brief;
  const Verdict verdict = run_seed(spec, 1);
  EXPECT_TRUE(verdict.ok()) << verdict.text();
  for (const std::string_view name : spec.sometimes) {
    EXPECT_GT(verdict.reached.count(name), 0U) << name;
  }
  const Reached& reached = verdict.reached;
  const std::uint64_t right = reached.count("a look-up found the nearest of all");
  const std::uint64_t wrong = reached.count("a look-up missed one of the nearest");
  EXPECT_GT(right + wrong, *spec.narrowed.hosts / 2);
  std::cout << "seeds: 1 " << spec.name << '\n'
            << spec.name << ": " << *spec.narrowed.hosts << " nodes, " << right << " of "
            << right + wrong << " look-ups right, " << reached.count("one of the nearest was found")
            << " nodes found and " << reached.count("one of the nearest was missed") << " missed"
            << std::endl;
}

TEST(Discv5Network, LookupsFindTheNearestOfAllLiveNodes) { expect_found(make_discv5_spec, 200); }

TEST(Discv5Network, LookupsFindTheNearestWhileAFifthAnHourIsReplaced) {
  expect_found(make_discv5_churn_spec, 120);
}

TEST(Discv5Network, FindsALookupThatMissesTheNearest) {
  for (const Spec make : {make_discv5_spec, make_discv5_churn_spec}) {
    ScenarioSpec spec = make(Discv5Size::brief, PlantedBug::short_lookups);
    spec.narrowed.hosts = 20;
    const Verdict verdict = run_seed(spec, 1);
    ASSERT_TRUE(verdict.liveness.has_value()) << verdict.text();
    EXPECT_TRUE(verdict.liveness->what.contains("missed")) << verdict.text();
  }
}

}  // namespace
}  // namespace ethnet::sim
