// The download limit by itself: when credit is given, and to whom.
#include "download_limit.hpp"

#include <gtest/gtest.h>

namespace ethnet::quic {
namespace {

using transport::ConnHandle;

constexpr std::size_t kPacket = 1452;
constexpr RateLimit kLimit{.per_second = 64 * 1024, .burst = 16 * 1024};
constexpr ConnHandle kA{0, 1};
constexpr ConnHandle kB{1, 1};

Instant at(std::int64_t ms) { return Instant{} + milliseconds(ms); }

class ADownloadLimit : public ::testing::Test {
 protected:
  // Gives what may be given at `now`; how much that was.
  std::size_t give(Instant now, ConnHandle conn) {
    limit.owe(conn);
    std::size_t sum = 0;
    while (const auto turn = limit.take_turn(now)) {
      limit.given(now, turn->bytes);
      sum += turn->bytes;
      limit.owe(turn->conn);
    }
    return sum;
  }
  DownloadLimit limit{kLimit, kPacket};
};

TEST_F(ADownloadLimit, OfNoRateIsOff) {
  EXPECT_FALSE((DownloadLimit{RateLimit{}, kPacket}.on()));
  EXPECT_TRUE(limit.on());
}

TEST_F(ADownloadLimit, GivesCreditAtItsRate) {
  std::size_t given = give(at(0), kA);
  EXPECT_GT(given, kLimit.burst - kPacket);
  for (std::int64_t ms = 1; ms <= 60'000; ++ms) given += give(at(ms), kA);
  EXPECT_LE(given, kLimit.per_second * 60 + kLimit.burst);
  EXPECT_GE(given, kLimit.per_second * 60);
}

TEST_F(ADownloadLimit, WhatComesWithoutCreditIsPaidFirst) {
  (void)give(at(0), kA);
  limit.received(at(0), 64 * 1024, 0);  // a second's worth
  EXPECT_GT(limit.next_turn(), at(1'000));
  EXPECT_EQ(give(at(1'000), kA), 0U);
  EXPECT_GT(give(limit.next_turn(), kA), 0U);
}

TEST_F(ADownloadLimit, WhatWasPaidWithItsCreditIsNotPaidAgain) {
  (void)give(at(0), kA);
  const Instant next = limit.next_turn();
  limit.received(at(0), kPacket, kPacket);
  EXPECT_EQ(limit.next_turn(), next);
  limit.received(at(0), kPacket, kPacket - 64);  // its overhead is
  EXPECT_GT(limit.next_turn(), next);
}

TEST_F(ADownloadLimit, TurnsGoRound) {
  limit.owe(kA);
  limit.owe(kB);
  limit.owe(kA);  // is in line
  EXPECT_EQ(limit.take_turn(at(0))->conn, kA);
  limit.owe(kA);
  EXPECT_EQ(limit.take_turn(at(0))->conn, kB);
  EXPECT_EQ(limit.take_turn(at(0))->conn, kA);
  EXPECT_FALSE(limit.take_turn(at(0)));
  EXPECT_TRUE(limit.next_turn().is_never());
}

TEST_F(ADownloadLimit, ForgetsWhoIsGone) {
  limit.owe(kA);
  limit.forget(kA);
  EXPECT_FALSE(limit.anybody_waits());
  EXPECT_TRUE(limit.next_turn().is_never());
}

}  // namespace
}  // namespace ethnet::quic
