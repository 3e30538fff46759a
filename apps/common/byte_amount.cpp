#include "byte_amount.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <base/decimal.hpp>
#include <fmt/format.h>

namespace ethnet::app {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t worth = 1;
};
constexpr std::array kUnits{Unit{"", 1},
                            Unit{"k", 1'000},
                            Unit{"M", 1'000'000},
                            Unit{"G", 1'000'000'000},
                            Unit{"T", 1'000'000'000'000},
                            Unit{"Ki", std::uint64_t{1} << 10U},
                            Unit{"Mi", std::uint64_t{1} << 20U},
                            Unit{"Gi", std::uint64_t{1} << 30U},
                            Unit{"Ti", std::uint64_t{1} << 40U}};

// What a day's target may be at least: peers of a busy node need as much for heads and pings.
constexpr std::uint64_t kLeastDaily = 1'000'000;

std::uint64_t amount(std::string_view text, std::string_view whole) {
  const auto bytes = parse_bytes(text);
  if (!bytes) {
    throw std::runtime_error(
        fmt::format("'{}' is no amount of bytes (500000, 500k, 64KiB, 2M)", whole));
  }
  return *bytes;
}

void check_range(std::string_view what, std::uint64_t value, std::uint64_t least,
                 std::uint64_t most) {
  if (value < least) {
    throw std::runtime_error(fmt::format(
        "{} of {} is too small to keep sessions alive; the least is {}", what, value, least));
  }
  if (value > most) {
    throw std::runtime_error(
        fmt::format("{} of {} is too large; the most is {}", what, value, most));
  }
}

}  // namespace

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto value = parse_decimal(text.substr(0, end));
  std::string_view unit = text.substr(end);
  if (unit.ends_with('B')) unit.remove_suffix(1);
  const auto* const known = std::ranges::find(kUnits, unit, &Unit::name);
  if (!value || known == kUnits.end()) return std::nullopt;
  if (*value > static_cast<std::uint64_t>(INT64_MAX) / known->worth) return std::nullopt;
  return *value * known->worth;
}

quic::RateLimit parse_rate(const std::string& text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view rate = std::string_view{text}.substr(0, colon);
  quic::RateLimit limit;
  if (text.empty()) return limit;
  limit.per_second = amount(rate, text);
  if (limit.per_second == 0 && colon == text.size()) return limit;
  check_range("a rate", limit.per_second, quic::kLeastRate, quic::kGreatestRate);
  limit.burst = std::max(quic::kMinBurst, limit.per_second / 2);
  if (colon < text.size()) {
    limit.burst = amount(std::string_view{text}.substr(colon + 1), text);
    check_range("a burst", limit.burst, quic::kMinBurst, quic::kMaxBurst);
  }
  return limit;
}

std::uint64_t parse_daily(const std::string& text) {
  if (text.empty()) return 0;
  const std::uint64_t bytes = amount(text, text);
  if (bytes > 0) check_range("a target", bytes, kLeastDaily, INT64_MAX);
  return bytes;
}

}  // namespace ethnet::app
