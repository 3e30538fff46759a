// Attack 66: packets of a handshake in every order, twice, after its end and damaged; path probes
// that are lost. With real TLS, on a wire that a test delivers by hand.
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>
#include <tests/support/raw_quic/frames.hpp>
#include <transport/quic/test_pair.hpp>

namespace ethnet::testing {
namespace {

using quic::testing::at;
using quic::testing::Packet;
using quic::testing::Pair;
using quic::testing::pattern;
using quic::testing::Side;
using transport::Closed;
using transport::Confirmed;
using transport::Opened;

// The QUIC packets of a datagram (RFC 9000, section 12.2), each as a datagram of its own.
std::vector<Packet> split(const Packet& datagram) {
  std::vector<Packet> out;
  ByteView left = datagram.bytes;
  while (!left.empty()) {
    std::size_t size = left.size();
    const auto first = std::to_integer<unsigned>(left.front());
    if ((first & 0x80) != 0) {
      ByteView rest = left.subspan(5);
      for (int i = 0; i < 2; ++i) rest = rest.subspan(1 + std::to_integer<std::size_t>(rest[0]));
      if (((first >> 4) & 3) == 0) {
        const std::uint64_t token = take_varint(rest).value();
        rest = rest.subspan(static_cast<std::size_t>(token));
      }
      const std::uint64_t length = take_varint(rest).value();
      size = left.size() - rest.size() + static_cast<std::size_t>(length);
    }
    out.push_back({datagram.from, datagram.to, to_bytes(left.first(size))});
    left = left.subspan(size);
  }
  return out;
}

// A handshake whose packets are delivered one by one.
class ByHand {
 public:
  ByHand() {
    pair.fate = [this](Packet& packet) {
      for (Packet& one : split(packet)) caught_.push_back(std::move(one));
      whole_.push_back(packet);
      return 0;
    };
    conn = pair.client->endpoint->dial(pair.now, at(2, 200)).value();
    pair.flush();
  }
  // What was sent since the last call: by packets, and as it was.
  std::vector<Packet> take() { return std::exchange(caught_, {}); }
  std::vector<Packet> take_whole() { return std::exchange(whole_, {}); }
  // Delivers in this order; what is answered is caught.
  void give(Side& side, const std::vector<Packet>& packets, const std::vector<std::size_t>& order) {
    for (const std::size_t i : order) pair.deliver(side, packets.at(i));
    pair.flush();
  }
  void write(ByteView data) {
    const auto stream =
        pair.client->endpoint->open_stream(conn, transport::StreamKind::unidirectional).value();
    EXPECT_EQ(pair.client->endpoint->write(conn, stream, data), data.size());
    pair.run(milliseconds(5));  // packets are paced
  }
  // From now on packets arrive by themselves.
  void let_go() {
    pair.fate = [](Packet&) { return 1; };
  }
  // What came in on the server's only stream.
  Bytes received() {
    const auto open = std::ranges::find_if(pair.server->events, [](const auto& event) {
      return std::holds_alternative<transport::Readable>(event.kind);
    });
    if (open == pair.server->events.end()) return {};
    const auto stream = std::get<transport::Readable>(open->kind).stream;
    return to_bytes(pair.server->endpoint->read(open->conn, stream));
  }

  Pair pair;
  transport::ConnHandle conn;

 private:
  std::vector<Packet> caught_;
  std::vector<Packet> whole_;
};

std::vector<std::size_t> counting(std::size_t n, std::size_t copies = 1) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < n; ++i) out.insert(out.end(), copies, i);
  return out;
}

// Initial, Handshake and what a server may say at once in 1-RTT.
constexpr std::size_t kServersPackets = 3;
// The end of the handshake and data; what follows stays behind them.
constexpr std::size_t kClientsPackets = 4;

struct Outcome {
  bool opened_at_once = false;  // without a packet being sent again
  bool last_order = false;      // of the client's packets
};

