// Visits: sessions for a few questions, which take no peer's place and do not stay.
#include <gtest/gtest.h>

#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;

// "echo/1" is what visits carry; "mini-sync/0.1" is for peers.
Config config_for_visits() {
  Config config;
  config.visit_capabilities = {"echo"};
  return config;
}

class Visit : public ::testing::Test {
 protected:
  // `node` and `guest`; either may have the lower id.
  struct Pair {
    Node* guest;
    Node* node;
  };
  static Pair make(World& world, bool guest_decides, const Config& config = config_for_visits()) {
    const auto [low, high] = ordered_keys(1);
    Node& node = world.add_node(guest_decides ? high : low, address(1), config);
    Node& guest = world.add_node(guest_decides ? low : high, address(2), config_for_visits());
    return {&guest, &node};
  }
  static void visit(World& world, const Pair& pair) {
    ASSERT_TRUE(pair.guest->dial(pair.node->address(), pair.node->id(), Purpose::visit));
    world.run_for(seconds(1));
    ASSERT_EQ(pair.guest->manager().snapshot().visits, 1U);
    ASSERT_EQ(pair.node->manager().snapshot().visits, 1U);
  }
  // One session between the two, and of which kind.
  static void expect_one(const Pair& pair, bool is_visit) {
    for (Node* const one : {pair.guest, pair.node}) {
      ASSERT_EQ(one->manager().session_count(), 1U);
      EXPECT_EQ(one->manager().peer_count(), is_visit ? 0U : 1U);
      EXPECT_EQ(one->manager().find(one->only_session())->visit, is_visit);
    }
  }
};

TEST_F(Visit, CarriesOnlyWhatVisitsAreFor) {
  World world;
  const Pair pair = make(world, false);
  ASSERT_NO_FATAL_FAILURE(visit(world, pair));
  expect_one(pair, true);
  const SessionHandle session = pair.guest->only_session();
  EXPECT_EQ(pair.guest->manager().find(session)->agreed, std::vector{capability("echo/1")});
  EXPECT_TRUE(pair.guest->send(session, "echo/1", "who is near?"));
  const auto other = pair.guest->send(session, "mini-sync/0.1", "headers, please");
  ASSERT_FALSE(other);
  EXPECT_TRUE(other.error().is(SessionError::not_agreed));
  world.run_for(seconds(1));
  EXPECT_EQ(pair.node->events<MessageReceived>().size(), 1U);
}

// Who has nothing else to offer, a bootnode for instance, takes no place either.
TEST_F(Visit, IsWhatTheTwoAgreeOnNotWhatTheDiallerCallsIt) {
  World world;
  const Pair pair = make(world, true);
  pair.node->local.capabilities = {capability("echo/1")};
  pair.node->restart();
  ASSERT_TRUE(pair.guest->dial(pair.node->address()));
  world.run_for(seconds(1));
  expect_one(pair, true);
  EXPECT_EQ(pair.guest->manager().snapshot().active_outbound, 0U);
}

TEST_F(Visit, NeedsNoPeersPlaceAndGivesNoneUp) {
  for (const bool guest_decides : {false, true}) {
    World world;
    Config config = config_for_visits();
    config.max_peers = config.max_inbound = 1;
    const Pair pair = make(world, guest_decides, config);
    Node& peer = world.add_node(make_key(50), address(3), config_for_visits());
    ASSERT_TRUE(peer.dial(pair.node->address()));
    world.run_for(seconds(1));
    ASSERT_EQ(pair.node->manager().peer_count(), 1U);
    ASSERT_NO_FATAL_FAILURE(visit(world, pair));
    EXPECT_EQ(pair.node->manager().snapshot().active_inbound, 1U);
    // More is not to be had, and to ask for it costs the guest its visit alone.
    ASSERT_TRUE(pair.guest->dial(pair.node->address(), pair.node->id()));
    world.run_for(seconds(1));
    EXPECT_EQ(pair.guest->manager().session_count(), 0U);
    EXPECT_EQ(pair.node->refused_with(Reason::too_many_peers), 1U);
    EXPECT_EQ(peer.manager().peer_count(), 1U);
  }
}

TEST_F(Visit, EndsWhenNothingIsSaidForTenSeconds) {
  World world;
  const Pair pair = make(world, false);
  ASSERT_NO_FATAL_FAILURE(visit(world, pair));
  const SessionHandle session = pair.guest->only_session();
  for (int i = 0; i < 4; ++i) {
    world.run_for(seconds(8));
    ASSERT_TRUE(pair.guest->send(session, "echo/1", "still here"));
  }
  world.run_for(seconds(9));
  expect_one(pair, true);
  world.run_for(seconds(2));
  EXPECT_EQ(pair.guest->manager().session_count(), 0U);
  EXPECT_EQ(pair.node->manager().session_count(), 0U);
  EXPECT_EQ(pair.node->closed_with(Reason::requested), 1U);
}

TEST_F(Visit, APeerStaysHoweverLongItIsSilent) {
  World world;
  const Pair pair = make(world, false);
  ASSERT_TRUE(pair.guest->dial(pair.node->address()));
  world.run_for(seconds(60));
  expect_one(pair, false);
}

