// The table: places, standings, limits and order.
#include "table.hpp"

#include <algorithm>
#include <set>

#include <base/prng.hpp>
#include <gtest/gtest.h>

#include "testing/records.hpp"

namespace ethnet::kbucket {
namespace {

using namespace testing;
using enum Standing;

const NodeId kSelf = id_of(0);

// Numbers of the first `count` nodes of the farthest bucket, or of another distance.
std::vector<std::uint64_t> numbers_at(unsigned distance, std::size_t count) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = 1; out.size() < count; ++i) {
    if (log_distance(kSelf, id_of(i)) == distance) out.push_back(i);
  }
  return out;
}

std::set<NodeId> ids_of(const Table& table) {
  std::set<NodeId> out;
  table.for_each([&](const TableEntry& entry) { out.insert(entry.id()); });
  return out;
}

class TableTest : public ::testing::Test {
 protected:
  ~TableTest() override { EXPECT_EQ(table_.broken(), ""); }
  AddOutcome add(std::uint64_t number, const Endpoint& where, Standing standing,
                 std::uint64_t seq = 1) {
    const AddOutcome outcome = table_.add(at(now_), record_of(number, where, seq), standing);
    EXPECT_EQ(table_.broken(), "");
    now_ = now_ + seconds(1);
    return outcome;
  }
  const TableEntry& entry(std::uint64_t number) const {
    const TableEntry* found = table_.find(id_of(number));
    CHECK(found != nullptr);
    return *found;
  }
  Table table_{kSelf};
  Duration now_;
};

TEST_F(TableTest, WeAreNeverInIt) {
  EXPECT_EQ(add(0, own_subnet(1), reached), AddOutcome::ourselves);
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(TableTest, NodesOfOtherNetworksThanAreAllowedDoNotEnterAndAreCounted) {
  table_.restrict_to(NetList::parse("8.0.1.0/24,fd00::/8").value());
  EXPECT_EQ(add(1, endpoint("8.0.1.9:9000"), claimed), AddOutcome::added);
  EXPECT_EQ(add(2, endpoint("8.0.2.9:9000"), reached), AddOutcome::other_net);
  EXPECT_EQ(add(3, endpoint("[fd00::1]:9000"), met), AddOutcome::added);
  EXPECT_EQ(add(4, endpoint("[2600::1]:9000"), met), AddOutcome::other_net);
  EXPECT_EQ(table_.restore(at(now_), record_of(5, endpoint("9.9.9.9:1"))), AddOutcome::other_net);
  EXPECT_EQ(table_.of_other_nets(), 3U);
  // Who was let in and has moved out of them stays where it was, until it fails there.
  EXPECT_EQ(add(1, endpoint("8.0.2.9:9000"), claimed, 2), AddOutcome::other_net);
  EXPECT_EQ(entry(1).record->endpoint(), endpoint("8.0.1.9:9000"));
}

TEST_F(TableTest, AddressesWhereNoHostCanBeAreRefused) {
  EXPECT_EQ(add(1, endpoint("224.0.0.1:9000"), claimed), AddOutcome::special_address);
  EXPECT_EQ(add(1, endpoint("203.0.113.1:9000"), reached), AddOutcome::special_address);
  EXPECT_EQ(table_.size(), 0U);
}

TEST_F(TableTest, ABucketHasSixteenPlacesAndTenWait) {
  const auto numbers = numbers_at(256, 30);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const AddOutcome outcome = add(numbers[i], own_subnet(numbers[i]), reached);
    EXPECT_EQ(outcome, i < 16 ? AddOutcome::added : AddOutcome::replacement) << i;
  }
  EXPECT_EQ(table_.size(), 16U);
  EXPECT_EQ(table_.replacements(), 10U);
  // Of those that wait, the oldest have made room.
  EXPECT_EQ(table_.find_any(id_of(numbers[16])), nullptr);
  EXPECT_NE(table_.find_any(id_of(numbers[29])), nullptr);
}

