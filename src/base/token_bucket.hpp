// TokenBucket: `capacity` events at once, then one each `interval`. Kept as one time stamp (GCRA),
// so that there is nothing to refill. A value; time comes from the caller.
#pragma once

#include <algorithm>

#include "instant.hpp"

namespace ethnet {

class TokenBucket {
 public:
  constexpr TokenBucket(std::int64_t capacity, Duration interval)
      : capacity_{capacity}, interval_{interval} {}

  // When the next event is allowed; in the past or now: at once.
  [[nodiscard]] constexpr Instant next() const { return {full_at_.ns - burst().ns}; }
  // False, and nothing taken, when no token is left.
  [[nodiscard]] constexpr bool take(Instant now) {
    if (next() > now) return false;
    full_at_ = std::max(full_at_, now) + interval_;
    return true;
  }

 private:
  [[nodiscard]] constexpr Duration burst() const { return interval_ * (capacity_ - 1); }

  std::int64_t capacity_;
  Duration interval_;
  Instant full_at_{INT64_MIN / 2};  // when the bucket will be full again
};

}  // namespace ethnet
