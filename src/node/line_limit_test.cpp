#include "line_limit.hpp"

#include <gtest/gtest.h>

namespace ethnet::node {
namespace {

Now at(std::int64_t s) { return {Instant{} + seconds(s), UnixTime{}}; }

TEST(LineLimit, AllowsSoManyInAWindowAndAsManyInTheNext) {
  LineLimit limit{3, seconds(10)};
  int written = 0;
  for (int i = 0; i < 8; ++i) written += limit.allow(at(100)) ? 1 : 0;
  EXPECT_EQ(written, 3);
  EXPECT_FALSE(limit.allow(at(109)));
  EXPECT_TRUE(limit.allow(at(110)));
  EXPECT_EQ(limit.suppressed_total(), 6U);
}

TEST(LineLimit, ReportsWhatItSuppressedOnceWhenTheWindowEndsAndNothingElse) {
  LineLimit limit{1, seconds(10)};
  EXPECT_TRUE(limit.allow(at(5)));
  EXPECT_TRUE(limit.next_deadline().is_never());
  EXPECT_FALSE(limit.allow(at(6)));
  EXPECT_FALSE(limit.allow(at(7)));
  EXPECT_EQ(limit.next_deadline(), at(15).mono);
  EXPECT_EQ(limit.take_due(at(14)), 0U);
  EXPECT_EQ(limit.take_due(at(15)), 2U);
  EXPECT_EQ(limit.take_due(at(16)), 0U);
  EXPECT_TRUE(limit.next_deadline().is_never());
}

// Lines of the next window may come before the report is taken: neither they nor it are lost.
TEST(LineLimit, ALateReportHoldsAllThatWasSuppressed) {
  LineLimit limit{1, seconds(10)};
  for (int i = 0; i < 3; ++i) (void)limit.allow(at(0));
  for (int i = 0; i < 3; ++i) (void)limit.allow(at(20));
  EXPECT_EQ(limit.next_deadline(), at(10).mono);
  EXPECT_EQ(limit.take_due(at(20)), 4U);
}

TEST(LineLimit, AFlushGivesWhatIsLeftBeforeTheWindowEnds) {
  LineLimit limit{1, seconds(10)};
  (void)limit.allow(at(0));
  (void)limit.allow(at(1));
  EXPECT_EQ(limit.flush(), 1U);
  EXPECT_EQ(limit.flush(), 0U);
  EXPECT_EQ(limit.suppressed_total(), 1U);
}

}  // namespace
}  // namespace ethnet::node