TEST_F(TableTest, WhoWasReachedTakesThePlaceOfWhoWasOnlyMetOrClaimed) {
  const auto numbers = numbers_at(256, 19);
  for (std::size_t i = 0; i < 16; ++i) {
    add(numbers[i], own_subnet(numbers[i]), i == 3 ? claimed : met);
  }
  EXPECT_EQ(add(numbers[16], own_subnet(numbers[16]), met), AddOutcome::added);
  EXPECT_EQ(table_.find(id_of(numbers[3])), nullptr) << "the claimed one had to go";
  EXPECT_NE(table_.find_any(id_of(numbers[3])), nullptr) << "but waits";
  EXPECT_EQ(add(numbers[17], own_subnet(numbers[17]), reached), AddOutcome::added);
  EXPECT_EQ(table_.find(id_of(numbers[16])), nullptr) << "the newest of those that were met";
  EXPECT_EQ(add(numbers[18], own_subnet(numbers[18]), claimed), AddOutcome::replacement);
  EXPECT_EQ(table_.size(), 16U);
}

TEST_F(TableTest, StandingRisesOnlyAtTheAddressOfTheRecord) {
  add(1, own_subnet(1), claimed);
  EXPECT_FALSE(entry(1).relayable());
  EXPECT_TRUE(table_.seen(at(now_), id_of(1), own_subnet(2), reached));
  EXPECT_EQ(entry(1).standing, claimed);
  EXPECT_TRUE(table_.seen(at(now_), id_of(1), own_subnet(1), met));
  EXPECT_EQ(entry(1).standing, met);
  EXPECT_TRUE(entry(1).relayable());
  EXPECT_TRUE(table_.seen(at(now_), id_of(1), own_subnet(1), reached));
  EXPECT_EQ(entry(1).standing, reached);
  EXPECT_TRUE(table_.seen(at(now_), id_of(1), own_subnet(1), met));
  EXPECT_EQ(entry(1).standing, reached) << "it never falls by being seen";
  EXPECT_FALSE(table_.seen(at(now_), id_of(2), own_subnet(2), reached));
}

TEST_F(TableTest, ANewerRecordReplacesAndAnOlderIsIgnored) {
  add(1, own_subnet(1), reached, 5);
  EXPECT_EQ(add(1, own_subnet(2), claimed, 4), AddOutcome::stale);
  EXPECT_EQ(add(1, own_subnet(2), claimed, 5), AddOutcome::unchanged);
  EXPECT_EQ(entry(1).record->endpoint(), own_subnet(1));
  EXPECT_EQ(add(1, own_subnet(1), claimed, 6), AddOutcome::updated);
  EXPECT_EQ(entry(1).record->seq(), 6U);
  EXPECT_EQ(entry(1).standing, reached) << "the address is the one that we reached";
}

TEST_F(TableTest, WhoMovesHasToBeSeenThereBeforeItIsRelayed) {
  add(1, own_subnet(1), reached);
  EXPECT_EQ(add(1, own_subnet(2), claimed, 2), AddOutcome::updated);
  EXPECT_FALSE(entry(1).relayable());
  EXPECT_EQ(entry(1).checks, 0U);
  EXPECT_EQ(add(1, own_subnet(3), reached, 3), AddOutcome::updated);
  EXPECT_TRUE(entry(1).relayable());
  EXPECT_EQ(entry(1).checks, 1U);
}

TEST_F(TableTest, WhoWasSeenUnderASecondRecordOfTheSameNumberIsNotSeenUnderTheFirst) {
  add(1, own_subnet(1), claimed);
  EXPECT_EQ(add(1, own_subnet(2), reached), AddOutcome::unchanged);
  EXPECT_FALSE(entry(1).relayable());
}

