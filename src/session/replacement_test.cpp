// A second connection of an identity that has a session: who stays, and in which place.
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;

// `node` between a peer with a lower and one with a higher id; `other` fills what is to be full.
class Replacement : public ::testing::Test {
 protected:
  struct Part {
    Node* peer;
    Node* node;
    Node* other;
  };
  // The peer is the arbiter, or the node is.
  Part make(World& world, bool peer_decides, const Config& config) {
    const auto [low, high] = ordered_keys(1);
    Node& node = world.add_node(peer_decides ? high : low, address(1), config);
    Node& peer = world.add_node(peer_decides ? low : high, address(2));
    Node& other = world.add_node(make_key(50), address(3));
    return {&peer, &node, &other};
  }
};

TEST_F(Replacement, ARestartedPeerGetsItsInboundPlaceThoughAllAreTaken) {
  for (const bool peer_decides : {false, true}) {
    World world;
    Config config;
    config.max_peers = 3;
    config.max_inbound = 2;
    const Part p = make(world, peer_decides, config);
    ASSERT_TRUE(p.peer->dial(p.node->address()));
    ASSERT_TRUE(p.other->dial(p.node->address()));
    world.run_for(seconds(1));
    ASSERT_EQ(p.node->manager().snapshot().active_inbound, 2U);
    p.peer->restart();
    ASSERT_TRUE(p.peer->dial(p.node->address()));
    world.run_for(seconds(4));
    EXPECT_EQ(p.peer->manager().session_count(), 1U) << "peer decides: " << peer_decides;
    EXPECT_EQ(p.node->manager().session_count(), 2U);
    EXPECT_EQ(p.node->closed_with(Reason::replaced), 1U);
    EXPECT_EQ(p.other->manager().session_count(), 1U);
  }
}

// We had dialled it; when it comes back by itself it keeps the place that we had given it.
TEST_F(Replacement, APeerThatWeDialledComesBackInboundThoughAllInboundPlacesAreTaken) {
  for (const bool peer_decides : {false, true}) {
    World world;
    Config config;
    config.max_peers = 2;
    config.max_inbound = 1;
    const Part p = make(world, peer_decides, config);
    ASSERT_TRUE(p.node->dial(p.peer->address()));
    ASSERT_TRUE(p.other->dial(p.node->address()));
    world.run_for(seconds(1));
    ASSERT_EQ(p.node->manager().session_count(), 2U);
    p.peer->restart();
    ASSERT_TRUE(p.peer->dial(p.node->address()));
    world.run_for(seconds(4));
    EXPECT_EQ(p.peer->manager().session_count(), 1U) << "peer decides: " << peer_decides;
    ASSERT_EQ(p.node->manager().session_count(), 2U);
    EXPECT_EQ(p.node->closed_with(Reason::replaced), 1U);
    const auto session = p.node->manager().find(p.peer->id());
    ASSERT_TRUE(session);
    EXPECT_TRUE(p.node->manager().find(*session)->inbound);
    EXPECT_EQ(p.node->manager().snapshot().active_inbound, 1U);  // places
    EXPECT_EQ(p.node->manager().snapshot().active_outbound, 1U);
  }
}

// What it must not do: hand out a place that is somebody else's.
TEST_F(Replacement, AStrangerIsStillRefusedWhenAllInboundPlacesAreTaken) {
  World world;
  Config config;
  config.max_inbound = 1;
  const Part p = make(world, false, config);
  ASSERT_TRUE(p.node->dial(p.peer->address()));
  ASSERT_TRUE(p.other->dial(p.node->address()));
  world.run_for(seconds(1));
  Node& fourth = world.add_node(make_key(51), address(4));
  ASSERT_TRUE(fourth.dial(p.node->address()));
  world.run_for(seconds(1));
  EXPECT_EQ(p.node->refused_with(Reason::too_many_peers), 1U);
  EXPECT_EQ(p.node->manager().session_count(), 2U);
}

// There was room when they proved who they are; both may then say who is the one.
TEST_F(Replacement, WhoActivatesWhenAllPlacesHaveBeenTakenMeanwhileIsRefused) {
  const auto lower = [](const Key& a, const Key& b) { return id_of(a) < id_of(b); };
  for (const bool inbound_only : {false, true}) {
    World world;
    std::vector<Key> sorted;
    for (std::uint8_t i = 1; i <= 3; ++i) sorted.push_back(make_key(i));
    std::ranges::sort(sorted, lower);
    Config config;
    (inbound_only ? config.max_inbound : config.max_peers) = 1;
    Node& node = world.add_node(std::move(sorted[2]), address(1), config);
    RawPeer first{world, world.add_raw_host(address(2)), std::move(sorted[0])};
    RawPeer second{world, world.add_raw_host(address(3)), std::move(sorted[1])};
    for (RawPeer* peer : {&first, &second}) {
      peer->connect(node.address());
      peer->shake_hands(node.local);
    }
    world.run_for(milliseconds(50));
    ASSERT_EQ(node.manager().snapshot().proven, 2U);
    first.say(encode_frame(Activate{77, 1}));
    world.run_for(milliseconds(50));
    second.say(encode_frame(Activate{77, 1}));
    EXPECT_EQ(second.ended(), Reason::too_many_peers);
    EXPECT_FALSE(first.ended());
    EXPECT_EQ(node.manager().session_count(), 1U);
    EXPECT_EQ(node.refused_with(Reason::too_many_peers), 1U);
  }
}

