#include "refusal_window.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace ethnet::node {
namespace {

using session::DisconnectReason;

Now at(std::int64_t second) { return {Instant{} + seconds(second), UnixTime{}}; }

session::SessionSnapshot refused(std::uint64_t inbound, std::uint64_t outbound) {
  session::SessionSnapshot out;
  if (inbound > 0) out.refused_inbound.push_back({DisconnectReason::too_many_peers, inbound});
  if (outbound > 0) out.refused_outbound.push_back({DisconnectReason::wrong_genesis, outbound});
  return out;
}

TEST(RefusalWindow, TellsWhatCameInTheLastTenMinutesAndWhatCameInAll) {
  RefusalWindow window;
  EXPECT_TRUE(window.refresh(at(0), refused(0, 0)).empty());
  for (std::int64_t second = 1; second <= 3'600; ++second) {
    // One an inbound second, and 5 outbound in the first minute.
    const auto out = static_cast<std::uint64_t>(std::min<std::int64_t>(second / 12, 5));
    const auto told = window.refresh(at(second), refused(static_cast<std::uint64_t>(second), out));
    ASSERT_EQ(told.size(), out == 0 ? 1U : 2U);
    EXPECT_TRUE(told.front().inbound);
    EXPECT_EQ(told.front().reason, "too many peers");
    EXPECT_EQ(told.front().total, static_cast<std::uint64_t>(second));
    const auto least = std::min<std::uint64_t>(told.front().total, 600);
    EXPECT_GE(told.front().recent, least);
    EXPECT_LE(told.front().recent, least + 30);
    if (second >= 700) {
      EXPECT_EQ(told.back().recent, 0U) << second;
    } else if (second == 100) {
      EXPECT_EQ(told.back().recent, 5U);
    }
  }
}

TEST(RefusalWindow, WhatWasRefusedBeforeAnybodyLookedIsOfLate) {
  RefusalWindow window;
  const auto told = window.refresh(at(5), refused(7, 0));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().recent, 7U);
}

TEST(RefusalWindow, AnHourWithoutALookLeavesNothingOfLateButWhatCameSinceTheLastLook) {
  RefusalWindow window;
  (void)window.refresh(at(0), refused(1, 0));
  (void)window.refresh(at(60), refused(3, 0));
  const auto told = window.refresh(at(3'660), refused(4, 0));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().recent, 1U);
}

}  // namespace
}  // namespace ethnet::node