TEST_F(TableTest, AFailureSuspendsThreeRemoveAndAReplacementComes) {
  const auto numbers = numbers_at(256, 18);
  for (const std::uint64_t number : numbers) add(number, own_subnet(number), reached);
  const NodeId first = id_of(numbers[0]);
  EXPECT_TRUE(table_.failed(at(now_), first));
  EXPECT_FALSE(entry(numbers[0]).relayable());
  EXPECT_TRUE(table_.seen(at(now_), first, own_subnet(numbers[0]), reached));
  EXPECT_TRUE(entry(numbers[0]).relayable());
  EXPECT_TRUE(table_.failed(at(now_), first));
  EXPECT_TRUE(table_.failed(at(now_), first));
  EXPECT_FALSE(table_.failed(at(now_), first)) << "the third in a row";
  EXPECT_EQ(table_.find_any(first), nullptr);
  EXPECT_NE(table_.find(id_of(numbers[17])), nullptr) << "the newest that waited";
  EXPECT_EQ(table_.size(), 16U);
  EXPECT_EQ(table_.replacements(), 1U);
}

TEST_F(TableTest, WhatWasOnlyClaimedGoesAtTheFirstFailure) {
  add(1, own_subnet(1), claimed);
  EXPECT_FALSE(table_.failed(at(now_), id_of(1)));
  EXPECT_EQ(table_.find_any(id_of(1)), nullptr);
  EXPECT_FALSE(table_.failed(at(now_), id_of(1)));
}

TEST_F(TableTest, WhoWasSeenInAnEarlierRunIsNotRelayedAndStaysForThreeFailures) {
  EXPECT_EQ(table_.restore(at(now_), record_of(1, own_subnet(1))), AddOutcome::added);
  EXPECT_FALSE(entry(1).relayable());
  EXPECT_TRUE(table_.failed(at(now_), id_of(1)));
  EXPECT_TRUE(table_.failed(at(now_), id_of(1)));
  EXPECT_FALSE(table_.failed(at(now_), id_of(1)));
  EXPECT_EQ(table_.find_any(id_of(1)), nullptr);
}

TEST_F(TableTest, AFailureThatIsOursSuspendsAndNeverRemovesWhoWasSeen) {
  add(1, own_subnet(1), reached);
  add(2, own_subnet(2), claimed);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(table_.failed(at(now_), id_of(1), false));
  EXPECT_FALSE(entry(1).relayable());
  EXPECT_FALSE(table_.failed(at(now_), id_of(2), false)) << "a claim is not worth that";
  EXPECT_TRUE(table_.seen(at(now_), id_of(1), own_subnet(1), reached));
  EXPECT_TRUE(entry(1).relayable());
}

TEST_F(TableTest, TheHighestStandingThatWaitsComesFirst) {
  const auto numbers = numbers_at(256, 19);
  for (std::size_t i = 0; i < 16; ++i) add(numbers[i], own_subnet(numbers[i]), reached);
  add(numbers[16], own_subnet(numbers[16]), reached);
  add(numbers[17], own_subnet(numbers[17]), claimed);
  add(numbers[18], own_subnet(numbers[18]), claimed);
  table_.remove(at(now_), id_of(numbers[5]));
  EXPECT_NE(table_.find(id_of(numbers[16])), nullptr);
}

TEST_F(TableTest, WhoRisesWhileItWaitsCompetesForAPlace) {
  const auto numbers = numbers_at(256, 17);
  for (std::size_t i = 0; i < 16; ++i) add(numbers[i], own_subnet(numbers[i]), met);
  EXPECT_EQ(add(numbers[16], own_subnet(numbers[16]), claimed), AddOutcome::replacement);
  EXPECT_TRUE(table_.seen(at(now_), id_of(numbers[16]), own_subnet(numbers[16]), reached));
  EXPECT_NE(table_.find(id_of(numbers[16])), nullptr);
}

TEST_F(TableTest, TwoOfASubnetInABucketAndTenInTheTable) {
  for (std::uint64_t i = 1; i <= 200; ++i) {
    add(i, shared_subnet(static_cast<std::uint8_t>(i)), reached);
  }
  EXPECT_EQ(table_.size(), 10U);
  std::size_t farthest = 0;
  table_.for_each([&](const TableEntry& e) {
    if (log_distance(kSelf, e.id()) == 256) ++farthest;
  });
  EXPECT_EQ(farthest, 2U);
}

