// Whole sessions between managers on a simulated network.
#include <algorithm>

#include <gtest/gtest.h>

#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;

class Sessions : public ::testing::Test {
 protected:
  World world;
  std::pair<Key, Key> keys = ordered_keys(1);
  Node& low = world.add_node(keys.first, address(1));
  Node& high = world.add_node(keys.second, address(2));

  void expect_one_session() {
    ASSERT_EQ(low.manager().session_count(), 1U);
    ASSERT_EQ(high.manager().session_count(), 1U);
    EXPECT_EQ(low.manager().find(low.only_session())->id, high.id());
    EXPECT_EQ(high.manager().find(high.only_session())->id, low.id());
  }
};

TEST_F(Sessions, OpenWhenTheDiallerKnowsWhomItWants) {
  for (Node* dialler : {&low, &high}) {
    Node& acceptor = dialler == &low ? high : low;
    dialler->restart();
    acceptor.restart();
    ASSERT_TRUE(dialler->dial(acceptor.address(), acceptor.id()));
    EXPECT_TRUE(dialler->manager().is_dialing(acceptor.address()));
    world.run_for(seconds(1));
    expect_one_session();
    EXPECT_FALSE(dialler->manager().is_dialing(acceptor.address()));
    const auto opened = dialler->events<SessionOpened>();
    ASSERT_EQ(opened.size(), 1U);
    EXPECT_EQ(opened[0].peer.id, acceptor.id());
    EXPECT_FALSE(opened[0].peer.inbound);
    EXPECT_EQ(opened[0].peer.remote, acceptor.address());
    EXPECT_EQ(opened[0].peer.client, "ethnet-test/1");
    EXPECT_EQ(opened[0].peer.head_number, acceptor.local.head_number);
    EXPECT_EQ(opened[0].peer.agreed,
              (std::vector{capability("echo/1"), capability("mini-sync/0.1")}));
    EXPECT_TRUE(acceptor.events<SessionOpened>().at(0).peer.inbound);
  }
}

TEST_F(Sessions, TellWhatTheirOwnConnectionHasMovedAndSinceWhenTheyAreOpen) {
  Node& third = world.add_node(make_key(77), address(3));
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(1));
  const SessionHandle first = low.only_session();
  const Instant before = world.now().mono;
  ASSERT_TRUE(low.dial(third.address()));
  world.run_for(seconds(1));
  const SessionHandle second = *low.manager().find(third.id());
  // The fake transport tells of which connection it speaks.
  const transport::ConnStats of_first = low.manager().stats(first);
  const transport::ConnStats of_second = low.manager().stats(second);
  EXPECT_EQ(of_first.rtt, milliseconds(1));
  EXPECT_GT(of_first.bytes_in, 0U);
  EXPECT_EQ(of_first.bytes_out, of_first.bytes_in + 1);
  EXPECT_NE(of_first, of_second);
  EXPECT_LE(low.manager().find(first)->connected, before);
  EXPECT_GT(low.manager().find(first)->connected, Instant{});
  EXPECT_GT(low.manager().find(second)->connected, before);
  EXPECT_LE(low.manager().find(second)->connected, world.now().mono);
  low.disconnect(first, DisconnectReason::requested);
  EXPECT_EQ(low.manager().stats(first), transport::ConnStats{});
}

TEST_F(Sessions, OpenWhenTheDiallerTakesWhoeverAnswers) {
  for (Node* dialler : {&low, &high}) {
    Node& acceptor = dialler == &low ? high : low;
    dialler->restart();
    acceptor.restart();
    ASSERT_TRUE(dialler->dial(acceptor.address()));
    world.run_for(seconds(1));
    expect_one_session();
  }
}

TEST_F(Sessions, MessagesArriveInOrderUnderTheirCapability) {
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(1));
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(low.send(low.only_session(), "echo/1", "e" + std::to_string(i)));
    ASSERT_TRUE(low.send(low.only_session(), "mini-sync/0.1", "m" + std::to_string(i)));
    ASSERT_TRUE(high.send(high.only_session(), "echo/1", "back" + std::to_string(i)));
  }
  world.run_for(seconds(1));
  std::vector<Bytes> echo;
  std::vector<Bytes> sync;
  for (const MessageReceived& message : high.events<MessageReceived>()) {
    (message.capability == capability("echo/1") ? echo : sync).push_back(message.payload);
  }
  ASSERT_EQ(echo.size(), 10U);
  ASSERT_EQ(sync.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(echo[i], payload("e" + std::to_string(i)));
    EXPECT_EQ(sync[i], payload("m" + std::to_string(i)));
  }
  EXPECT_EQ(low.events<MessageReceived>().size(), 10U);
}