// The guest wishes for more, or the one who is visited does.
TEST_F(Visit, BecomesAPeerByANewSession) {
  for (const bool guest_decides : {false, true}) {
    for (const bool guest_dials : {false, true}) {
      World world;
      const Pair pair = make(world, guest_decides);
      ASSERT_NO_FATAL_FAILURE(visit(world, pair));
      Node& wishes = guest_dials ? *pair.guest : *pair.node;
      const Node& other = guest_dials ? *pair.node : *pair.guest;
      ASSERT_TRUE(wishes.dial(other.address(), other.id()));
      world.run_for(seconds(1));
      expect_one(pair, false);
    }
  }
}

// The address is all that is known of the other.
TEST_F(Visit, MakesWayForADialToItsAddress) {
  World world;
  const Pair pair = make(world, false);
  ASSERT_NO_FATAL_FAILURE(visit(world, pair));
  ASSERT_TRUE(pair.guest->dial(pair.node->address()));
  world.run_for(seconds(1));
  expect_one(pair, false);
}

TEST_F(Visit, IsNotBegunToWhomThereIsASession) {
  World world;
  const Pair pair = make(world, false);
  ASSERT_TRUE(pair.guest->dial(pair.node->address()));
  world.run_for(seconds(1));
  for (Node* const one : {pair.guest, pair.node}) {
    const Node& other = one == pair.guest ? *pair.node : *pair.guest;
    const auto again = one->dial(other.address(), other.id(), Purpose::visit);
    ASSERT_FALSE(again);
    EXPECT_TRUE(again.error().is(SessionError::already_connected));
  }
  expect_one(pair, false);
}

// Neither knows of the other's dial: whatever arrives first, the peer remains.
TEST_F(Visit, MeetsADialForMoreHalfWay) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    WorldOptions options;
    options.net.min_delay = milliseconds(1);
    options.net.max_delay = milliseconds(80);
    World world{seed, options};
    const Pair pair = make(world, seed % 2 == 0);
    ASSERT_TRUE(pair.guest->dial(pair.node->address(), pair.node->id(), Purpose::visit));
    world.run_for(milliseconds(static_cast<std::int64_t>(seed % 40) * 10));
    (void)pair.node->dial(pair.guest->address(), pair.guest->id());
    world.run_for(seconds(4));
    expect_one(pair, false);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

// A second visit of the same identity waits for the first one's sign of life when a connection for
// more comes: that one takes over, and the one that waits does not slip in between.
TEST_F(Visit, MakesWayForMoreWhileATwinWaits) {
  World world;
  const auto [low, high] = ordered_keys(1);
  Node& node = world.add_node(low, address(1), config_for_visits());  // it decides
  LocalInfo visitor = node.local;
  visitor.capabilities = {capability("echo/1")};
  RawPeer first{world, world.add_raw_host(address(2)), high};
  RawPeer twin{world, world.add_raw_host(address(3)), high};
  RawPeer more{world, world.add_raw_host(address(4)), high};
  first.connect(node.address());
  first.become_active(visitor);
  ASSERT_EQ(node.manager().snapshot().visits, 1U);
  twin.connect(node.address());
  twin.shake_hands(visitor);
  world.run_for(milliseconds(500));  // the first is asked, and says nothing
  more.connect(node.address());
  more.shake_hands(node.local);
  world.run_for(milliseconds(500));
  EXPECT_EQ(node.manager().peer_count(), 1U);
  EXPECT_EQ(node.manager().session_count(), 1U);
  EXPECT_EQ(first.ended(), Reason::replaced);
  more.say(encode_pong());  // now it is asked, for the twin
  world.run_for(milliseconds(500));
  EXPECT_EQ(twin.ended(), Reason::already_connected);
  EXPECT_EQ(node.manager().peer_count(), 1U);
}

TEST_F(Visit, OursAreLimited) {
  World world;
  Config config = config_for_visits();
  config.max_visits = 2;
  Node& node = world.add_node(make_key(1), address(1), config);
  for (std::uint8_t i = 2; i <= 4; ++i) {
    Node& other = world.add_node(make_key(i), address(i), config_for_visits());
    const auto dial = node.dial(other.address(), other.id(), Purpose::visit);
    EXPECT_EQ(dial.has_value(), i < 4);
    if (!dial) {
      EXPECT_TRUE(dial.error().is(SessionError::too_many_visits));
    }
    world.run_for(seconds(1));
  }
  EXPECT_EQ(node.manager().snapshot().visits, 2U);
  world.run_for(seconds(11));
  EXPECT_EQ(node.manager().snapshot().visits, 0U);
  EXPECT_TRUE(node.dial(address(4), std::nullopt, Purpose::visit));
}

// Guests from one address keep a pending place each, and the oldest makes way for a neighbour.
TEST_F(Visit, KeepsAPendingPlaceAndGivesItToANeighbour) {
  World world;
  Config config = config_for_visits();
  config.max_pending_per_prefix = 2;
  Node& node = world.add_node(make_key(1), address(1), config);
  std::vector<Node*> guests;
  for (std::uint16_t i = 0; i < 3; ++i) {
    guests.push_back(&world.add_node(
        make_key(10 + i), address(2, static_cast<std::uint16_t>(9000 + i)), config_for_visits()));
    ASSERT_TRUE(guests.back()->dial(node.address(), node.id(), Purpose::visit));
    world.run_for(seconds(1));
  }
  EXPECT_EQ(node.manager().snapshot().visits, 2U);
  EXPECT_EQ(guests[0]->closed_with(Reason::pending_limit), 1U);
  EXPECT_EQ(guests[1]->manager().session_count(), 1U);
  EXPECT_EQ(guests[2]->manager().session_count(), 1U);
}

}  // namespace
}  // namespace ethnet::session
