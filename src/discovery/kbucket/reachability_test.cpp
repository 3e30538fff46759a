#include "reachability.hpp"

#include <gtest/gtest.h>

namespace ethnet::kbucket {
namespace {

const Endpoint kOurs = Endpoint::parse("5.5.5.5:9000").value();

Now at(Duration since_start) {
  return {Instant{1'000'000'000} + since_start,
          UnixTime::from_seconds(1'700'000'000) + since_start};
}

TEST(Reachability, AnAddressToWhichNobodyComesIsLostAndTriedAgainLater) {
  Reachability own;
  EXPECT_TRUE(own.next_deadline().is_never());
  own.on_address(at(seconds(0)), kOurs);
  EXPECT_FALSE(own.overdue(at(kArrivalWithin - nanoseconds(1)), false).has_value());
  const auto lost = own.overdue(at(kArrivalWithin), false);
  ASSERT_TRUE(lost.has_value());
  EXPECT_TRUE(lost->lost);
  EXPECT_EQ(lost->endpoint, kOurs);
  EXPECT_FALSE(own.overdue(at(kArrivalWithin), false).has_value());
  own.on_arrival(false);  // nobody was told, so it shows nothing
  const Duration later = kArrivalWithin + kTryAgainAfter;
  EXPECT_EQ(own.next_deadline(), at(later).mono);
  const auto again = own.overdue(at(later), false);
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->lost);
  own.on_arrival(true);
  EXPECT_FALSE(own.next_deadline().is_never()) << "of the other family";
  own.on_arrival(false);
  EXPECT_TRUE(own.next_deadline().is_never());
}

TEST(Reachability, WhereStrangersWereRefusedNobodyConcludesThatNoneCame) {
  Reachability own;
  own.on_address(at(seconds(0)), kOurs);
  EXPECT_FALSE(own.overdue(at(kArrivalWithin), true).has_value());
  EXPECT_EQ(own.next_deadline(), at(kArrivalWithin + kArrivalWithin).mono);
  const auto lost = own.overdue(at(kArrivalWithin + kArrivalWithin), false);
  ASSERT_TRUE(lost.has_value());
  EXPECT_TRUE(lost->lost);
  // That it is to be tried again is no conclusion.
  EXPECT_TRUE(own.overdue(at(kArrivalWithin + kArrivalWithin + kTryAgainAfter), true).has_value());
}

// A few packets now and then keep no address that nobody comes to.
TEST(Reachability, AVerdictIsNotPutOffWithoutEnd) {
  Reachability own;
  own.on_address(at(seconds(0)), kOurs);
  for (unsigned i = 1; i <= kMaxVerdictsPutOff; ++i) {
    EXPECT_FALSE(own.overdue(at(kArrivalWithin * i), true).has_value()) << i;
  }
  const auto lost = own.overdue(at(kArrivalWithin * (kMaxVerdictsPutOff + 1)), true);
  ASSERT_TRUE(lost.has_value());
  EXPECT_TRUE(lost->lost);
}

}  // namespace
}  // namespace ethnet::kbucket
