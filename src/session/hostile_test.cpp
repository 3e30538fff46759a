// Strangers and peers who do not keep to the protocol, on the wire.
#include <array>

#include <gtest/gtest.h>
#include <types/enr.hpp>

#include "mux.hpp"
#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;
using transport::Side;
using transport::StreamKind;

class HostileSession : public ::testing::Test {
 protected:
  World world;
  std::pair<Key, Key> keys = ordered_keys(1);
  Node& node = world.add_node(keys.second, address(1));
  FakeHost& far = world.add_raw_host(address(2));
  RawPeer peer{world, far, keys.first};  // the arbiter, so that it may say everything
  RawPeer other{world, world.add_raw_host(address(3)), make_key(99)};
};

// How far a connection has come.
enum class Stage : std::uint8_t { open, claimed, proven, ready, active };
constexpr std::array kStages{Stage::open, Stage::claimed, Stage::proven, Stage::ready,
                             Stage::active};
constexpr std::array kFrames{FrameType::claim,    FrameType::proof, FrameType::hello,
                             FrameType::activate, FrameType::ping,  FrameType::pong};

class FrameOrder : public HostileSession {
 protected:
  void reach(Stage stage) {
    peer.connect(node.address());
    if (stage >= Stage::claimed) peer.exchange_claims();
    if (stage >= Stage::proven) peer.exchange_proofs();
    if (stage >= Stage::ready) peer.say(encode_frame(peer.hello(node.local)));
    if (stage == Stage::active) peer.say(encode_frame(Activate{5, 1}));
    world.run_for(milliseconds(50));
  }
  void say(FrameType type) {
    switch (type) {
      case FrameType::claim:
        return peer.say(encode_frame(Claim{kProtocolVersion, peer.id(), std::nullopt}));
      case FrameType::proof:
        return peer.say(encode_frame(peer.proof(Side::dialler, node.id())));
      case FrameType::hello:
        return peer.say(encode_frame(peer.hello(node.local)));
      case FrameType::activate:
        return peer.say(encode_frame(Activate{5, 2}));
      case FrameType::ping:
        return peer.say(encode_ping());
      case FrameType::pong:
        return peer.say(encode_pong());
      case FrameType::disconnect:
        return;
    }
  }
  static bool is_legal(Stage stage, FrameType type) {
    switch (stage) {
      case Stage::open:
        return type == FrameType::claim;
      case Stage::claimed:
        return type == FrameType::proof;
      case Stage::proven:
        return type == FrameType::hello;
      case Stage::ready:
        return type == FrameType::activate;
      case Stage::active:
        return type == FrameType::ping;
    }
    return false;
  }
};

TEST_F(FrameOrder, EveryFrameOutOfItsTurnIsABreach) {
  std::size_t legal = 0;
  for (const Stage stage : kStages) {
    for (const FrameType type : kFrames) {
      SCOPED_TRACE(std::to_string(static_cast<int>(stage)) + " " + std::string{to_string(type)});
      ASSERT_NO_FATAL_FAILURE(reach(stage));
      say(type);
      const auto ended = peer.ended();
      if (is_legal(stage, type)) {
        EXPECT_EQ(ended, std::nullopt);
        ++legal;
      } else {
        EXPECT_EQ(ended, Reason::protocol_breach);
      }
      peer.leave(Reason::requested);
      world.run_for(milliseconds(50));
      ASSERT_EQ(node.host.connections(), 0U);
    }
  }
  EXPECT_EQ(legal, kStages.size());
}

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

// An acceptor that does not care whom we wanted.
TEST_F(HostileSession, AnAcceptorWithAnotherNameIsLeftBeforeItProvesAnything) {
  ASSERT_TRUE(node.dial(address(2), other.id()));
  peer.accept();
  ASSERT_TRUE(peer.hear());
  peer.say(encode_frame(Claim{kProtocolVersion, peer.id(), std::nullopt}));
  EXPECT_EQ(peer.ended(), Reason::unexpected_identity);
}

