// DownloadLimit: how fast peers are given credit, so that what arrives keeps to a rate. Nobody can
// hold back a datagram that is on its way; what can be held back is leave to send more (MAX_DATA,
// MAX_STREAM_DATA). All that arrives is taken from one bucket over all connections: bytes of
// streams when the credit for them is given, everything else (packets' overhead, acknowledgements,
// handshakes, what strangers send, the first windows) when it comes. So it may be owed; then no
// credit is given until it is paid.
//
// Connections whose credit is owed stand in line, each with a turn. Pure: time comes from the
// caller. Off (rate 0): nothing is asked of it. At most one entry each connection.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>

#include <base/cost_bucket.hpp>
#include <transport/conn.hpp>

#include "config.hpp"

namespace ethnet::quic {

class DownloadLimit {
 public:
  // `packet`: the largest UDP payload. CHECK: a burst of kMinBurst at least, unless it is off.
  DownloadLimit(const RateLimit& limit, std::size_t packet);

  [[nodiscard]] bool on() const { return on_; }
  // A datagram came, of which so much was paid when credit was given.
  void received(Instant now, std::size_t bytes, std::size_t paid);
  // The connection would give its peer credit.
  void owe(transport::ConnHandle conn);
  void forget(transport::ConnHandle conn);
  // When the first in line may; never, when nobody would.
  [[nodiscard]] Instant next_turn() const;
  // The first in line, and how much credit it may give; it leaves the line.
  struct Turn {
    transport::ConnHandle conn;
    std::size_t bytes = 0;
  };
  [[nodiscard]] std::optional<Turn> take_turn(Instant now);
  void given(Instant now, std::size_t bytes);
  [[nodiscard]] bool anybody_waits() const { return !line_.empty(); }

 private:
  bool on_ = false;
  CostBucket bucket_;
  std::int64_t step_;  // credit is given when there is so much
  std::deque<transport::ConnHandle> line_;
  std::set<transport::ConnHandle> in_line_;
};

}  // namespace ethnet::quic