// One handshake: the server's packets in this order, then the client's, with data among them, in
// the n-th order.
Outcome shake_hands(const std::vector<std::size_t>& servers_order, std::size_t n) {
  Outcome outcome;
  ByHand world;
  const std::vector<Packet> hello = world.take_whole();
  (void)world.take();
  world.give(*world.pair.server, hello, counting(hello.size(), 2));
  const std::vector<Packet> flight = world.take();
  EXPECT_GE(flight.size(), kServersPackets);
  world.give(*world.pair.client, flight, servers_order);
  outcome.opened_at_once = world.pair.client->last<Opened>() != nullptr;
  const Bytes data = pattern(1'000);
  if (outcome.opened_at_once) world.write(data);
  const std::vector<Packet> answer = world.take();
  std::vector<std::size_t> order = counting(std::min(answer.size(), kClientsPackets));
  for (std::size_t i = 0; i < n; ++i) std::ranges::next_permutation(order);
  outcome.last_order = std::ranges::is_sorted(order, std::greater{});
  for (std::size_t i = order.size(); i < answer.size(); ++i) order.push_back(i);
  world.give(*world.pair.server, answer, order);
  world.let_go();
  EXPECT_TRUE(world.pair.run(seconds(20), [&] { return world.pair.client->last<Opened>(); }));
  if (!outcome.opened_at_once) world.write(data);
  EXPECT_TRUE(world.pair.run(
      seconds(20),
      [&] { return world.pair.client->last<Confirmed>() != nullptr && world.received() == data; }))
      << "order " << n;
  EXPECT_EQ(world.pair.client->last<Closed>(), nullptr);
  EXPECT_EQ(world.pair.server->last<Closed>(), nullptr);
  EXPECT_EQ(world.pair.server->count<Opened>(), 1U);
  return outcome;
}

TEST(HandshakeOrder, atk_66_TheServersPacketsTwiceInEveryOrderOpenAndLoseNothing) {
  std::size_t tried = 0;
  std::size_t at_once = 0;
  std::vector<std::size_t> order = counting(kServersPackets, 2);
  do {
    at_once += shake_hands(order, 0).opened_at_once ? 1U : 0U;
    ++tried;
  } while (std::ranges::next_permutation(order).found);
  std::printf("orders of a server's packets, each twice: %zu, %zu of them opened at once\n", tried,
              at_once);
  EXPECT_EQ(tried, 90U);
  EXPECT_GT(at_once, 45U);
}

TEST(HandshakeOrder, atk_66_TheClientsPacketsInEveryOrderOpenAndLoseNothing) {
  std::size_t tried = 0;
  for (bool last = false; !last; ++tried) {
    ASSERT_LT(tried, 24U);
    last = shake_hands(counting(kServersPackets), tried).last_order;
  }
  std::printf("orders of a client's packets: %zu\n", tried);
  EXPECT_EQ(tried, 24U);
}

// A client that was closed by one of these, or kept them all, could be closed by anybody on its
// way.
TEST(HandshakeOrder, atk_66_PacketsOfTheHandshakeAfterItAndDamagedOnesAreIgnored) {
  ByHand world;
  std::vector<Packet> all = world.take_whole();
  world.give(*world.pair.server, all, counting(all.size()));
  const auto keep = [&](Side& to) {
    const std::vector<Packet> flight = world.take_whole();
    all.insert(all.end(), flight.begin(), flight.end());
    world.give(to, flight, counting(flight.size()));
  };
  for (int i = 0; i < 3; ++i) {
    keep(*world.pair.client);
    keep(*world.pair.server);
  }
  world.let_go();
  ASSERT_TRUE(world.pair.run(seconds(5), [&] { return world.pair.client->last<Confirmed>(); }));
  world.pair.run(seconds(1));
  const auto server_conn = world.pair.server_handle();
  const std::size_t client_before = world.pair.client->endpoint->memory_bytes(world.conn);
  const std::size_t server_before = world.pair.server->endpoint->memory_bytes(server_conn);
  for (int round = 0; round < 20; ++round) {
    for (const Packet& whole : all) {
      for (Packet packet : split(whole)) {
        Side& to = packet.to == at(2, 200) ? *world.pair.server : *world.pair.client;
        world.pair.deliver(to, packet);
        // Damaged behind its header; and as if it were of the application.
        packet.bytes.back() ^= std::byte{1};
        world.pair.deliver(to, packet);
      }
    }
    world.pair.run(milliseconds(100));
  }
  for (const Side* side : {world.pair.client.get(), world.pair.server.get()}) {
    EXPECT_EQ(side->last<Closed>(), nullptr);
    EXPECT_EQ(side->endpoint->connection_count(), 1U);
  }
  EXPECT_LT(world.pair.client->endpoint->memory_bytes(world.conn), client_before + 16 * 1024);
  EXPECT_LT(world.pair.server->endpoint->memory_bytes(server_conn), server_before + 16 * 1024);
  const Bytes data = pattern(2'000);
  world.write(data);
  EXPECT_TRUE(world.pair.run(seconds(5), [&] { return world.received() == data; }));
}

// The client moves, and the first packets to where it is now are lost: probes among them.
TEST(HandshakeOrder, atk_66_LostPathProbesDoNotEndAConnection) {
  for (int lost = 0; lost <= 12; ++lost) {
    Pair pair;
    const auto conn = pair.connect();
    pair.server->events.clear();
    int left = lost;
    pair.fate = [&](Packet& packet) {
      if (packet.from == at(1, 100)) packet.from = at(1, 4711);
      return packet.to == at(1, 4711) && left-- > 0 ? 0 : 1;
    };
    const auto stream =
        pair.client->endpoint->open_stream(conn, transport::StreamKind::unidirectional);
    ASSERT_TRUE(stream);
    const Bytes data = pattern(200'000);
    EXPECT_EQ(quic::testing::transfer(pair, *pair.client, conn, *stream, *pair.server, data), data)
        << lost;
    EXPECT_EQ(pair.client->last<Closed>(), nullptr) << lost;
    EXPECT_LT(left, lost == 0 ? 1 : lost) << lost;  // some did get lost
    EXPECT_EQ(pair.server->endpoint->connections_at(at(1, 4711)), 1U) << lost;
  }
}

}  // namespace
}  // namespace ethnet::testing
