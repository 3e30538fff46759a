// The place of a peer that died without a goodbye waits for it, though others are at the door.
#include "kept_places.hpp"

#include <gtest/gtest.h>

#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;

NodeId numbered(std::uint8_t n) {
  NodeId id;
  id.bytes[0] = std::byte{n};
  return id;
}

TEST(KeptPlaces, AreKeptForOthersForAWhileAndNoMoreThanThereAre) {
  KeptPlaces places{2};
  const Instant began{1'000};
  places.keep(began, numbered(1));
  places.keep(began, numbered(1));
  EXPECT_EQ(places.for_others(began, numbered(1)), 0U);
  EXPECT_EQ(places.for_others(began, numbered(9)), 1U);
  places.keep(began + seconds(1), numbered(2));
  places.keep(began + seconds(2), numbered(3));
  EXPECT_EQ(places.for_others(began + seconds(2), numbered(1)), 2U) << "its own has been given up";
  places.forget(numbered(3));
  EXPECT_EQ(places.for_others(began + seconds(2), numbered(9)), 1U);
  const Instant over = began + seconds(1) + kKeptPlaceFor;
  EXPECT_EQ(places.for_others(over - milliseconds(1), numbered(9)), 1U);
  EXPECT_EQ(places.for_others(over, numbered(9)), 0U);
}

// `node` has one inbound place. `peer` has it, and `other` wants it.
class KeptPlace : public ::testing::Test {
 protected:
  static Config one_place() {
    Config config;
    config.max_peers = 1;
    config.max_inbound = 1;
    return config;
  }
  void SetUp() override {
    ASSERT_TRUE(peer.dial(node.address()));
    world.run_for(seconds(1));
    ASSERT_EQ(node.manager().session_count(), 1U);
  }
  // Until the node knows that the peer has died.
  void let_it_die() {
    peer.restart();
    for (int i = 0; i < 600 && node.manager().session_count() > 0; ++i) {
      world.run_for(milliseconds(100));
    }
    ASSERT_EQ(node.manager().session_count(), 0U);
  }
  // Whether the node has taken it.
  bool is_let_in(Node& who) {
    EXPECT_TRUE(who.dial(node.address()));
    world.run_for(seconds(2));
    return who.manager().session_count() == 1;
  }

  World world;
  Node& node = world.add_node(make_key(1), address(1), one_place());
  Node& peer = world.add_node(make_key(2), address(2));
  Node& other = world.add_node(make_key(3), address(3));
};

TEST_F(KeptPlace, atk_34_WhoDiesAndComesBackFindsItsPlaceThoughAnotherTriesForIt) {
  world.run_for(kKeptPlaceAfter);
  let_it_die();
  EXPECT_FALSE(is_let_in(other));
  EXPECT_EQ(node.refused_with(Reason::too_many_peers), 1U);
  EXPECT_TRUE(is_let_in(peer));
}

TEST_F(KeptPlace, IsAnotherOnesWhenNobodyCameBackInTime) {
  world.run_for(kKeptPlaceAfter);
  let_it_die();
  world.run_for(kKeptPlaceFor);
  EXPECT_TRUE(is_let_in(other));
}

TEST_F(KeptPlace, IsKeptForNobodyWhoWasHereForAMomentOnly) {
  let_it_die();
  EXPECT_TRUE(is_let_in(other));
}

TEST_F(KeptPlace, IsKeptForNobodyWhoSaidGoodbye) {
  world.run_for(kKeptPlaceAfter);
  peer.shut_down();
  world.run_for(seconds(1));
  ASSERT_EQ(node.manager().session_count(), 0U);
  EXPECT_TRUE(is_let_in(other));
}

TEST_F(KeptPlace, OfOneWhoIsBackIsNotKeptASecondTime) {
  world.run_for(kKeptPlaceAfter);
  let_it_die();
  EXPECT_TRUE(is_let_in(peer));
  peer.shut_down();
  world.run_for(seconds(1));
  EXPECT_TRUE(is_let_in(other));
}

}  // namespace
}  // namespace ethnet::session
