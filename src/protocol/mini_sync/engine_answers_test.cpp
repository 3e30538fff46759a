// Answers that no honest peer gives: each header is well formed, together they are no chain, or not
// what was asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine.hpp"
#include "test_net.hpp"

namespace ethnet::mini_sync {
namespace {

using namespace testing;
using ::testing::ElementsAre;

// Each the parent of the next by its hash, whatever the numbers.
std::vector<CheckedHeader> linked(Hash32 parent, const std::vector<std::uint64_t>& numbers) {
  std::vector<CheckedHeader> out;
  for (const std::uint64_t number : numbers) {
    out.push_back(make_header(parent, number, 0x55));
    parent = out.back().block.hash;
  }
  return out;
}

// What the liar answers to its n-th request: these headers, in this order.
using Answers = std::function<std::vector<CheckedHeader>(const GetHeaders&, std::size_t n)>;

Puppet giving(Answers make) {
  return [answers = std::move(make),
          n = std::size_t{0}](ByteView payload) mutable -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    const GetHeaders request = *decode_get_headers(payload);
    Headers message{request.request_id, {}};
    for (CheckedHeader& header : answers(request, n))
      message.items.push_back(std::move(header.item));
    ++n;
    return {encode(message)};
  };
}

std::vector<CheckedHeader> newest_first(std::vector<CheckedHeader> headers) {
  std::ranges::reverse(headers);
  return headers;
}

// `announced` by a liar, who is asked `requests` times, ends its session as `expected`.
void expect_blame(const Answers& answers, const chain::BlockRef& announced, std::size_t requests,
                  Misbehaviour expected = Misbehaviour::unlinked_headers) {
  Net net;
  Node& node = net.add_node();
  net.connect(node, giving(answers), announced);
  net.run();
  EXPECT_THAT(node.blamed, ElementsAre(expected));
  EXPECT_EQ(node.engine.counters().requests_sent, requests);
  EXPECT_EQ(node.engine.peer_count(), 0U);
  EXPECT_TRUE(node.imported.empty());
}

TEST(EngineAnswers, ABranchWhoseNumbersJumpIsRefused) {
  const auto headers = linked(TestChain{}.genesis().hash, {1, 2, 9, 10});
  expect_blame([&](auto&, auto) { return newest_first(headers); }, headers.back().block, 1);
}

TEST(EngineAnswers, ABranchThatDoesNotHaveTheAnnouncedHeightIsRefused) {
  const auto headers = linked(TestChain{}.genesis().hash, {1, 2, 3});
  chain::BlockRef announced = headers.back().block;
  ++announced.number;
  expect_blame([&](auto&, auto) { return newest_first(headers); }, announced, 1);
}

TEST(EngineAnswers, ABranchWhoseNumbersJumpBetweenTwoAnswersIsRefused) {
  const auto headers = linked(TestChain{}.genesis().hash, {1, 7, 5});
  expect_blame([&](auto&, std::size_t n) { return std::vector{headers.at(2 - n)}; },
               headers.back().block, 2);
}

// It is walked down to its own genesis, and then asked for what follows a block of ours.
TEST(EngineAnswers, ABranchOfAnotherGenesisIsRefused) {
  const auto headers = linked(Hash32{}, {0, 1, 2, 3});
  expect_blame(
      [&](const GetHeaders& request, auto) {
        return request.reverse ? newest_first(headers)
                               : std::vector(headers.begin() + 1, headers.end());
      },
      headers.back().block, 2);
}

TEST(EngineAnswers, WhatFollowsABlockOfOursAndDoesNotLinkIsRefused) {
  const Hash32 genesis = TestChain{}.genesis().hash;
  const auto foreign = linked(Hash32{}, {0, 1, 2, 3});
  auto gap = linked(genesis, {1, 2, 3});
  gap.erase(gap.begin() + 1);
  for (const auto& forward : {linked(genesis, {1, 2, 4}), gap, linked(genesis, {2, 3})}) {
    expect_blame([&](const GetHeaders& request,
                     auto) { return request.reverse ? newest_first(foreign) : forward; },
                 foreign.back().block, 2);
  }
}

// What it says never comes to what it announced: the target is given up, not asked for for ever.
TEST(EngineAnswers, WhoRepeatsWhatWeKnowIsAskedNoFurther) {
  const auto foreign = linked(Hash32{}, {0, 1, 2, 3});
  Net net;
  Node& node = net.add_node();
  const auto known = linked(node.chain.genesis().hash, {1, 2});
  for (const CheckedHeader& header : known) ASSERT_TRUE(node.chain.import(header));
  net.connect(node, giving([&](const GetHeaders& request, auto) {
                return request.reverse ? newest_first(foreign) : known;
              }),
              foreign.back().block);
  net.run();
  // Down to its genesis, up to our head, and once more.
  EXPECT_EQ(node.engine.counters().requests_sent, 3U);
  EXPECT_TRUE(node.blamed.empty());
  EXPECT_TRUE(node.imported.empty());
}

TEST(EngineAnswers, MarksThatAreNotOneSegmentApartAreRefused) {
  const auto mark = [](std::uint64_t number) { return make_header(Hash32{}, number, 0x55); };
  const chain::BlockRef announced = mark(5 * kSegmentHeaders).block;
  const Answers wrong_step = [&](auto&, auto) {
    return std::vector{mark(kSegmentHeaders), mark(3 * kSegmentHeaders)};
  };
  expect_blame(wrong_step, announced, 1);
  expect_blame([&](auto&, auto) { return std::vector{mark(kSegmentHeaders + 1)}; }, announced, 1);
}

TEST(EngineAnswers, AnAnswerThatIsNoHeadersIsMalformed) {
  const auto headers = linked(TestChain{}.genesis().hash, {1});
  auto no_header = headers;
  no_header[0].item.header = Bytes{std::byte{0xc0}};
  auto half_signed = headers;
  half_signed[0].item.signature = Bytes(kSignatureBytes - 1);
  for (const auto& answer : {no_header, half_signed}) {
    expect_blame([&](auto&, auto) { return answer; }, headers[0].block, 1,
                 Misbehaviour::malformed_message);
  }
}

TEST(EngineAnswers, EveryMessageThatIsCutShortIsMalformed) {
  TestChain chain;
  const CheckedHeader header = make_header(chain.genesis().hash, 1);
  const Bytes no_header{std::byte{0xc0}};
  std::vector<Bytes> messages{
      encode(Status{chain.genesis().hash, header.block, 0}),
      encode(GetHeaders{1, {chain.genesis().hash}, 1, 0, false}),
      encode(Headers{1, {header.item}}),
      encode(NewBlockHashes{{header.block}}),
      encode(NewBlock{header.item}),
      encode(NewBlock{{no_header, {}}}),
  };
  for (Bytes& message : messages) {
    if (&message != &messages.back()) message.pop_back();
    Net net;
    Node& node = net.add_node();
    const auto handle = net.connect(node, silent(), node.chain.genesis());
    node.engine.handle_message(net.now(), handle, message);
    net.run(milliseconds(10));
    EXPECT_THAT(node.blamed, ElementsAre(Misbehaviour::malformed_message)) << to_hex(message);
    EXPECT_EQ(node.engine.counters().requests_served, 0U);
    EXPECT_TRUE(node.imported.empty());
  }
}

}  // namespace
}  // namespace ethnet::mini_sync
