// What a session sees of any transport: connections with streams and credit. Implemented by
// transport/quic, transport/memory and, later, transport/rlpx. Only what lies below this header
// knows which one it is. One thread; nothing blocks; nothing here calls back: what happens comes as
// ConnEvents out of the endpoint's poll_event().
//
// Back-pressure is credit: the peer may send more only after consume(); what arrived and was not
// consumed stays in the receive window, which bounds it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <base/bytes.hpp>
#include <base/instant.hpp>
#include <base/result.hpp>
#include <base/slab.hpp>
#include <types/endpoint.hpp>

namespace ethnet::transport {

struct ConnTag;
using ConnHandle = Handle<ConnTag>;
using StreamId = std::int64_t;  // as QUIC numbers them (RFC 9000, section 2.1)

enum class StreamKind : std::uint8_t { bidirectional, unidirectional };
enum class Side : std::uint8_t { dialler, acceptor };

enum class ConnError : std::uint16_t {
  unknown_connection = 1,
  unknown_stream,
  stream_limit,        // the peer allows no more streams of this kind now
  not_established,     // before Opened, or after close
  export_unavailable,  // no key exporter before the handshake has completed
  connection_limit,    // dial refused: the endpoint holds its maximum
};
[[nodiscard]] const ErrorDomain& error_domain(ConnError);

enum class CloseCause : std::uint8_t {
  local,  // close() was called here
  peer,   // the peer sent a close; application_code is the peer's
  idle_timeout,
  handshake_timeout,
  refused,  // handshake or protocol error of the transport itself
  stateless_reset,
  memory_limit,
};

// The connection is usable for streams: TLS has completed on our side.
struct Opened {
  Side side = Side::dialler;
  Endpoint local;
  Endpoint remote;
  Instant began;  // of the first packet: whose patience is absolute counts from here
};
// TLS has completed on both sides; on a dialler, only now is it known that the peer accepted.
struct Confirmed {};
// Bytes or the end of the stream can be read. Sent again after consume() only when more arrives.
// A peer's new stream is first seen by its first Readable.
struct Readable {
  StreamId stream = 0;
};
// write() accepted less than offered before, and has room again.
struct Writable {
  StreamId stream = 0;
};
// The peer reset the stream, or refuses to read it; nothing more comes or goes on that direction.
struct StreamReset {
  StreamId stream = 0;
  std::uint64_t code = 0;
};
struct PathChanged {
  Endpoint remote;
};
// The last event of a connection; its handle is then void.
struct Closed {
  CloseCause cause = CloseCause::local;
  std::uint64_t application_code = 0;
  std::string detail;  // for logs, sanitised
};

using ConnEventKind =
    std::variant<Opened, Confirmed, Readable, Writable, StreamReset, PathChanged, Closed>;
struct ConnEvent {
  ConnHandle conn;
  ConnEventKind kind;
};

// What a connection has moved, over all its paths.
struct ConnStats {
  Duration rtt;                 // round trip, smoothed; 0: not measured
  std::uint64_t bytes_in = 0;   // of datagrams: UDP payload
  std::uint64_t bytes_out = 0;  // likewise, repeated ones included
  friend bool operator==(const ConnStats&, const ConnStats&) = default;
};

class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  // Starts a connection; Opened or Closed follows. Error: connection_limit.
  [[nodiscard]] virtual Result<ConnHandle> dial(Now now, const Endpoint& remote) = 0;

  [[nodiscard]] virtual Result<StreamId> open_stream(ConnHandle conn, StreamKind kind) = 0;
  // Copies as much of `bytes` as the send budget allows and returns how much that was (0: wait for
  // Writable).
  [[nodiscard]] virtual std::size_t write(ConnHandle conn, StreamId stream, ByteView bytes) = 0;
  // The same of what can wait. Where an upload limit holds, takes no more than may leave soon, so
  // that what write() takes does not stand behind it.
  [[nodiscard]] virtual std::size_t write_bulk(ConnHandle conn, StreamId stream, ByteView bytes) {
    return write(conn, stream, bytes);
  }
  // The last write_bulk() took less than offered because of our own limit, and not the peer's.
  [[nodiscard]] virtual bool waits_for_limit(ConnHandle conn) const {
    (void)conn;
    return false;
  }
  // No more will be written on this stream.
  virtual void finish(ConnHandle conn, StreamId stream) = 0;
  // The next contiguous bytes, not yet consumed; valid until the next call that takes this
  // connection. Empty when there is nothing to read now.
  [[nodiscard]] virtual ByteView read(ConnHandle conn, StreamId stream) = 0;
  // True once every byte up to the peer's FIN was consumed. False when the connection is over,
  // which Closed tells: that is no end of a stream.
  [[nodiscard]] virtual bool at_end(ConnHandle conn, StreamId stream) const = 0;
  // Releases n bytes of what read() gave and credits the peer with them.
  virtual void consume(ConnHandle conn, StreamId stream, std::size_t n) = 0;
  virtual void reset(ConnHandle conn, StreamId stream, std::uint64_t code) = 0;  // our direction
  virtual void stop(ConnHandle conn, StreamId stream, std::uint64_t code) = 0;   // the peer's

  // Graceful: what write() accepted may be lost. Closed{local} follows.
  virtual void close(Now now, ConnHandle conn, std::uint64_t application_code,
                     std::string_view reason) = 0;
  // RFC 8446, section 7.5, with an empty context. Error: export_unavailable.
  [[nodiscard]] virtual Result<void> export_key(ConnHandle conn, std::string_view label,
                                                MutByteView out) = 0;
  // Bytes accounted to this connection now (send and receive buffers).
  [[nodiscard]] virtual std::size_t memory_bytes(ConnHandle conn) const = 0;
  // O(1). All 0 when the handle is void.
  [[nodiscard]] virtual ConnStats stats(ConnHandle conn) const = 0;
};

}  // namespace ethnet::transport
