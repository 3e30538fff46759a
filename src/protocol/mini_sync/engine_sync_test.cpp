// Downloads: their progress, what follows when a peer does not answer or has released what is
// asked, and answers that are no answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine.hpp"
#include "test_net.hpp"

namespace ethnet::mini_sync {
namespace {

using namespace testing;

TEST(EngineSync, ProgressGoesUpToTheAnnouncedHeightAndIsDoneOnce) {
  for (const std::uint64_t length : {600U, 5000U, 576U}) {
    TestChain chain;
    chain.extend(chain.genesis(), length);
    Net net;
    Node& fresh = net.add_node();
    net.connect(fresh, server_of(chain), chain.head());
    net.run();
    ASSERT_EQ(fresh.chain.head(), chain.head());
    ASSERT_GE(fresh.progress.size(), 3U);
    std::uint64_t before = 0;
    for (const SyncProgress& progress : fresh.progress) {
      EXPECT_EQ(progress.target, length);
      EXPECT_GE(progress.imported, before);
      EXPECT_EQ(progress.done, progress.imported == length);
      before = progress.imported;
    }
    EXPECT_EQ(fresh.progress.back(), (SyncProgress{length, length, true}));
  }
}

TEST(EngineSync, ProgressEndsShortOfItsTargetWhenNobodyIsLeft) {
  TestChain chain;
  chain.extend(chain.genesis(), 5000);
  Net net;
  Node& fresh = net.add_node();
  const auto peer = net.connect(fresh, server_of(chain), chain.head());
  net.run(milliseconds(100));
  ASSERT_FALSE(fresh.progress.empty());
  ASSERT_FALSE(fresh.progress.back().done);
  net.close(peer);
  net.run(milliseconds(10));
  ASSERT_TRUE(fresh.progress.back().done);
  EXPECT_EQ(fresh.progress.back().target, 5000U);
  EXPECT_LT(fresh.progress.back().imported, 5000U);
}

// Both announce the same block. The silent one is asked for the skeleton, for a segment, and for
// what is above the last segment; each is asked of the other when its time is over.
TEST(EngineSync, WhatTimesOutIsAskedOfAnotherPeer) {
  TestChain chain;
  chain.extend(chain.genesis(), 1000);
  Net net;
  Node& fresh = net.add_node();
  net.connect(fresh, silent(), chain.head());
  net.connect(fresh, server_of(chain), chain.head());
  net.run(milliseconds(100));
  EXPECT_EQ(fresh.chain.head().number, 0U);
  net.run(milliseconds(700) + kRequestTimeout * kMaxConsecutiveFailures);
  EXPECT_EQ(fresh.chain.head(), chain.head());
  EXPECT_EQ(fresh.engine.counters().timeouts, kMaxConsecutiveFailures);
  EXPECT_EQ(fresh.blamed, std::vector{Misbehaviour::unresponsive});
}

// Of the right heights, and each a header of its own: only the hashes tell.
TEST(EngineSync, APeerThatAnswersWithAnotherBranchIsDropped) {
  TestChain chain;
  TestChain other;
  const auto announced = chain.extend(chain.genesis(), 5, 1);
  other.extend(other.genesis(), 5, 2);
  const Puppet liar = [&](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    GetHeaders request = *decode_get_headers(payload);
    request.locator = {other.head().hash};
    return {encode(serve_headers(other, request))};
  };
  Net net;
  Node& fresh = net.add_node();
  net.connect(fresh, liar, announced);
  net.run();
  EXPECT_EQ(fresh.blamed, std::vector{Misbehaviour::unlinked_headers});
  EXPECT_TRUE(fresh.imported.empty());
}

TEST(EngineSync, APeerWhoseHeadersDoNotLinkIsDropped) {
  for (const std::uint64_t length : {5U, 1000U}) {
    TestChain chain;
    chain.extend(chain.genesis(), length);
    const Puppet liar = [&chain](ByteView payload) -> std::vector<Bytes> {
      if (*peek_code(payload) != Code::get_headers) return {};
      const GetHeaders request = *decode_get_headers(payload);
      Headers response = serve_headers(chain, request);
      if (request.reverse) std::swap(response.items[1], response.items[2]);
      return {encode(response)};
    };
    Net net;
    Node& fresh = net.add_node();
    net.connect(fresh, liar, chain.head());
    net.run();
    EXPECT_EQ(fresh.blamed, std::vector{Misbehaviour::unlinked_headers}) << length;
    EXPECT_EQ(fresh.engine.peer_count(), 0U);
    EXPECT_TRUE(fresh.imported.empty());
  }
}

TEST(EngineSync, StatusIsSentAgainWhenTheFloorHasRisen) {
  Net net;
  Node& node = net.add_node();
  std::vector<std::uint64_t> told;
  net.connect(
      node,
      [&told](ByteView payload) -> std::vector<Bytes> {
        if (*peek_code(payload) == Code::status) told.push_back(decode_status(payload)->earliest);
        return {};
      },
      node.chain.head());
  net.run(milliseconds(10));
  for (std::uint64_t n = 1; n <= 200; ++n) {
    node.chain.extend(node.chain.head(), 1);
    node.chain.set_floor(n - n / 8);  // rises by less than one a block
    net.announce(node, node.chain.head());
    net.run(milliseconds(10));
  }
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0], 0U);
  EXPECT_EQ(told[1], kEarliestStep);
  EXPECT_EQ(told[2], 2 * kEarliestStep);
}

