#include "in_memory.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "../support/child.hpp"

namespace ethnet::bench {
namespace {

constexpr std::size_t kEnvelope = 100;

Endpoint address(std::size_t side) { return loopback(static_cast<std::uint16_t>(side + 1)); }

}  // namespace

InMemory::InMemory() : now_{runtime::os_now()}, buffer_(kTransmitBufferBytes) {
  for (std::size_t i = 0; i < 2; ++i) {
    quic::EndpointConfig config = quic_config("ethnet/1");
    config.local = {address(i)};
    Side& side = sides_.at(i);
    side.endpoint = quic::QuicEndpoint::make(now_, config, entropy_, log_).value();
    side.peer = std::make_unique<Peer>(i + 1, *side.endpoint, entropy_, log_);
    side.peer->on_event = [&side](Now, const session::SessionEvent& event) {
      if (std::holds_alternative<session::MessageReceived>(event)) ++side.received;
    };
  }
}

bool InMemory::drain_events(Side& side) const {
  bool any = false;
  while (const auto event = side.endpoint->poll_event()) {
    any = true;
    side.peer->manager().handle_conn_event(now_, *event);
  }
  return side.peer->drain(now_) || any;
}

void InMemory::turn(std::size_t index) {
  Side& from = sides_.at(index);
  Side& to = sides_.at(1 - index);
  std::uint64_t start = thread_cpu_ns();
  if (from.endpoint->next_deadline() <= now_.mono) from.endpoint->handle_deadline(now_);
  if (from.peer->manager().next_deadline() <= now_.mono) {
    from.peer->manager().handle_deadline(now_);
  }
  while (drain_events(from)) {
  }
  const auto burst = from.endpoint->poll_transmit(now_, buffer_);
  from.cpu_ns += thread_cpu_ns() - start;
  from.quiet = !burst;
  if (!burst) return;
  std::vector<Datagram> batch;
  ByteView rest = ByteView{buffer_}.first(burst->size);
  while (!rest.empty()) {
    const std::size_t n = std::min(rest.size(), burst->segment_size);
    batch.push_back({burst->remote, address(index), burst->ecn, rest.first(n)});
    rest = rest.subspan(n);
  }
  start = thread_cpu_ns();
  to.endpoint->handle_datagrams(now_, batch);
  while (drain_events(to)) {
  }
  to.cpu_ns += thread_cpu_ns() - start;
  to.quiet = false;
}

void InMemory::run(const std::function<bool()>& done) {
  constexpr int kMaxTurns = 10'000'000;
  for (int i = 0; !done(); ++i) {
    if (i == kMaxTurns) throw std::runtime_error("two stacks in memory fell silent");
    for (std::size_t side = 0; side < 2; ++side) turn(side);
    constexpr Duration kWire = microseconds(10);
    Instant next = now_.mono + kWire;
    if (sides_[0].quiet && sides_[1].quiet) {
      next = Instant::never();
      for (const Side& side : sides_) {
        next =
            std::min({next, side.endpoint->next_deadline(), side.peer->manager().next_deadline()});
      }
      next = std::max(next, now_.mono + kWire);
    }
    now_.wall = now_.wall + (next - now_.mono);
    now_.mono = next;
  }
}

void InMemory::dial() {
  if (!sides_[0].peer->manager().dial(now_, address(1), std::nullopt)) {
    throw std::runtime_error("cannot dial");
  }
}

void InMemory::open() {
  const std::size_t before = sides_[0].peer->opened;
  const std::size_t before_there = sides_[1].peer->opened;
  dial();
  run([&] { return sides_[0].peer->opened > before && sides_[1].peer->opened > before_there; });
}

void InMemory::shake_hands() {
  open();
  Peer& dialler = *sides_[0].peer;
  dialler.manager().disconnect(now_, *dialler.session, session::DisconnectReason::requested);
  run([&] {
    return sides_[0].peer->closed == sides_[0].peer->opened &&
           sides_[1].peer->closed == sides_[1].peer->opened;
  });
}

void InMemory::send(std::uint64_t messages) {
  const std::uint64_t wanted = sides_[1].received + messages;
  Peer& sender = *sides_[0].peer;
  std::uint64_t left = messages;
  const session::Capability capability = Peer::capability();
  run([&] {
    const std::uint64_t start = thread_cpu_ns();
    while (left > 0 && sender.manager().send(now_, *sender.session, capability,
                                             session::Priority::normal, Bytes(kEnvelope))) {
      --left;
    }
    sides_[0].cpu_ns += thread_cpu_ns() - start;
    return sides_[1].received == wanted;
  });
}

}  // namespace ethnet::bench