TEST_F(Sessions, OnlyAgreedCapabilitiesAreSentAndOnlyToActiveSessions) {
  high.local.capabilities = {capability("echo/1"), capability("other/1")};
  high.restart();
  ASSERT_TRUE(low.dial(high.address()));
  EXPECT_TRUE(
      low.send(SessionHandle{0, 1}, "echo/1", "x").error().is(SessionError::unknown_session));
  world.run_for(seconds(1));
  const SessionHandle session = low.only_session();
  EXPECT_TRUE(low.send(session, "mini-sync/0.1", "x").error().is(SessionError::not_agreed));
  // One that sorts behind what was agreed, and one that sorts before it.
  EXPECT_TRUE(low.send(session, "other/1", "x").error().is(SessionError::not_agreed));
  EXPECT_TRUE(low.send(session, "alpha/1", "x").error().is(SessionError::not_agreed));
  EXPECT_TRUE(low.send(session, "echo/1", "x"));
  EXPECT_TRUE(low.send_bytes(session, "echo/1", Bytes(kMaxPayloadBytes + 1))
                  .error()
                  .is(SessionError::too_large));
}

TEST_F(Sessions, NothingInCommonHasItsOwnReason) {
  high.local.capabilities = {capability("mini-sync/0.2")};
  high.restart();
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(1));
  const auto failed = low.events<DialFailed>();
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0].reason, DisconnectReason::no_shared_capability);
  EXPECT_EQ(failed[0].proven, high.id());
  EXPECT_EQ(high.manager().session_count(), 0U);
}

TEST_F(Sessions, AnotherGenesisIsRefused) {
  high.local.genesis.bytes[0] = std::byte{1};
  high.restart();
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(1));
  ASSERT_EQ(low.events<DialFailed>().size(), 1U);
  EXPECT_EQ(low.events<DialFailed>()[0].reason, DisconnectReason::wrong_genesis);
}

TEST_F(Sessions, atk_16_AnotherIdentityThanTheOneDialledIsRefused) {
  ASSERT_TRUE(low.dial(high.address(), id_of(make_key(99))));
  world.run_for(seconds(1));
  ASSERT_EQ(low.events<DialFailed>().size(), 1U);
  EXPECT_EQ(low.events<DialFailed>()[0].reason, DisconnectReason::unexpected_identity);
  EXPECT_EQ(high.refused_with(DisconnectReason::unexpected_identity), 1U);
}

TEST_F(Sessions, ADialThatNobodyAnswersFailsAtFiveSeconds) {
  ASSERT_TRUE(low.dial(address(77)));
  EXPECT_TRUE(low.dial(address(77)).error().is(SessionError::already_dialing));
  world.run_for(milliseconds(4999));
  EXPECT_TRUE(low.events<DialFailed>().empty());
  world.run_for(milliseconds(2));
  ASSERT_EQ(low.events<DialFailed>().size(), 1U);
  EXPECT_EQ(low.events<DialFailed>()[0].reason, DisconnectReason::handshake_timeout);
  EXPECT_EQ(low.manager().snapshot().dialing, 0U);
  EXPECT_TRUE(low.dial(address(77)));
}

TEST_F(Sessions, AnActiveIdentityIsNotDialledAgain) {
  ASSERT_TRUE(low.dial(high.address(), high.id()));
  world.run_for(seconds(1));
  EXPECT_TRUE(low.dial(address(78), high.id()).error().is(SessionError::already_connected));
  EXPECT_TRUE(high.dial(address(78), low.id()).error().is(SessionError::already_connected));
}

