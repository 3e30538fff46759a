// What the path of an ordinary packet allocates: nothing, from the datagram to the message and back
// (OpenSSL's allocations count too). What a session and a challenge cost.
#include <iostream>

#include <gtest/gtest.h>
#include <tests/support/counting_allocator/counting_allocator.hpp>

#include "../testing/rig.hpp"
#include "sessions.hpp"

namespace ethnet::discv5 {
namespace {

using namespace testing;
using ethnet::testing::AllocationMeter;

TEST(SessionMemory, AnOrdinaryPacketAllocatesNothingEitherWay) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  ASSERT_TRUE(connect(now, a, b));
  ByteArray<40> plain{};
  const AllocationMeter meter;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const Message ping = Ping{RequestId::of(i), i};
    const auto written = encode_message(ping, plain);
    if (!written) FAIL();
    const auto sealed = a.sessions.seal(b.peer(), ByteView{plain}.first(*written), a.out);
    if (!sealed) FAIL();
    const auto received = b.take(now, a.place, ByteView{a.out}.first(sealed->size));
    const auto* message = as<MessageReceived>(received);
    if (message == nullptr) FAIL();
    const auto decoded = decode_message(message->plain);
    if (!decoded || *decoded != ping) FAIL();
  }
  EXPECT_EQ(meter.allocations(), 0U);
}

TEST(SessionMemory, EveryKindOfMessageIsReadAndWrittenWithoutAllocating) {
  FindNode findnode{.request_id = RequestId::of(1), .distances = {}};
  for (std::uint16_t i = 0; i < 257; ++i) findnode.distances.push_back(i);
  Nodes nodes{.request_id = RequestId::of(2), .total = 1, .records = {}};
  const EnrPtr record = record_of(1);
  for (int i = 0; i < 8; ++i) nodes.records.push_back(record->record().encoded());
  const Bytes text(500, std::byte{9});
  const std::vector<Message> messages{Pong{RequestId::of(3), 1, place_of(1)}, findnode, nodes,
                                      TalkReq{RequestId::of(4), text, text},
                                      TalkResp{RequestId::of(5), text}};
  PacketBuffer plain{};
  for (const Message& message : messages) {
    const AllocationMeter meter;
    const auto size = encode_message(message, plain);
    ASSERT_TRUE(size.has_value());
    const auto decoded = decode_message(ByteView{plain}.first(*size));
    EXPECT_TRUE(decoded.has_value() && *decoded == message);
    EXPECT_EQ(meter.allocations(), 0U) << message.index();
  }
}

TEST(SessionMemory, AnUnreadablePacketOfAKnownPeerAllocatesNothingAndItsRepeatedChallengeNeither) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  ASSERT_TRUE(connect(now, a, b));
  const Bytes packet = random_packet(a, b);
  ASSERT_FALSE(challenge_for(now, b, a.place, packet).empty());
  const AllocationMeter meter;
  for (int i = 0; i < 100; ++i) {
    const auto received = b.take(now, a.place, packet);
    const auto* unreadable = as<Unreadable>(received);
    if (unreadable == nullptr) FAIL();
    (void)b.sessions.make_challenge(now, *unreadable, nullptr, b.out);
  }
  EXPECT_EQ(meter.allocations(), 0U);
  EXPECT_EQ(b.sessions.counters().challenges_repeated, 100U);
}

// The figures that limits.hpp names.
TEST(SessionMemory, ASessionAndAChallengeCostWhatTheLimitsSay) {
  Node node{1};
  Node peer{2};
  const Now now = at(seconds(0));
  ASSERT_TRUE(connect(now, peer, node));  // what libraries set up once
  constexpr std::uint64_t kMany = 200;
  const AllocationMeter of_challenges;
  for (std::uint64_t i = 0; i < kMany; ++i) {
    PacketBuffer& out = node.out;
    (void)node.sessions.make_challenge(now, {{peer.sessions.self(), place_of(i)}, {}}, nullptr,
                                       out);
  }
  EXPECT_LE(of_challenges.growth(), static_cast<std::int64_t>(kMany * 350));
  const auto bytes_of_challenges = static_cast<std::uint64_t>(of_challenges.growth());
  node.sessions.handle_deadline(at(seconds(2)));

  const AllocationMeter of_sessions;
  ChallengeData data{};
  const ChallengeReceived challenge{place_of(0), {}, {}, data};
  for (std::uint64_t i = 0; i < kMany; ++i) {
    const auto sealed = node.sessions.answer_challenge({peer.sessions.self(), place_of(i)},
                                                       peer.public_key(), challenge, {}, node.out);
    ASSERT_TRUE(sealed.has_value());
  }
  EXPECT_LE(of_sessions.growth(), static_cast<std::int64_t>(kMany * 320));
  std::cout << "bytes of a challenge: " << bytes_of_challenges / kMany
            << ", of a session: " << of_sessions.growth() / static_cast<std::int64_t>(kMany)
            << "\n";
}

}  // namespace
}  // namespace ethnet::discv5
