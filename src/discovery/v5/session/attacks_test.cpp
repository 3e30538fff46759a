// Attacks on the sessions of discv5 (docs/THREATS.md), at a scale that ASan affords; at that of the
// attack with ETHNET_FULL_ATTACKS=1 in a release build.
#include <cstdlib>

#include <gtest/gtest.h>
#include <tests/support/counting_allocator/counting_allocator.hpp>

#include "../testing/rig.hpp"
#include "sessions.hpp"

namespace ethnet::discv5 {
namespace {

using namespace testing;
using ethnet::testing::AllocationMeter;

std::uint64_t count(std::uint64_t share, std::uint64_t full) {
  return std::getenv("ETHNET_FULL_ATTACKS") != nullptr ? full : share;
}

// What a node sends back for a datagram: a WHOAREYOU or nothing.
std::size_t answer(Node& node, Now now, const Endpoint& from, ByteView datagram) {
  const auto received = node.take(now, from, datagram);
  const auto* unreadable = as<Unreadable>(received);
  if (unreadable == nullptr) return 0;
  return node.sessions.make_challenge(now, *unreadable, nullptr, node.out);
}

TEST(SessionAttacks, atk_27_RandomDatagramsAreRefusedWithoutAnAllocation) {
  Node node{1};
  TestRng rng{2};
  Prng prng{3};
  ByteArray<1500> datagram{};
  rng.fill(datagram);
  const std::uint64_t datagrams = count(200'000, 10'000'000);
  (void)answer(node, at(seconds(0)), place_of(5), datagram);
  std::uint64_t answers = 0;
  const AllocationMeter meter;
  for (std::uint64_t i = 0; i < datagrams; ++i) {
    store_be<std::uint64_t>(MutByteView{datagram}.subspan(prng.below(60), 8), prng.next());
    const ByteView some = ByteView{datagram}.first(prng.below(1501));
    answers += answer(node, at(microseconds(static_cast<std::int64_t>(i))), place_of(5), some);
  }
  EXPECT_EQ(meter.allocations(), 0U);
  EXPECT_EQ(answers, 0U);
  const auto& counters = node.sessions.counters();
  EXPECT_EQ(counters.refused(Discv5Error::packet_too_small) +
                counters.refused(Discv5Error::packet_too_large) +
                counters.refused(Discv5Error::wrong_protocol_id),
            datagrams + 1);
}

// Headers that are masked for us, with anything in them: what passes is answered by a challenge of
// 63 bytes or not at all.
TEST(SessionAttacks, atk_27_AnyHeaderForUsIsAnsweredByAChallengeOrNothing) {
  Node node{1};
  TestRng rng{2};
  Prng prng{3};
  PacketBuffer buffer{};
  const std::uint64_t packets = count(20'000, 1'000'000);
  std::uint64_t challenges = 0;
  for (std::uint64_t i = 0; i < packets; ++i) {
    Header header;
    rng.fill(header.nonce);
    NodeId source;
    rng.fill(source.bytes);
    if (prng.below(2) == 0) {
      header.authdata = Ordinary{source};
    } else {
      Handshake handshake{.source = source};
      rng.fill(handshake.ephemeral_key);
      header.authdata = handshake;
    }
    const std::size_t size = write_header(header, buffer).size() + prng.below(100);
    Bytes packet = to_bytes(ByteView{buffer}.first(size));
    if (prng.below(3) == 0) {
      packet[prng.below(packet.size())] = static_cast<std::byte>(prng.next());
    }
    const Bytes datagram = masked(node.sessions.self(), packet);
    const Now now = at(microseconds(static_cast<std::int64_t>(i)));
    const std::size_t answered = answer(node, now, place_of(i), datagram);
    ASSERT_TRUE(answered == 0 || answered == kWhoareyouBytes);
    ASSERT_LE(answered, datagram.size());
    challenges += answered == 0 ? 0 : 1;
  }
  EXPECT_GT(challenges, packets / 10);
  EXPECT_LE(node.sessions.challenges(), kMaxPendingChallenges);
  EXPECT_EQ(node.sessions.sessions(), 0U);
}

TEST(SessionAttacks, atk_28_NothingIsSentToTheUnprovenThatIsLargerThanWhatCame) {
  Node node{1};
  Node probe{2};
  for (std::size_t size = 63; size <= 1280; ++size) {
    PacketCodec codec;
    const Header header{.nonce = {}, .authdata = Ordinary{id_of(size)}};
    if (size < 71) {
      EXPECT_EQ(answer(node, at(seconds(0)), place_of(size), Bytes(size)), 0U);
      continue;
    }
    const auto sent = codec.encode_raw(node.sessions.self(), header, Bytes(size - 71), probe.out);
    ASSERT_EQ(sent, size);
    const std::size_t answered = answer(node, at(seconds(0)), place_of(size), probe.sent(size));
    EXPECT_LE(answered, size);
    EXPECT_EQ(answered, size < 71 + 16 ? 0U : kWhoareyouBytes);
  }
}

TEST(SessionAttacks, atk_28_AFloodUnderForgedAddressesKeepsABoundedNumberOfChallenges) {
  SessionLimits limits;
  limits.challenges = count(500, kMaxPendingChallenges);
  Node node{1, limits};
  Node honest{2};
  Node probe{3};
  PacketCodec codec;
  const std::uint64_t sources = count(20'000, 1'000'000);
  const auto flood = [&](std::uint64_t i, Now now) {
    Header header{.nonce = {}, .authdata = Ordinary{probe.sessions.self()}};
    const auto sent = codec.encode_raw(node.sessions.self(), header, ByteArray<16>{}, probe.out);
    return answer(node, now, place_of(i), ByteView{probe.out}.first(sent.value()));
  };
  for (std::uint64_t i = 0; i < limits.challenges; ++i) (void)flood(i, at(seconds(0)));
  const AllocationMeter meter;
  for (std::uint64_t i = limits.challenges; i < sources; ++i) {
    ASSERT_EQ(flood(i, at(seconds(0))), kWhoareyouBytes);
  }
  EXPECT_EQ(meter.allocations(), 0U);
  EXPECT_EQ(node.sessions.challenges(), limits.challenges);
  EXPECT_EQ(node.sessions.counters().challenges_dropped, sources - limits.challenges);
  // An honest peer whose round trip is shorter than the flood needs to fill the table.
  const Now now = at(milliseconds(1));
  const Bytes challenge = challenge_for(now, node, honest.place, random_packet(honest, node));
  for (std::uint64_t i = 0; i + 1 < limits.challenges; ++i) (void)flood(sources + i, now);
  const Bytes handshake = handshake_for(now, honest, node, challenge, text_bytes("hello"));
  EXPECT_NE(as<MessageReceived>(node.take(now, honest.place, handshake)), nullptr);
}

// The same identity from one address after the other: each handshake is right.
TEST(SessionAttacks, atk_29_SessionsWithoutEndStayWithinTheirBoundAndTheHonestComeBack) {
  SessionLimits limits;
  limits.sessions = count(100, kMaxDiscv5Sessions);
  Node node{1, limits};
  Node honest{2};
  Node churner{3};
  const Now now = at(seconds(0));
  ASSERT_TRUE(connect(now, honest, node));
  const std::uint64_t rounds = count(400, 100'000);
  const auto churn = [&](std::uint64_t i) {
    churner.place = place_of(10 + i);
    return connect(now, churner, node);
  };
  const AllocationMeter meter;
  for (std::uint64_t i = 0; i < rounds; ++i) ASSERT_TRUE(churn(i));
  EXPECT_LE(meter.growth(), static_cast<std::int64_t>(limits.sessions * 400));
  EXPECT_EQ(node.sessions.sessions(), limits.sessions);
  EXPECT_EQ(node.sessions.counters().sessions_dropped, rounds + 1 - limits.sessions);
  // Its packet is unreadable now; one round trip later it is not.
  const auto sealed = honest.sessions.seal(node.peer(), text_bytes("PING"), honest.out);
  const Bytes challenge = challenge_for(now, node, honest.place, honest.sent(sealed->size));
  ASSERT_FALSE(challenge.empty());
  const Bytes handshake = handshake_for(now, honest, node, challenge, text_bytes("PING"));
  EXPECT_NE(as<MessageReceived>(node.take(now, honest.place, handshake)), nullptr);
}

TEST(SessionAttacks, atk_30_NoNonceComesTwiceUnderOneKey) {
  Node a{1};
  Node b{2};
  ASSERT_TRUE(connect(at(seconds(0)), a, b));
  const std::uint64_t packets = count(50'000, 1'000'000);
  std::uint64_t previous = 0;  // the handshake's
  for (std::uint64_t i = 0; i < packets; ++i) {
    const auto sealed = a.sessions.seal(b.peer(), text_bytes("PING"), a.out);
    ASSERT_TRUE(sealed.has_value());
    const std::uint64_t number = load_be<std::uint32_t>(ByteView{sealed->nonce}.first(4));
    ASSERT_EQ(number, previous + 1);  // ever higher: none comes twice
    previous = number;
  }
}

TEST(SessionAttacks, atk_30_AKeyThatIsUsedUpEncryptsNothingMoreUntilThereIsAnother) {
  SessionLimits limits;
  limits.messages_per_key = 3;
  Node a{1, limits};
  Node b{2};
  const Now now = at(seconds(0));
  ASSERT_TRUE(connect(now, a, b));  // the first message
  const auto seal = [&] { return a.sessions.seal(b.peer(), text_bytes("PING"), a.out); };
  EXPECT_TRUE(seal().has_value());
  const auto last = seal();
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(to_hex(ByteView{last->nonce}.first(4)), "ffffffff");
  EXPECT_TRUE(seal().error().is(Discv5Error::key_used_up));
  EXPECT_FALSE(a.sessions.has_session(b.peer()));
  EXPECT_TRUE(seal().error().is(Discv5Error::no_session));
  ASSERT_TRUE(connect(now, a, b));
  EXPECT_TRUE(seal().has_value());
  EXPECT_EQ(a.sessions.counters().refused(Discv5Error::key_used_up), 1U);
}

}  // namespace
}  // namespace ethnet::discv5
