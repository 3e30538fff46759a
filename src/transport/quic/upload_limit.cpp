#include "upload_limit.hpp"

#include <algorithm>

namespace ethnet::quic {
namespace {

constexpr std::int64_t kStepsPerSecond = 200;           // wake-ups for bulk, at most
constexpr Duration kBetweenOpenings = milliseconds(1);  // when a turn was not used
// A turn of one connection. All of them have had one in kRound where packets allow it: well within
// the session's patience with a queue that does not move.
constexpr std::size_t kMaxTurnBytes = 16 * 1024;
constexpr std::int64_t kRoundSeconds = 8;

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

UploadLimit::UploadLimit(const RateLimit& limit, std::size_t packet)
    : on_{limit.on()},
      bucket_{limit.bucket()},
      packet_{static_cast<std::int64_t>(packet)},
      reserve_{bucket_.capacity() / 4},
      step_{std::clamp(bucket_.per_second() / kStepsPerSecond, packet_,
                       std::max(packet_, bucket_.capacity() / 4))} {
  CHECK(!on_ || bucket_.capacity() >= static_cast<std::int64_t>(kMinBurst));
  CHECK(!on_ || reserve_ + step_ <= bucket_.capacity());
}

std::size_t UploadLimit::urgent(Instant now) const {
  const std::int64_t there = bucket_.available(now);
  return there < packet_ ? 0 : size(there);
}

std::size_t UploadLimit::bulk(Instant now) const {
  const std::int64_t there = bucket_.available(now) - reserve_;
  return there < step_ ? 0 : size(there);
}

void UploadLimit::spend_urgent(Instant now, std::size_t bytes) {
  bucket_.charge(now, static_cast<std::int64_t>(bytes));
}

void UploadLimit::spend_bulk(Instant now, std::size_t bytes) {
  promised_ -= std::min(promised_, bytes);
  spend_urgent(now, bytes);
}

std::size_t UploadLimit::room(Instant now) const {
  const std::size_t there = bulk(now);
  const std::size_t left = there - std::min(there, promised_);
  return left < size(packet_) ? 0 : left;
}

std::size_t UploadLimit::grant(Instant now, transport::ConnHandle conn, transport::StreamId stream,
                               std::size_t wanted) {
  const auto invited = invited_.find(conn);
  std::size_t granted = 0;
  if (invited != invited_.end()) {
    granted = std::min({wanted, invited->second, room(now)});
    invited->second -= granted;
    if (invited->second == 0) invited_.erase(invited);
  } else if (waiting_.empty()) {
    granted = std::min(wanted, room(now));
  }
  promised_ += granted;
  if (granted < wanted) wait(conn, stream);
  return granted;
}

void UploadLimit::wait(transport::ConnHandle conn, transport::StreamId stream) {
  invited_.erase(conn);
  if (waiting_.emplace(conn, stream).second) line_.push_back({conn, stream});
}

void UploadLimit::forget(transport::ConnHandle conn) {
  invited_.erase(conn);
  if (waiting_.erase(conn) > 0) {
    std::erase_if(line_, [&](const Turn& turn) { return turn.conn == conn; });
  }
}

Instant UploadLimit::next_open() const {
  if (waiting_.empty()) return Instant::never();
  return std::max(next_bulk(), opened_at_ + kBetweenOpenings);
}

std::vector<UploadLimit::Turn> UploadLimit::open(Instant now, std::size_t promised) {
  opened_at_ = now;
  promised_ = promised;
  invited_.clear();
  const auto in_line = static_cast<std::int64_t>(std::max<std::size_t>(1, line_.size()));
  const std::size_t turn = std::clamp(size(bucket_.per_second() * kRoundSeconds / in_line),
                                      size(packet_), kMaxTurnBytes);
  std::vector<Turn> out;
  for (std::size_t left = room(now); left >= size(packet_) && !line_.empty();
       left -= std::min(left, turn)) {
    const Turn next = line_.front();
    line_.pop_front();
    waiting_.erase(next.conn);
    invited_.emplace(next.conn, turn);
    out.push_back(next);
  }
  return out;
}

}  // namespace ethnet::quic
