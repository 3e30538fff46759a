// CostBucket: up to `capacity` at once, then `per_second`; what is taken at a time has a cost of
// its own (bytes, items). Kept as the instant at which the bucket is full again, so that there is
// nothing to refill; rounded so that nothing is given away. A value; time comes from the caller.
// Capacity, rate and cost: at most kMaxBucketUnits.
#pragma once

#include <algorithm>
#include <cstdint>

#include "check.hpp"
#include "instant.hpp"

namespace ethnet {

// A second of nanoseconds times this is within 63 bits.
inline constexpr std::int64_t kMaxBucketUnits = 4'000'000'000;

class CostBucket {
 public:
  constexpr CostBucket(std::int64_t capacity, std::int64_t per_second)
      : capacity_{capacity}, per_second_{per_second} {
    CHECK(capacity <= kMaxBucketUnits && per_second > 0 && per_second <= kMaxBucketUnits);
  }

  // When `cost` can be taken; in the past or now: at once. CHECK: cost <= capacity.
  [[nodiscard]] constexpr Instant next(std::int64_t cost) const {
    CHECK(cost >= 0 && cost <= capacity_);
    return full_at_ - nanoseconds((capacity_ - cost) * kNanoseconds / per_second_);
  }
  // False, and nothing taken, when there is not so much.
  [[nodiscard]] constexpr bool take(Now now, std::int64_t cost) {
    if (next(cost) > now.mono) return false;
    charge(now.mono, cost);
    return true;
  }
  // Taken whether it is there or not: what is owed comes before what follows. CHECK: cost >= 0.
  constexpr void charge(Instant now, std::int64_t cost) {
    CHECK(cost >= 0);
    const std::int64_t rounded_up = (cost * kNanoseconds + per_second_ - 1) / per_second_;
    full_at_ = std::max(full_at_, now) + nanoseconds(rounded_up);
  }
  // What can be taken now; below 0: so much is owed.
  [[nodiscard]] constexpr std::int64_t available(Instant now) const {
    const std::int64_t behind = full_at_ <= now ? 0 : (full_at_ - now).ns;
    const std::int64_t part = behind % kNanoseconds * per_second_;
    return capacity_ - behind / kNanoseconds * per_second_ -
           (part + kNanoseconds - 1) / kNanoseconds;
  }
  [[nodiscard]] constexpr std::int64_t capacity() const { return capacity_; }
  [[nodiscard]] constexpr std::int64_t per_second() const { return per_second_; }

 private:
  static constexpr std::int64_t kNanoseconds = 1'000'000'000;  // of a second

  std::int64_t capacity_;
  std::int64_t per_second_;
  Instant full_at_{INT64_MIN / 2};
};

}  // namespace ethnet
