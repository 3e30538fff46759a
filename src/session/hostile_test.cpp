// Strangers and peers who do not keep to the protocol, on the wire.
#include "testing/hostile.hpp"

#include <gtest/gtest.h>

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;
using transport::StreamKind;

// Somebody claims to be a peer that we have, or one that we may want.
TEST_F(HostileSession, AClaimWithoutProofChangesNoTable) {
  peer.connect(node.address());
  peer.become_active(node.local);
  const SessionHandle before = node.only_session();
  RawPeer liar{world, world.add_raw_host(address(4)), make_key(98)};
  for (const NodeId& claimed : {peer.id(), other.id()}) {
    liar.connect(node.address());
    (void)liar.open(StreamKind::bidirectional);
    liar.say(encode_frame(Claim{kProtocolVersion, claimed, std::nullopt}));
    world.run_for(milliseconds(100));
    EXPECT_EQ(node.manager().snapshot().handshaking, 1U);
    EXPECT_EQ(node.manager().snapshot().proven, 0U);
    EXPECT_EQ(node.only_session(), before);
    EXPECT_FALSE(peer.poll());  // the one whose name it takes is not even asked
    EXPECT_EQ(node.manager().find(other.id()), std::nullopt);
    if (claimed == other.id()) {
      EXPECT_TRUE(node.dial(address(80), other.id()));
    }
    liar.say(encode_frame(Proof{}));
    EXPECT_EQ(liar.ended(), Reason::bad_proof);
    EXPECT_EQ(node.only_session(), before);
  }
}

TEST_F(HostileSession, atk_05_PingsWithoutEndGetFiveAnswersAndAnEnd) {
  peer.connect(node.address());
  peer.become_active(node.local);
  Bytes flood;
  for (int i = 0; i < 10'000; ++i) append(flood, encode_ping());
  peer.say(flood);
  world.run_for(milliseconds(15));
  std::size_t pongs = 0;
  for (; const auto frame = peer.poll();) {
    if (frame->type == FrameType::pong) ++pongs;
  }
  EXPECT_LE(pongs, 5U);
  EXPECT_EQ(peer.ended(), Reason::ping_flood);
  EXPECT_EQ(node.manager().snapshot().memory_bytes, 0U);
}

// Every type of frame, with a length above what it may have, up to the largest that can be said:
// the header is enough, nothing is kept for a body. For pings and pongs that is any body at all.
TEST_F(HostileSession, atk_06_ABodyAboveTheLimitOfItsFrameIsABreachBeforeItComes) {
  // claim, proof, Hello, Activate, ping, pong, Disconnect: as docs/spec/session.md has it.
  constexpr std::array<std::size_t, 7> kMost{128, 80, 4'096, 32, 0, 0, 16};
  std::size_t refused = 0;
  for (std::uint8_t type = 1; type <= kMost.size(); ++type) {
    const std::size_t most = kMost.at(type - 1U);
    EXPECT_EQ(max_body_bytes(static_cast<FrameType>(type)), most);
    for (const std::size_t size :
         {most + 1, most + 2, 2 * most + 3, std::size_t{0x7f}, std::size_t{2'049},
          std::size_t{5'000}, std::size_t{1} << 16, (std::size_t{1} << 24) - 1,
          std::size_t{1} << 24, std::size_t{1} << 31, (std::size_t{1} << 32) - 1}) {
      if (size <= most) continue;
      Bytes header{static_cast<std::byte>(type)};
      append_be(header, static_cast<std::uint32_t>(size));
      FrameReader reader;
      ASSERT_FALSE(reader.feed(header));
      EXPECT_EQ(reader.memory_bytes(), 0U);
      peer.connect(node.address());
      peer.become_active(node.local);
      peer.say(header);
      EXPECT_EQ(peer.ended(), Reason::protocol_breach) << int{type} << " of " << size;
      EXPECT_EQ(node.manager().snapshot().memory_bytes, 0U);
      ++refused;
    }
  }
  EXPECT_GE(refused, 7U * 5U);
  EXPECT_EQ(node.closed_with(Reason::protocol_breach), refused);
}

// Five of them, whole or in pieces; and the same bytes to us are what we say ourselves.
TEST_F(HostileSession, atk_06_AnEmptyPingIsAnsweredByAnEmptyPong) {
  peer.connect(node.address());
  peer.become_active(node.local);
  for (int i = 0; i < 5; ++i) {
    for (const std::byte b : encode_ping()) {
      peer.say(Bytes{b});
      world.run_for(milliseconds(1));
    }
    const auto pong = peer.hear();
    ASSERT_TRUE(pong);
    EXPECT_EQ(pong->type, FrameType::pong);
    EXPECT_TRUE(pong->body.empty());
  }
  EXPECT_EQ(node.manager().session_count(), 1U);
}

// What a frame may have is kept while it comes, and no more: a stranger's half frame costs us its
// bytes.
TEST_F(HostileSession, atk_06_AnUnfinishedFrameCostsNoMoreThanItsBytes) {
  peer.connect(node.address());
  peer.exchange_claims();
  peer.exchange_proofs();
  Bytes half{std::byte{3}};
  append_be(half, std::uint32_t{4'096});
  half.resize(half.size() + 1'000);
  peer.say(half);
  world.run_for(milliseconds(100));
  EXPECT_GE(node.manager().snapshot().memory_bytes, 1'000U);
  EXPECT_LE(node.manager().snapshot().memory_bytes, 2'048U);
}

// Strangers that trickle: the deadline is absolute, and an honest one finds a place.
TEST_F(HostileSession, atk_08_ATrickleDoesNotStretchTheHandshake) {
  other.connect(node.address());
  (void)other.open(StreamKind::bidirectional);
  const Bytes claim = encode_frame(Claim{kProtocolVersion, other.id(), std::nullopt});
  Instant end;
  for (const std::byte b : claim) {
    other.say(Bytes{b});
    world.run_for(milliseconds(500));
    if (end == Instant{} && node.host.connections() == 0) end = world.now().mono;
  }
  EXPECT_EQ(node.refused_with(Reason::handshake_timeout), 1U);
  EXPECT_LE(end, Instant{} + seconds(1000) + milliseconds(5'600));
}

}  // namespace
}  // namespace ethnet::session
