// The upload limit by itself: how much may leave, and whose turn it is to write what can wait.
#include "upload_limit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ethnet::quic {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using transport::ConnHandle;

constexpr std::size_t kPacket = 1452;
constexpr RateLimit kLimit{.per_second = 64 * 1024, .burst = 32 * 1024};
constexpr ConnHandle kA{0, 1};
constexpr ConnHandle kB{1, 1};
constexpr ConnHandle kC{2, 1};

Instant at(std::int64_t ms) { return Instant{} + milliseconds(ms); }

std::vector<ConnHandle> conns(const std::vector<UploadLimit::Turn>& turns) {
  std::vector<ConnHandle> out;
  for (const UploadLimit::Turn& turn : turns) out.push_back(turn.conn);
  return out;
}

class AnUploadLimit : public ::testing::Test {
 protected:
  UploadLimit limit{kLimit, kPacket};
};

TEST_F(AnUploadLimit, OfNoRateIsOff) {
  EXPECT_FALSE((UploadLimit{RateLimit{}, kPacket}.on()));
  EXPECT_TRUE(limit.on());
}

TEST_F(AnUploadLimit, GivesTheBurstAndThenTheRate) {
  EXPECT_EQ(limit.urgent(at(0)), kLimit.burst);
  limit.spend_urgent(at(0), kLimit.burst);
  EXPECT_EQ(limit.urgent(at(0)), 0U);
  std::size_t sent = 0;
  for (std::int64_t ms = 1; ms <= 60'000; ++ms) {
    const std::size_t there = std::min(limit.urgent(at(ms)), kPacket);
    limit.spend_urgent(at(ms), there);
    sent += there;
  }
  EXPECT_LE(sent, kLimit.per_second * 60);
  EXPECT_GE(sent, kLimit.per_second * 60 - 2 * kPacket);
}

TEST_F(AnUploadLimit, SaysWhenThereIsEnoughForAPacketOrAStep) {
  limit.spend_urgent(at(0), kLimit.burst);
  const Instant packet = limit.next_urgent();
  EXPECT_EQ(limit.urgent(packet - nanoseconds(1)), 0U);
  EXPECT_GE(limit.urgent(packet), kPacket);
  const Instant step = limit.next_bulk();
  EXPECT_GT(step, packet);
  EXPECT_EQ(limit.bulk(step - nanoseconds(1)), 0U);
  EXPECT_GE(limit.bulk(step), kPacket);
}

TEST_F(AnUploadLimit, KeepsAShareFromWhatCanWait) {
  while (const std::size_t bulk = limit.bulk(at(0)))
    limit.spend_bulk(at(0), std::min(bulk, kPacket));
  EXPECT_GE(limit.urgent(at(0)), kLimit.burst / 4);
}

TEST_F(AnUploadLimit, GrantsNoMoreThanThereIsAndPutsTheRestInLine) {
  const std::size_t there = limit.bulk(at(0));
  EXPECT_EQ(limit.grant(at(0), kA, 4, there - 100), there - 100);
  EXPECT_FALSE(limit.waits(kA));
  EXPECT_EQ(limit.grant(at(0), kB, 8, kPacket), 0U);  // what is left is less than a packet
  EXPECT_TRUE(limit.waits(kB));
  EXPECT_EQ(limit.grant(at(0), kC, 4, kPacket), 0U);
  EXPECT_FALSE(limit.next_open().is_never());
}

TEST_F(AnUploadLimit, WhoWaitsIsServedInTurnAndBeforeNewcomers) {
  limit.spend_urgent(at(0), kLimit.burst);
  EXPECT_TRUE(limit.next_open().is_never());
  EXPECT_EQ(limit.grant(at(0), kA, 4, 100'000), 0U);
  EXPECT_EQ(limit.grant(at(0), kB, 8, 100'000), 0U);
  const Instant open = limit.next_open();
  EXPECT_EQ(open, limit.next_bulk());
  EXPECT_THAT(conns(limit.open(open, 0)), ElementsAre(kA));  // a step is a packet
  EXPECT_EQ(limit.grant(open, kC, 4, 100), 0U);              // behind B
  const std::size_t granted = limit.grant(open, kA, 4, 100'000);
  EXPECT_GE(granted, kPacket);
  limit.spend_bulk(open, granted);
  const Instant next = limit.next_open();
  EXPECT_GT(next, open);
  EXPECT_THAT(conns(limit.open(next, 0)), ElementsAre(kB));
}

TEST_F(AnUploadLimit, WhatIsPromisedIsNotGrantedAgain) {
  EXPECT_EQ(limit.grant(at(0), kA, 4, 100'000), limit.bulk(at(0)));
  EXPECT_TRUE(limit.waits(kA));
  EXPECT_THAT(conns(limit.open(at(1), limit.bulk(at(1)))), IsEmpty());
  EXPECT_GT(limit.next_open(), at(1));  // and nobody spins meanwhile
  EXPECT_THAT(conns(limit.open(at(2), 0)), ElementsAre(kA));
}

TEST_F(AnUploadLimit, ForgetsWhoIsGone) {
  limit.spend_urgent(at(0), kLimit.burst);
  (void)limit.grant(at(0), kA, 4, 100);
  limit.forget(kA);
  EXPECT_FALSE(limit.waits(kA));
  EXPECT_TRUE(limit.next_open().is_never());
  EXPECT_THAT(conns(limit.open(at(1'000), 0)), IsEmpty());
}

}  // namespace
}  // namespace ethnet::quic
