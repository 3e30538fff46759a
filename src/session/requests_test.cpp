#include "requests.hpp"

#include <gtest/gtest.h>

namespace ethnet::session {
namespace {

constexpr SessionHandle kAlice{1, 1};
constexpr SessionHandle kAliceAgain{1, 2};  // the same slot, a later session
constexpr SessionHandle kBob{2, 1};
constexpr std::uint64_t kHeaders = 4;

Now at(std::int64_t ms) { return {Instant{} + milliseconds(ms), UnixTime{}}; }
RequestSpec ask(SessionHandle session, std::int64_t timeout_ms = 1000) {
  return {session, kHeaders, 100, 10, milliseconds(timeout_ms)};
}

TEST(RequestTracker, AnAnswerIsAcceptedOnceWithItsLimits) {
  RequestTracker tracker{8, 4};
  const auto id = tracker.open(at(5), ask(kAlice));
  ASSERT_TRUE(id);
  EXPECT_EQ(tracker.size(), 1U);
  EXPECT_EQ(tracker.next_deadline(), at(1005).mono);
  const auto done = tracker.accept(kAlice, *id, kHeaders, 100);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->id, *id);
  EXPECT_EQ(done->max_items, 10U);
  EXPECT_EQ(done->sent, at(5).mono);
  EXPECT_EQ(tracker.size(), 0U);
  EXPECT_TRUE(tracker.next_deadline().is_never());
  EXPECT_TRUE(tracker.accept(kAlice, *id, kHeaders, 1).error().is(RequestError::unsolicited));
}

TEST(RequestTracker, WhatDoesNotMatchIsRefusedAndChangesNothing) {
  RequestTracker tracker{8, 4};
  const auto id = tracker.open(at(0), ask(kAlice));
  ASSERT_TRUE(id);
  EXPECT_TRUE(tracker.accept(kAlice, *id + 1, kHeaders, 1).error().is(RequestError::unsolicited));
  EXPECT_TRUE(tracker.accept(kAlice, 0, kHeaders, 1).error().is(RequestError::unsolicited));
  EXPECT_TRUE(tracker.accept(kBob, *id, kHeaders, 1).error().is(RequestError::wrong_session));
  EXPECT_TRUE(
      tracker.accept(kAliceAgain, *id, kHeaders, 1).error().is(RequestError::wrong_session));
  EXPECT_TRUE(tracker.accept(kAlice, *id, kHeaders + 1, 1).error().is(RequestError::wrong_code));
  EXPECT_TRUE(tracker.accept(kAlice, *id, kHeaders, 101).error().is(RequestError::too_large));
  EXPECT_EQ(tracker.size(), 1U);
  EXPECT_TRUE(tracker.accept(kAlice, *id, kHeaders, 0));
}

TEST(RequestTracker, LimitsHoldInTotalAndForEachSession) {
  RequestTracker tracker{3, 2};
  ASSERT_TRUE(tracker.open(at(0), ask(kAlice)));
  const auto second = tracker.open(at(0), ask(kAlice));
  ASSERT_TRUE(second);
  EXPECT_TRUE(tracker.open(at(0), ask(kAlice)).error().is(RequestError::limit));
  ASSERT_TRUE(tracker.open(at(0), ask(kBob)));
  EXPECT_TRUE(tracker.open(at(0), ask(kBob)).error().is(RequestError::limit));
  EXPECT_TRUE(tracker.cancel(*second));
  EXPECT_FALSE(tracker.cancel(*second));
  EXPECT_TRUE(tracker.open(at(0), ask(kBob)));
  EXPECT_EQ(tracker.outstanding(kAlice), 1U);
  EXPECT_EQ(tracker.outstanding(kBob), 2U);
}

TEST(RequestTracker, ExpiryIsInOrderOfDeadline) {
  RequestTracker tracker{8, 8};
  const auto late = tracker.open(at(0), ask(kAlice, 300));
  const auto soon = tracker.open(at(0), ask(kBob, 100));
  const auto middle = tracker.open(at(0), ask(kAlice, 200));
  ASSERT_TRUE(late && soon && middle);
  EXPECT_TRUE(tracker.expire(at(99)).empty());
  EXPECT_EQ(tracker.next_deadline(), at(100).mono);
  const auto expired = tracker.expire(at(200));
  ASSERT_EQ(expired.size(), 2U);
  EXPECT_EQ(expired[0].id, *soon);
  EXPECT_EQ(expired[1].id, *middle);
  EXPECT_TRUE(tracker.accept(kBob, *soon, kHeaders, 1).error().is(RequestError::unsolicited));
  EXPECT_TRUE(tracker.accept(kAlice, *late, kHeaders, 1));
  EXPECT_TRUE(tracker.next_deadline().is_never());
}

TEST(RequestTracker, AClosedSessionLeavesNothing) {
  RequestTracker tracker{8, 8};
  ASSERT_TRUE(tracker.open(at(0), ask(kAlice)));
  ASSERT_TRUE(tracker.open(at(0), ask(kBob)));
  ASSERT_TRUE(tracker.open(at(0), ask(kAlice)));
  const auto dropped = tracker.drop(kAlice);
  ASSERT_EQ(dropped.size(), 2U);
  EXPECT_LT(dropped[0].id, dropped[1].id);
  EXPECT_EQ(tracker.outstanding(kAlice), 0U);
  EXPECT_EQ(tracker.size(), 1U);
  EXPECT_TRUE(tracker.drop(kAlice).empty());
  EXPECT_TRUE(tracker.drop(kAliceAgain).empty());
  EXPECT_EQ(tracker.drop(kBob).size(), 1U);
  EXPECT_TRUE(tracker.next_deadline().is_never());
}

}  // namespace
}  // namespace ethnet::session