// The node decides, and asks a silent peer whether it is there still: a twin of it wants its place.
class ReplacementProbe : public ::testing::Test {
 protected:
  ReplacementProbe() {
    silent.connect(node.address());
    silent.become_active(node.local);
    twin.connect(node.address());
    twin.shake_hands(node.local);
  }

  World world;
  std::pair<Key, Key> keys = ordered_keys(1);
  Node& node = world.add_node(keys.first, address(1));
  RawPeer silent{world, world.add_raw_host(address(2)), keys.second};
  RawPeer twin{world, world.add_raw_host(address(3)), keys.second};
};

TEST_F(ReplacementProbe, AtShutDownNobodyTakesOver) {
  world.run_for(milliseconds(100));
  ASSERT_EQ(node.manager().snapshot().proven, 1U);
  node.shut_down();
  EXPECT_EQ(node.events<SessionOpened>().size(), 1U);
  EXPECT_EQ(node.refused_with(Reason::quitting), 1U);
  EXPECT_EQ(twin.ended(), Reason::quitting);
}

// It takes over from a silent twin and ends in the same moment, for a stream that it opened before:
// neither is left, nor a timer that belongs to nobody and would end the node.
TEST_F(ReplacementProbe, ATwinThatTakesOverAndBreaksTheRulesAtOnceLeavesNothing) {
  twin.write(twin.open(transport::StreamKind::unidirectional), Bytes(1));  // a name of no bytes
  world.run_for(seconds(3));
  EXPECT_EQ(node.closed_with(Reason::replaced), 1U);
  EXPECT_EQ(node.closed_with(Reason::protocol_breach), 1U);
  EXPECT_EQ(node.manager().session_count(), 0U);
  EXPECT_EQ(node.manager().snapshot().timers, 0U);
  world.run_for(seconds(60));
  EXPECT_EQ(node.host.connections(), 0U);
}

// Who does not decide may not decide for itself either, and least of all while we ask its twin.
TEST_F(ReplacementProbe, OneThatDoesNotDecideCannotActivateItselfDuringTheProbe) {
  world.run_for(milliseconds(100));
  ASSERT_EQ(node.manager().snapshot().proven, 1U);  // the probe is under way
  twin.say(encode_frame(Activate{1, 1}));
  EXPECT_EQ(twin.ended(), Reason::protocol_breach);
  EXPECT_EQ(node.refused_with(Reason::protocol_breach), 1U);
  // The probe ends with nobody to take over: the silent one keeps its session until a ping is due.
  world.run_for(seconds(3));
  EXPECT_EQ(node.events<SessionOpened>().size(), 1U);
  EXPECT_TRUE(node.events<SessionClosed>().empty());
  EXPECT_EQ(node.manager().find(node.only_session())->remote, address(2));
}

// An arbiter that we hold a session with, run by hand.
class OldWords : public ::testing::Test {
 protected:
  World world;
  std::pair<Key, Key> keys = ordered_keys(1);
  Node& node = world.add_node(keys.second, address(1));
  RawPeer before{world, world.add_raw_host(address(2)), keys.first};
  RawPeer after{world, world.add_raw_host(address(3)), keys.first};

  [[nodiscard]] Endpoint active_remote() {
    return node.manager().find(node.only_session())->remote;
  }
};

// The run before the restart had chosen the first connection; its word comes after the restart.
TEST_F(OldWords, AWordOfAnEarlierRunDoesNotReplaceTheSessionOfTheNextOne) {
  before.connect(node.address());
  before.shake_hands(node.local);
  after.connect(node.address());
  after.shake_hands(node.local);
  after.say(encode_frame(Activate{2, 1}));
  world.run_for(milliseconds(100));
  ASSERT_EQ(active_remote(), address(3));
  before.say(encode_frame(Activate{1, 7}));
  world.run_for(milliseconds(100));
  EXPECT_EQ(active_remote(), address(3));
  EXPECT_EQ(node.closed_with(Reason::replaced), 0U);
  EXPECT_EQ(before.ended(), Reason::already_connected);
}

TEST_F(OldWords, AWordOfTheNextRunReplacesTheSessionOfTheEarlierOne) {
  before.connect(node.address());
  before.shake_hands(node.local);
  before.say(encode_frame(Activate{2, 9}));  // an epoch is a name: neither is the greater
  world.run_for(milliseconds(100));
  after.connect(node.address());
  after.shake_hands(node.local);
  after.say(encode_frame(Activate{1, 1}));
  world.run_for(milliseconds(100));
  EXPECT_EQ(active_remote(), address(3));
  EXPECT_EQ(before.ended(), Reason::replaced);
}

// Within one run the arbiter may well come to choose the older connection.
TEST_F(OldWords, InOneRunTheGreaterSequenceCountsWhicheverConnectionIsOlder) {
  before.connect(node.address());
  before.shake_hands(node.local);
  after.connect(node.address());
  after.shake_hands(node.local);
  after.say(encode_frame(Activate{5, 1}));
  world.run_for(milliseconds(100));
  before.say(encode_frame(Activate{5, 2}));
  world.run_for(milliseconds(100));
  EXPECT_EQ(active_remote(), address(2));
  EXPECT_EQ(after.ended(), Reason::replaced);
}

}  // namespace
}  // namespace ethnet::session