// It keeps nothing that links to what we have: it is not asked, and not to blame.
TEST(EngineSync, APeerWhoseFloorIsAboveOurHeadIsNotAskedUntilWeGetThere) {
  TestChain all;
  all.extend(all.genesis(), 1000);
  Net net;
  Node& fresh = net.add_node();
  Node& pruned = net.add_node();
  pruned.chain.extend(pruned.chain.genesis(), 1000);
  pruned.chain.set_floor(900);
  net.connect(fresh, pruned);
  net.run(seconds(60));
  EXPECT_EQ(fresh.chain.head().number, 0U);
  EXPECT_LE(fresh.engine.counters().requests_sent, 1U);  // one may leave before its Status came
  EXPECT_TRUE(fresh.blamed.empty());
  net.connect(fresh, server_of(all), all.head());
  net.run();
  EXPECT_EQ(fresh.chain.head(), all.head());
  EXPECT_TRUE(fresh.blamed.empty());
}

// A branch that began where the peer keeps nothing any more cannot be completed by it.
TEST(EngineSync, ABranchThatGoesBelowAPeersFloorIsGivenUpWithoutBlame) {
  Net net;
  Node& a = net.add_node();
  Node& b = net.add_node();
  a.chain.extend(a.chain.genesis(), 300, 1);
  b.chain.extend(b.chain.genesis(), 310, 2);
  b.chain.set_floor(200);
  net.connect(a, b);
  net.run(seconds(60));
  EXPECT_EQ(a.chain.head().number, 300U);
  EXPECT_TRUE(a.blamed.empty());
  EXPECT_EQ(a.engine.counters().out_of_reach, 1U);
  EXPECT_EQ(a.engine.peer_count(), 1U);
}

TEST(EngineSync, ABranchThatLeftOurChainBelowOurFloorIsNotWalkedFurther) {
  Net net;
  Node& a = net.add_node();
  a.chain.extend(a.chain.genesis(), 300, 1);
  a.chain.set_floor(250);
  TestChain other;
  other.extend(other.genesis(), 310, 2);
  net.connect(a, server_of(other), other.head());
  net.run(seconds(60));
  EXPECT_EQ(a.chain.head().number, 300U);
  EXPECT_EQ(a.engine.counters().out_of_reach, 1U);
  EXPECT_LE(a.engine.counters().headers_received, 16U + 32U + 96U);
  EXPECT_TRUE(a.imported.empty());
  EXPECT_TRUE(a.blamed.empty());
}

}  // namespace
}  // namespace ethnet::mini_sync
