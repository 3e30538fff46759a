// A peer of a MemoryTransport that speaks its frames by hand and means no good.
#include <array>

#include <base/prng.hpp>
#include <gtest/gtest.h>

#include "memory_transport.hpp"

namespace ethnet::transport {
namespace {

using memory::kMaxAckDelay;
using memory::kMaxControlFrames;
using memory::kMaxLimitValue;
using memory::kMaxLinkEvents;

class TestRng final : public SecureRng {
 public:
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next() & 0xff);
  }

 private:
  Prng prng_{5};
};

Endpoint at(std::uint8_t host) {
  return {IpAddress::v4({std::byte{10}, std::byte{0}, std::byte{0}, std::byte{host}}), 9};
}

MemoryConfig small() {
  MemoryConfig config;
  config.local = at(1);
  config.stream_window = 4'000;
  config.connection_window = 6'000;
  return config;
}

// Frames, as link.cpp has them.
Bytes frame(std::uint8_t type, std::initializer_list<std::uint64_t> numbers) {
  Bytes out{std::byte{type}};
  for (const std::uint64_t number : numbers) append_be(out, number);
  return out;
}
Bytes hello(std::uint64_t stream = 1 << 20, std::uint64_t connection = 1 << 20,
            std::uint64_t bidi = 1, std::uint64_t uni = 16, std::uint64_t ack_delay_ns = 0) {
  return frame(1, {42, stream, connection, bidi, uni, ack_delay_ns});
}
Bytes finished() { return frame(2, {0, 0}); }
Bytes data(std::uint64_t stream, std::size_t size) {
  Bytes out = frame(5, {stream});
  append_be(out, static_cast<std::uint16_t>(size));
  out.push_back(std::byte{0});
  out.resize(out.size() + size);
  return out;
}
Bytes reset(std::uint64_t stream) { return frame(7, {stream, 0}); }
std::uint64_t uni(std::uint64_t index) { return index * 4 + 2; }  // a dialler's

