// The memory of all sessions together: who goes when it is short, and who does not.
#include <gtest/gtest.h>
#include <types/enr.hpp>

#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;
using transport::StreamKind;

constexpr std::size_t kMiB = 1024 * 1024;

class SessionMemory : public ::testing::Test {
 protected:
  static Config config() {
    Config out;
    out.max_memory_bytes = 4 * kMiB;
    return out;
  }
  // Becomes active and from then on reads nothing.
  RawPeer& peer(std::uint8_t host) {
    peers.push_back(std::make_unique<RawPeer>(world, world.add_raw_host(address(host)),
                                              make_key(100 + std::size_t{host})));
    peers.back()->connect(node.address());
    peers.back()->become_active(node.local);
    return *peers.back();
  }
  // Queues so much for it.
  void fill(const RawPeer& to, std::size_t bytes) {
    for (; bytes > 0; bytes -= std::min(bytes, kMiB / 4)) {
      const auto session = node.manager().find(to.id());
      if (!session) return;
      ASSERT_TRUE(node.send_bytes(*session, "echo/1", Bytes(std::min(bytes, kMiB / 4))));
    }
  }
  [[nodiscard]] bool is_active(const RawPeer& peer) {
    return node.manager().find(peer.id()).has_value();
  }

  World world;
  Node& node = world.add_node(make_key(1), address(1), config());
  std::vector<std::unique_ptr<RawPeer>> peers;
};

TEST_F(SessionMemory, AboveTheLimitTheNewestOfTheGreedyGoes) {
  const RawPeer& oldest = peer(2);
  const RawPeer& second = peer(3);
  const RawPeer& newest = peer(4);
  for (const RawPeer* each : {&oldest, &newest}) fill(*each, kMiB * 3 / 2);
  ASSERT_EQ(node.manager().session_count(), 3U);
  fill(second, kMiB * 3 / 2);
  EXPECT_TRUE(is_active(oldest));
  EXPECT_TRUE(is_active(second));
  EXPECT_FALSE(is_active(newest));
  EXPECT_EQ(node.closed_with(Reason::memory_limit), 1U);
  EXPECT_EQ(peers[2]->ended(), Reason::memory_limit);
  const SessionSnapshot snapshot = node.manager().snapshot();
  EXPECT_LE(snapshot.memory_bytes, 4 * kMiB);
  EXPECT_EQ(snapshot.closed.size(), 1U);
}

TEST_F(SessionMemory, OneThatIsIdleGoesBeforeANewerOneThatIsNot) {
  const RawPeer& idle = peer(2);
  fill(idle, kMiB * 3 / 2);
  world.run_for(seconds(11));
  const RawPeer& second = peer(3);
  const RawPeer& newest = peer(4);
  fill(second, kMiB * 3 / 2);
  fill(newest, kMiB * 3 / 2);
  EXPECT_FALSE(is_active(idle));
  EXPECT_TRUE(is_active(second));
  EXPECT_TRUE(is_active(newest));
}

