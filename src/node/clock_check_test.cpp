#include "clock_check.hpp"

#include <gtest/gtest.h>

namespace ethnet::node {
namespace {

Now at(std::int64_t s) { return {Instant{} + seconds(s), UnixTime{}}; }
NodeId peer(unsigned n) {
  NodeId id;
  store_be<std::uint32_t>(MutByteView{id.bytes}.first(4), n);
  return id;
}

TEST(ClockCheck, OnePeerOfManyIsNotBelieved) {
  ClockCheck check;
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(check.on_early_header(at(i), peer(1), seconds(90), 5));
  }
}

TEST(ClockCheck, TwoPeersAreAndTheLeastOffsetIsNamed) {
  ClockCheck check;
  EXPECT_FALSE(check.on_early_header(at(0), peer(1), seconds(90), 20));
  const auto warning = check.on_early_header(at(30), peer(2), milliseconds(40'900), 20);
  ASSERT_TRUE(warning);
  EXPECT_EQ(warning->seconds, 40U);
  EXPECT_EQ(warning->peers, 2U);
}

TEST(ClockCheck, TheOnlyPeerIsTheMajority) {
  ClockCheck check;
  EXPECT_TRUE(check.on_early_header(at(0), peer(1), seconds(90), 1));
}

TEST(ClockCheck, OnePeerOfTwoIsNoMajority) {
  ClockCheck check;
  EXPECT_FALSE(check.on_early_header(at(0), peer(1), seconds(90), 2));
}

TEST(ClockCheck, WhatOneSaidLongAgoDoesNotCount) {
  ClockCheck check;
  EXPECT_FALSE(check.on_early_header(at(0), peer(1), seconds(90), 5));
  EXPECT_FALSE(check.on_early_header(at(61), peer(2), seconds(90), 5));
  EXPECT_TRUE(check.on_early_header(at(62), peer(1), seconds(90), 5));
}

TEST(ClockCheck, WarnsAgainOnlyAfterAWhile) {
  ClockCheck check;
  int warnings = 0;
  for (int s = 0; s < 1210; ++s) {
    warnings +=
        check.on_early_header(at(s), peer(static_cast<unsigned>(s % 2)), seconds(90), 5) ? 1 : 0;
  }
  EXPECT_EQ(warnings, 3);  // at 1, 601 and 1201 s
}

TEST(ClockCheck, AFloodOfIdentitiesIsBounded) {
  ClockCheck check;
  (void)check.on_early_header(at(0), peer(1), seconds(90), 2000);
  EXPECT_TRUE(check.on_early_header(at(0), peer(2), seconds(90), 2000));
  for (unsigned i = 0; i < 1000; ++i) {
    EXPECT_FALSE(check.on_early_header(at(599), peer(i), seconds(90), 2000));
  }
  const auto warning = check.on_early_header(at(600), peer(0), seconds(90), 2000);
  ASSERT_TRUE(warning);
  EXPECT_EQ(warning->peers, kMaxClockWitnesses);
}

}  // namespace
}  // namespace ethnet::node
