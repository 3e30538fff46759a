#include "sampler.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <sim/seeded_secure_rng.hpp>

#include "testing/test_data.hpp"

namespace ethnet::das {
namespace {

using ::testing::ElementsAre;
using testing::ScriptedSource;

// Gives these words, then zeros.
class WordRng final : public SecureRng {
 public:
  explicit WordRng(std::deque<std::uint64_t> words) : words_{std::move(words)} {}
  void fill(MutByteView out) noexcept override {
    store_be<std::uint64_t>(out, words_.empty() ? 0 : words_.front());
    if (!words_.empty()) words_.pop_front();
  }
  [[nodiscard]] std::size_t left() const { return words_.size(); }

 private:
  std::deque<std::uint64_t> words_;
};

TEST(DrawIndices, AScriptedSourceDrawsWhatItSays) {
  ScriptedSource source{3, 11, 27, 40, 52, 7, 19, 61};
  EXPECT_THAT(draw_indices(source, 64, 8), ElementsAre(3, 11, 27, 40, 52, 7, 19, 61));
}

TEST(DrawIndices, ADrawThatComesAgainIsReplacedAndCostsNoOther) {
  ScriptedSource source{2, 2, 2};
  EXPECT_THAT(draw_indices(source, 10, 3), ElementsAre(2, 8, 9));
}

TEST(DrawIndices, MoreThanThereAreGivesEachOnce) {
  WordRng rng{{5, 9, 2, 77, 1}};
  SecureIndexSource source{rng};
  auto drawn = draw_indices(source, 5, 100);
  std::ranges::sort(drawn);
  EXPECT_THAT(drawn, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_TRUE(draw_indices(source, 0, 8).empty());
  EXPECT_TRUE(draw_indices(source, 8, 0).empty());
}

RC_GTEST_PROP(DrawIndicesProperty, AreDistinctAndBelowTheTotal, ()) {
  sim::SeededSecureRng rng{Prng{*rc::gen::arbitrary<std::uint64_t>()}};
  SecureIndexSource source{rng};
  const auto total = *rc::gen::inRange<std::uint32_t>(1, 300);
  const auto k = *rc::gen::inRange<std::uint32_t>(0, 40);
  const auto drawn = draw_indices(source, total, k);
  const std::set<std::uint32_t> distinct{drawn.begin(), drawn.end()};
  RC_ASSERT(drawn.size() == std::min(k, total));
  RC_ASSERT(distinct.size() == drawn.size());
  RC_ASSERT(std::ranges::all_of(drawn, [&](std::uint32_t i) { return i < total; }));
}

// Each of the ten pairs of five is as likely: within five standard deviations of 2,000.
TEST(DrawIndices, EveryPairOfFiveIsAsLikely) {
  sim::SeededSecureRng rng{Prng{7}};
  SecureIndexSource source{rng};
  std::map<std::vector<std::uint32_t>, int> seen;
  for (int i = 0; i < 20'000; ++i) {
    auto pair = draw_indices(source, 5, 2);
    std::ranges::sort(pair);
    ++seen[pair];
  }
  ASSERT_EQ(seen.size(), 10U);
  for (const auto& [pair, times] : seen) EXPECT_NEAR(times, 2'000, 5 * 42.4);
}

// 2^64 = 5 · 3689348814741910323 + 1: one word too many for a fair remainder of 5.
TEST(SecureIndexSource, AWordThatWouldFavourARemainderIsDrawnAgain) {
  WordRng rng{{UINT64_MAX, 3}};
  SecureIndexSource source{rng};
  EXPECT_EQ(source.below(5), 3U);
  EXPECT_EQ(rng.left(), 0U);
  WordRng fair{{UINT64_MAX - 1, 3}};
  SecureIndexSource other{fair};
  EXPECT_EQ(other.below(5), 4U);
  EXPECT_EQ(fair.left(), 1U);
  WordRng power{{UINT64_MAX}};
  SecureIndexSource third{power};
  EXPECT_EQ(third.below(64), 63U);
}

}  // namespace
}  // namespace ethnet::das
