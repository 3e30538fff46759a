// UploadLimit: how many bytes of UDP payload may leave an endpoint, and who may write what can
// wait. One bucket over all connections. What is urgent (acknowledgements, handshakes, closes,
// heads, requests) may empty it; bulk leaves a share of it alone. Bulk is granted before it is
// written, no more than the bucket has for it now: nothing that can wait stands before what is
// urgent.
//
// A connection whose wish was not granted whole waits in line; open() says whose turn it is when
// there is enough for a step, so that a limit costs a wake-up for some packets and not for each.
// Pure: time comes from the caller. Off (rate 0): nothing is asked of it. At most one entry each
// connection.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include <base/cost_bucket.hpp>
#include <transport/conn.hpp>

#include "config.hpp"

namespace ethnet::quic {

class UploadLimit {
 public:
  struct Turn {
    transport::ConnHandle conn;
    transport::StreamId stream = 0;  // that was put off
  };

  // `packet`: the largest UDP payload. CHECK: a burst of kMinBurst at least, unless it is off.
  UploadLimit(const RateLimit& limit, std::size_t packet);

  [[nodiscard]] bool on() const { return on_; }
  // Bytes that may leave now; 0 until there are enough for a packet, or of bulk for a step.
  [[nodiscard]] std::size_t urgent(Instant now) const;
  [[nodiscard]] std::size_t bulk(Instant now) const;
  [[nodiscard]] Instant next_urgent() const { return bucket_.next(packet_); }
  [[nodiscard]] Instant next_bulk() const { return bucket_.next(reserve_ + step_); }
  void spend_urgent(Instant now, std::size_t bytes);
  void spend_bulk(Instant now, std::size_t bytes);

  // Bulk that may be written now, of `wanted` bytes. Less: the connection waits in line.
  [[nodiscard]] std::size_t grant(Instant now, transport::ConnHandle conn,
                                  transport::StreamId stream, std::size_t wanted);
  [[nodiscard]] bool waits(transport::ConnHandle conn) const { return waiting_.contains(conn); }
  void forget(transport::ConnHandle conn);
  // When the first in line may go on; never, when nobody waits.
  [[nodiscard]] Instant next_open() const;
  // Who may go on, in turn. `promised`: bytes that were granted and have not left, though nothing
  // but this limit holds them.
  [[nodiscard]] std::vector<Turn> open(Instant now, std::size_t promised);

 private:
  void wait(transport::ConnHandle conn, transport::StreamId stream);
  [[nodiscard]] std::size_t room(Instant now) const;

  bool on_ = false;
  CostBucket bucket_;
  std::int64_t packet_;
  std::int64_t reserve_;  // that bulk leaves alone
  std::int64_t step_;     // bulk goes on when there is so much
  std::size_t promised_ = 0;
  std::deque<Turn> line_;
  std::map<transport::ConnHandle, transport::StreamId> waiting_;
  std::map<transport::ConnHandle, std::size_t> invited_;  // and how much of its turn is left
  Instant opened_at_{INT64_MIN / 2};
};

}  // namespace ethnet::quic