class Hostile : public testing::Test {
 protected:
  // The next packet of connection `id`, which acknowledges nothing.
  void say(const Bytes& frames, std::uint64_t id = 1) {
    Bytes packet;
    memory::append_header(packet, {memory::PacketType::data, true, true, id, numbers[id]++, 0});
    append(packet, frames);
    const Datagram datagram{at(1), at(2), 0, packet};
    victim.handle_datagrams(now, std::span{&datagram, 1});
  }
  void open(std::uint64_t id = 1) {
    say(hello(), id);
    say(finished(), id);
  }
  void poll() {
    while (auto event = victim.poll_event()) events.push_back(std::move(*event));
  }
  void transmit() {
    Bytes buffer(kTransmitBufferBytes);
    while (victim.poll_transmit(now, buffer)) {
    }
  }
  [[nodiscard]] std::optional<CloseCause> closed() {
    poll();
    for (const ConnEvent& event : events) {
      if (const auto* end = std::get_if<Closed>(&event.kind)) return end->cause;
    }
    return std::nullopt;
  }
  template <class E>
  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        events, [](const ConnEvent& event) { return std::holds_alternative<E>(event.kind); }));
  }

  Now now{{1'000'000'000}, {}};
  TestRng rng;
  MemoryTransport victim{small(), rng};
  std::map<std::uint64_t, std::uint64_t> numbers;
  std::vector<ConnEvent> events;
};

TEST_F(Hostile, DataAboveTheStreamsCreditEndsTheConnection) {
  open();
  for (int i = 0; i < 4; ++i) say(data(uni(0), 1'000));
  EXPECT_FALSE(closed());
  say(data(uni(0), 1));
  EXPECT_EQ(closed(), CloseCause::refused);
}

TEST_F(Hostile, DataAboveTheConnectionsCreditEndsItThoughEachStreamHasSome) {
  open();
  for (std::uint64_t stream = 0; stream < 2; ++stream) {
    for (int i = 0; i < 3; ++i) say(data(uni(stream), 1'000));
  }
  EXPECT_FALSE(closed());
  EXPECT_EQ(victim.memory_bytes(events.front().conn), 6'000U);
  say(data(uni(2), 1));
  EXPECT_EQ(closed(), CloseCause::refused);
}

TEST_F(Hostile, ManySmallFramesAreOneEvent) {
  open();
  poll();
  for (int i = 0; i < 3'000; ++i) say(data(uni(0), 1));
  EXPECT_EQ(victim.queued_events(), 1U);
  poll();
  say(data(uni(0), 1));
  EXPECT_EQ(victim.queued_events(), 1U);  // polled: the next one is told again
}

// Streams that come and go make events, and nobody polls.
TEST_F(Hostile, EventsThatNobodyPolledEndTheConnectionAtTheirLimit) {
  open();
  for (std::uint64_t i = 0; i < 2 * kMaxLinkEvents; ++i) {
    say(data(uni(i), 1));
    say(reset(uni(i)));
    transmit();
  }
  EXPECT_LE(victim.queued_events(), kMaxLinkEvents + 3);
  EXPECT_EQ(closed(), CloseCause::memory_limit);
}

TEST_F(Hostile, EventsOfManyConnectionsStopAtTheLimitOfAll) {
  for (std::uint64_t id = 1; id <= 40; ++id) {
    open(id);
    for (std::uint64_t i = 0; i < 300; ++i) {
      say(data(uni(i), 1), id);
      say(reset(uni(i)), id);
    }
  }
  EXPECT_LE(victim.queued_events(), kMaxQueuedEvents + 2);
  EXPECT_GT(victim.dropped_full(), 0U);
  poll();
  const std::size_t before = count<Opened>();
  open(1000);
  poll();
  EXPECT_EQ(count<Opened>(), before + 1);  // polled: open to new ones again
}

// Each stream that ends makes us say so; the peer acknowledges nothing.
TEST_F(Hostile, FramesThatAreNeverAcknowledgedEndTheConnectionAtTheirLimit) {
  open();
  std::uint64_t streams = 0;
  for (; streams < 4 * kMaxControlFrames && !closed(); ++streams) {
    say(data(uni(streams), 1));
    say(reset(uni(streams)));
  }
  EXPECT_EQ(closed(), CloseCause::memory_limit);
  EXPECT_LE(streams, kMaxControlFrames + 1);
}

// The same through what the owner does, which is when it must not call back.
TEST_F(Hostile, AConnectionThatItsOwnerFillsWithFramesEndsAtTheNextDrain) {
  open();
  poll();
  const ConnHandle conn = events.front().conn;
  for (std::uint64_t i = 0; i < 4 * kMaxControlFrames && !closed(); ++i) {
    say(data(uni(i), 1));
    victim.stop(conn, static_cast<StreamId>(uni(i)), 0);
    if (i % 16 == 15) {
      for (std::uint64_t k = i - 15; k <= i; ++k) say(reset(uni(k)));
    }
    poll();
  }
  transmit();
  EXPECT_EQ(closed(), CloseCause::memory_limit);
  EXPECT_EQ(victim.connection_count(), 0U);
}

TEST_F(Hostile, LimitsThatNoOneCouldMeanAreMalformed) {
  constexpr std::uint64_t kHuge = kMaxLimitValue + 1;
  constexpr auto kTooLate = static_cast<std::uint64_t>(kMaxAckDelay.ns) + 1;
  const std::array<Bytes, 5> hellos{hello(kHuge), hello(1, kHuge), hello(1, 1, kHuge),
                                    hello(1, 1, 1, UINT64_MAX), hello(1, 1, 1, 1, kTooLate)};
  std::uint64_t id = 10;
  for (const Bytes& bad : hellos) {
    events.clear();
    say(bad, ++id);
    EXPECT_EQ(closed(), CloseCause::refused);
  }
  const std::array<Bytes, 4> updates{frame(6, {0, kHuge}), frame(9, {1, kHuge}),
                                     frame(10, {kHuge, 0}), frame(9, {2, 1})};
  for (const Bytes& bad : updates) {
    open(++id);
    poll();
    events.clear();
    say(bad, id);
    EXPECT_EQ(closed(), CloseCause::refused);
  }
  events.clear();
  say(hello(kMaxLimitValue, kMaxLimitValue, kMaxLimitValue, kMaxLimitValue, kTooLate - 1), ++id);
  say(finished(), id);
  EXPECT_FALSE(closed());
  const ConnHandle conn = events.front().conn;
  const auto stream = victim.open_stream(conn, StreamKind::unidirectional);
  ASSERT_TRUE(stream);
  EXPECT_EQ(victim.write(conn, *stream, Bytes(10)), 10U);
}

// Nothing allowed is nothing sent, and no crash.
TEST_F(Hostile, APeerThatAllowsNothingGetsNothing) {
  say(hello(0, 0, 0, 0));
  say(finished());
  poll();
  EXPECT_FALSE(victim.open_stream(events.front().conn, StreamKind::unidirectional));
  transmit();
  EXPECT_FALSE(closed());
}

// Two of our own kind, connected.
class ConnectionCredit : public ::testing::Test {
 protected:
  ConnectionCredit() {
    network.add(a);
    network.add(b);
    ours = *a.dial(now, at(2));
    network.deliver(now);
    theirs = b.poll_event()->conn;
  }
  static MemoryConfig second() {
    MemoryConfig config = small();
    config.local = at(2);
    return config;
  }

  TestRng rng;
  MemoryTransport a{small(), rng};
  MemoryTransport b{second(), rng};
  MemoryNetwork network;
  const Now now{{1'000'000'000}, {}};
  ConnHandle ours;
  ConnHandle theirs;
};

// What is stopped or reset gives its credit back.
TEST_F(ConnectionCredit, ComesBackFromStreamsThatNobodyReads) {
  std::size_t sent = 0;
  for (int i = 0; i < 20; ++i) {
    const auto stream = a.open_stream(ours, StreamKind::unidirectional);
    ASSERT_TRUE(stream);
    sent += a.write(ours, *stream, Bytes(4'000));
    network.deliver(now);
    EXPECT_LE(b.memory_bytes(theirs), 6'000U);
    EXPECT_GT(b.memory_bytes(theirs), 0U);
    if (i % 2 == 0) {
      b.stop(theirs, *stream, 0);
    } else {
      a.reset(ours, *stream, 0);
    }
    network.deliver(now);
    EXPECT_EQ(b.memory_bytes(theirs), 0U);
    while (a.poll_event()) {
    }
    while (b.poll_event()) {
    }
  }
  EXPECT_EQ(sent, 80'000U);  // many times the connection's window
}

// One stream that is not read holds back no more than the connection's window.
TEST_F(ConnectionCredit, BoundsWhatAllStreamsHoldTogether) {
  std::vector<StreamId> streams;
  for (int i = 0; i < 10; ++i) {
    streams.push_back(*a.open_stream(ours, StreamKind::unidirectional));
    EXPECT_EQ(a.write(ours, streams.back(), Bytes(3'000)), 3'000U);
  }
  network.deliver(now);
  EXPECT_EQ(b.memory_bytes(theirs), 6'000U);
  // Reading makes room for the next.
  std::size_t read = 0;
  for (int round = 0; round < 10; ++round) {
    for (const StreamId stream : streams) {
      const std::size_t there = b.read(theirs, stream).size();
      b.consume(theirs, stream, there);
      read += there;
    }
    network.deliver(now);
    EXPECT_LE(b.memory_bytes(theirs), 6'000U);
  }
  EXPECT_EQ(read, 30'000U);
}

}  // namespace
}  // namespace ethnet::transport
