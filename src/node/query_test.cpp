// What an observer asks of a node is answered by the chain and by its peers as they are.
#include "query.hpp"

#include <gtest/gtest.h>
#include <types/hash_of.hpp>

#include "node.hpp"
#include "testing/net.hpp"

namespace ethnet::node {
namespace {

class QueryTest : public ::testing::Test {
 protected:
  Answer ask(Box& box, const Query& query) {
    std::vector<Answer> answers;
    box.pump->input(net.now_of(box), [&](Node& node) {
      answers = answer(node, net.now_of(box), std::span{&query, 1});
    });
    EXPECT_EQ(answers.size(), 1U);
    return answers.at(0);
  }
  static PeerQuery at(const Box& box, bool wanted) {
    StaticPeer peer;
    peer.endpoint = box.at;
    return {peer, wanted};
  }

  Net net;
};

TEST_F(QueryTest, ABlockIsFoundByHashNumberAndTag) {
  NodeConfig config;
  config.producer.enabled = true;
  config.producer.period = seconds(1);
  Box& box = net.add(config, 1);
  net.run(seconds(5));
  const chain::ChainManager& chain = box.node->chain();
  ASSERT_GE(chain.head().number, 3U);
  const Hash32 third = *chain.canonical_hash(3);
  for (const Query& query : {Query{BlockQuery{third}}, Query{BlockQuery{std::uint64_t{3}}}}) {
    const Answer got = ask(box, query);
    ASSERT_TRUE(std::holds_alternative<BlockAnswer>(got));
    EXPECT_EQ(std::get<BlockAnswer>(got).hash, third);
    EXPECT_EQ(hash_of(std::get<BlockAnswer>(got).header), third);
  }
  const Answer latest = ask(box, BlockQuery{BlockTag::latest});
  EXPECT_EQ(std::get<BlockAnswer>(latest).hash, chain.head().hash);
  const Answer earliest = ask(box, BlockQuery{BlockTag::earliest});
  EXPECT_EQ(hash_of(std::get<BlockAnswer>(earliest).header), chain.genesis().hash);
}

TEST_F(QueryTest, WhatIsNotKeptIsNoBlock) {
  Box& box = net.add({}, 1);
  EXPECT_TRUE(std::holds_alternative<NoSuchBlock>(ask(box, BlockQuery{std::uint64_t{1}})));
  EXPECT_TRUE(std::holds_alternative<NoSuchBlock>(ask(box, BlockQuery{UINT64_MAX})));
  EXPECT_TRUE(std::holds_alternative<NoSuchBlock>(ask(box, BlockQuery{Hash32{}})));
}

TEST_F(QueryTest, APeerIsAddedAndRemovedOnce) {
  Box& a = net.add({}, 1);
  Box& b = net.add({}, 2);
  EXPECT_TRUE(std::get<PeerAnswer>(ask(b, at(a, true))).changed);
  EXPECT_FALSE(std::get<PeerAnswer>(ask(b, at(a, true))).changed);
  net.run(seconds(1));
  EXPECT_EQ(b.count<SessionUp>(), 1U);
  EXPECT_TRUE(std::get<PeerAnswer>(ask(b, at(a, false))).changed);
  EXPECT_FALSE(std::get<PeerAnswer>(ask(b, at(a, false))).changed);
}

TEST_F(QueryTest, OnePeerTooManyIsNotPossible) {
  Box& box = net.add({}, 1);
  for (std::uint16_t port = 1; port <= kMaxStaticPeers; ++port) {
    StaticPeer peer;
    peer.endpoint = Endpoint{Net::address(9).ip, port};
    EXPECT_TRUE(std::get<PeerAnswer>(ask(box, PeerQuery{peer, true})).changed);
  }
  StaticPeer peer;
  peer.endpoint = Endpoint{Net::address(9).ip, 60000};
  const Answer refused = ask(box, PeerQuery{peer, true});
  ASSERT_TRUE(std::holds_alternative<NotPossible>(refused));
  EXPECT_NE(std::get<NotPossible>(refused).why.find("peers"), std::string::npos);
}

}  // namespace
}  // namespace ethnet::node
