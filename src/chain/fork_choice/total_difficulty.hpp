// TotalDifficulty: the sum of the difficulties of a branch. 128 bits: the header rules hold each
// difficulty below 2^64, and mainnet's sum was above that. It saturates where a genesis exceeds it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include <types/header_view.hpp>

namespace ethnet::chain {

class TotalDifficulty {
 public:
  constexpr TotalDifficulty() = default;  // zero
  // NOLINTNEXTLINE(google-explicit-constructor): every 64-bit value is one
  constexpr TotalDifficulty(std::uint64_t value) : low_{value} {}
  [[nodiscard]] static TotalDifficulty of(UintView digits);

  [[nodiscard]] TotalDifficulty operator+(const TotalDifficulty& other) const;
  [[nodiscard]] std::string decimal() const;

  friend constexpr auto operator<=>(const TotalDifficulty&, const TotalDifficulty&) = default;

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

}  // namespace ethnet::chain
