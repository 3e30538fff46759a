// Attacks on the table, the look-up and the vote (docs/THREATS.md).
#include <set>

#include <base/prng.hpp>
#include <gtest/gtest.h>

#include "active_lookup.hpp"
#include "ip_vote.hpp"
#include "table.hpp"
#include "testing/records.hpp"

namespace ethnet::kbucket {
namespace {

using namespace testing;
using enum Standing;

const NodeId kSelf = id_of(0);

TEST(TableAttacks, atk_26_AThousandRecordsThatNobodySawAreNotRelayed) {
  Table table{kSelf};
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    static_cast<void>(table.add(at(seconds(1)), record_of(i, own_subnet(i)), claimed));
  }
  EXPECT_GT(table.size(), 60U) << "they are in the table";
  for (unsigned distance = 0; distance <= 256; ++distance) {
    EXPECT_TRUE(table.relayable_at(distance).empty()) << distance;
  }
  EXPECT_TRUE(table.closest(id_of(5000), 1000, false).empty());
  // One that was seen is, and keeps a place against all of them.
  static_cast<void>(table.add(at(seconds(2)), record_of(2000, own_subnet(2000)), reached));
  EXPECT_EQ(table.closest(id_of(5000), 1000, false).size(), 1U);
}

// Two hosts in two subnets, with all the identities that they want, alive whenever somebody looks.
TEST(TableAttacks, atk_33_TwoHostsHoldTwentyPlacesAtMost) {
  Table table{kSelf};
  Prng prng{33};
  for (std::uint64_t i = 1; i <= 60; ++i) {
    static_cast<void>(table.add(at(seconds(1)), record_of(10'000 + i, own_subnet(i)), reached));
  }
  const std::size_t honest_before = table.size();
  for (std::uint64_t i = 1; i <= 1500; ++i) {
    const Endpoint host{IpAddress::v4({std::byte{9}, std::byte{i % 2 == 0}, std::byte{9},
                                       static_cast<std::byte>(i)}),
                        static_cast<std::uint16_t>(1000 + i)};
    const auto standing = static_cast<Standing>(prng.below(3));
    const RecordPtr record = record_of(i, host);
    static_cast<void>(table.add(at(seconds(2)), record, standing));
    static_cast<void>(table.seen(at(seconds(3)), record->id(), host, reached));
    ASSERT_EQ(table.broken(), "") << i;
  }
  std::size_t attackers = 0;
  std::size_t honest = 0;
  table.for_each([&](const TableEntry& entry) {
    const bool is_attacker = entry.record->endpoint().ip.bytes()[0] == std::byte{9};
    is_attacker ? ++attackers : ++honest;
  });
  EXPECT_LE(attackers, 20U);
  EXPECT_GT(attackers, 10U) << "the attack was on";
  EXPECT_EQ(honest, honest_before) << "nobody who was reached made way";
}

// 65,536 subnets that cost no more than one.
TEST(TableAttacks, atk_33_OneHostWithAnIpv6NetworkHoldsTenPlacesAtMost) {
  Table table{kSelf};
  for (std::uint64_t i = 1; i <= 40; ++i) {
    static_cast<void>(table.add(at(seconds(1)), record_of(10'000 + i, own_subnet(i)), reached));
  }
  const std::size_t honest = table.size();
  for (std::uint64_t i = 1; i <= 1'500; ++i) {
    static_cast<void>(table.add(at(seconds(2)), record_of(i, own_subnet6(i)), reached));
    ASSERT_EQ(table.broken(), "") << i;
  }
  EXPECT_EQ(table.size(), honest + kMaxTablePerSubnet);
  std::size_t others = 0;
  table.for_each([&](const TableEntry& entry) { others += entry.record->endpoint().ip.is_v4(); });
  EXPECT_EQ(others, honest) << "nobody who was reached made way";
}

TEST(TableAttacks, atk_32_OneHostWithAnIpv6NetworkIsTwoOfThoseThatALookupBeginsWith) {
  Table table{kSelf};
  for (std::uint64_t i = 1; i <= 1'500; ++i) {
    static_cast<void>(table.add(at(seconds(1)), record_of(i, own_subnet6(i)), reached));
  }
  ASSERT_EQ(table.size(), kMaxTablePerSubnet);
  for (std::uint64_t target = 2'000; target < 2'050; ++target) {
    const auto seeds = lookup_seeds(table, id_of(target));
    std::set<NodeId> all;
    for (const RecordPtr& seed : seeds) all.insert(seed->id());
    EXPECT_EQ(all.size(), kMaxLookupPerSubnet);
  }
}

TEST(TableAttacks, atk_36_RecordsThatNameAVictimsNetworkDoNotKeepTheVictimOut) {
  Table table{kSelf};
  for (std::uint64_t i = 1; i <= 400; ++i) {
    const auto host = static_cast<std::uint8_t>(i);
    static_cast<void>(table.add(at(seconds(1)), record_of(i, shared_subnet(host)), claimed));
  }
  EXPECT_EQ(table.size(), 10U) << "the fakes fill the network's share";
  std::size_t entered = 0;
  for (std::uint64_t i = 1001; i <= 1010; ++i) {
    const auto host = static_cast<std::uint8_t>(i);
    const RecordPtr victim = record_of(i, shared_subnet(host));
    const AddOutcome outcome = table.add(at(seconds(2)), victim, reached);
    EXPECT_EQ(table.broken(), "");
    if (outcome == AddOutcome::added) ++entered;
  }
  EXPECT_GE(entered, 4U) << "as many as the limits of bucket and table leave";
  table.for_each([&](const TableEntry& entry) {
    if (log_distance(kSelf, entry.id()) == 256) {
      EXPECT_EQ(entry.standing, reached);
    }
  });
}

TEST(TableAttacks, atk_36_FiftyNodesOnOneLoopbackAddressWork) {
  Table table{kSelf};
  for (std::uint64_t i = 1; i <= 50; ++i) {
    const Endpoint where{IpAddress::loopback_v4(), static_cast<std::uint16_t>(9000 + i)};
    EXPECT_NE(table.add(at(seconds(1)), record_of(i, where), reached), AddOutcome::subnet_limit);
  }
  EXPECT_GT(table.size(), 35U) << "all that the farthest buckets, of 16 places, leave";
}

TEST(VoteAttacks, atk_37_NineLiarsOfThirtyChangeNothing) {
  IpVote votes;
  const Endpoint home = endpoint("5.5.5.5:9000");
  votes.set(home);
  for (int minute = 0; minute < 30; ++minute) {
    for (std::size_t i = 0; i < 30; ++i) {
      const Endpoint lie = endpoint("6.6.6.6:9000");
      const auto change =
          votes.on_vote(at(seconds(60 * minute)), own_subnet(i).ip, i < 9 ? lie : home);
      EXPECT_EQ(change, std::nullopt);
    }
  }
  // Not when the honest are silent either.
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(votes.on_vote(at(seconds(10'000)), own_subnet(i).ip, endpoint("6.6.6.6:9000")),
              std::nullopt);
  }
  EXPECT_EQ(votes.current(Scope::wan, false), home);
}

TEST(VoteAttacks, atk_37_OneHostWithAnIpv6NetworkIsOneVoter) {
  IpVote votes;
  const Endpoint lie = endpoint("[2a00:0:304:3e7::1]:1");
  for (std::uint64_t i = 0; i < 9; ++i) {
    EXPECT_EQ(votes.on_vote(at(seconds(1)), own_net6(i).ip, own_net6(200)), std::nullopt);
  }
  for (std::uint64_t i = 0; i < 300; ++i) {
    EXPECT_EQ(votes.on_vote(at(seconds(1)), own_subnet6(i).ip, lie), std::nullopt) << i;
  }
  EXPECT_EQ(votes.current(Scope::wan, true), std::nullopt);
  EXPECT_TRUE(votes.on_vote(at(seconds(2)), own_net6(9).ip, own_net6(200)).has_value());
}

TEST(VoteAttacks, atk_37_EachRealChangeIsToldOnce) {
  IpVote votes;
  std::size_t changes = 0;
  for (int minute = 0; minute < 30; ++minute) {
    // Our address changes every ten minutes; a third of the voters lie throughout.
    const Endpoint now_at{own_subnet(1000 + static_cast<std::uint64_t>(minute / 10)).ip, 9000};
    for (std::size_t i = 0; i < 30; ++i) {
      const Endpoint seen = i % 3 == 0 ? endpoint("6.6.6.6:9000") : now_at;
      if (votes.on_vote(at(seconds(60 * minute)), own_subnet(i).ip, seen)) ++changes;
    }
  }
  EXPECT_EQ(changes, 3U);
}

}  // namespace
}  // namespace ethnet::kbucket
