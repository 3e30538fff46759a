// How often a log line may be written that a peer can cause: so many in a window. What was
// suppressed is counted and reported when the window ends, even if nothing more comes: ask
// take_due() at next_deadline(), and flush() at the end. One thread.
//
//   if (limit.allow(now)) log.write(...);
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <base/instant.hpp>

namespace ethnet::node {

class LineLimit {
 public:
  constexpr LineLimit(std::uint64_t lines, Duration window) : lines_{lines}, window_{window} {}

  // May this line be written now? If not, it is counted.
  [[nodiscard]] bool allow(Now now) {
    if (now.mono >= window_end_) {
      window_end_ = now.mono + window_;
      written_ = 0;
    }
    if (written_ < lines_) {
      ++written_;
      return true;
    }
    ++suppressed_;
    ++suppressed_total_;
    report_at_ = std::min(report_at_, window_end_);
    return false;
  }

  // Never while there is nothing to report.
  [[nodiscard]] Instant next_deadline() const { return report_at_; }
  // How many lines were suppressed, when it is time to say so; otherwise 0. Said once.
  [[nodiscard]] std::uint64_t take_due(Now now) { return report_at_ <= now.mono ? flush() : 0; }
  // The same at once, for a shut-down.
  [[nodiscard]] std::uint64_t flush() {
    report_at_ = Instant::never();
    return std::exchange(suppressed_, 0);
  }
  [[nodiscard]] std::uint64_t suppressed_total() const { return suppressed_total_; }

 private:
  std::uint64_t lines_;
  Duration window_;
  Instant window_end_{INT64_MIN};
  std::uint64_t written_ = 0;  // in this window
  std::uint64_t suppressed_ = 0;
  std::uint64_t suppressed_total_ = 0;
  Instant report_at_ = Instant::never();
};

}  // namespace ethnet::node
