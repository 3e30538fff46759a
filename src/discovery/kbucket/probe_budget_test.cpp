// How often an unproven address is knocked at, and which distances are asked for.
#include "probe_budget.hpp"

#include <set>

#include <gtest/gtest.h>

#include "distances.hpp"
#include "testing/records.hpp"

namespace ethnet::kbucket {
namespace {

using namespace testing;

TEST(ProbeBudget, TwoKnocksAMinuteAtOneAddress) {
  ProbeBudget budget;
  const IpAddress ip = own_subnet(1).ip;
  EXPECT_TRUE(budget.take(at(seconds(0)), ip));
  EXPECT_TRUE(budget.take(at(seconds(30)), ip));
  EXPECT_FALSE(budget.take(at(seconds(59)), ip));
  EXPECT_TRUE(budget.take(at(seconds(59)), own_subnet(2).ip));
  EXPECT_TRUE(budget.take(at(seconds(60)), ip)) << "the first one is a minute old";
  EXPECT_FALSE(budget.take(at(seconds(89)), ip));
  EXPECT_TRUE(budget.take(at(seconds(90)), ip));
  EXPECT_EQ(budget.refused(), 2U);
}

TEST(ProbeBudget, ASlash64IsOneAddress) {
  ProbeBudget budget;
  EXPECT_TRUE(budget.take(at(seconds(0)), endpoint("[2a00::1]:1").ip));
  EXPECT_TRUE(budget.take(at(seconds(0)), endpoint("[2a00::2]:1").ip));
  EXPECT_FALSE(budget.take(at(seconds(0)), endpoint("[2a00::3]:1").ip));
  EXPECT_TRUE(budget.take(at(seconds(0)), endpoint("[2a00:0:0:1::1]:1").ip));
}

TEST(ProbeBudget, LoopbackAndLanAreExempt) {
  ProbeBudget budget;
  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(budget.take(at(seconds(0)), IpAddress::loopback_v4()));
    EXPECT_TRUE(budget.take(at(seconds(0)), endpoint("10.0.0.1:1").ip));
  }
  EXPECT_EQ(budget.addresses(), 0U);
}

TEST(ProbeBudget, AddressesAreBoundedAndForgotten) {
  ProbeBudget budget;
  for (std::size_t i = 0; i < 2 * kMaxProbedAddresses; ++i) {
    EXPECT_EQ(budget.take(at(seconds(0)), own_subnet(i).ip), i < kMaxProbedAddresses);
  }
  EXPECT_EQ(budget.addresses(), kMaxProbedAddresses);
  EXPECT_TRUE(budget.take(at(seconds(61)), own_subnet(0).ip));
  EXPECT_EQ(budget.addresses(), 1U);
}

TEST(ProbeBudget, WhatWasProvenIsRememberedForSoManyAddressesAndByPort) {
  ProbeBudget budget;
  budget.prove(own_subnet(0));
  budget.prove(own_subnet(0));
  EXPECT_TRUE(budget.is_proven(own_subnet(0)));
  EXPECT_FALSE(budget.is_proven(own_subnet(0, 9001))) << "another port is another host's";
  for (std::size_t i = 1; i < kMaxProvenAddresses; ++i) budget.prove(own_subnet(i));
  EXPECT_TRUE(budget.is_proven(own_subnet(0)));
  budget.prove(own_subnet(kMaxProvenAddresses));
  EXPECT_FALSE(budget.is_proven(own_subnet(0)));
}

TEST(Distances, TheTargetsOwnIsFirstAndNoneIsTwiceOrOutOfRange) {
  const NodeId self = id_of(0);
  for (std::uint64_t i = 0; i < 60; ++i) {
    NodeId target = self;
    const std::size_t octet = i / 2;
    target.bytes[octet] ^= std::byte{0x55};
    const auto distances = lookup_distances(self, target);
    ASSERT_LE(distances.size(), kMaxDistances);
    ASSERT_GE(distances.size(), 5U);
    EXPECT_EQ(distances.front(), log_distance(self, target));
    EXPECT_EQ(std::set<std::uint16_t>(distances.begin(), distances.end()).size(), distances.size());
    for (const std::uint16_t distance : distances) {
      EXPECT_GE(distance, 1U);
      EXPECT_LE(distance, kMaxDistance);
    }
  }
  EXPECT_EQ(lookup_distances(self, self).back(), kMaxDistance) << "the target's own neighbours";
  NodeId far = self;
  far.bytes[0] ^= std::byte{0x10};
  EXPECT_EQ(lookup_distances(self, far),
            (std::vector<std::uint16_t>{253, 252, 251, 250, 249, 248, 247, 246, 245, 244, 243, 242,
                                        254, 255, 256}));
}

TEST(Distances, WhatAFullAnswerHadNoRoomForRemains) {
  const std::vector<std::uint16_t> asked{250, 249, 251, 248};
  EXPECT_EQ(remaining_distances(asked, 250), (std::vector<std::uint16_t>{249, 251, 248}));
  EXPECT_EQ(remaining_distances(asked, 251), (std::vector<std::uint16_t>{251, 248}));
  EXPECT_EQ(remaining_distances(asked, 248), (std::vector<std::uint16_t>{248}));
  EXPECT_TRUE(remaining_distances(asked, 7).empty()) << "never asked for";
  EXPECT_TRUE(remaining_distances({9}, 9).empty());
}

}  // namespace
}  // namespace ethnet::kbucket
