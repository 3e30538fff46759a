// What a hostile peer sends in place of an answer, and branches that lead nowhere
// (docs/THREATS.md).
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine.hpp"
#include "test_net.hpp"

namespace ethnet::mini_sync {
namespace {

using namespace testing;
using ::testing::ElementsAre;

// A block announced by an honest peer still arrives, asked for or not.
void expect_that_an_honest_peer_serves(Net& net, Node& node) {
  TestChain honest;
  honest.extend(honest.genesis(), node.chain.head().number + 3, 77);
  net.connect(node, server_of(honest), honest.head());
  net.run();
  EXPECT_EQ(node.chain.head(), honest.head());
}

// Headers that do not decode, so that whoever decodes them says so.
Headers broken_headers(std::uint64_t request_id, std::size_t count) {
  return {request_id, std::vector<HeaderItem>(count, {Bytes(3, std::byte{0x01}), Bytes(9)})};
}

// Answers each of our requests by what `answer` makes of it.
Puppet answering(std::function<Headers(const GetHeaders&)> make) {
  return [answer = std::move(make)](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    return {encode(answer(*decode_get_headers(payload)))};
  };
}

TEST(EngineAttacks, atk_49_AnAnswerThatNobodyAskedForEndsTheSessionUndecoded) {
  ASSERT_FALSE(decode_headers(encode(broken_headers(1, 1)), 9).has_value());
  Net net;
  Node& node = net.add_node();
  TestChain chain;
  chain.extend(chain.genesis(), 5);
  // Request 1 is out to the first; the second, who was asked nothing, answers it.
  net.connect(node, silent(), chain.head());
  const auto other = net.connect(node, silent(), node.chain.head());
  net.run(milliseconds(20));
  ASSERT_EQ(node.engine.counters().requests_sent, 1U);
  node.engine.handle_message(net.now(), other, encode(broken_headers(1, 1)));
  net.run(milliseconds(20));
  EXPECT_THAT(node.blamed, ElementsAre(Misbehaviour::unsolicited_response));
  EXPECT_EQ(node.engine.counters().answers_decoded, 0U);
  EXPECT_EQ(node.engine.peer_count(), 1U);
  expect_that_an_honest_peer_serves(net, node);
}

TEST(EngineAttacks, atk_49_AnAnswerWithAnotherIdEndsTheSessionUndecoded) {
  Net net;
  Node& node = net.add_node();
  TestChain chain;
  chain.extend(chain.genesis(), 5);
  net.connect(node, answering([](const GetHeaders& request) {
                return broken_headers(request.request_id + 1, 1);
              }),
              chain.head());
  net.run(milliseconds(50));
  EXPECT_THAT(node.blamed, ElementsAre(Misbehaviour::unsolicited_response));
  EXPECT_EQ(node.engine.counters().answers_decoded, 0U);
  EXPECT_EQ(node.engine.peer_count(), 0U);
  expect_that_an_honest_peer_serves(net, node);
}

TEST(EngineAttacks, atk_49_AnAnswerTwiceEndsTheSessionAndIsDecodedOnce) {
  Net net;
  Node& node = net.add_node();
  TestChain chain;
  chain.extend(chain.genesis(), 5);
  net.connect(
      node,
      [&chain](ByteView payload) -> std::vector<Bytes> {
        if (*peek_code(payload) != Code::get_headers) return {};
        const GetHeaders request = *decode_get_headers(payload);
        return {encode(serve_headers(chain, request)),
                encode(broken_headers(request.request_id, 1))};
      },
      chain.head());
  net.run(milliseconds(50));
  EXPECT_THAT(node.blamed, ElementsAre(Misbehaviour::unsolicited_response));
  EXPECT_EQ(node.engine.counters().answers_decoded, 1U);
  expect_that_an_honest_peer_serves(net, node);
}

TEST(EngineAttacks, atk_49_MoreHeadersThanAskedForEndTheSessionUndecoded) {
  Net net;
  Node& node = net.add_node();
  TestChain chain;
  chain.extend(chain.genesis(), 100);
  net.connect(node, answering([](const GetHeaders& request) {
                return broken_headers(request.request_id,
                                      static_cast<std::size_t>(request.amount) + 1);
              }),
              chain.head());
  net.run(milliseconds(50));
  EXPECT_THAT(node.blamed, ElementsAre(Misbehaviour::oversized_response));
  EXPECT_EQ(node.engine.counters().answers_decoded, 0U);
  expect_that_an_honest_peer_serves(net, node);
}

TEST(EngineAttacks, atk_49_MoreBytesThanAnyAnswerHasEndTheSessionUndecoded) {
  Net net;
  Node& node = net.add_node();
  TestChain chain;
  chain.extend(chain.genesis(), 100);
  net.connect(node, answering([](const GetHeaders& request) {
                return Headers{request.request_id, {{Bytes(kMaxResponsePayload), {}}}};
              }),
              chain.head());
  net.run(milliseconds(50));
  EXPECT_THAT(node.blamed, ElementsAre(Misbehaviour::malformed_message));
  EXPECT_EQ(node.engine.counters().answers_decoded, 0U);
  expect_that_an_honest_peer_serves(net, node);
}

// 18,000 headers here; 100,000 with ETHNET_FULL_ATTACKS set.
std::uint64_t side_branch_length() {
  return std::getenv("ETHNET_FULL_ATTACKS") != nullptr ? 100'000 : 18'000;
}

TEST(EngineAttacks, atk_56_WhoGivesALongBranchThatEndsBelowOurHeadIsDropped) {
  Net net;
  Node& node = net.add_node();
  const auto head = node.chain.extend(node.chain.genesis(), side_branch_length() + 5, 1);
  TestChain side;
  side.extend(side.genesis(), side_branch_length(), 2);
  net.connect(node, server_of(side), side.head());
  net.run();
  EXPECT_THAT(node.blamed, ElementsAre(Misbehaviour::side_headers));
  EXPECT_EQ(node.engine.peer_count(), 0U);
  EXPECT_EQ(node.chain.head(), head);
  EXPECT_LE(node.imported.size(), kMaxSideHeaders);
  EXPECT_GT(node.imported.size(), kMaxSideHeaders / 2) << "the limit was not what stopped it";
  EXPECT_FALSE(node.chain.find(side.head().hash).has_value());
  expect_that_an_honest_peer_serves(net, node);
}

// It claims a block that nobody has, above our head: its headers may win, but not for ever.
TEST(EngineAttacks, atk_56_AClaimThatItsBranchWillWinDoesNotBuyTheNextOneAnything) {
  Net net;
  Node& node = net.add_node();
  const auto head = node.chain.extend(node.chain.genesis(), kMaxSideHeaders + 2000, 1);
  TestChain side;
  const auto side_head = side.extend(side.genesis(), kMaxSideHeaders - 1000, 2);
  const auto fork = side.extend(side.genesis(), 3000, 3);
  constexpr std::uint64_t kClaimed = 1000;  // above our head: a skeleton is asked for
  // Served forwards it is a branch like any other; then a second one, which claims nothing.
  const auto liar =
      net.connect(node, server_of(side), {Hash32{{std::byte{0xcc}}}, head.number + kClaimed});
  net.run(seconds(2));
  ASSERT_GE(node.imported.size() + kSegmentHeaders, side_head.number);
  ASSERT_TRUE(node.blamed.empty());
  node.engine.handle_message(net.now(), liar, encode(NewBlockHashes{{fork}}));
  net.run();
  EXPECT_THAT(node.blamed, ElementsAre(Misbehaviour::side_headers));
  EXPECT_EQ(node.chain.head(), head);
}

// What a peer gives and what wins is not held against it, however often.
TEST(EngineAttacks, ABranchThatWinsIsForgottenInTheAccountOfSideHeaders) {
  Net net;
  Node& node = net.add_node();
  TestChain peer;
  const auto session = net.connect(node, server_of(peer), peer.genesis());
  net.run(milliseconds(50));
  constexpr std::uint64_t kDepth = 3000;
  chain::BlockRef base = peer.genesis();
  for (std::uint64_t round = 0; round * kDepth <= kMaxSideHeaders + kDepth; ++round) {
    const auto tag = static_cast<std::uint8_t>(round % 250);
    chain::BlockRef ours{node.chain.head()};
    ASSERT_EQ(ours, base);
    node.chain.extend(ours, kDepth, static_cast<std::uint8_t>(tag + 1));
    base = peer.extend(base, kDepth + 1, tag);
    node.engine.handle_message(net.now(), session, encode(NewBlockHashes{{base}}));
    net.run();
    ASSERT_EQ(node.chain.head(), base) << "round " << round;
  }
  EXPECT_TRUE(node.blamed.empty());
}

}  // namespace
}  // namespace ethnet::mini_sync
