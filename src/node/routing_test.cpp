// The node as a switch: what comes back from workers, disk, resolver and dials reaches the part
// that waits for it, and nothing happens before.
#include <gtest/gtest.h>

#include "node.hpp"
#include "testing/net.hpp"

namespace ethnet::node {
namespace {

TEST(NodeRouting, NothingIsSaidOfAHeaderBeforeTheStoreConfirmsIt) {
  Net net;
  Box& a = net.add(producing(), 1);
  Box& b = net.add(dialling({1}), 2);
  a.hold_store = true;
  net.run(seconds(11));
  ASSERT_EQ(b.count<SessionUp>(), 1U);
  EXPECT_GT(a.node->chain().pending_head().number, 0U);
  for (const Box* box : {&a, &b}) {
    EXPECT_EQ(box->head().number, 0U);
    EXPECT_EQ(box->count<HeadMoved>(), 0U);
  }
  EXPECT_EQ(a.counter("store.batches"), 0U);
  a.hold_store = false;
  net.run(milliseconds(500));  // before the next one
  EXPECT_EQ(a.head(), a.node->chain().pending_head());
  EXPECT_EQ(a.counter("store.batches"), a.head().number);
  EXPECT_EQ(b.head(), a.head());
}

// Who got headers by sync confirms them to sync and passes them on only when they are stored.
TEST(NodeRouting, APeerThatCannotStoreYetHasNothingForOthers) {
  Net net;
  Box& a = net.add(producing(), 1);
  Box& b = net.add(dialling({1}), 2);
  Box& c = net.add(dialling({2}), 3);
  b.hold_store = true;
  net.run(seconds(11));
  ASSERT_EQ(c.count<SessionUp>(), 1U);
  EXPECT_GT(a.head().number, 0U);
  EXPECT_GT(b.node->chain().pending_head().number, 0U);
  EXPECT_EQ(b.head().number, 0U);
  EXPECT_EQ(c.node->chain().pending_head().number, 0U);
  b.hold_store = false;
  net.run(seconds(6));
  EXPECT_EQ(b.head(), a.head());
  EXPECT_EQ(c.head(), a.head());
}

TEST(NodeRouting, ASessionOpensWhenTheWorkersHaveJudgedItsProofs) {
  Net net;
  Box& a = net.add({}, 1);
  Box& b = net.add(dialling({1}), 2);
  b.hold_jobs = true;
  net.run(seconds(2));
  EXPECT_EQ(a.count<SessionUp>() + b.count<SessionUp>(), 0U);
  EXPECT_FALSE(b.jobs.empty());
  b.hold_jobs = false;
  net.run(seconds(1));
  EXPECT_EQ(a.count<SessionUp>(), 1U);
  EXPECT_EQ(b.count<SessionUp>(), 1U);
}

TEST(NodeRouting, AnAnswerOfTheWorkersAfterTheHandshakeWasGivenUpIsHarmless) {
  Net net;
  net.add({}, 1);
  Box& b = net.add(dialling({1}), 2);
  b.hold_jobs = true;
  net.run(seconds(20));
  EXPECT_GT(b.counter("dialer.failed"), 0U);
  b.hold_jobs = false;
  net.run(seconds(60));
  EXPECT_EQ(b.count<SessionUp>(), 1U);
}

TEST(NodeRouting, ADialThatFailsIsMadeAgainAndEndsInASession) {
  Net net;
  Box& b = net.add(dialling({1}), 2);
  net.run(seconds(30));
  EXPECT_GE(b.counter("dialer.failed"), 1U);
  EXPECT_EQ(b.counter("dialer.dials"), b.counter("dialer.failed") + b.counter("session.dialing"));
  Box& a = net.add({}, 1);
  net.run(seconds(60));
  EXPECT_EQ(a.count<SessionUp>(), 1U);
  EXPECT_EQ(b.count<SessionUp>(), 1U);
  EXPECT_EQ(b.counter("session.dialing"), 0U);
}

// More peers than sessions: the session says no, the dialer counts it and waits.
TEST(NodeRouting, ADialThatTheSessionRefusesIsNotStarted) {
  Net net;
  net.add({}, 1);
  net.add({}, 2);
  NodeConfig config = dialling({1, 2});
  config.max_peers = 1;
  Box& c = net.add(config, 3);
  net.run(seconds(60));
  EXPECT_EQ(c.count<SessionUp>(), 1U);
  EXPECT_GT(c.counter("dialer.not_started"), 0U);
}

TEST(NodeRouting, AnAddressThatWasLookedUpIsDialled) {
  Net net;
  Box& a = net.add({}, 1);
  NodeConfig config;
  StaticPeer peer;
  peer.host = "a.example";
  peer.port = 9001;
  config.peers.push_back(peer);
  Box& b = net.add(config, 2);
  ASSERT_EQ(b.count<ResolveWanted>(), 1U);
  const auto wanted = std::get<ResolveWanted>(b.events.front());
  EXPECT_EQ(wanted.host, "a.example");
  EXPECT_EQ(wanted.port, 9001);
  b.pump->input(net.now_of(b), [&](Node& n) {
    n.handle_resolved(net.now_of(b), wanted.target, {Net::address(1)});
  });
  net.run(seconds(1));
  EXPECT_EQ(a.count<SessionUp>(), 1U);
  EXPECT_EQ(b.count<SessionUp>(), 1U);
}

NetList nets(std::string_view text) { return NetList::parse(text).value(); }

TEST(Netrestrict, NobodyElseIsAcceptedAndNobodyElseIsAnswered) {
  Net net;
  NodeConfig config;
  config.netrestrict = nets("10.0.0.2/32");
  Box& a = net.add(config, 1);
  Box& b = net.add(dialling({1}), 2);
  Box& c = net.add(dialling({1}), 3);
  net.run(seconds(20));
  EXPECT_EQ(b.count<SessionUp>(), 1U);
  EXPECT_EQ(c.count<SessionUp>(), 0U);
  EXPECT_EQ(a.count<SessionUp>(), 1U);
  EXPECT_GT(a.counter("node.netrestrict_datagrams_in"), 0U);
  EXPECT_EQ(a.counter("node.netrestrict_datagrams_out"), 0U) << "an answer to whom it did not hear";
}

TEST(Netrestrict, NobodyElseIsDialledNeitherByAddressNorByName) {
  Net net;
  Box& b = net.add({}, 2);
  net.add({}, 3);
  NodeConfig config = dialling({2, 3});
  StaticPeer peer;
  peer.host = "everywhere.example";
  peer.port = 9001;
  config.peers.push_back(peer);
  config.netrestrict = nets("10.0.0.2/32");
  Box& a = net.add(config, 1);
  ASSERT_EQ(a.count<ResolveWanted>(), 1U);
  const auto wanted = std::get<ResolveWanted>(a.events.front());
  a.pump->input(net.now_of(a), [&](Node& n) {
    n.handle_resolved(net.now_of(a), wanted.target, {Net::address(3), Net::address(4)});
  });
  for (int i = 0; i < 200; ++i) {
    for (const Packet& packet : a.out) ASSERT_EQ(packet.to, Net::address(2));
    net.run(milliseconds(100));
  }
  EXPECT_EQ(a.count<SessionUp>(), 1U);
  EXPECT_EQ(b.count<SessionUp>(), 1U);
  EXPECT_GE(a.counter("node.netrestrict_dials"), 3U);
  EXPECT_GE(a.counter("dialer.look_ups_failed"), 1U) << "no address of the name is allowed";
}

// A whole batch comes with one that is not allowed in its midst.
TEST(Netrestrict, WhatComesInOneBatchIsJudgedOneByOne) {
  Net net;
  NodeConfig config;
  config.netrestrict = nets("10.0.0.2/32");
  Box& a = net.add(config, 1);
  const Bytes junk(40, std::byte{1});
  const auto from = [&](unsigned host) {
    return Datagram{Net::address(1), Net::address(host), 0, junk};
  };
  const std::vector<Datagram> batch{from(3), from(2), from(2), from(4), from(2), from(3)};
  const std::uint64_t before = a.counter("quic.datagrams");
  a.pump->handle_datagrams(net.now_of(a), batch);
  EXPECT_EQ(a.counter("quic.datagrams") - before, 3U);
  EXPECT_EQ(a.counter("node.netrestrict_datagrams_in"), 3U);
}

std::vector<session::Capability> versions(std::initializer_list<std::string_view> literals) {
  std::vector<session::Capability> out;
  for (const std::string_view literal : literals) {
    out.push_back(*session::Capability::parse(literal));
  }
  return out;
}

std::string spoken(const Box& box, const Box& peer) {
  const auto& sessions = box.node->sessions();
  const auto session = sessions.find(peer.node->id());
  const session::PeerInfo* info = session ? sessions.find(*session) : nullptr;
  if (info == nullptr) return "(no session)";
  return info->agreed.size() == 1 ? info->agreed.front().to_string() : "(not one)";
}

TEST(NodeRouting, TwoVersionsOfMiniSyncStandSideBySideAndTheHighestCommonOneIsSpoken) {
  Net net;
  NodeConfig config = producing();
  config.sync_versions = versions({"mini-sync/0.1", "mini-sync/0.2"});
  Box& hub = net.add(config, 1);
  const auto add = [&](std::initializer_list<std::string_view> literals, unsigned host) -> Box& {
    NodeConfig other = dialling({1});
    other.sync_versions = versions(literals);
    return net.add(other, host);
  };
  Box& both = add({"mini-sync/0.2", "mini-sync/0.1"}, 2);
  Box& older = add({"mini-sync/0.1"}, 3);
  Box& newer = add({"mini-sync/0.2", "mini-sync/0.3"}, 4);
  Box& strange = add({"mini-sync/0.3"}, 5);
  net.run(seconds(11));
  EXPECT_EQ(spoken(both, hub), "mini-sync/0.2");
  EXPECT_EQ(spoken(hub, both), "mini-sync/0.2");
  EXPECT_EQ(spoken(older, hub), "mini-sync/0.1");
  EXPECT_EQ(spoken(hub, older), "mini-sync/0.1");
  EXPECT_EQ(spoken(newer, hub), "mini-sync/0.2");
  EXPECT_EQ(spoken(strange, hub), "(no session)");
  EXPECT_GT(hub.head().number, 0U);
  for (const Box* box : {&both, &older, &newer}) EXPECT_EQ(box->head(), hub.head());
  EXPECT_EQ(strange.head().number, 0U);
  EXPECT_GT(hub.counter("session.refused.no_shared_capability.inbound") +
                strange.counter("session.refused.no_shared_capability.outbound"),
            0U);
}

}  // namespace
}  // namespace ethnet::node