TEST_F(Sessions, CrossedDialsEndInOneSessionOnOneConnection) {
  ASSERT_TRUE(low.dial(high.address()));
  ASSERT_TRUE(high.dial(low.address()));
  world.run_for(seconds(5));
  expect_one_session();
  EXPECT_NE(low.manager().find(low.only_session())->inbound,
            high.manager().find(high.only_session())->inbound);
  EXPECT_EQ(low.refused_with(DisconnectReason::already_connected), 1U);
  EXPECT_EQ(low.log.count("duplicate session rejected"), 1U);
  EXPECT_TRUE(low.events<SessionClosed>().empty());
  EXPECT_TRUE(high.events<SessionClosed>().empty());
}

TEST_F(Sessions, ADisconnectIsToldWithItsReason) {
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(1));
  const SessionHandle session = low.only_session();
  low.disconnect(session, DisconnectReason::useless_peer);
  world.run_for(seconds(1));
  ASSERT_EQ(low.events<SessionClosed>().size(), 1U);
  EXPECT_FALSE(low.events<SessionClosed>()[0].by_peer);
  ASSERT_EQ(high.events<SessionClosed>().size(), 1U);
  EXPECT_EQ(high.events<SessionClosed>()[0].reason, DisconnectReason::useless_peer);
  EXPECT_TRUE(high.events<SessionClosed>()[0].by_peer);
  EXPECT_EQ(low.manager().find(session), nullptr);
  EXPECT_TRUE(low.send(session, "echo/1", "x").error().is(SessionError::unknown_session));
  low.disconnect(session, DisconnectReason::requested);  // a void handle is harmless
  EXPECT_EQ(low.events<SessionClosed>().size(), 1U);
}

TEST_F(Sessions, ShuttingDownEndsEverythingAndRefusesWhatComes) {
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(1));
  low.shut_down();
  world.run_for(seconds(1));
  EXPECT_EQ(high.closed_with(DisconnectReason::quitting), 1U);
  EXPECT_TRUE(low.dial(high.address()).error().is(SessionError::shut_down));
  ASSERT_TRUE(high.dial(low.address()));
  world.run_for(seconds(1));
  ASSERT_EQ(high.events<DialFailed>().size(), 1U);
  EXPECT_EQ(high.events<DialFailed>()[0].reason, DisconnectReason::quitting);
}

TEST_F(Sessions, ASilentPeerIsPingedAndThenDropped) {
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(120));
  expect_one_session();  // pings are answered
  world.net.cut(low.address(), high.address());
  world.run_for(seconds(60));
  EXPECT_EQ(low.closed_with(DisconnectReason::ping_timeout), 1U);
  EXPECT_EQ(high.closed_with(DisconnectReason::ping_timeout), 1U);
}

// The peer restarts and dials again while we still hold the old session.
TEST_F(Sessions, ARestartedPeerTakesOverFromItsSilentSelf) {
  for (Node* victim : {&low, &high}) {
    Node& other = victim == &low ? high : low;
    victim->restart();
    other.restart();
    ASSERT_TRUE(victim->dial(other.address()));
    world.run_for(seconds(1));
    expect_one_session();
    const SessionHandle before = other.only_session();
    victim->restart();
    ASSERT_TRUE(victim->dial(other.address()));
    world.run_for(seconds(4));
    expect_one_session();
    EXPECT_NE(other.only_session(), before);
    EXPECT_EQ(other.closed_with(DisconnectReason::replaced), 1U);
  }
}

TEST_F(Sessions, MaxPeersHoldsAndATwinIsNotCountedTwice) {
  Config config;
  config.max_peers = 2;
  Node& small = world.add_node(make_key(50), address(3), config);
  Node& third = world.add_node(make_key(51), address(4));
  ASSERT_TRUE(low.dial(small.address()));
  ASSERT_TRUE(high.dial(small.address()));
  world.run_for(seconds(1));
  ASSERT_EQ(small.manager().session_count(), 2U);
  ASSERT_TRUE(third.dial(small.address()));
  world.run_for(seconds(1));
  EXPECT_EQ(small.manager().session_count(), 2U);
  ASSERT_EQ(third.events<DialFailed>().size(), 1U);
  EXPECT_EQ(third.events<DialFailed>()[0].reason, DisconnectReason::too_many_peers);
  EXPECT_TRUE(small.dial(third.address()).error().is(SessionError::too_many_peers));
  low.restart();
  ASSERT_TRUE(low.dial(small.address()));
  world.run_for(seconds(4));
  EXPECT_EQ(small.manager().session_count(), 2U);
  EXPECT_EQ(low.manager().session_count(), 1U);
}

