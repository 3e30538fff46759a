// A node besieged by an attacker with few hosts (siege.hpp, discv5_siege.hpp): one brief seed of
// each kind, or as many whole ones as ETHNET_SIEGE_SEEDS and ETHNET_DISCV5_SEEDS say (100, with a
// release build).
#include "siege.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

#include <gtest/gtest.h>

#include "discv5_siege.hpp"

namespace ethnet::sim {
namespace {

// Of a hundred seeds five may miss what is expected in the end; none may break a checker
// (SomebodyHonestAlways is one).
void expect_held(ScenarioSpec (*make)(SiegeSize), const char* variable) {
  const char* const wished = std::getenv(variable);
  const std::uint64_t seeds = wished == nullptr ? 1 : std::stoull(wished);
  const ScenarioSpec spec = make(wished == nullptr ? SiegeSize::brief : SiegeSize::whole);
  std::uint64_t held = 0;
  Reached reached;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Verdict verdict = run_seed(spec, seed);
    EXPECT_FALSE(verdict.safety) << verdict.text();
    if (verdict.ok()) ++held;
    if (!verdict.ok()) std::cout << verdict.text() << '\n';
    for (const auto& [name, times] : verdict.reached.counts()) reached.note(name, times);
  }
  EXPECT_GE(held * 100, seeds * 95);
  for (const std::string_view name : spec.sometimes) EXPECT_GT(reached.count(name), 0U) << name;
  // The attack was on: what he named, and what of that the victim believed.
  EXPECT_GT(reached.count("identities that the attacker named"), seeds * 1'000);
  EXPECT_GT(reached.count("of them the attacker's"), seeds * 10);
  std::cout << "seeds: " << seeds << ' ' << spec.name << std::endl;
}

// Of lives that never were: the one bad look is a violation, however good the others are.
TEST(Siege, atk_32_ALifeWithNobodyHonestForAWhileBreaksTheChecker) {
  const World world{1};
  std::vector<SiegeLife> lives;
  SomebodyHonestAlways checker{lives};
  EXPECT_FALSE(checker.check(world)) << "nothing was seen yet";
  lives.push_back({.since = {}, .met = {}});
  EXPECT_FALSE(checker.check(world)) << "it is starting up";
  lives.back().looks = 200;
  lives.back().with_half = 199;
  lives.back().least_ours = 1;
  EXPECT_FALSE(checker.check(world));
  lives.push_back(lives.back());
  lives.back().least_ours = 0;
  EXPECT_TRUE(checker.check(world));
}

TEST(Siege, atk_32_TwoHostsWithAllTheNamesTheyWantNeverHaveMoreThanHalfOfTheDialledPlaces) {
  expect_held(make_eclipse_spec, "ETHNET_SIEGE_SEEDS");
}

TEST(Siege, atk_34_ARestartedNodeFindsAnHonestPeerInAFullNetworkWithAPoisonedTable) {
  expect_held(make_poisoned_spec, "ETHNET_SIEGE_SEEDS");
}

TEST(Siege, atk_34_ThoughAListInTheDnsNamesTheAttackerAlone) {
  expect_held(make_poisoned_dns_spec, "ETHNET_SIEGE_SEEDS");
}

TEST(Discv5Siege, atk_32_TwoHostsNeverHaveMoreThanHalfOfThoseThatAreKnownToBeAlive) {
  expect_held(make_discv5_eclipse_spec, "ETHNET_DISCV5_SEEDS");
}

TEST(Discv5Siege, atk_34_WhoComesBackToAPoisonedTableFindsSomebodyHonest) {
  expect_held(make_discv5_poisoned_spec, "ETHNET_DISCV5_SEEDS");
}

}  // namespace
}  // namespace ethnet::sim