TEST_F(TableTest, FiftyNodesOnOneLoopbackAddressHavePlaces) {
  for (std::uint64_t i = 1; i <= 50; ++i) {
    const Endpoint where{IpAddress::loopback_v4(), static_cast<std::uint16_t>(9000 + i)};
    EXPECT_NE(add(i, where, reached), AddOutcome::subnet_limit) << i;
  }
  EXPECT_GT(table_.size(), 35U) << "all that the farthest buckets, of 16 places, leave";
}

TEST_F(TableTest, MovingIntoACrowdedSubnetCostsThePlace) {
  const auto numbers = numbers_at(256, 3);
  add(numbers[0], shared_subnet(1), reached);
  add(numbers[1], shared_subnet(2), reached);
  add(numbers[2], own_subnet(7), reached);
  EXPECT_EQ(add(numbers[2], shared_subnet(3), reached, 2), AddOutcome::subnet_limit);
  EXPECT_EQ(table_.find_any(id_of(numbers[2])), nullptr);
}

TEST_F(TableTest, ClosestIsByDistanceAndLeavesOutTheClaimedUnlessAsked) {
  for (std::uint64_t i = 1; i <= 40; ++i) add(i, own_subnet(i), i % 2 == 0 ? claimed : reached);
  const NodeId target = id_of(1000);
  const auto all = table_.closest(target, 100, true);
  EXPECT_EQ(all.size(), table_.size());
  EXPECT_TRUE(std::ranges::is_sorted(all, [&](const RecordPtr& a, const RecordPtr& b) {
    return closer(target, a->id(), b->id());
  }));
  const auto known = table_.closest(target, 5, false);
  ASSERT_EQ(known.size(), 5U);
  for (const RecordPtr& record : known) EXPECT_TRUE(table_.find(record->id())->relayable());
}

TEST_F(TableTest, RelayableAtIsExactAlsoInTheLowestBucket) {
  for (std::uint64_t i = 1; i <= 60; ++i) add(i, own_subnet(i), reached);
  for (const unsigned distance : {0U, 1U, 239U, 240U, 253U, 255U, 256U, 257U, 4000U}) {
    std::size_t expected = 0;
    table_.for_each([&](const TableEntry& e) {
      if (log_distance(kSelf, e.id()) == distance) ++expected;
    });
    EXPECT_EQ(table_.relayable_at(distance).size(), expected) << distance;
  }
  EXPECT_FALSE(table_.relayable_at(256).empty());
}

// The table after any operations is within its limits, and the same operations give the same table.
TEST(TableModel, AnyOperationsKeepEveryLimitAndRepeatExactly) {
  std::vector<RecordPtr> records;
  for (std::uint64_t i = 0; i < 120; ++i) {
    for (std::uint64_t seq = 1; seq <= 2; ++seq) {
      const Endpoint where =
          i % 3 == 0 ? own_subnet(i) : shared_subnet(static_cast<std::uint8_t>(i + seq));
      records.push_back(record_of(i, where, seq));
    }
  }
  const auto run = [&](std::uint64_t seed) {
    Table table{kSelf};
    Prng prng{seed};
    for (int step = 0; step < 1500; ++step) {
      const RecordPtr& record = records[prng.below(records.size())];
      const auto standing = static_cast<Standing>(prng.below(3));
      const Now now = at(milliseconds(step));
      switch (prng.below(5)) {
        case 0:
          static_cast<void>(table.failed(now, record->id()));
          break;
        case 1:
          static_cast<void>(table.seen(now, record->id(), record->endpoint(), standing));
          break;
        case 2:
          if (prng.chance_ppm(100'000)) table.remove(now, record->id());
          break;
        default:
          static_cast<void>(table.add(now, record, standing));
      }
      EXPECT_EQ(table.broken(), "") << "seed " << seed << " step " << step;
    }
    return ids_of(table);
  };
  for (std::uint64_t seed = 1; seed <= 3; ++seed) EXPECT_EQ(run(seed), run(seed));
  EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace ethnet::kbucket