TEST_F(Sessions, InboundPeersLeaveRoomForOutboundOnes) {
  Config config;
  config.max_inbound = 1;
  Node& small = world.add_node(make_key(50), address(3), config);
  ASSERT_TRUE(low.dial(small.address()));
  world.run_for(seconds(1));
  ASSERT_TRUE(high.dial(small.address()));
  world.run_for(seconds(1));
  EXPECT_EQ(small.refused_with(DisconnectReason::too_many_peers), 1U);
  ASSERT_TRUE(small.dial(high.address()));
  world.run_for(seconds(1));
  EXPECT_EQ(small.manager().session_count(), 2U);
}

TEST_F(Sessions, ALargePayloadArrivesWholeThroughASmallWindow) {
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(1));
  Bytes large(kMaxPayloadBytes);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::byte>(i * 31 % 251);
  ASSERT_TRUE(low.send_bytes(low.only_session(), "echo/1", large));
  world.run_for(seconds(10));
  ASSERT_EQ(high.events<MessageReceived>().size(), 1U);
  EXPECT_EQ(high.events<MessageReceived>()[0].payload, large);
}

TEST_F(Sessions, AFullBudgetIsToldAndSoIsItsEnd) {
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(1));
  const SessionHandle session = low.only_session();
  std::size_t sent = 0;
  while (low.send_bytes(session, "echo/1", Bytes(100'000))) ++sent;
  EXPECT_GT(sent, 40U);
  EXPECT_LT(sent, 50U);
  EXPECT_TRUE(
      low.send_bytes(session, "echo/1", Bytes(100'000)).error().is(SessionError::would_block));
  EXPECT_TRUE(low.send_bytes(session, "mini-sync/0.1", Bytes(10)));  // a budget of its own
  EXPECT_TRUE(low.send_bytes(session, "echo/1", Bytes(100), Priority::head));
  world.run_for(seconds(10));
  EXPECT_EQ(high.events<MessageReceived>().size(), sent + 2);
  ASSERT_EQ(low.events<SessionWritable>().size(), 1U);
  EXPECT_EQ(low.events<SessionWritable>()[0].capability, capability("echo/1"));
  EXPECT_LT(low.manager().snapshot().accounted_bytes, 500U);  // small buffers stay
}

// A receiver that does not poll keeps its budget and no more; the rest stays with the sender.
TEST_F(Sessions, AReceiverThatDoesNotPollPushesBack) {
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(1));
  const SessionHandle session = low.only_session();
  high.reads_events = false;
  std::size_t sent = 0;
  for (int i = 0; i < 200; ++i) {
    while (low.send_bytes(session, "echo/1", Bytes(60'000))) ++sent;
    world.run_for(milliseconds(50));
  }
  EXPECT_LE(high.manager().snapshot().accounted_bytes, 4U * 1024 * 1024 + 2 * 60'000);
  EXPECT_GT(high.manager().snapshot().accounted_bytes, 3U * 1024 * 1024);
  // Twice the budget, and what is in the window between the two.
  EXPECT_LE(sent * 60'000, 2U * 4 * 1024 * 1024 + 4 * 64 * 1024);
  EXPECT_TRUE(low.send(session, "mini-sync/0.1", "other protocols go on"));
  high.reads_events = true;
  world.run_for(seconds(20));
  EXPECT_EQ(high.events<MessageReceived>().size(), sent + 1);
  EXPECT_LT(high.manager().snapshot().memory_bytes, 500U);
}

TEST_F(Sessions, NothingThatWasQueuedComesAfterTheEnd) {
  ASSERT_TRUE(low.dial(high.address()));
  world.run_for(seconds(1));
  high.reads_events = false;
  ASSERT_TRUE(low.send(low.only_session(), "echo/1", "late"));
  world.run_for(seconds(1));
  low.disconnect(low.only_session(), DisconnectReason::requested);
  world.run_for(seconds(1));
  high.reads_events = true;
  high.disconnect({}, DisconnectReason::requested);  // any input: the drain follows
  EXPECT_TRUE(high.events<MessageReceived>().empty());
  EXPECT_EQ(high.events<SessionClosed>().size(), 1U);
}

}  // namespace
}  // namespace ethnet::session
