// MemoryTransport: transport/conn.hpp with the streams, credit and close of QUIC and none of its
// cryptography, as a machine of datagrams. For tests and the simulator; it trusts every datagram.
// It survives loss, reordering and duplication. Threading: one thread. Limits: MemoryConfig.
// MemoryNetwork carries datagrams between several of them, for tests that need no simulator.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include <base/secure_rng.hpp>
#include <base/slab.hpp>
#include <machine/concepts.hpp>
#include <machine/timer_table.hpp>
#include <transport/transport_machine.hpp>

#include "link.hpp"

namespace ethnet::transport {

inline constexpr std::size_t kMaxQueuedReplies = 256;  // closes and resets not yet sent
// Events of all connections that nobody polled; above it datagrams are dropped, as if lost.
inline constexpr std::size_t kMaxQueuedEvents = 16 * 1024;

class MemoryTransport final : public TransportMachine {
 public:
  MemoryTransport(MemoryConfig config, SecureRng& rng);

  // The machine.
  void handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept override;
  void handle_deadline(Now now) noexcept override;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out) override;
  [[nodiscard]] std::optional<ConnEvent> poll_event() override;
  [[nodiscard]] Instant next_deadline() const override { return timers_.next(); }

  [[nodiscard]] Result<ConnHandle> dial(Now now, const Endpoint& remote) override;
  [[nodiscard]] Result<StreamId> open_stream(ConnHandle conn, StreamKind kind) override;
  [[nodiscard]] std::size_t write(ConnHandle conn, StreamId stream, ByteView bytes) override;
  void finish(ConnHandle conn, StreamId stream) override;
  [[nodiscard]] ByteView read(ConnHandle conn, StreamId stream) override;
  [[nodiscard]] bool at_end(ConnHandle conn, StreamId stream) const override;
  void consume(ConnHandle conn, StreamId stream, std::size_t n) override;
  void reset(ConnHandle conn, StreamId stream, std::uint64_t code) override;
  void stop(ConnHandle conn, StreamId stream, std::uint64_t code) override;
  void close(Now now, ConnHandle conn, std::uint64_t application_code,
             std::string_view reason) override;
  [[nodiscard]] Result<void> export_key(ConnHandle conn, std::string_view label,
                                        MutByteView out) override;
  [[nodiscard]] std::size_t memory_bytes(ConnHandle conn) const override;
  [[nodiscard]] ConnStats stats(ConnHandle conn) const override;  // round trips are not measured

  [[nodiscard]] std::size_t connection_count() const { return links_.size(); }
  [[nodiscard]] std::size_t queued_events() const { return events_.size(); }
  [[nodiscard]] std::uint64_t dropped_full() const { return dropped_full_; }  // datagrams
  [[nodiscard]] const Endpoint& local() const { return config_.local; }

 private:
  using Key = std::pair<std::uint64_t, bool>;  // id, whether we dialled
  struct Reply {
    Endpoint remote;
    Bytes packet;
  };

  void receive(Now now, const Datagram& datagram);
  ConnHandle add(Now now, Side side, std::uint64_t id, const Endpoint& remote);
  [[nodiscard]] memory::Link* find(ConnHandle conn) const;
  // The link, and a place in the ready list: something may have to be sent.
  [[nodiscard]] memory::Link* touch(ConnHandle conn);
  void settle(ConnHandle conn);
  void reply(const Endpoint& remote, const memory::Header& header, std::uint64_t code);

  MemoryConfig config_;
  SecureRng& rng_;
  Slab<std::unique_ptr<memory::Link>, ConnTag> links_;
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key.first ^ (key.second ? 1 : 0); }
  };
  std::unordered_map<Key, ConnHandle, KeyHash> by_key_;  // never iterated
  TimerTable timers_;
  std::deque<ConnHandle> ready_;
  std::deque<ConnEvent> events_;
  std::deque<Reply> replies_;
  std::uint64_t dropped_full_ = 0;
};

// Carries what its members send, at once and in order, until nothing more is sent.
class MemoryNetwork {
 public:
  void add(MemoryTransport& member) { members_.push_back(&member); }
  void deliver(Now now);
  // Handles every deadline that is due, then delivers.
  void advance(Now now);

 private:
  std::vector<MemoryTransport*> members_;
};

}  // namespace ethnet::transport
