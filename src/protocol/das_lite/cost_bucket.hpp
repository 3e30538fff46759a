// CostBucket: up to `capacity` at once, then `per_second`; what is taken at a time has a cost of
// its own (bytes, items). Kept as the instant at which the bucket is full again, so that there is
// nothing to refill; rounded so that nothing is given away. A value; time comes from the caller.
#pragma once

#include <algorithm>
#include <cstdint>

#include <base/check.hpp>
#include <base/instant.hpp>

namespace ethnet::das_lite {

class CostBucket {
 public:
  constexpr CostBucket(std::int64_t capacity, std::int64_t per_second)
      : capacity_{capacity}, per_second_{per_second} {}

  // When `cost` can be taken; in the past or now: at once. CHECK: cost <= capacity.
  [[nodiscard]] constexpr Instant next(std::int64_t cost) const {
    CHECK(cost >= 0 && cost <= capacity_);
    return full_at_ - nanoseconds((capacity_ - cost) * kNanoseconds / per_second_);
  }
  // False, and nothing taken, when there is not so much.
  [[nodiscard]] constexpr bool take(Now now, std::int64_t cost) {
    if (next(cost) > now.mono) return false;
    const std::int64_t rounded_up = (cost * kNanoseconds + per_second_ - 1) / per_second_;
    full_at_ = std::max(full_at_, now.mono) + nanoseconds(rounded_up);
    return true;
  }

 private:
  static constexpr std::int64_t kNanoseconds = 1'000'000'000;  // of a second

  std::int64_t capacity_;
  std::int64_t per_second_;
  Instant full_at_{INT64_MIN / 2};
};

}  // namespace ethnet::das_lite
