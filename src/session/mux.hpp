// The multiplexer: each side sends on one unidirectional stream for each agreed capability, which
// begins with the capability's literal string and goes on with length-prefixed payloads.
// Spec: docs/spec/session.md, "Capability streams".
//
// MuxWriter is fair by deficit round-robin among capabilities, and serves head before normal
// before bulk. MuxReader cuts the peer's streams into payloads. Both leave bytes where they are (in
// the queue, in the transport's receive window) when a budget is used up: that is the
// back-pressure. Used from the session's thread; they call the Transport and nothing else.
//
// Limits: MuxLimits for each capability and direction, and the constants below.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <base/bytes.hpp>
#include <base/fifo.hpp>
#include <base/result.hpp>
#include <transport/conn.hpp>

#include "capability.hpp"
#include "disconnect.hpp"
#include "stall_clock.hpp"

namespace ethnet::session {

inline constexpr std::size_t kEnvelopeHeaderBytes = 4;       // payload length, big-endian
inline constexpr std::size_t kQuantumBytes = 16 * 1024;      // of one capability's turn
inline constexpr std::size_t kHeadReserveBytes = 64 * 1024;  // heads may exceed the budget by it
inline constexpr std::size_t kHeadReserveMessages = 64;
inline constexpr std::size_t kMaxPeerStreams = kMaxCapabilities;  // more is a protocol breach
// What a queued payload costs beside its bytes, so that a crowd of tiny ones is not free.
inline constexpr std::size_t kMessageOverheadBytes = 128;
// Reserved at once for a payload of which nothing has arrived yet.
inline constexpr std::size_t kFirstReserveBytes = 4 * 1024;

struct MuxLimits {
  std::size_t out_bytes = 0;  // queued and not taken by the transport
  std::size_t out_messages = 0;
  std::size_t in_bytes = 0;  // delivered and not released
  std::size_t in_messages = 0;
};

// A lane is the index of a capability in the session's agreed list.
class MuxWriter {
 public:
  MuxWriter(std::span<const Capability> agreed, const MuxLimits& limits);

  // Errors: too_large, would_block. The payload is taken only on success. CHECK: lane exists.
  [[nodiscard]] Result<void> push(std::size_t lane, Priority priority, Bytes&& payload);
  // Opens streams that are not open yet and writes what the transport takes.
  void flush(Instant now, transport::Transport& transport, transport::ConnHandle conn);
  // The transport has room again, or its own limit has. It has one of each for all streams, so all
  // lanes may try.
  void on_writable();
  // A lane that said would_block and has half of its budget free again; each is told once.
  [[nodiscard]] std::optional<std::size_t> poll_writable();

  [[nodiscard]] bool owns(transport::StreamId stream) const;
  // When a lane will have waited for so long without progress; never, when nothing waits, or
  // nothing but our own limit holds it.
  [[nodiscard]] Instant stall_deadline(Duration timeout) const;
  // Bytes queued and not taken by the transport, with what their queues cost.
  [[nodiscard]] std::size_t memory_bytes() const;
  [[nodiscard]] std::uint64_t messages_sent() const { return messages_sent_; }

 private:
  using EnvelopeHeader = std::optional<ByteArray<kEnvelopeHeaderBytes>>;
  struct Outgoing {
    EnvelopeHeader header;  // none: the payload is the stream's name
    Bytes payload;
    std::size_t written = 0;
    Priority priority = Priority::head;
    [[nodiscard]] std::size_t header_size() const { return header ? header->size() : 0; }
  };
  struct Lane {
    std::optional<transport::StreamId> stream;
    bool blocked = false;
    bool was_held = false;  // until now, by our own limit
    bool owes_writable = false;
    std::size_t deficit = 0;
    std::optional<Outgoing> current;
    std::array<Fifo<Bytes>, kPriorities> queues;
    std::size_t queued_bytes = 0;
    std::size_t queued_messages = 0;
    std::size_t taken = 0;  // in this flush
    StallClock stall;
  };

  [[nodiscard]] static Fifo<Bytes>& queue_of(Lane& lane, Priority priority);
  [[nodiscard]] static std::optional<Priority> urgency(const Lane& lane);
  [[nodiscard]] bool has_room(const Lane& lane, Priority priority, std::size_t bytes) const;
  // Whether anything was written.
  bool write_class(transport::Transport& transport, transport::ConnHandle conn, Priority priority);
  void take_turn(transport::Transport& transport, transport::ConnHandle conn, Lane& lane,
                 Priority priority);
  // How many bytes the transport took, at most `most`; marks the lane blocked when it took less.
  [[nodiscard]] std::size_t write_some(transport::Transport& transport, transport::ConnHandle conn,
                                       Lane& lane, Priority priority, std::size_t most);
  // What waits in this lane is bulk, and our own limit holds it.
  [[nodiscard]] bool held_back(const Lane& lane) const;
  void finish_current(Lane& lane);

  MuxLimits limits_;
  std::vector<Lane> lanes_;
  std::size_t first_ = 0;           // whose turn is first in the next round
  std::optional<std::size_t> cut_;  // in this flush: whom the transport cut short, nobody after it
  bool limited_ = false;            // bulk waits for the transport's own limit
  std::uint64_t messages_sent_ = 0;
};

struct Delivered {
  std::size_t lane = 0;
  Bytes payload;
};

class MuxReader {
 public:
  MuxReader(std::span<const Capability> agreed, const MuxLimits& limits);

  // Reads what arrived on a unidirectional stream of the peer and appends whole payloads to `out`.
  // The error says why the session must end: capability_not_shared or protocol_breach.
  [[nodiscard]] std::expected<void, DisconnectReason> read(transport::Transport& transport,
                                                           transport::ConnHandle conn,
                                                           transport::StreamId stream,
                                                           std::vector<Delivered>& out);
  // A delivered payload of this size was taken. The stream to read again, if that was waited for.
  [[nodiscard]] std::optional<transport::StreamId> release(std::size_t lane, std::size_t bytes);

  // Something was delivered and not released.
  [[nodiscard]] bool holds_messages() const;
  // Bytes delivered and not released, and of half-received payloads.
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  enum class Part : std::uint8_t { name_length, name, length, payload };
  struct Stream {
    transport::StreamId id = -1;
    Part part = Part::name_length;
    std::size_t wanted = 1;  // bytes of this part
    Bytes buffer;            // what has arrived of it, if it comes in pieces
    std::size_t lane = 0;    // known once the name is
  };
  struct Lane {
    std::string literal;
    std::optional<transport::StreamId> stream;
    bool paused = false;
    std::size_t held_bytes = 0;
    std::size_t held_messages = 0;
  };

  [[nodiscard]] bool is_full(const Lane& lane) const;
  // `part`: of stream.wanted bytes.
  [[nodiscard]] std::expected<void, DisconnectReason> finish_part(Stream& stream, ByteView part,
                                                                  std::vector<Delivered>& out);
  [[nodiscard]] std::expected<void, DisconnectReason> bind(Stream& stream, ByteView name);

  MuxLimits limits_;
  std::vector<Lane> lanes_;
  std::vector<Stream> streams_;
};

}  // namespace ethnet::session
