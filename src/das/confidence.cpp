#include "confidence.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <base/check.hpp>
#include <fmt/format.h>

namespace ethnet::das {

std::optional<double> confidence(const Tally& tally) {
  if (tally.requested == 0) return std::nullopt;
  return static_cast<double>(tally.received) / static_cast<double>(tally.requested);
}

std::string to_text(const Tally& tally) {
  const auto value = confidence(tally);
  return fmt::format("received={} requested={} confidence={}", tally.received, tally.requested,
                     value ? fmt::format("{:.3f}", *value) : "unknown");
}

std::uint32_t min_withheld(const Shape& shape) { return std::min(shape.total_chunks, 1U); }

double log_choose(std::uint64_t n, std::uint64_t k) {
  CHECK(k <= n);
  k = std::min(k, n - k);
  double sum = 0;
  for (std::uint64_t i = 1; i <= k; ++i) {
    sum += std::log(static_cast<double>(n - k + i) / static_cast<double>(i));
  }
  return sum;
}

double fooled_probability(std::uint32_t total, std::uint32_t withheld, const Tally& tally) {
  CHECK(tally.received <= tally.requested);
  CHECK(tally.requested <= total && withheld <= total);
  const std::uint32_t there = total - withheld;
  const double all = log_choose(total, tally.requested);
  double sum = 0;
  for (std::uint32_t got = tally.received; got <= std::min(tally.requested, there); ++got) {
    const std::uint32_t not_got = tally.requested - got;
    if (not_got > withheld) continue;
    sum += std::exp(log_choose(there, got) + log_choose(withheld, not_got) - all);
  }
  return std::min(sum, 1.0);
}

double log10_withholding_bound(std::uint64_t nodes, std::uint64_t fooled, std::uint64_t columns,
                               std::uint64_t samples) {
  CHECK(columns >= 2);
  const double log_bound = log_choose(nodes, fooled) + log_choose(columns, columns / 2 - 1) -
                           static_cast<double>(samples * fooled) * std::numbers::ln2;
  return std::min(log_bound / std::numbers::ln10, 0.0);
}

}  // namespace ethnet::das
