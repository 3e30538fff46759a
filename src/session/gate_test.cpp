// Who is let in, and who is let in though there is no place: both by the identity that was proven.
#include <gtest/gtest.h>

#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;

class ShutTo final : public Gate {
 public:
  explicit ShutTo(const NodeId& id) : id_{id} {}
  [[nodiscard]] std::optional<Reason> refuses(Now, const NodeId& id) const override {
    return id == id_ ? std::optional{Reason::useless_peer} : std::nullopt;
  }

 private:
  NodeId id_;
};

TEST(SessionGate, WhoIsShutOutGetsNoHelloInEitherDirection) {
  for (const bool they_dial : {true, false}) {
    World world;
    Node& node = world.add_node(make_key(1), address(1));
    Node& banned = world.add_node(make_key(2), address(2));
    Node& other = world.add_node(make_key(3), address(2, 9001));  // the same address, another port
    const ShutTo gate{banned.id()};
    node.gate = &gate;
    node.restart();
    ASSERT_TRUE(they_dial ? banned.dial(node.address()) : node.dial(banned.address()));
    ASSERT_TRUE(other.dial(node.address()));
    world.run_for(seconds(2));
    EXPECT_EQ(node.refused_with(Reason::useless_peer), 1U);
    EXPECT_TRUE(banned.events<SessionOpened>().empty());
    EXPECT_EQ(node.only_session(), node.manager().find(other.id()));
  }
}

// To claim somebody's identity is not to have it: it gets that one neither banned nor in.
TEST(SessionGate, atk_63_ATrustedIdentityHasToBeProven) {
  World world;
  Config config;
  config.max_peers = config.max_inbound = 1;
  const Key trusted_key = make_key(2);
  config.trusted = {id_of(trusted_key)};
  Node& node = world.add_node(make_key(1), address(1), config);
  Node& peer = world.add_node(make_key(3), address(3));
  ASSERT_TRUE(peer.dial(node.address()));
  world.run_for(seconds(1));
  ASSERT_EQ(node.manager().peer_count(), 1U);

  RawPeer liar{world, world.add_raw_host(address(4)), make_key(4)};
  liar.connect(node.address());
  liar.say(encode_frame(Claim{.id = id_of(trusted_key), .wanted = std::nullopt}));
  ASSERT_TRUE(liar.hear());  // their Claim
  ASSERT_TRUE(liar.hear());  // their Proof
  liar.say(encode_frame(liar.proof(transport::Side::dialler, node.id())));
  world.run_for(seconds(1));
  EXPECT_EQ(liar.ended(), Reason::bad_proof);

  Node& stranger = world.add_node(make_key(5), address(5));
  ASSERT_TRUE(stranger.dial(node.address()));
  world.run_for(seconds(1));
  EXPECT_EQ(node.refused_with(Reason::too_many_peers), 1U);

  Node& trusted = world.add_node(trusted_key, address(2));
  ASSERT_TRUE(trusted.dial(node.address()));
  world.run_for(seconds(1));
  EXPECT_EQ(node.manager().peer_count(), 2U);
  EXPECT_EQ(peer.manager().peer_count(), 1U);  // and nobody had to go for it
}

TEST(SessionGate, ATrustedPeerIsDialledThoughThereIsNoPlace) {
  World world;
  Config config;
  config.max_peers = 1;
  Node& trusted = world.add_node(make_key(2), address(2));
  config.trusted = {trusted.id()};
  Node& node = world.add_node(make_key(1), address(1), config);
  Node& peer = world.add_node(make_key(3), address(3));
  ASSERT_TRUE(node.dial(peer.address()));
  world.run_for(seconds(1));
  EXPECT_FALSE(node.dial(address(9)));
  EXPECT_FALSE(node.dial(trusted.address()));  // by address alone it may be anybody
  ASSERT_TRUE(node.dial(trusted.address(), trusted.id()));
  world.run_for(seconds(1));
  EXPECT_EQ(node.manager().peer_count(), 2U);
}

}  // namespace
}  // namespace ethnet::session
