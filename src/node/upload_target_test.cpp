// The day's window of --max-upload-target.
#include "upload_target.hpp"

#include <gtest/gtest.h>

namespace ethnet::node {
namespace {

constexpr Duration kDay = seconds(24 * 3'600);
constexpr Instant kStart{seconds(500).ns};
Instant at(Duration since_start) { return kStart + since_start; }

TEST(UploadTarget, IsUsedUpByWhatLeftInADay) {
  UploadTarget target{1'000, kDay, kStart};
  EXPECT_FALSE(target.update(at(seconds(1)), 999));
  EXPECT_FALSE(target.used_up());
  EXPECT_TRUE(target.next_deadline().is_never());
  EXPECT_TRUE(target.update(at(seconds(2)), 1'000));
  EXPECT_TRUE(target.used_up());
  EXPECT_EQ(target.used(), 1'000U);
  EXPECT_EQ(target.reached(), 1U);
  EXPECT_EQ(target.next_deadline(), at(kDay));
  EXPECT_FALSE(target.update(at(kDay - nanoseconds(1)), 1'100));  // nothing new
  EXPECT_TRUE(target.used_up());
}

TEST(UploadTarget, BeginsAnewWithEachDay) {
  UploadTarget target{1'000, kDay, kStart};
  EXPECT_TRUE(target.update(at(seconds(1)), 1'500));
  EXPECT_TRUE(target.update(at(kDay), 1'510));
  EXPECT_FALSE(target.used_up());
  EXPECT_EQ(target.used(), 10U);
  EXPECT_TRUE(target.update(at(kDay + seconds(1)), 2'600));
  EXPECT_EQ(target.reached(), 2U);
  EXPECT_EQ(target.next_deadline(), at(kDay * 2));
}

TEST(UploadTarget, DaysWithoutAnUpdateAreStepsOfWholeDays) {
  UploadTarget target{1'000, kDay, kStart};
  EXPECT_FALSE(target.update(at(seconds(1)), 900));
  EXPECT_FALSE(target.update(at(kDay * 3 + seconds(5)), 950));
  EXPECT_EQ(target.used(), 50U);
  EXPECT_TRUE(target.update(at(kDay * 3 + seconds(6)), 2'000));
  EXPECT_EQ(target.next_deadline(), at(kDay * 4));
}

TEST(UploadTarget, OfNothingIsNone) {
  UploadTarget target{0, kDay, kStart};
  EXPECT_FALSE(target.update(at(seconds(1)), UINT64_MAX));
  EXPECT_FALSE(target.used_up());
  EXPECT_TRUE(target.next_deadline().is_never());
}

}  // namespace
}  // namespace ethnet::node
