// Those who flood: Initials of nobody, strangers that trickle, strangers that come and go.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include <base/log.hpp>
#include <base/prng.hpp>
#include <machine/timer_table.hpp>
#include <sim/host.hpp>
#include <transport/quic/endpoint.hpp>

namespace ethnet::testing {

// First packets of clients. Some are whole (a server answers them with its first flight, and holds
// a place); the mass only looks like one until its keys are derived.
class Initials {
 public:
  explicit Initials(Prng prng) : prng_{prng} {}

  void make_whole(Now now, SecureRng& rng, std::size_t n);
  [[nodiscard]] Bytes next();

 private:
  Prng prng_;
  std::deque<Bytes> whole_;
};

// Strangers, each with an address of its own, that open a connection and then say a byte a second.
class SlowStrangers {
 public:
  struct Options {
    std::vector<Endpoint> addresses;
    Endpoint victim;
    Duration spread = seconds(1);  // between the first and the last dial
    Duration deaf_for{};           // reads nothing at first: the transport's handshake hangs
  };
  struct Stranger {
    std::unique_ptr<quic::QuicEndpoint> endpoint;
    std::optional<transport::ConnHandle> conn;
    std::optional<transport::StreamId> stream;
    Instant begins;
    Instant says = Instant::never();
    std::vector<std::pair<Datagram, Bytes>> held;
    std::optional<Instant> opened;
    std::optional<Instant> closed;
  };

  SlowStrangers(const sim::HostEnv& env, Options options);

  void handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept;
  void handle_deadline(Now now) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] Instant next_deadline() const { return timers_.next(); }
  [[nodiscard]] const std::vector<Stranger>& strangers() const { return strangers_; }

 private:
  void wake(Now now, std::uint32_t index);
  void settle(Now now, std::uint32_t index);

  Options options_;
  NullLog log_;
  std::vector<Stranger> strangers_;
  std::map<Endpoint, std::uint32_t> by_address_;
  TimerTable timers_;
  std::set<std::uint32_t> ready_;
};

// Connects and closes, as fast as it is let: some before the handshake is over, some right after.
class Closer {
 public:
  struct Options {
    Endpoint victim;
    std::size_t at_once = 16;
    std::uint64_t total = 0;
  };
  Closer(const sim::HostEnv& env, Options options);

  void begin(Now now);
  void handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept;
  void handle_deadline(Now now) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::uint64_t dialled() const { return dialled_; }
  [[nodiscard]] std::uint64_t completed() const { return completed_; }
  [[nodiscard]] bool done() const { return ended_ >= options_.total; }

 private:
  void dial_more(Now now);
  void route(Now now);

  Options options_;
  NullLog log_;
  std::unique_ptr<quic::QuicEndpoint> quic_;
  std::deque<std::pair<Instant, transport::ConnHandle>> hasty_;  // closed before they are open
  std::uint64_t dialled_ = 0;
  std::uint64_t completed_ = 0;
  std::uint64_t ended_ = 0;
  std::size_t open_ = 0;
};

}  // namespace ethnet::testing