TEST_F(HostileSession, AHelloWithTheRecordOfAnotherIsRefused) {
  peer.connect(node.address());
  peer.exchange_claims();
  peer.exchange_proofs();
  Hello hello = peer.hello(node.local);
  const auto record = EnrBuilder{1}.sign(*make_key(99));
  ASSERT_TRUE(record);
  append(hello.enr, record->record().encoded());
  peer.say(encode_frame(hello));
  EXPECT_EQ(peer.ended(), Reason::protocol_breach);
}

// A stream that names what was not agreed ends the session before anything of it is read.
TEST_F(HostileSession, AStreamOfACapabilityThatWasNotAgreedIsNotRead) {
  peer.connect(node.address());
  peer.become_active(node.local);
  const std::string name = "nope/1";
  Bytes bytes{static_cast<std::byte>(name.size())};
  for (const char c : name) bytes.push_back(static_cast<std::byte>(c));
  append(bytes, Bytes{{}, {}, {}, std::byte{1}, std::byte{'x'}});
  peer.write(peer.open(StreamKind::unidirectional), bytes);
  EXPECT_EQ(peer.ended(), Reason::capability_not_shared);
  EXPECT_TRUE(node.events<MessageReceived>().empty());
}

class Proofs : public HostileSession {
 protected:
  // The answer to this proof, on a connection that has exchanged claims.
  void expect_refused(const Proof& proof) {
    other.say(encode_frame(proof));
    EXPECT_EQ(other.ended(), Reason::bad_proof);
    EXPECT_EQ(node.manager().session_count(), 0U);
  }
  void claim() {
    other.connect(node.address());
    other.exchange_claims();
  }
};

TEST_F(Proofs, OfAnotherConnectionIsRefused) {
  claim();
  const Proof earlier = other.proof(Side::dialler, node.id());
  other.leave(Reason::requested);
  world.run_for(milliseconds(50));
  claim();
  expect_refused(earlier);
}

TEST_F(Proofs, OfTheOtherRoleOrToSomebodyElseIsRefused) {
  claim();
  expect_refused(other.proof(Side::acceptor, node.id()));
  claim();
  expect_refused(other.proof(Side::dialler, peer.id()));
}

// Who wants one node and is led to another must not lend it its proof: the two exporters differ.
TEST_F(Proofs, ThatIsRelayedFromAVictimIsRefused) {
  Node& victim = world.add_node(make_key(97), address(5));
  FakeHost& middle_host = world.add_raw_host(address(6));
  RawPeer middle{world, middle_host, make_key(96)};
  ASSERT_TRUE(victim.dial(address(6), node.id()));
  middle.accept();
  const auto claim_frame = middle.hear();
  ASSERT_TRUE(claim_frame);
  const auto proof_frame = middle.hear();
  ASSERT_TRUE(proof_frame);
  ASSERT_EQ(proof_frame->type, FrameType::proof);
  other.connect(node.address());
  (void)other.open(StreamKind::bidirectional);
  other.say(encode_frame(Claim{kProtocolVersion, victim.id(), node.id()}));
  other.say(encode_frame(*decode_proof(proof_frame->body)));
  EXPECT_EQ(other.ended(), Reason::bad_proof);
  EXPECT_EQ(node.manager().session_count(), 0U);
}

// One who does not know whom it wants gets the acceptor's proof; it is no good anywhere else.
TEST_F(Proofs, OfOursThatComesBackIsRefused) {
  claim();
  const Proof reflected = other.proof(Side::acceptor, node.id());
  other.leave(Reason::requested);
  world.run_for(milliseconds(50));
  other.connect(node.address());
  (void)other.open(StreamKind::bidirectional);
  other.say(encode_frame(Claim{kProtocolVersion, node.id(), std::nullopt}));
  other.say(encode_frame(reflected));
  EXPECT_EQ(other.ended(), Reason::self_connection);
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

TEST_F(HostileSession, atk_06_APingWithABodyIsABreachBeforeTheBodyComes) {
  peer.connect(node.address());
  peer.become_active(node.local);
  peer.say(Bytes{std::byte{5}, std::byte{1}, {}, {}, {}});  // 16 MiB of it
  EXPECT_EQ(peer.ended(), Reason::protocol_breach);
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
