// What the engine serves and asks for where the node's bandwidth is limited.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine.hpp"
#include "test_net.hpp"

namespace ethnet::mini_sync {
namespace {

using namespace testing;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A peer that says nothing by itself and remembers what it was sent.
struct Listener {
  std::vector<Status> statuses;
  std::vector<Headers> answers;
  std::vector<GetHeaders> requests;

  Puppet puppet() {
    return [this](ByteView payload) -> std::vector<Bytes> {
      if (const auto status = decode_status(payload)) statuses.push_back(*status);
      if (auto answer = decode_headers(payload, kMaxHeadersPerResponse)) {
        answers.push_back(*std::move(answer));
      }
      if (auto request = decode_get_headers(payload)) requests.push_back(*std::move(request));
      return {};
    };
  }
};

class Bandwidth : public ::testing::Test {
 protected:
  Bandwidth() { node.chain.extend(node.chain.genesis(), kHeight); }

  SessionHandle add(Listener& listener, bool favoured = false) {
    const SessionHandle handle = net.connect(node, listener.puppet(), node.chain.genesis());
    if (favoured) {
      node.engine.handle_session_closed(net.now(), handle);
      node.engine.handle_session_opened(net.now(), handle, node.chain.genesis(), {}, true);
    }
    net.run(milliseconds(20));
    return handle;
  }
  // From the block at `number` downwards.
  const Headers& ask(Listener& listener, SessionHandle peer, std::uint64_t number,
                     std::uint64_t amount) {
    node.engine.handle_message(
        net.now(), peer,
        encode(GetHeaders{++id, {*node.chain.canonical_hash(number)}, amount, 0, true}));
    net.run(milliseconds(20));
    CHECK(!listener.answers.empty() && listener.answers.back().request_id == id);
    return listener.answers.back();
  }

  static constexpr std::uint64_t kHeight = 1'000;
  static constexpr std::uint64_t kFloor = kHeight - kServedNearHead;
  Net net;
  Node& node = net.add_node();
  std::uint64_t id = 0;
};

TEST_F(Bandwidth, WhenTheDayIsUsedUpPeersAreToldAndServedNearTheHeadAlone) {
  Listener peer;
  const SessionHandle handle = add(peer);
  EXPECT_EQ(peer.statuses.back().earliest, 0U);
  node.engine.set_serving({.near_head_only = true});
  net.run(milliseconds(20));
  ASSERT_THAT(peer.statuses, SizeIs(2));
  EXPECT_EQ(peer.statuses.back().earliest, kFloor);
  EXPECT_THAT(ask(peer, handle, kFloor + 2, 100).items, SizeIs(3));  // down to the floor
  EXPECT_THAT(ask(peer, handle, kFloor - 1, 100).items, IsEmpty());
  EXPECT_LT(ask(peer, handle, kHeight, 100).items.size(), 10U);
  EXPECT_GE(ask(peer, handle, kHeight, 100).items.size(), 1U);
  node.engine.set_serving({});
  net.run(milliseconds(20));
  ASSERT_THAT(peer.statuses, SizeIs(3));
  EXPECT_EQ(peer.statuses.back().earliest, 0U);
  EXPECT_THAT(ask(peer, handle, kHeight, 100).items, SizeIs(100));
}

TEST_F(Bandwidth, WhoIsFavouredIsServedWhateverTheDayHasUsedUp) {
  Listener peer;
  const SessionHandle handle = add(peer, true);
  node.engine.set_serving({.near_head_only = true});
  net.run(milliseconds(20));
  for (const Status& status : peer.statuses) EXPECT_EQ(status.earliest, 0U);
  EXPECT_THAT(ask(peer, handle, kHeight, 900).items, SizeIs(900));
}

TEST_F(Bandwidth, NearTheHeadAPeerGetsSoManyAnswersInATime) {
  Listener peer;
  const SessionHandle handle = add(peer);
  node.engine.set_serving({.near_head_only = true});
  for (std::int64_t i = 0; i < kNearHeadBurst; ++i) {
    EXPECT_THAT(ask(peer, handle, kHeight, 1).items, SizeIs(1));
  }
  EXPECT_THAT(ask(peer, handle, kHeight, 1).items, IsEmpty());
  EXPECT_EQ(node.engine.counters().refused_near_head, 1U);
  EXPECT_THAT(node.blamed, IsEmpty());
}

TEST_F(Bandwidth, AnswersUnderWayShareASecondOfTheRate) {
  constexpr std::uint64_t kRate = 64'000;
  node.engine.set_serving({.bytes_per_second = kRate});
  std::array<Listener, 4> peers;
  std::vector<SessionHandle> handles;
  for (Listener& peer : peers) handles.push_back(add(peer));
  const std::size_t alone = encode(ask(peers[0], handles[0], kHeight, 1'000)).size();
  EXPECT_LE(alone, kRate);
  EXPECT_GE(alone, kRate * 8 / 10);  // each is counted with a signature
  for (std::size_t i = 1; i < 4; ++i) (void)ask(peers[i], handles[i], kHeight, 1'000);
  const std::size_t shared = encode(ask(peers[0], handles[0], kHeight, 1'000)).size();
  EXPECT_LE(shared, kRate / 4);
  EXPECT_GE(shared, kRate / 4 * 8 / 10);
}

TEST_F(Bandwidth, WhatIsAskedForAtATimeKeepsToTheDownloadLimit) {
  Node& fresh = net.add_node();
  constexpr std::uint64_t kRate = 32 * 1'024;
  fresh.engine.set_asking(kRate);
  std::array<Listener, 20> peers;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const auto head = make_header(Hash32{}, 300, static_cast<std::uint8_t>(i + 1)).block;
    (void)net.connect(fresh, peers[i].puppet(), head);
  }
  net.run(milliseconds(20));
  std::size_t asked = 0;
  std::uint64_t headers = 0;
  for (const Listener& peer : peers) {
    asked += peer.requests.size();
    for (const GetHeaders& request : peer.requests) headers += request.amount;
  }
  EXPECT_GE(asked, 2U);
  EXPECT_LT(asked, peers.size());
  EXPECT_LE(headers * kHeaderBytes, 2 * kRate);
}

}  // namespace
}  // namespace ethnet::mini_sync
