#include "engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve.hpp"
#include "test_net.hpp"

namespace ethnet::mini_sync {
namespace {

using namespace testing;

TEST(Engine, AFreshNodeFollowsALongChainFromSeveralPeersAtOnce) {
  Net net;
  Node& fresh = net.add_node();
  for (int i = 0; i < 3; ++i) {
    Node& full = net.add_node();
    full.chain.extend(full.chain.genesis(), 5000);
    net.connect(fresh, full);
  }
  net.run();
  EXPECT_EQ(fresh.chain.head().number, 5000U);
  EXPECT_TRUE(fresh.blamed.empty());
  ASSERT_FALSE(fresh.progress.empty());
  EXPECT_TRUE(fresh.progress.back().done);
  EXPECT_LE(fresh.largest_batch, std::size_t{1024});
  EXPECT_EQ(fresh.engine.counters().timeouts, 0U);
}

TEST(Engine, AnUpToDateNodeTakesOneAnnouncedBlockWithoutARequest) {
  Net net;
  Node& a = net.add_node();
  Node& b = net.add_node();
  net.connect(a, b);
  net.run();
  net.announce(a, a.chain.extend(a.chain.head(), 1));
  net.run();
  EXPECT_EQ(b.chain.head(), a.chain.head());
  EXPECT_EQ(b.engine.counters().requests_sent, 0U);
}

TEST(Engine, ABlockIsAnnouncedAtMostOnceToEachPeer) {
  Net net;
  std::vector<Node*> nodes;
  for (int i = 0; i < 6; ++i) nodes.push_back(&net.add_node());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (std::size_t j = i + 1; j < nodes.size(); ++j) net.connect(*nodes[i], *nodes[j]);
  }
  net.run();
  net.announce(*nodes[0], nodes[0]->chain.extend(nodes[0]->chain.head(), 1));
  net.run();
  std::uint64_t announcements = 0;
  for (const Node* node : nodes) {
    EXPECT_EQ(node->chain.head(), nodes[0]->chain.head());
    announcements += node->engine.counters().announcements_sent;
    EXPECT_TRUE(node->blamed.empty());
  }
  // At most once over each direction of each of the 15 sessions.
  EXPECT_LE(announcements, 30U);
  EXPECT_GE(announcements, 5U);
}

// After a partition: a peer's head, and then the tips of more branches than are kept in mind.
TEST(Engine, AHeadIsNotLostToTheTipsOfManyBranches) {
  Net net;
  Node& a = net.add_node();
  Node& b = net.add_node();
  net.connect(a, b);
  net.run();
  std::vector<chain::BlockRef> tips;
  for (std::uint8_t i = 1; i <= 2 * kMaxTargets; ++i) {
    tips.push_back(a.chain.extend(a.chain.genesis(), 3, i));
  }
  const chain::BlockRef head = a.chain.extend(a.chain.genesis(), 30);
  net.announce(a, tips.front(), false);
  net.announce(a, head, false);
  for (const chain::BlockRef& tip : std::span{tips}.subspan(1)) net.announce(a, tip, false);
  net.run();
  EXPECT_GT(b.engine.counters().targets_dropped, 0U);
  EXPECT_EQ(b.chain.head(), head);
  EXPECT_TRUE(b.blamed.empty());
}

TEST(Engine, ADeepForkIsFollowedWhateverItsDepth) {
  for (const std::uint64_t depth : {1U, 17U, 500U, 3000U, 6000U}) {
    Net net;
    Node& a = net.add_node();
    Node& b = net.add_node();
    const auto fork = a.chain.extend(a.chain.genesis(), 40);
    b.chain.extend(b.chain.genesis(), 40);
    a.chain.extend(fork, depth, 1);
    b.chain.extend(fork, depth + 1, 2);
    net.connect(a, b);
    net.run();
    EXPECT_EQ(a.chain.head(), b.chain.head()) << "depth " << depth;
    EXPECT_TRUE(a.blamed.empty());
    EXPECT_TRUE(b.blamed.empty());
  }
}

// The longer branch is much longer, and leaves ours far below our head: what a skeleton gives from
// there does not reach our head in one go.
TEST(Engine, AMuchLongerBranchThatLeftOursLongAgoIsFollowed) {
  for (const std::uint64_t ours : {300U, 2000U, 6000U}) {
    Net net;
    Node& a = net.add_node();
    Node& b = net.add_node();
    a.chain.extend(a.chain.genesis(), ours, 1);
    b.chain.extend(b.chain.genesis(), ours + 1000, 2);
    net.connect(a, b);
    net.run();
    EXPECT_EQ(a.chain.head(), b.chain.head()) << ours;
    EXPECT_TRUE(a.blamed.empty());
    EXPECT_LE(a.engine.counters().headers_received, 4 * (ours + 1000));
  }
}

TEST(Engine, ABranchThatDoesNotWinIsFetchedToo) {
  Net net;
  Node& a = net.add_node();
  Node& b = net.add_node();
  const auto fork = a.chain.extend(a.chain.genesis(), 10);
  b.chain.extend(b.chain.genesis(), 10);
  a.chain.extend(fork, 5);
  b.chain.extend(fork, 5);
  net.connect(a, b);
  net.run();
  const auto side = a.chain.extend(fork, 3, 9);
  net.announce(a, side, false);
  net.run();
  EXPECT_TRUE(b.chain.find(side.hash).has_value());
  EXPECT_EQ(b.chain.head(), a.chain.head());
}

TEST(Engine, ASilentPeerIsReplacedAndDropped) {
  Net net;
  Node& fresh = net.add_node();
  TestChain chain;
  chain.extend(chain.genesis(), 1000);
  net.connect(fresh, silent(), chain.head());
  net.connect(fresh, server_of(chain), chain.head());
  net.run();
  EXPECT_EQ(fresh.chain.head(), chain.head());
  EXPECT_GT(fresh.engine.counters().timeouts, 0U);
}

// Nobody announces a block twice: one that was dropped for a late answer would be missing until the
// next. (The simulator found it: first-light, a peer behind a partition that had just healed.)
TEST(Engine, ATargetWhoseRequestTimedOutIsAskedForAgain) {
  TestChain chain;
  chain.extend(chain.genesis(), 3);
  Net net;
  Node& fresh = net.add_node();
  std::size_t lost = 0;
  const Puppet slow = [&](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    if (lost + 1 < kMaxConsecutiveFailures) {
      ++lost;
      return {};
    }
    return {encode(serve_headers(chain, *decode_get_headers(payload)))};
  };
  net.connect(fresh, slow, chain.head());
  net.run();
  EXPECT_EQ(fresh.engine.counters().timeouts, kMaxConsecutiveFailures - 1);
  EXPECT_EQ(fresh.chain.head(), chain.head());
  EXPECT_TRUE(fresh.blamed.empty());
}

TEST(Engine, ATargetWhoseRequestTimedOutIsAskedOfAnotherFirst) {
  TestChain chain;
  chain.extend(chain.genesis(), 3);
  Net net;
  Node& fresh = net.add_node();
  net.connect(fresh, silent(), chain.head());
  net.connect(fresh, server_of(chain), chain.head());
  net.run(kRequestTimeout + milliseconds(100));
  EXPECT_EQ(fresh.chain.head(), chain.head());
  EXPECT_EQ(fresh.engine.counters().timeouts, 1U);
}

TEST(Engine, SyncGoesOnWhileOneHonestPeerServes) {
  TestChain chain;
  chain.extend(chain.genesis(), 2000);
  Net net;
  Node& fresh = net.add_node();
  // One header an answer (a tar pit), headers that do not link, nothing at all.
  const Puppet tar_pit = [&chain](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    auto request = *decode_get_headers(payload);
    request.amount = std::min<std::uint64_t>(request.amount, 1);
    return {encode(serve_headers(chain, request))};
  };
  const Puppet liar = [&chain](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    Headers response = serve_headers(chain, *decode_get_headers(payload));
    if (response.items.size() > 2) std::swap(response.items[0], response.items[1]);
    return {encode(response)};
  };
  for (int i = 0; i < 3; ++i) {
    net.connect(fresh, tar_pit, chain.head());
    net.connect(fresh, liar, chain.head());
    net.connect(fresh, silent(), chain.head());
  }
  net.connect(fresh, server_of(chain), chain.head());
  net.run(seconds(600));
  EXPECT_EQ(fresh.chain.head(), chain.head());
  EXPECT_THAT(fresh.blamed, ::testing::Contains(Misbehaviour::unlinked_headers));
}

TEST(Engine, AClosedSessionReleasesItsWork) {
  TestChain chain;
  chain.extend(chain.genesis(), 1000);
  Net net;
  Node& fresh = net.add_node();
  const auto dead = net.connect(fresh, silent(), chain.head());
  net.run(milliseconds(100));
  net.close(dead);
  EXPECT_TRUE(fresh.engine.next_deadline().is_never());
  EXPECT_EQ(fresh.engine.peer_count(), 0U);
  net.connect(fresh, server_of(chain), chain.head());
  net.run();
  EXPECT_EQ(fresh.chain.head(), chain.head());
}

TEST(Engine, MalformedMessagesAndForeignChainsEndTheSession) {
  Net net;
  Node& node = net.add_node();
  const auto one = net.connect(node, silent(), node.chain.head());
  node.engine.handle_message(net.now(), one, Bytes{std::byte{0x77}});
  const auto two = net.connect(node, silent(), node.chain.head());
  node.engine.handle_message(net.now(), two, encode(Status{}));
  net.run(milliseconds(10));
  EXPECT_EQ(node.blamed,
            (std::vector{Misbehaviour::malformed_message, Misbehaviour::wrong_genesis}));
}

TEST(Engine, AFloodOfRequestsIsBoundedAndCondemned) {
  Net net;
  Node& node = net.add_node();
  node.chain.extend(node.chain.genesis(), 1024);
  const auto handle = net.connect(node, silent(), node.chain.genesis());
  net.run(milliseconds(10));
  // The session refuses everything: its budget is used up.
  node.engine.handle_send_refused(net.now(), {handle, Priority::bulk, Bytes(1)});
  const GetHeaders request{1, {node.chain.genesis().hash}, 1024, 0, false};
  for (std::size_t i = 0; i < 1000; ++i) {
    node.engine.handle_message(net.now(), handle, encode(request));
  }
  EXPECT_LE(node.engine.counters().requests_served, kMaxQueuedResponses);
  net.run(milliseconds(10));
  EXPECT_EQ(node.blamed, std::vector{Misbehaviour::too_many_requests});
}

TEST(Engine, ARefusedMessageIsKeptInItsPlace) {
  Net net;
  Node& node = net.add_node();
  const SessionHandle handle{77, 1};
  node.engine.handle_session_opened(net.now(), handle, node.chain.head());
  auto status = node.engine.poll_outgoing();
  ASSERT_TRUE(status);
  const Bytes payload = status->payload;
  node.engine.handle_send_refused(net.now(), std::move(*status));
  EXPECT_FALSE(node.engine.poll_outgoing());
  node.engine.handle_writable(net.now(), handle);
  status = node.engine.poll_outgoing();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->payload, payload);
}

}  // namespace
}  // namespace ethnet::mini_sync
