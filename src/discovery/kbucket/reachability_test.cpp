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
  EXPECT_FALSE(own.overdue(at(kArrivalWithin - nanoseconds(1))).has_value());
  const auto lost = own.overdue(at(kArrivalWithin));
  ASSERT_TRUE(lost.has_value());
  EXPECT_TRUE(lost->lost);
  EXPECT_EQ(lost->endpoint, kOurs);
  EXPECT_FALSE(own.overdue(at(kArrivalWithin)).has_value());
  own.on_arrival(false);  // nobody was told, so it shows nothing
  const Duration later = kArrivalWithin + kTryAgainAfter;
  EXPECT_EQ(own.next_deadline(), at(later).mono);
  const auto again = own.overdue(at(later));
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->lost);
  own.on_arrival(true);
  EXPECT_FALSE(own.next_deadline().is_never()) << "of the other family";
  own.on_arrival(false);
  EXPECT_TRUE(own.next_deadline().is_never());
}

}  // namespace
}  // namespace ethnet::kbucket
