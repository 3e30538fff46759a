#include "confidence.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace ethnet::das {
namespace {

// C(n−w, k) / C(n, k) as a product of fractions: another way to the same number.
double all_arrive(std::uint32_t n, std::uint32_t w, std::uint32_t k) {
  if (k > n - w) return 0;
  double product = 1;
  for (std::uint32_t i = 0; i < k; ++i) product *= static_cast<double>(n - w - i) / (n - i);
  return product;
}

// Pascal's triangle, for small n.
double choose(std::uint32_t n, std::uint32_t k) {
  std::vector<double> row{1};
  for (std::uint32_t i = 0; i < n; ++i) {
    row.push_back(0);
    for (std::size_t j = row.size() - 1; j > 0; --j) row[j] += row[j - 1];
  }
  return k < row.size() ? row[k] : 0;
}

TEST(Confidence, IsReceivedOfRequestedAndUnknownOfNothing) {
  EXPECT_EQ(confidence({7, 8}), 0.875);
  EXPECT_EQ(confidence({0, 8}), 0.0);
  EXPECT_EQ(confidence({8, 8}), 1.0);
  EXPECT_EQ(confidence({0, 0}), std::nullopt);
}

TEST(Confidence, PrintsAsInTheSpecification) {
  EXPECT_EQ(to_text({7, 8}), "received=7 requested=8 confidence=0.875");
  EXPECT_EQ(to_text({1, 3}), "received=1 requested=3 confidence=0.333");
  EXPECT_EQ(to_text({0, 0}), "received=0 requested=0 confidence=unknown");
}

// attacks.md, A.8: 63 of 128 columns published.
TEST(FooledProbability, IsThatOfTheEipWith63Of128Published) {
  EXPECT_NEAR(fooled_probability(128, 65, {4, 4}), 0.0558, 5e-5);
  EXPECT_NEAR(fooled_probability(128, 65, {8, 8}), 0.00271, 5e-6);
  EXPECT_NEAR(fooled_probability(128, 65, {16, 16}), 3.9e-6, 5e-8);
}

// To 1e-9 and the same with both compilers: these digits are of exact fractions.
TEST(FooledProbability, IsTheExactFractionToNineDigits) {
  EXPECT_NEAR(fooled_probability(64, 1, {8, 8}), 0.875, 1e-9);
  EXPECT_NEAR(fooled_probability(128, 65, {8, 8}), all_arrive(128, 65, 8), 1e-12);
  EXPECT_NEAR(fooled_probability(4096, 1, {256, 256}), 0.9375, 1e-9);
  EXPECT_NEAR(fooled_probability(4096, 2048, {8, 8}) / all_arrive(4096, 2048, 8), 1, 1e-9);
}

TEST(FooledProbability, WithOneOfEightMissingNothingSpeaksForTheData) {
  // Where every chunk is needed, one that is missing is what withholding looks like.
  EXPECT_NEAR(fooled_probability(64, 1, {7, 8}), 1.0, 1e-9);
  EXPECT_NEAR(fooled_probability(64, 1, {0, 8}), 1.0, 1e-9);
}

TEST(FooledProbability, OfWhatCannotBeSeenIsZero) {
  EXPECT_EQ(fooled_probability(16, 9, {8, 8}), 0.0);  // only seven are there
  EXPECT_EQ(fooled_probability(16, 1, {16, 16}), 0.0);
  EXPECT_EQ(fooled_probability(16, 16, {1, 1}), 0.0);
  EXPECT_EQ(fooled_probability(16, 0, {8, 8}), 1.0);
  EXPECT_EQ(fooled_probability(16, 5, {0, 0}), 1.0);
}

TEST(FooledProbability, WithoutErasureCodingOneChunkHidesTheData) {
  EXPECT_EQ(min_withheld(split_shape(640, 10).value()), 1U);
  EXPECT_EQ(min_withheld(split_shape(1, 10).value()), 1U);
}

RC_GTEST_PROP(FooledProbabilityProperty, AgreesWithCountingAllDraws, ()) {
  const auto n = *rc::gen::inRange<std::uint32_t>(1, 40);
  const auto w = *rc::gen::inRange<std::uint32_t>(0, n + 1);
  const auto k = *rc::gen::inRange<std::uint32_t>(0, n + 1);
  const auto r = *rc::gen::inRange<std::uint32_t>(0, k + 1);
  double ways = 0;
  for (std::uint32_t got = r; got <= k; ++got) ways += choose(n - w, got) * choose(w, k - got);
  RC_ASSERT(std::abs(fooled_probability(n, w, {r, k}) - ways / choose(n, k)) < 1e-9);
  if (r == k) RC_ASSERT(std::abs(fooled_probability(n, w, {r, k}) - all_arrive(n, w, k)) < 1e-9);
}

struct Row {
  std::uint64_t nodes;
  std::uint64_t fooled;
  double log10_bound;
};

// The table of EIP-7594, "withholding", and the small networks of attacks.md, A.8.
TEST(WithholdingBound, atk_A8_TheTableOfEip7594IsReproducedToAHundredth) {
  constexpr auto kTable = std::to_array<Row>({
      {10'000, 100, 0},       // 1 %
      {10'000, 200, -20.04},  // 2 %
      {10'000, 300, -101.55},
      {10'000, 400, -198.24},
      {10'000, 500, -306.34},
      {500, 50, -13.67},
      {1'000, 100, -63.65},
      {2'000, 80, -10.75},
      {2'000, 100, -32.41},
      {5'000, 150, -32.76},
  });
  for (const Row& row : kTable) {
    EXPECT_NEAR(log10_withholding_bound(row.nodes, row.fooled, 128, 8), row.log10_bound, 0.01)
        << row.nodes << " nodes, " << row.fooled << " fooled";
  }
}

}  // namespace
}  // namespace ethnet::das
