// For tests: two endpoints, virtual time, and a wire between them that a test can bend.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include <base/prng.hpp>

#include "endpoint.hpp"

namespace ethnet::quic::testing {

// Deterministic; for tests only.
class TestRng final : public SecureRng {
 public:
  explicit TestRng(std::uint64_t seed) : prng_{seed} {}
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next() & 0xff);
  }

 private:
  Prng prng_;
};

inline Endpoint at(std::uint8_t host, std::uint16_t port) {
  return {IpAddress::v4({std::byte{10}, std::byte{0}, std::byte{0}, std::byte{host}}), port};
}

struct Packet {
  Endpoint from;
  Endpoint to;
  Bytes bytes;
};

// One side: an endpoint and what it reported.
struct Side {
  Side(Now now, EndpointConfig config, std::uint64_t seed)
      : rng{seed}, endpoint{*QuicEndpoint::make(now, std::move(config), rng, log)} {}

  template <class E>
  [[nodiscard]] const E* last() const {
    for (auto it = events.rbegin(); it != events.rend(); ++it) {
      if (const auto* event = std::get_if<E>(&it->kind)) return event;
    }
    return nullptr;
  }
  template <class E>
  [[nodiscard]] std::size_t count() const {
    std::size_t n = 0;
    for (const auto& event : events) n += std::holds_alternative<E>(event.kind) ? 1U : 0U;
    return n;
  }

  TestRng rng;
  NullLog log;
  std::unique_ptr<QuicEndpoint> endpoint;
  std::deque<transport::ConnEvent> events;
  std::uint64_t bytes_out = 0;
  std::uint64_t bytes_in = 0;
};

class Pair {
 public:
  // What becomes of a packet: how many copies arrive.
  using Fate = std::function<int(Packet&)>;

  explicit Pair(const std::function<void(EndpointConfig&)>& change = {}) {
    EndpointConfig one;
    one.local = {at(1, 100)};
    EndpointConfig two;
    two.local = {at(2, 200)};
    if (change) {
      change(one);
      change(two);
    }
    client = std::make_unique<Side>(now, one, 1);
    server = std::make_unique<Side>(now, two, 2);
    client_config = one;
    server_config = two;
  }

  // Runs until `done` says so or the time is over; true when done.
  bool run(Duration limit, const std::function<bool()>& done = [] { return false; }) {
    const Instant end = now.mono + limit;
    flush();
    while (!done()) {
      flush();  // what done() may have written
      Instant next = std::min(client->endpoint->next_deadline(), server->endpoint->next_deadline());
      if (!wire_.empty()) next = std::min(next, wire_.front().first);
      if (next > end) return false;
      advance(next);
      step();
      flush();
    }
    return true;
  }
  void advance(Instant to) {
    if (to <= now.mono) return;
    now.wall = now.wall + (to - now.mono);
    now.mono = to;
  }
  void flush() {
    drain(*client);
    drain(*server);
  }
  void deliver(Side& side, const Packet& packet) {
    side.bytes_in += packet.bytes.size();
    const Datagram datagram{packet.to, packet.from, 0, packet.bytes};
    side.endpoint->handle_datagrams(now, std::span{&datagram, 1});
  }

  // Dials and runs until both sides have confirmed.
  transport::ConnHandle connect() {
    const auto handle = client->endpoint->dial(now, at(2, 200));
    CHECK(handle.has_value());
    const std::size_t before = server->count<transport::Confirmed>();
    CHECK(run(seconds(10), [&] {
      return server->count<transport::Confirmed>() > before && client->last<transport::Confirmed>();
    }));
    return *handle;
  }
  [[nodiscard]] transport::ConnHandle server_handle() const { return server->events.back().conn; }

  Now now{{1'000'000'000'000}, UnixTime::from_seconds(1'800'000'000)};
  Fate fate = [](Packet&) { return 1; };
  Duration latency = milliseconds(10);
  std::unique_ptr<Side> client;
  std::unique_ptr<Side> server;
  EndpointConfig client_config;
  EndpointConfig server_config;

 private:
  void drain(Side& side) {
    Bytes buffer(kTransmitBufferBytes);
    for (;;) {
      const auto burst = side.endpoint->poll_transmit(now, buffer);
      if (!burst) break;
      side.bytes_out += burst->size;
      ByteView rest = ByteView{buffer}.first(burst->size);
      while (!rest.empty()) {
        const std::size_t n = std::min(rest.size(), burst->segment_size);
        Packet packet{burst->local, burst->remote, to_bytes(rest.first(n))};
        rest = rest.subspan(n);
        for (int copies = fate(packet); copies > 0; --copies) {
          wire_.emplace_back(now.mono + latency, packet);
        }
      }
    }
    while (auto event = side.endpoint->poll_event()) side.events.push_back(std::move(*event));
  }
  void step() {
    while (!wire_.empty() && wire_.front().first <= now.mono) {
      const Packet packet = std::move(wire_.front().second);
      wire_.pop_front();
      if (packet.to.ip == at(1, 0).ip) deliver(*client, packet);
      if (packet.to.ip == at(2, 0).ip) deliver(*server, packet);
    }
    for (Side* side : {client.get(), server.get()}) {
      if (side->endpoint->next_deadline() <= now.mono) side->endpoint->handle_deadline(now);
    }
  }

  std::deque<std::pair<Instant, Packet>> wire_;
};

inline Bytes pattern(std::size_t n) {
  Bytes out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::byte>((i * 131 + (i >> 8)) & 0xff);
  return out;
}

// Feeds `data` into a stream as the transport takes it, and reads it at the other end.
inline Bytes transfer(Pair& pair, Side& from, transport::ConnHandle from_conn,
                      transport::StreamId stream, Side& to, ByteView data, bool consume = true) {
  Bytes got;
  const std::size_t total = data.size();
  const auto pump = [&] {
    data = data.subspan(from.endpoint->write(from_conn, stream, data));
    for (; !to.events.empty(); to.events.pop_front()) {
      const auto event = to.events.front();
      const auto* readable = std::get_if<transport::Readable>(&event.kind);
      if (readable == nullptr || !consume) continue;
      const ByteView bytes = to.endpoint->read(event.conn, readable->stream);
      append(got, bytes);
      to.endpoint->consume(event.conn, readable->stream, bytes.size());
    }
    return got.size() == total;
  };
  (void)pair.run(seconds(60), pump);
  return got;
}

}  // namespace ethnet::quic::testing
