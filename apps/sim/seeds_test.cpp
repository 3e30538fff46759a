// The share of each scenario's seeds that every test run affords; `ethnet-sim swarm` runs more. A
// swarm must also have come to the rare branches that its scenario names, or it shows little.
#include <iostream>

#include <gtest/gtest.h>
#include <sim/scenarios/crossed_dials.hpp>
#include <sim/scenarios/first_light.hpp>
#include <sim/scenarios/neighbours.hpp>
#include <sim/scenarios/storm.hpp>

#include "swarm.hpp"

namespace ethnet::sim {
namespace {

// Prints the line that the summary of ./dev test adds up.
SwarmResult run(const ScenarioSpec& spec, std::uint64_t seeds) {
  SwarmResult result = run_swarm(spec, {.first = 1, .last = seeds, .jobs = 2}, {});
  for (const SwarmFailure& failure : result.failures) ADD_FAILURE() << failure.text;
  for (const std::string_view name : result.never_reached(spec)) {
    ADD_FAILURE() << spec.name << " has never reached: " << name;
  }
  std::cout << "seeds: " << result.seeds << ' ' << spec.name << std::endl;
  return result;
}

TEST(Seeds, FirstLight) {
  const ScenarioSpec spec = make_first_light_spec();
  EXPECT_GE(spec.sometimes.size(), 20U);
  (void)run(spec, 180);
}

TEST(Seeds, Storm) {
  const ScenarioSpec spec = make_storm_spec();
  EXPECT_GE(spec.sometimes.size(), 14U);
  (void)run(spec, 20);
}

TEST(Seeds, Neighbours) {
  const ScenarioSpec spec = make_neighbours_spec();
  EXPECT_GE(spec.sometimes.size(), 3U);
  (void)run(spec, 12);
}

TEST(Seeds, CrossedDialsEndWithOneSessionEachWithinTheBound) {
  const SwarmResult result = run(make_crossed_dials_spec(), 100);
  ASSERT_EQ(result.recoveries.size(), 100U);
  EXPECT_LE(result.recoveries.back().took, kCrossedBound);
}

}  // namespace
}  // namespace ethnet::sim
