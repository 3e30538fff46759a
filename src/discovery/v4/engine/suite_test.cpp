// What the discv4 suite of go-ethereum's devp2p tool expects of a node on loopback: PONG and PING
// come before it has answered anything, each within 300 ms.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../testing/net.hpp"

namespace ethnet::discv4 {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr PacketType kPing = PacketType::ping;
constexpr PacketType kPong = PacketType::pong;
const Place kWrong{Endpoint::parse("192.0.2.0:0").value().ip, 0, 0};

struct SuiteOfGeth : ::testing::Test {
  Net net;
  NetNode& node = net.add(1, Endpoint::parse("127.0.0.1:30303").value(), true);
  Hand l1{net, 2, Endpoint::parse("127.0.0.1:40001").value()};
  Hand l2{net, 2, Endpoint::parse("127.0.0.2:40002").value()};

  [[nodiscard]] Ping ping() const {
    return {.from = {l1.at.ip, l1.at.port, 0}, .to = wire_place(node.at), .expiration = l1.soon()};
  }
  void expect_pong_and_ping(const Hash32& hash) {
    const auto answers = l1.answers();
    ASSERT_THAT(types_of(answers), UnorderedElementsAre(kPing, kPong));
    for (const Sent& sent : answers) {
      if (sent.type() == kPong) expect_pong(sent, hash);
    }
  }
  void expect_pong(const Sent& sent, const Hash32& hash) {
    const auto pong = std::get<Pong>(sent.message());
    EXPECT_EQ(pong.ping_hash, hash);
    EXPECT_EQ(pong.to.endpoint(), l1.at);
    EXPECT_FALSE(is_expired(pong.expiration, net.now().wall));
  }
  void bond(bool with_right_hash = true) {
    l1.send(node, ping());
    for (const Sent& sent : l1.answers()) {
      if (sent.type() != kPing) continue;
      Pong pong = l1.pong_for(sent);
      if (!with_right_hash) pong.ping_hash = {};
      l1.send(node, pong);
    }
    EXPECT_THAT(l1.answers(), IsEmpty());
  }
  [[nodiscard]] FindNode question(std::uint64_t expiration) const {
    return {key_of(99)->public_key().xy(), expiration};
  }
  // The list of a PING with numbers and bytes behind what we know.
  [[nodiscard]] Bytes ping_with_junk(const Place& from) const {
    const auto place = [](rlp::Writer& out, const Place& at) {
      const auto list = out.begin_list();
      out.write_bytes(at.ip.bytes());
      out.write_uint(at.udp);
      out.write_uint(at.tcp);
      out.end_list(list);
    };
    return raw_packet(1, list_of([&](rlp::Writer& out) {
                        out.write_uint(4);
                        place(out, from);
                        place(out, wire_place(node.at));
                        out.write_uint(l1.soon());
                        out.write_uint(42);
                        out.write_bytes(Bytes(9, std::byte{9}));
                      }),
                      *key_of(2));
  }
};

TEST_F(SuiteOfGeth, PingBasic) { expect_pong_and_ping(l1.send(node, ping())); }

TEST_F(SuiteOfGeth, PingWrongTo) {
  Ping wrong = ping();
  wrong.to = kWrong;
  expect_pong_and_ping(l1.send(node, wrong));
}

TEST_F(SuiteOfGeth, PingWrongFrom) {
  Ping wrong = ping();
  wrong.from = kWrong;
  expect_pong_and_ping(l1.send(node, wrong));
}

TEST_F(SuiteOfGeth, PingExtraData) {
  const Bytes packet = ping_with_junk(ping().from);
  net.send(l1.at, node.at, packet);
  expect_pong_and_ping(hash_of_packet(packet));
}

TEST_F(SuiteOfGeth, PingExtraDataWrongFrom) {
  const Bytes packet = ping_with_junk(kWrong);
  net.send(l1.at, node.at, packet);
  expect_pong_and_ping(hash_of_packet(packet));
}

TEST_F(SuiteOfGeth, PingPastExpiration) {
  Ping past = ping();
  past.expiration = ~past.expiration + 1;
  l1.send(node, past);
  EXPECT_THAT(l1.answers(), IsEmpty());
}

TEST_F(SuiteOfGeth, PingWrongPacketType) {
  net.send(l1.at, node.at, raw_packet(66, Bytes{std::byte{0xc0}}, *key_of(2)));
  EXPECT_THAT(l1.answers(), IsEmpty());
}

TEST_F(SuiteOfGeth, PingBondThenPingWithWrongFrom) {
  bond();
  Ping wrong = ping();
  wrong.from = kWrong;
  const Hash32 hash = l1.send(node, wrong);
  const auto answers = l1.answers();
  ASSERT_THAT(types_of(answers), ElementsAre(kPong));
  expect_pong(answers[0], hash);
}

TEST_F(SuiteOfGeth, FindnodeWithoutEndpointProof) {
  l1.send(node, question(l1.soon()));
  EXPECT_THAT(l1.answers(), IsEmpty());
}

TEST_F(SuiteOfGeth, FindnodeBasic) {
  bond();
  l1.send(node, question(l1.soon()));
  EXPECT_THAT(types_of(l1.answers()), ElementsAre(PacketType::neighbors));
}

TEST_F(SuiteOfGeth, FindnodeUnsolicitedNeighbors) {
  bond();
  const V4Node fake = node_of(66, Endpoint::parse("1.2.3.4:30303").value());
  Neighbors neighbors{.nodes = {}, .expiration = l1.soon()};
  neighbors.nodes.push_back({fake.at, fake.key.xy()});
  l1.send(node, neighbors);
  l1.send(node, FindNode{fake.key.xy(), l1.soon()});
  const auto answers = l1.answers();
  ASSERT_THAT(types_of(answers), ElementsAre(PacketType::neighbors));
  EXPECT_THAT(std::get<Neighbors>(answers[0].message()).nodes.view(), IsEmpty());
  EXPECT_EQ(node.counters().unsolicited, 1U);
}

TEST_F(SuiteOfGeth, FindnodePastExpiration) {
  bond();
  l1.send(node, question(~l1.soon() + 1));
  EXPECT_THAT(l1.answers(), IsEmpty());
}

TEST_F(SuiteOfGeth, AmplificationInvalidPongHash) {
  bond(false);
  l1.send(node, question(l1.soon()));
  EXPECT_THAT(l1.answers(), IsEmpty());
}

TEST_F(SuiteOfGeth, AmplificationWrongIp) {
  bond();
  l2.send(node, question(l2.soon()));
  EXPECT_THAT(l2.answers(), IsEmpty());
}

TEST_F(SuiteOfGeth, EnrRequest) {
  l1.send(node, EnrRequest{l1.soon()});
  EXPECT_THAT(l1.answers(), IsEmpty());
  bond();
  const Hash32 hash = l1.send(node, EnrRequest{l1.soon()});
  const auto answers = l1.answers();
  ASSERT_THAT(types_of(answers), ElementsAre(PacketType::enr_response));
  EXPECT_EQ(std::get<EnrResponse>(answers[0].message()).request_hash, hash);
}

}  // namespace
}  // namespace ethnet::discv4
