#include "reader.hpp"

#include <fmt/format.h>

#include "testing/census_rig.hpp"

namespace ethnet::census::testing {
namespace {

std::vector<std::string> values(const Distribution& distribution) {
  std::vector<std::string> out;
  for (const Group& group : distribution.groups) {
    out.push_back(group.value + "=" + std::to_string(group.count));
  }
  return out;
}

using Strings = std::vector<std::string>;

TEST_F(CensusRig, ADistributionHasTheLargestFirstAndThoseThatDoNotSay) {
  add({.client = {"Geth", "1"}, .capabilities = {"snap"}, .fork = 1});
  add({.client = {"Geth", "2"}, .capabilities = {"snap", "les"}, .fork = 1});
  add({.client = {"Nethermind", "1"}, .fork = 2, .score = 0});
  add({});
  const Statistics all = reader().statistics({});
  EXPECT_EQ(all.nodes, 4);
  EXPECT_EQ(all.alive, 3);
  EXPECT_EQ(all.ip4, 4);
  EXPECT_EQ(all.ip6, 0);
  EXPECT_EQ(values(all.clients), (Strings{"Geth=2", "=1", "Nethermind=1"}));
  EXPECT_EQ(values(all.forks), (Strings{"0x01000000=2", "=1", "0x02000000=1"}));
  EXPECT_EQ(values(all.capabilities), (Strings{"eth=3", "snap=2", "les=1"}));
  EXPECT_EQ(values(all.networks), (Strings{"=4"}));
}

TEST_F(CensusRig, AFilterIsOfEveryDistribution) {
  add({.client = {"Geth", "1"}, .capabilities = {"snap"}, .fork = 1});
  add({.client = {"Nethermind", "1"}, .fork = 1, .seen = 50});
  add({});
  Reader& r = reader();
  EXPECT_EQ(r.statistics({.client = "geth"}).nodes, 1);
  EXPECT_EQ(r.statistics({.client = ""}).nodes, 1) << "does not say";
  EXPECT_EQ(r.statistics({.fork = "0x01000000"}).nodes, 2);
  EXPECT_EQ(r.statistics({.fork = ""}).nodes, 1);
  EXPECT_EQ(r.statistics({.network = "mainnet"}).nodes, 0);
  EXPECT_EQ(r.statistics({.capability = "snap"}).nodes, 1);
  EXPECT_EQ(r.statistics({.capability = "sna"}).nodes, 0) << "a whole name";
  EXPECT_EQ(r.statistics({.seen_since = 51}).nodes, 2);
  EXPECT_EQ(r.statistics({.min_score = 2}).nodes, 0);
  EXPECT_EQ(r.statistics({.fork = "0x01000000", .capability = "snap"}).nodes, 1);
}

TEST_F(CensusRig, WhatAFilterSaysIsNoSql) {
  add({});
  Reader& r = reader();
  for (const char* const text : {"' OR 1 --", "x'; DROP TABLE nodes; --", "%", "\""}) {
    EXPECT_EQ(r.statistics({.client = text}).nodes, 0) << text;
    EXPECT_EQ(r.statistics({.capability = text}).nodes, 0) << text;
    EXPECT_TRUE(r.page({.network = text}, "", 10).empty()) << text;
  }
  EXPECT_EQ(r.statistics({}).nodes, 1);
}

TEST_F(CensusRig, PagesFollowEachOtherAndHaveEveryRowOnce) {
  for (int i = 0; i < 25; ++i) add({});
  std::vector<std::string> ids;
  std::string after;
  for (int pages = 0; pages < 4; ++pages) {
    const auto rows = reader().page({}, after, 10);
    for (const Row& row : rows) ids.push_back(std::get<std::string>(row.at(0)));
    if (!rows.empty()) after = ids.back();
  }
  EXPECT_EQ(ids.size(), 25U);
  EXPECT_TRUE(std::ranges::is_sorted(ids));
  EXPECT_LE(reader().page({}, "", 1'000'000).size(), kMaxCensusPage);
}

// Peers choose the values.
TEST_F(CensusRig, ADistributionHasABoundAndTheRestIsOneSum) {
  for (int i = 0; i < 40; ++i) add({.client = {"client" + std::to_string(i)}});
  const Distribution clients = reader().statistics({}).clients;
  EXPECT_EQ(clients.groups.size(), kMaxCensusGroups);
  EXPECT_EQ(clients.others, 40 - std::int64_t{kMaxCensusGroups});
}

// Names that are made up, another one a node, neither take memory without a bound nor the place of
// those that nodes have in common.
TEST_F(CensusRig, MadeUpCapabilitiesAreCountedUpToABound) {
  constexpr std::int64_t kMadeUp = kMaxCapabilitySets + 100;
  for (std::int64_t i = 0; i < kMadeUp; ++i) put({.capabilities = {fmt::format("!{:04}", i)}});
  for (int i = 0; i < 2; ++i) put({.capabilities = {"snap"}});
  commit();
  const Statistics s = reader().statistics({});
  EXPECT_EQ(s.nodes, kMadeUp + 2);
  ASSERT_EQ(s.capabilities.groups.size(), kMaxCensusGroups);
  EXPECT_EQ(s.capabilities.groups[0].value, "snap");
  EXPECT_EQ(s.capabilities.groups[0].count, 2);
  EXPECT_EQ(s.capabilities.others, std::int64_t{kMaxCapabilitySets - kMaxCensusGroups});
}

TEST_F(CensusRig, SeenWithinCountsFromTheNewest) {
  add({.seen = 100'000});
  add({.seen = 99'500});
  add({.seen = 90'000});
  const Statistics s = reader().statistics({});
  EXPECT_EQ(s.newest, 100'000);
  EXPECT_EQ(s.seen_within.at(0), (std::pair<std::int64_t, std::int64_t>{600, 2}));
  EXPECT_EQ(s.seen_within.at(2), (std::pair<std::int64_t, std::int64_t>{6 * 3'600, 3}));
}

}  // namespace
}  // namespace ethnet::census::testing