// Whoever holds little is no victim, new and idle as it may be: a greedy peer falls by itself.
TEST_F(SessionMemory, AGreedyPeerPushesNobodyElseOut) {
  const RawPeer& greedy = peer(2);
  for (std::uint8_t i = 0; i < 4; ++i) fill(peer(static_cast<std::uint8_t>(10 + i)), 20'000);
  const SessionHandle session = *node.manager().find(greedy.id());
  for (int i = 0; i < 40 && is_active(greedy); ++i) {
    for (const char* lane : {"echo/1", "mini-sync/0.1"}) {
      (void)node.send_bytes(session, lane, Bytes(kMiB / 8));
    }
  }
  EXPECT_FALSE(is_active(greedy));
  EXPECT_EQ(node.manager().session_count(), 4U);
  EXPECT_EQ(node.closed_with(Reason::memory_limit), 1U);
}

TEST_F(SessionMemory, HandshakesAreRefusedBeforeAnySessionIsShed) {
  const RawPeer& one = peer(2);
  const RawPeer& two = peer(3);
  fill(one, kMiB * 15 / 8);
  fill(two, kMiB * 15 / 8);
  Node& newcomer = world.add_node(make_key(7), address(9));
  ASSERT_TRUE(newcomer.dial(node.address()));
  world.run_for(seconds(1));
  EXPECT_EQ(node.refused_with(Reason::memory_limit), 1U);
  EXPECT_TRUE(node.dial(newcomer.address()).error().is(SessionError::memory_limit));
  EXPECT_TRUE(is_active(one));
  EXPECT_TRUE(is_active(two));
  peers[0]->leave(Reason::requested);
  world.run_for(seconds(1));
  ASSERT_TRUE(newcomer.dial(node.address()));
  world.run_for(seconds(1));
  EXPECT_EQ(newcomer.manager().session_count(), 1U);
}

// What lies unread in the connection's buffers counts too, and a stranger has no right to any.
TEST_F(SessionMemory, AStrangerThatFillsItsStreamsIsTheFirstToGo) {
  const RawPeer& session = peer(2);
  fill(session, 2 * kMiB);
  RawPeer stranger{world, world.add_raw_host(address(9)), make_key(7)};
  stranger.connect(node.address());
  for (int i = 0; i < 40; ++i) {
    stranger.write(stranger.open(StreamKind::unidirectional), Bytes(world.net.stream_window()));
  }
  world.run_for(milliseconds(100));
  EXPECT_EQ(stranger.ended(), Reason::memory_limit);
  EXPECT_EQ(node.refused_with(Reason::memory_limit), 1U);
  EXPECT_TRUE(is_active(session));
}

// Ten seconds of it are a busy moment. Then a dial of ours gets its place from who holds the most,
// though nobody has come to the limit; a stranger that comes gets none.
TEST_F(SessionMemory, WhoKeepsTheMemoryShortDoesNotKeepUsFromDialling) {
  const RawPeer& one = peer(2);
  const RawPeer& two = peer(3);
  fill(one, kMiB * 15 / 8);
  fill(two, kMiB * 15 / 8);
  Node& newcomer = world.add_node(make_key(7), address(9));
  ASSERT_TRUE(node.dial(newcomer.address()).error().is(SessionError::memory_limit));
  world.run_for(milliseconds(9'900));
  ASSERT_TRUE(node.dial(newcomer.address()).error().is(SessionError::memory_limit));
  world.run_for(milliseconds(200));
  ASSERT_TRUE(newcomer.dial(node.address()));
  world.run_for(milliseconds(200));
  EXPECT_EQ(node.refused_with(Reason::memory_limit), 1U);
  EXPECT_EQ(node.manager().session_count(), 2U);  // and cost nobody a session
  ASSERT_TRUE(node.dial(newcomer.address()));
  world.run_for(seconds(1));
  EXPECT_EQ(node.closed_with(Reason::memory_limit), 1U);
  EXPECT_TRUE(is_active(one));
  EXPECT_FALSE(is_active(two));  // the newest of the two
  EXPECT_EQ(newcomer.manager().session_count(), 1U);
}

// A dip below seven eighths for a moment does not begin the ten seconds anew.
TEST_F(SessionMemory, ADipDoesNotProlongTheShortage) {
  const RawPeer& one = peer(2);
  RawPeer& two = peer(3);
  fill(one, kMiB * 15 / 8);
  fill(two, kMiB * 14 / 8);
  Node& newcomer = world.add_node(make_key(7), address(9));
  ASSERT_TRUE(node.dial(newcomer.address()).error().is(SessionError::memory_limit));
  world.run_for(seconds(6));
  for (int i = 0; i < 5; ++i) {  // a quarter MiB is one payload, which counts until all of it went
    two.consume(3, two.read(3).size());
    world.run_for(milliseconds(100));
  }
  ASSERT_LT(node.manager().snapshot().memory_bytes, 7 * kMiB / 2);
  ASSERT_GT(node.manager().snapshot().memory_bytes, 3 * kMiB);
  fill(two, kMiB / 4);
  ASSERT_TRUE(node.dial(newcomer.address()).error().is(SessionError::memory_limit));
  world.run_for(seconds(4));
  EXPECT_TRUE(node.dial(newcomer.address()));
  EXPECT_EQ(node.closed_with(Reason::memory_limit), 1U);
}

// A stranger's Hello is the largest thing that it can leave with us before it is anybody.
TEST_F(SessionMemory, WhatAHelloSaidIsCounted) {
  RawPeer raw{world, world.add_raw_host(address(30)), make_key(30)};
  raw.connect(node.address());
  raw.exchange_claims();
  raw.exchange_proofs();
  ASSERT_EQ(node.manager().snapshot().memory_bytes, 0U);
  Hello hello = raw.hello(node.local);
  for (std::size_t i = hello.capabilities.size(); i < kMaxCapabilities; ++i) {
    hello.capabilities.push_back(
        {"a-long-name-of-nobodys-" + std::to_string(i), Capability::version_of(1, 0)});
  }
  hello.enr = to_bytes(EnrBuilder{1}.sign(*make_key(30)).value().record().encoded());
  raw.say(encode_frame(hello));
  world.run_for(milliseconds(10));  // it is there, and its record is being judged
  ASSERT_EQ(node.manager().snapshot().proven, 1U);
  EXPECT_GE(node.manager().snapshot().accounted_bytes, 64U * 24U);
  EXPECT_LE(node.manager().snapshot().accounted_bytes, 32U * 1024U);
  raw.leave(Reason::requested);
  world.run_for(milliseconds(100));
  EXPECT_EQ(node.manager().snapshot().memory_bytes, 0U);
}

// What we queue, what was delivered and not taken, and what waits in the connection's buffers.
TEST_F(SessionMemory, TheSnapshotNamesItsParts) {
  Config config;
  config.in_budget_bytes = 50'000;
  Node& small = world.add_node(make_key(8), address(20), config);
  RawPeer raw{world, world.add_raw_host(address(21)), make_key(9)};
  raw.connect(small.address());
  raw.become_active(small.local);
  EXPECT_LE(small.manager().snapshot().memory_bytes, 500U);  // what its Hello said
  EXPECT_EQ(small.manager().snapshot().memory_limit_bytes, 256 * kMiB);

  ASSERT_TRUE(small.send_bytes(small.only_session(), "echo/1", Bytes(kMiB)));
  const SessionSnapshot queued = small.manager().snapshot();
  EXPECT_GE(queued.accounted_bytes, kMiB);
  EXPECT_LE(queued.accounted_bytes, kMiB + 1'000);
  EXPECT_EQ(queued.transport_bytes, 0U);

  small.reads_events = false;
  const auto stream = raw.open(StreamKind::unidirectional);
  Bytes bytes{std::byte{6}};
  append(bytes, text_bytes("echo/1"));
  for (int i = 0; i < 3; ++i) {
    append_be(bytes, std::uint32_t{30'000});
    bytes.resize(bytes.size() + 30'000);
  }
  raw.write(stream, ByteView{bytes}.first(60'000));
  world.run_for(milliseconds(100));
  raw.write(stream, ByteView{bytes}.subspan(60'000));
  world.run_for(milliseconds(100));
  const SessionSnapshot held = small.manager().snapshot();
  EXPECT_GE(held.accounted_bytes, queued.accounted_bytes + 60'000);
  EXPECT_EQ(held.transport_bytes, 30'004U);
  EXPECT_EQ(held.memory_bytes, held.accounted_bytes + held.transport_bytes);
  EXPECT_EQ(small.manager().memory_bytes(small.only_session()), held.memory_bytes);
}

}  // namespace
}  // namespace ethnet::session
