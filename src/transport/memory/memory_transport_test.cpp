#include "memory_transport.hpp"

#include <functional>

#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <machine/checked.hpp>

namespace ethnet::transport {
namespace {

class TestRng final : public SecureRng {
 public:
  explicit TestRng(std::uint64_t seed) : prng_{seed} {}
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next() & 0xff);
  }

 private:
  Prng prng_;
};

MemoryConfig config_of(std::uint8_t host, MemoryConfig config) {
  config.local = {IpAddress::v4({std::byte{10}, std::byte{0}, std::byte{0}, std::byte{host}}), 9};
  return config;
}

Bytes pattern(std::size_t n) {
  Prng prng{7};
  Bytes out(n);
  for (std::byte& b : out) b = static_cast<std::byte>(prng.next() & 0xff);
  return out;
}

struct Member {
  Member(std::uint8_t host, const MemoryConfig& config)
      : rng{host}, machine{config_of(host, config), rng} {}
  MemoryTransport& t() { return machine.machine(); }
  template <class E>
  [[nodiscard]] const E* last() const {
    for (auto it = events.rbegin(); it != events.rend(); ++it) {
      if (const auto* e = std::get_if<E>(&it->kind)) return e;
    }
    return nullptr;
  }
  TestRng rng;
  Checked<MemoryTransport> machine;
  std::vector<ConnEvent> events;
};

class MemoryTest : public testing::Test {
 protected:
  explicit MemoryTest(const MemoryConfig& config = {}) : a{1, config}, b{2, config} {}

  // Carries packets with the given loss, 10 ms each way, until `done` or the limit.
  bool run(Duration limit, const std::function<bool()>& done) {
    const Instant end = now.mono + limit;
    for (;;) {
      drain(a);
      drain(b);
      if (done()) return true;
      drain(a);  // done() may have written and consumed
      drain(b);
      Instant next = std::min(a.machine.next_deadline(), b.machine.next_deadline());
      if (!wire.empty()) next = std::min(next, wire.front().at);
      if (next > end) return false;
      now.mono = std::max(now.mono, next);
      while (!wire.empty() && wire.front().at <= now.mono) {
        const Packet p = std::move(wire.front());
        wire.pop_front();
        const Datagram d{p.to, p.from, 0, p.bytes};
        for (Member* m : {&a, &b}) {
          if (m->t().local() == p.to) m->machine.handle_datagrams(now, std::span{&d, 1});
        }
      }
      for (Member* m : {&a, &b}) {
        if (m->machine.next_deadline() <= now.mono) m->machine.handle_deadline(now);
      }
    }
  }
  void drain(Member& m) {
    Bytes buffer(kTransmitBufferBytes);
    while (const auto sent = m.t().poll_transmit(now, buffer)) {
      ++(sent->size == memory::kHeaderBytes ? pure_acks : packets);
      if (dice.chance_ppm(loss_ppm)) continue;
      wire.push_back({now.mono + milliseconds(10), sent->local, sent->remote,
                      to_bytes(ByteView{buffer}.first(sent->size))});
    }
    while (auto event = m.t().poll_event()) m.events.push_back(std::move(*event));
  }
  void connect() {
    ours = *a.t().dial(now, b.t().local());
    ASSERT_TRUE(run(seconds(5), [&] { return a.last<Confirmed>() && b.last<Confirmed>(); }));
    theirs = b.events.front().conn;
  }

