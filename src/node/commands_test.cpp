// What an operator tells a running node about its peers.
#include <gtest/gtest.h>

#include "node.hpp"
#include "testing/net.hpp"

namespace ethnet::node {
namespace {

class Commands : public ::testing::Test {
 protected:
  static StaticPeer at(const Box& box) {
    StaticPeer peer;
    peer.endpoint = box.at;
    return peer;
  }
  static StaticPeer named(const Box& box) {
    StaticPeer peer = at(box);
    peer.expected = box.node->id();
    return peer;
  }
  bool add(Box& box, const StaticPeer& peer) {
    bool fresh = false;
    box.pump->input(net.now_of(box), [&](Node& node) {
      const auto added = node.add_peer(net.now_of(box), peer);
      ASSERT_TRUE(added) << added.error().message();
      fresh = *added;
    });
    return fresh;
  }
  bool remove(Box& box, const StaticPeer& peer) {
    bool removed = false;
    box.pump->input(net.now_of(box),
                    [&](Node& node) { removed = node.remove_peer(net.now_of(box), peer); });
    return removed;
  }

  Net net;
};

TEST_F(Commands, AnAddedPeerIsDialledAtOnceAndAgainWhenItsSessionEnds) {
  Box& a = net.add({}, 1);
  Box& b = net.add({}, 2);
  EXPECT_TRUE(add(b, at(a)));
  net.run(seconds(1));
  ASSERT_EQ(b.count<SessionUp>(), 1U);
  a.pump->input(net.now_of(a), [&](Node& node) { node.remove_peer(net.now_of(a), named(b)); });
  net.run(seconds(10));
  EXPECT_GE(b.count<SessionDown>(), 1U);
  EXPECT_GE(b.count<SessionUp>(), 2U);
}

TEST_F(Commands, APeerIsAddedOnceAndOneTooManyIsRefused) {
  Box& a = net.add({}, 1);
  Box& b = net.add({}, 2);
  EXPECT_TRUE(add(b, named(a)));
  EXPECT_FALSE(add(b, named(a)));
  for (std::uint16_t port = 1; port < kMaxStaticPeers; ++port) {
    StaticPeer peer;
    peer.endpoint = Endpoint{Net::address(9).ip, port};
    ASSERT_TRUE(add(b, peer)) << port;
  }
  b.pump->input(net.now_of(b), [&](Node& node) {
    StaticPeer peer;
    peer.endpoint = Endpoint{Net::address(9).ip, 60'000};
    const auto refused = node.add_peer(net.now_of(b), peer);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is(NodeError::too_many_static_peers));
  });
}

TEST_F(Commands, ARemovedPeersSessionEndsAndItIsDialledNoMore) {
  Box& a = net.add({}, 1);
  NodeConfig config;
  config.peers = {at(a)};
  Box& b = net.add(config, 2);
  net.run(seconds(1));
  ASSERT_EQ(b.count<SessionUp>(), 1U);
  EXPECT_TRUE(remove(b, named(a)));  // named by its identity, though it was sought by address
  net.run(seconds(120));
  ASSERT_EQ(b.count<SessionDown>(), 1U);
  EXPECT_EQ(b.count<SessionUp>(), 1U);
  EXPECT_EQ(b.node->sessions().peer_count(), 0U);
  EXPECT_EQ(a.node->sessions().peer_count(), 0U);
  EXPECT_FALSE(remove(b, named(a)));
}

TEST_F(Commands, ASessionThatIsNobodysStaticPeerEndsTooWhenItIsRemoved) {
  Box& a = net.add({}, 1);
  NodeConfig config;
  config.peers = {at(a)};
  Box& b = net.add(config, 2);
  net.run(seconds(1));
  ASSERT_EQ(a.node->sessions().peer_count(), 1U);
  EXPECT_TRUE(remove(a, named(b)));
  net.run(milliseconds(100));
  EXPECT_EQ(a.node->sessions().peer_count(), 0U);
}

TEST_F(Commands, APeerThatIsRemovedWhileItIsDialledDoesNotComeIn) {
  Box& a = net.add({}, 1);
  Box& b = net.add({}, 2);
  EXPECT_TRUE(add(b, at(a)));
  net.run(milliseconds(1));  // the dial is under way
  EXPECT_TRUE(remove(b, at(a)));
  net.run(seconds(60));
  EXPECT_EQ(b.count<SessionUp>(), b.count<SessionDown>());
  EXPECT_EQ(b.node->sessions().peer_count(), 0U);
  EXPECT_TRUE(add(b, at(a)));  // and may be added again
  net.run(seconds(1));
  EXPECT_EQ(b.node->sessions().peer_count(), 1U);
}

}  // namespace
}  // namespace ethnet::node
