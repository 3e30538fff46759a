// Two whole stacks, QUIC with TLS and a session manager each, that hand each other their datagrams
// in memory, on one thread and in virtual time: what is left is CPU.
#pragma once

#include <array>
#include <memory>

#include <base/log.hpp>
#include <runtime/os.hpp>

#include "station.hpp"

namespace ethnet::bench {

class InMemory {
 public:
  InMemory();

  // One session from dial to SessionOpened on both sides, and its end.
  void shake_hands();
  // One session that stays; then messages of 100 bytes from one side to the other.
  void open();
  void send(std::uint64_t messages);
  // CPU of one side so far: 0 dials and sends, 1 accepts and receives.
  [[nodiscard]] std::uint64_t cpu_ns(std::size_t side) const { return sides_.at(side).cpu_ns; }

 private:
  struct Side {
    std::unique_ptr<quic::QuicEndpoint> endpoint;
    std::unique_ptr<Peer> peer;
    std::uint64_t cpu_ns = 0;
    std::uint64_t received = 0;
    bool quiet = false;
  };

  void dial();
  // One batch from this side to the other.
  void turn(std::size_t side);
  void run(const std::function<bool()>& done);
  bool drain_events(Side& side) const;

  runtime::OsEntropy entropy_;
  NullLog log_;
  Now now_;
  std::array<Side, 2> sides_;
  Bytes buffer_;
};

}  // namespace ethnet::bench