  struct Packet {
    Instant at;
    Endpoint from, to;
    Bytes bytes;
  };
  Now now{{1'000'000'000}, {}};
  Prng dice{3};
  std::uint64_t loss_ppm = 0;
  Member a, b;
  std::size_t packets = 0;  // sent, with frames
  std::size_t pure_acks = 0;
  std::deque<Packet> wire;
  ConnHandle ours, theirs;
};

TEST_F(MemoryTest, OpensAndExportsOneKey) {
  connect();
  ASSERT_NE(a.last<Opened>(), nullptr);
  EXPECT_EQ(b.last<Opened>()->side, Side::acceptor);
  ByteArray<32> k1{}, k2{}, k3{};
  ASSERT_TRUE(a.t().export_key(ours, "x", k1));
  ASSERT_TRUE(b.t().export_key(theirs, "x", k2));
  ASSERT_TRUE(b.t().export_key(theirs, "y", k3));
  EXPECT_EQ(k1, k2);
  EXPECT_NE(k1, k3);
}

TEST_F(MemoryTest, CountsTheBytesOfEachConnectionAndMeasuresNoRoundTrip) {
  connect();
  const ConnHandle second = *a.t().dial(now, b.t().local());
  const StreamId s = *a.t().open_stream(ours, StreamKind::unidirectional);
  ASSERT_EQ(a.t().write(ours, s, pattern(5'000)), 5'000U);
  (void)run(seconds(3), [] { return false; });
  const ConnStats here = a.t().stats(ours);
  const ConnStats there = b.t().stats(theirs);
  EXPECT_GT(here.bytes_out, 5'000U);
  EXPECT_EQ(here.bytes_out, there.bytes_in);
  EXPECT_EQ(here.bytes_in, there.bytes_out);
  EXPECT_LT(a.t().stats(second).bytes_out, 5'000U);
  EXPECT_GT(a.t().stats(second).bytes_out, 0U);
  EXPECT_EQ(here.rtt, Duration{});
  a.t().close(now, ours, 0, "");
  EXPECT_EQ(a.t().stats(ours), ConnStats{});
}

TEST_F(MemoryTest, AMebibyteSurvivesLoss) {
  loss_ppm = 100'000;
  connect();
  const Bytes sent = pattern(1 << 20);
  const StreamId s = *a.t().open_stream(ours, StreamKind::unidirectional);
  std::size_t at = 0;
  Bytes got;
  EXPECT_TRUE(run(seconds(600), [&] {
    at += a.t().write(ours, s, ByteView{sent}.subspan(at));
    if (at == sent.size()) a.t().finish(ours, s);
    const ByteView in = b.t().read(theirs, s);
    append(got, in);
    b.t().consume(theirs, s, in.size());
    return got.size() == sent.size() && b.t().at_end(theirs, s);
  }));
  EXPECT_TRUE(equal(got, sent));
}

TEST_F(MemoryTest, AReaderThatDoesNotConsumeStopsTheWriter) {
  connect();
  const MemoryConfig config;
  const Bytes sent = pattern(config.send_buffer + config.stream_window + 5000);
  const StreamId s = *a.t().open_stream(ours, StreamKind::unidirectional);
  std::size_t at = 0;
  EXPECT_FALSE(run(seconds(20), [&] {
    at += a.t().write(ours, s, ByteView{sent}.subspan(at));
    return at == sent.size();
  }));
  EXPECT_EQ(b.t().memory_bytes(theirs), config.stream_window);
  EXPECT_EQ(a.t().memory_bytes(ours), config.send_buffer);
  a.events.clear();
  b.t().consume(theirs, s, config.stream_window);
  EXPECT_TRUE(run(seconds(20), [&] { return a.last<Writable>() != nullptr; }));
  EXPECT_GT(a.t().write(ours, s, ByteView{sent}.subspan(at)), 0U);
}

TEST_F(MemoryTest, StreamsAreLimitedAndComeBackAfterStopAndReset) {
  connect();
  const StreamId s = *a.t().open_stream(ours, StreamKind::bidirectional);
  const auto second = a.t().open_stream(ours, StreamKind::bidirectional);
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().is(ConnError::stream_limit));
  EXPECT_EQ(a.t().write(ours, s, pattern(10)), 10U);
  ASSERT_TRUE(run(seconds(1), [&] { return b.last<Readable>() != nullptr; }));
  b.t().stop(theirs, s, 77);
  b.t().reset(theirs, s, 78);
  bool opened = false;
  EXPECT_TRUE(run(seconds(2), [&] {
    opened = opened || a.t().open_stream(ours, StreamKind::bidirectional).has_value();
    return opened;
  }));
  ASSERT_NE(a.last<StreamReset>(), nullptr);
  EXPECT_EQ(a.t().memory_bytes(ours), 0U);
}

// Acknowledgements wait for long, and the connection is quiet when a test begins.
class SlowAcks : public MemoryTest {
 protected:
  static constexpr Duration kDelay = seconds(5);
  static MemoryConfig slow() {
    MemoryConfig config;
    config.keep_alive = seconds(3'600);
    config.ack_delay = kDelay;
    return config;
  }
  SlowAcks() : MemoryTest{slow()} {}
  void SetUp() override {
    connect();
    pass(kDelay + seconds(1));
    stream = *a.t().open_stream(ours, StreamKind::bidirectional);
    packets = pure_acks = 0;
  }
  void pass(Duration time) {
    const Instant until = now.mono + time;
    (void)run(time, [] { return false; });
    now.mono = until;
  }
  void say(Member& m, ConnHandle conn, std::size_t bytes) {
    ASSERT_EQ(m.t().write(conn, stream, pattern(bytes)), bytes);
  }

  StreamId stream = -1;
};

TEST_F(SlowAcks, OneTravelsWithTheAnswer) {
  say(a, ours, 100);
  pass(seconds(1));
  EXPECT_EQ(a.t().memory_bytes(ours), 100U);  // not acknowledged
  say(b, theirs, 100);
  pass(seconds(1));
  a.t().consume(ours, stream, 100);
  EXPECT_EQ(a.t().memory_bytes(ours), 0U);
  EXPECT_EQ(packets, 2U);
  EXPECT_EQ(pure_acks, 0U);
}

TEST_F(SlowAcks, OneWithoutCompanyGoesAloneAndNothingIsRepeated) {
  say(a, ours, 100);
  pass(kDelay);
  EXPECT_EQ(pure_acks, 0U);
  pass(milliseconds(20));
  EXPECT_EQ(a.t().memory_bytes(ours), 0U);
  pass(kDelay * 2);
  EXPECT_EQ(packets, 1U);
  EXPECT_EQ(pure_acks, 1U);
}

TEST_F(SlowAcks, ManyPacketsHaveOneAtOnce) {
  for (std::size_t i = 1; i < memory::kAckEvery; ++i) {
    say(a, ours, 100);
    pass(milliseconds(50));
  }
  EXPECT_EQ(pure_acks, 0U);
  say(a, ours, 100);
  pass(milliseconds(50));
  EXPECT_EQ(pure_acks, 1U);
  EXPECT_EQ(a.t().memory_bytes(ours), 0U);
}

TEST_F(SlowAcks, WhatIsLostIsRepeatedAfterTheDelayAndAGapIsToldAtOnce) {
  loss_ppm = 1'000'000;
  say(a, ours, 100);
  pass(milliseconds(50));
  loss_ppm = 0;
  say(a, ours, 100);
  pass(milliseconds(50));
  EXPECT_EQ(pure_acks, 1U);  // the first has not come
  EXPECT_EQ(b.t().memory_bytes(theirs), 0U);
  pass(kDelay);
  EXPECT_EQ(b.t().memory_bytes(theirs), 0U);
  pass(memory::kRepeatAfter);
  EXPECT_EQ(b.t().memory_bytes(theirs), 200U);
}

TEST_F(SlowAcks, WhatComesTwiceIsAcknowledgedAtOnce) {
  say(a, ours, 100);
  pass(milliseconds(5));
  ASSERT_EQ(wire.size(), 1U);
  wire.push_back(wire.front());
  pass(milliseconds(50));
  EXPECT_EQ(pure_acks, 1U);
  EXPECT_EQ(a.t().memory_bytes(ours), 0U);
}

TEST_F(MemoryTest, ACloseIsToldWithItsCodeAndLeavesNothing) {
  connect();
  a.t().close(now, ours, 42, "bye");
  ASSERT_TRUE(run(seconds(1), [&] { return b.last<Closed>() != nullptr; }));
  EXPECT_EQ(a.last<Closed>()->cause, CloseCause::local);
  EXPECT_EQ(b.last<Closed>()->cause, CloseCause::peer);
  EXPECT_EQ(b.last<Closed>()->application_code, 42U);
  EXPECT_EQ(a.t().connection_count() + b.t().connection_count(), 0U);
  EXPECT_TRUE(a.t().next_deadline().is_never());
}

TEST_F(MemoryTest, KeepAliveHoldsAndSilenceEnds) {
  connect();
  EXPECT_FALSE(run(seconds(120), [&] { return a.last<Closed>() || b.last<Closed>(); }));
  loss_ppm = 1'000'000;
  EXPECT_TRUE(run(seconds(60), [&] { return a.last<Closed>() && b.last<Closed>(); }));
  EXPECT_EQ(a.last<Closed>()->cause, CloseCause::idle_timeout);
}

TEST_F(MemoryTest, ADialToNobodyTimesOut) {
  loss_ppm = 1'000'000;
  ASSERT_TRUE(a.t().dial(now, b.t().local()));
  EXPECT_TRUE(run(seconds(6), [&] { return a.last<Closed>() != nullptr; }));
  EXPECT_EQ(a.last<Closed>()->cause, CloseCause::handshake_timeout);
}

TEST_F(MemoryTest, RandomAndBentPacketsAreHarmless) {
  connect();
  for (int i = 0; i < 20'000; ++i) {
    Bytes raw(dice.below(80));
    for (std::byte& x : raw) x = static_cast<std::byte>(dice.below(12));
    const Datagram d{b.t().local(), a.t().local(), 0, raw};
    b.machine.handle_datagrams(now, std::span{&d, 1});
    drain(b);
  }
  EXPECT_LE(b.t().connection_count(), MemoryConfig{}.max_connections);
}

TEST_F(MemoryTest, NetworkDeliversBetweenItsMembers) {
  MemoryNetwork network;
  network.add(a.t());
  network.add(b.t());
  ours = *a.t().dial(now, b.t().local());
  network.deliver(now);
  drain(a);
  drain(b);
  EXPECT_NE(a.last<Confirmed>(), nullptr);
  EXPECT_NE(b.last<Confirmed>(), nullptr);
}

}  // namespace
}  // namespace ethnet::transport
