// StallClock: since when bytes have waited for a peer that does not take them. A peer that takes a
// byte now and then holds our queues as well as one that takes none, so only kMinProgressBytes, or
// the end of the queue, start the clock anew. A value; time comes from the caller.
#pragma once

#include <cstddef>

#include <base/instant.hpp>

namespace ethnet::session {

inline constexpr std::size_t kMinProgressBytes = 16 * 1024;  // or all that waits, in each timeout

class StallClock {
 public:
  // After a write: how many bytes were taken, and whether more wait.
  constexpr void on_write(Instant now, std::size_t taken, bool more_wait) {
    if (!more_wait) {
      since_ = Instant::never();
      return;
    }
    taken_ += taken;
    if (since_.is_never() || taken_ >= kMinProgressBytes) restart(now);
  }
  // What waits has a reason to: something more urgent went first.
  constexpr void excuse(Instant now) {
    if (!since_.is_never()) restart(now);
  }
  [[nodiscard]] constexpr Instant deadline(Duration timeout) const {
    return since_.is_never() ? since_ : since_ + timeout;
  }

 private:
  constexpr void restart(Instant now) {
    since_ = now;
    taken_ = 0;
  }

  Instant since_ = Instant::never();
  std::size_t taken_ = 0;
};

}  // namespace ethnet::session
