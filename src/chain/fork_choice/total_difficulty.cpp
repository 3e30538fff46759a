#include "total_difficulty.hpp"

#include <algorithm>
#include <array>

namespace ethnet::chain {
namespace {

constexpr std::size_t kBytes = 16;

}  // namespace

TotalDifficulty TotalDifficulty::of(UintView value) {
  TotalDifficulty out;
  if (value.digits().size() > kBytes) {
    out.high_ = out.low_ = UINT64_MAX;
    return out;
  }
  for (const std::byte b : value.digits()) {
    out.high_ = (out.high_ << 8) | (out.low_ >> 56);
    out.low_ = (out.low_ << 8) | std::to_integer<std::uint64_t>(b);
  }
  return out;
}

TotalDifficulty TotalDifficulty::operator+(const TotalDifficulty& other) const {
  TotalDifficulty sum;
  sum.low_ = low_ + other.low_;
  const std::uint64_t carry = sum.low_ < low_ ? 1 : 0;
  sum.high_ = high_ + other.high_ + carry;
  const bool wrapped = carry != 0 ? sum.high_ <= high_ : sum.high_ < high_;
  if (wrapped) sum.high_ = sum.low_ = UINT64_MAX;
  return sum;
}

// By long division, a digit a round, over four parts of 32 bits.
std::string TotalDifficulty::decimal() const {
  constexpr std::uint64_t kMask = UINT32_MAX;
  std::array<std::uint64_t, 4> parts{high_ >> 32, high_ & kMask, low_ >> 32, low_ & kMask};
  std::string digits;
  do {
    std::uint64_t rest = 0;
    for (std::uint64_t& part : parts) {
      const std::uint64_t value = (rest << 32) | part;
      part = value / 10;
      rest = value % 10;
    }
    digits.push_back(static_cast<char>('0' + rest));
  } while (std::ranges::any_of(parts, [](std::uint64_t part) { return part != 0; }));
  std::ranges::reverse(digits);
  return digits;
}

}  // namespace ethnet::chain
