// Nodes that know one other node find the rest: through sessions, through visits, after a restart.
#include <gtest/gtest.h>

#include "node.hpp"
#include "testing/net.hpp"

namespace ethnet::node {
namespace {

NodeConfig finding(NodeConfig config, Bytes saved = {}) {
  config.discovery = DiscoveryConfig{.saved = std::move(saved), .external = std::nullopt};
  return config;
}

bool are_peers(const Box& a, const Box& b) {
  const auto session = a.node->sessions().find(b.node->id());
  return session && !a.node->sessions().find(*session)->visit;
}

TEST(NodeDiscovery, WhoKnowOneBootNodeBecomeEachOthersPeers) {
  Net net;
  Box& boot = net.add(finding(producing()), 1);
  Box& b = net.add(finding(dialling({1})), 2);
  Box& c = net.add(finding(dialling({1})), 3);
  net.run(seconds(60));
  EXPECT_TRUE(are_peers(b, c));
  EXPECT_TRUE(are_peers(boot, b) && are_peers(boot, c));
  EXPECT_EQ(b.head(), boot.head());
  for (const Box* box : {&boot, &b, &c}) {
    EXPECT_EQ(box->node->discovery()->discovery().table().size(), 2U);
    EXPECT_EQ(box->counter("session.visits"), 0U);  // those there were have gone
  }
}

// As a node that listens everywhere begins: it does not know where others see it.
TEST(NodeDiscovery, NodesThatDoNotKnowTheirAddressesLearnThemAndFindEachOther) {
  Net net;
  net.listens_everywhere = true;
  Box& boot = net.add(finding(producing()), 1);
  Box& b = net.add(finding(dialling({1})), 2);
  Box& c = net.add(finding(dialling({1})), 3);
  net.run(seconds(60));
  EXPECT_TRUE(are_peers(b, c));
  for (const Box* box : {&boot, &b, &c}) {
    EXPECT_EQ(box->node->discovery()->discovery().table().size(), 2U);
  }
  // A boot node with which there is a session is not knocked at.
  EXPECT_EQ(b.counter("session.refused.already_connected.outbound"), 0U);
}

// It has room for one peer and answers questions all the same.
TEST(NodeDiscovery, ABootNodeWithoutAPlaceStillTellsOfOthers) {
  Net net;
  NodeConfig crowded = finding({});
  crowded.max_peers = 1;
  Box& boot = net.add(crowded, 1);
  Box& b = net.add(finding(dialling({1})), 2);
  net.run(seconds(5));
  ASSERT_TRUE(are_peers(boot, b));
  Box& c = net.add(finding(dialling({1})), 3);
  net.run(seconds(120));
  EXPECT_FALSE(are_peers(boot, c));
  EXPECT_TRUE(are_peers(b, c));
}

// The same for one that comes anew: its dial is refused, and its question goes there at once.
TEST(NodeDiscovery, ANodeThatIsBeingDialledIsAskedAsSoonAsThatHasFailed) {
  Net net;
  NodeConfig crowded = finding({});
  crowded.max_peers = 1;
  Box& boot = net.add(crowded, 1);
  Box& b = net.add(finding(dialling({1})), 2);
  net.run(seconds(5));
  ASSERT_TRUE(are_peers(boot, b));
  Box& c = net.add(finding(dialling({1})), 3);
  net.run(seconds(3));
  EXPECT_FALSE(are_peers(boot, c));
  EXPECT_EQ(c.node->discovery()->discovery().table().size(), 2U);
}

TEST(NodeDiscovery, ARestartedNodeComesBackWithoutItsBootNode) {
  Net net;
  Box& boot = net.add(finding({}), 1);
  Box& b = net.add(finding(dialling({1})), 2);
  Bytes saved;
  {
    Box& c = net.add(finding(dialling({1})), 3);
    net.run(seconds(60));
    ASSERT_TRUE(are_peers(b, c));
    saved = c.node->saved_nodes();
    c.suspended = true;
  }
  boot.suspended = true;
  net.run(seconds(60));  // b sees that both have gone
  Box& again = net.add(finding({}, saved), 4);
  net.run(seconds(120));
  EXPECT_TRUE(are_peers(again, b));
}

TEST(NodeDiscovery, AFileThatIsNotOneIsSaidSoAndTheNodeGoesOn) {
  Net net;
  Box& boot = net.add(finding({}), 1);
  Box& b = net.add(finding(dialling({1}), to_bytes(text_bytes("not a file of nodes"))), 2);
  EXPECT_EQ(b.log.count("The nodes of the last run were not read"), 1U);
  net.run(seconds(5));
  EXPECT_TRUE(are_peers(boot, b));
}

TEST(NodeDiscovery, WhoDoesNotSpeakItIsAPeerAndNoneOfItsMessagesIsSeen) {
  Net net;
  Box& boot = net.add(finding(producing()), 1);
  Box& plain = net.add(dialling({1}), 2);
  std::size_t foreign = 0;
  plain.node->set_session_tap([&](const session::SessionEvent& event) {
    const auto* message = std::get_if<session::MessageReceived>(&event);
    if (message != nullptr && message->capability.name != "mini-sync") ++foreign;
  });
  net.run(seconds(30));
  EXPECT_TRUE(are_peers(boot, plain));
  EXPECT_EQ(foreign, 0U);
  EXPECT_EQ(plain.head(), boot.head());
}

}  // namespace
}  // namespace ethnet::node
