#include "paired.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ethnet::bench {
namespace {

using testing::ElementsAre;

// A side whose items take `ns` each, by a clock of its own.
struct Fake {
  std::uint64_t ns;
  std::vector<char>* order;
  char letter;
  [[nodiscard]] Side side() const {
    return {std::string(1, letter), [*this](std::uint64_t items) {
              order->push_back(letter);
              return items * ns;
            }};
  }
};

TEST(Paired, BlocksAlternateAndTheRatioSaysHowManyTimesFasterWeAre) {
  std::vector<char> order;
  const Comparison c = compare(Fake{100, &order, 'a'}.side(), Fake{250, &order, 'b'}.side(),
                               {.pairs = 4, .block_ns = 1000, .resamples = 100});
  order.erase(order.begin(), order.end() - 8);
  EXPECT_THAT(order, ElementsAre('a', 'b', 'b', 'a', 'a', 'b', 'b', 'a'));
  EXPECT_DOUBLE_EQ(c.ours_ns, 100);
  EXPECT_DOUBLE_EQ(c.theirs_ns, 250);
  EXPECT_DOUBLE_EQ(c.ratio, 2.5);
  EXPECT_DOUBLE_EQ(c.low, 2.5);
  EXPECT_DOUBLE_EQ(c.high, 2.5);
}

TEST(Paired, ABlockIsAsLongAsAsked) {
  std::vector<std::uint64_t> items;
  const Side side{"", [&](std::uint64_t n) {
                    items.push_back(n);
                    return n * 7;
                  }};
  EXPECT_DOUBLE_EQ(measure(side, {.pairs = 2, .block_ns = 7'000'000}), 7);
  EXPECT_EQ(items.back(), 1'000'000U);
}

// A drift that slows both alike must not show; that is what pairs are for.
TEST(Paired, ADriftOfTheMachineDoesNotChangeTheRatio) {
  std::uint64_t slowdown = 100;
  const auto side = [&](std::uint64_t ns) {
    return Side{"", [&slowdown, ns](std::uint64_t n) { return n * ns * ++slowdown; }};
  };
  const Comparison c = compare(side(1000), side(2000), {.pairs = 16, .block_ns = 1});
  EXPECT_NEAR(c.ratio, 2.0, 0.02);
}

TEST(Paired, AVerdictNeedsTheWholeInterval) {
  EXPECT_EQ(judge({.low = 1.3, .high = 1.5}, 1.3), Verdict::met);
  EXPECT_EQ(judge({.low = 1.2, .high = 1.29}, 1.3), Verdict::missed);
  EXPECT_EQ(judge({.low = 1.2, .high = 1.5}, 1.3), Verdict::none);
  EXPECT_STREQ(text(Verdict::none), "no verdict");
}

TEST(Paired, MedianAndItsInterval) {
  EXPECT_DOUBLE_EQ(median({3, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(median({4, 1, 2, 3}), 2.5);
  const std::vector<double> values{1, 2, 3, 4, 5, 6, 7, 8, 9, 100};
  const Interval interval = bootstrap_median(values, 2000);
  EXPECT_GT(interval.low, 1);
  EXPECT_LT(interval.low, 5.5);
  EXPECT_GT(interval.high, 5.5);
  EXPECT_LT(interval.high, 100);
}

TEST(Paired, TimedReadsItsClockAroundTheWork) {
  std::uint64_t now = 50;
  const Side side = timed("x", [&] { return now; }, [&](std::uint64_t n) { now += 3 * n; });
  EXPECT_EQ(side.run(4), 12U);
}

}  // namespace
}  // namespace ethnet::bench
