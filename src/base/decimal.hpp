// Whole numbers as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ethnet {

// Decimal digits alone, at least one and below 2^64; no sign, no space.
[[nodiscard]] constexpr std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace ethnet
