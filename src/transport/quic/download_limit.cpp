#include "download_limit.hpp"

#include <algorithm>

namespace ethnet::quic {
namespace {

constexpr std::int64_t kStepsPerSecond = 200;     // wake-ups, at most
constexpr std::int64_t kMaxTurnBytes = 8 * 1024;  // half of the smallest window

}  // namespace

DownloadLimit::DownloadLimit(const RateLimit& limit, std::size_t packet)
    : on_{limit.on()},
      bucket_{limit.bucket()},
      step_{std::max(static_cast<std::int64_t>(packet),
                     std::min(bucket_.per_second() / kStepsPerSecond, bucket_.capacity() / 2))} {
  CHECK(!on_ || bucket_.capacity() >= static_cast<std::int64_t>(kMinBurst));
}

void DownloadLimit::received(Instant now, std::size_t bytes, std::size_t paid) {
  bucket_.charge(now, static_cast<std::int64_t>(bytes - std::min(bytes, paid)));
}

void DownloadLimit::owe(transport::ConnHandle conn) {
  if (in_line_.insert(conn).second) line_.push_back(conn);
}

void DownloadLimit::forget(transport::ConnHandle conn) {
  if (in_line_.erase(conn) > 0) std::erase(line_, conn);
}

Instant DownloadLimit::next_turn() const {
  return line_.empty() ? Instant::never() : bucket_.next(step_);
}

std::optional<DownloadLimit::Turn> DownloadLimit::take_turn(Instant now) {
  const std::int64_t there = bucket_.available(now);
  if (line_.empty() || there < step_) return std::nullopt;
  const Turn turn{line_.front(), static_cast<std::size_t>(std::min(there, kMaxTurnBytes))};
  line_.pop_front();
  in_line_.erase(turn.conn);
  return turn;
}

void DownloadLimit::given(Instant now, std::size_t bytes) {
  bucket_.charge(now, static_cast<std::int64_t>(bytes));
}

}  // namespace ethnet::quic
