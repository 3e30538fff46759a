// Proofs that are stolen, cut, forged or sent back, and identities that are not whose they seem.
#include <codec/rlp_writer.hpp>
#include <crypto/keccak.hpp>
#include <gtest/gtest.h>
#include <types/enr.hpp>

#include "testing/hostile.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;
using transport::Side;
using transport::StreamKind;

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

TEST_F(Proofs, atk_75_OfAnotherConnectionIsRefused) {
  claim();
  const Proof earlier = other.proof(Side::dialler, node.id());
  other.leave(Reason::requested);
  world.run_for(milliseconds(50));
  claim();
  expect_refused(earlier);
}

TEST_F(Proofs, atk_75_OfTheOtherRoleOrToSomebodyElseIsRefused) {
  claim();
  expect_refused(other.proof(Side::acceptor, node.id()));
  claim();
  expect_refused(other.proof(Side::dialler, peer.id()));
}

// Who wants one node and is led to another must not lend it its proof: the two exporters differ.
TEST_F(Proofs, atk_75_ThatIsRelayedFromAVictimIsRefused) {
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
TEST_F(Proofs, atk_75_OfOursThatComesBackIsRefused) {
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

// As the proof digest, with another prefix.
Hash32 digest_with(std::string_view prefix, const Exporter& exporter, const NodeId& signer,
                   const NodeId& to) {
  crypto::Keccak256 keccak;
  keccak.update(text_bytes(prefix));
  keccak.update(Bytes{std::byte{1}});
  keccak.update(exporter);
  keccak.update(signer.view());
  keccak.update(to.view());
  return Hash32{keccak.finish()};
}

TEST_F(Proofs, atk_75_WithAnotherPrefixIsRefused) {
  const Key key = make_key(99);  // other's
  const std::string right{kProofPrefix};
  for (const std::string& prefix :
       {std::string{}, right + "s", right.substr(1), right.substr(0, right.size() - 1),
        std::string{"ethnet/2 id-proof"}, std::string{"ETHNET/1 ID-PROOF"},
        std::string{"discovery v5 identity proof"}, right + std::string(1, '\0'), right}) {
    claim();
    const Hash32 digest = digest_with(prefix, other.exporter(), other.id(), node.id());
    const Proof proof{crypto::sign(*key, digest.bytes)};
    if (prefix != right) {
      expect_refused(proof);
      continue;
    }
    other.say(encode_frame(proof));  // so that it was the prefix that was wrong before
    EXPECT_EQ(other.ended(), std::nullopt);
    EXPECT_EQ(node.manager().snapshot().proven, 1U);
  }
}

TEST_F(Proofs, atk_75_WithAnyBitTurnedIsRefused) {
  for (std::size_t bit = 0; bit < 8 * kSignatureBytes; bit += 3) {
    claim();
    Proof proof = other.proof(Side::dialler, node.id());
    proof.signature.at(bit / 8) ^= static_cast<std::byte>(1U << (bit % 8));
    expect_refused(proof);
  }
}

// A signature of another size, in a frame that is whole: longer ones too, as far as a frame goes.
TEST_F(Proofs, atk_75_OfEveryOtherLengthIsABreach) {
  for (std::size_t size = 0; size <= 77; ++size) {
    if (size == kSignatureBytes) continue;
    claim();
    Bytes signature = to_bytes(other.proof(Side::dialler, node.id()).signature);
    signature.resize(size);
    rlp::Writer body;
    const auto list = body.begin_list();
    body.write_bytes(signature);
    body.end_list(list);
    Bytes frame{static_cast<std::byte>(FrameType::proof)};
    append_be(frame, static_cast<std::uint32_t>(body.view().size()));
    append(frame, body.view());
    other.say(frame);
    EXPECT_EQ(other.ended(), Reason::protocol_breach) << size;
    EXPECT_EQ(node.manager().snapshot().proven, 0U);
  }
}

// A right proof of which the end never comes, cut at every byte: the deadline ends it, counted from
// the start of the connection and not from the last byte.
TEST_F(Proofs, atk_75_CutAtEveryByteEndsAtTheDeadline) {
  std::size_t cuts = 0;
  for (std::size_t size = 0;; ++size) {
    const Instant begin = world.now().mono;
    claim();
    const Bytes frame = encode_frame(other.proof(Side::dialler, node.id()));
    if (size == frame.size()) break;
    other.say(ByteView{frame}.first(size));
    world.run_for(begin + milliseconds(4'900) - world.now().mono);
    ASSERT_EQ(node.host.connections(), 1U) << size;
    ASSERT_EQ(node.manager().snapshot().proven, 0U);
    world.run_for(milliseconds(200));
    ASSERT_EQ(node.host.connections(), 0U) << size;
    ++cuts;
  }
  EXPECT_EQ(cuts, kFrameHeaderBytes + kSignatureBytes + 4);  // headers of a list and of a string
  EXPECT_EQ(node.refused_with(Reason::handshake_timeout), cuts);
  EXPECT_TRUE(node.events<SessionOpened>().empty());
}

class Impostor : public HostileSession {
 protected:
  // Nobody is registered under either name, and the real one is still welcome.
  void expect_nobody(const NodeId& pretended) {
    EXPECT_EQ(node.manager().session_count(), 0U);
    EXPECT_EQ(node.manager().snapshot().proven, 0U);
    EXPECT_EQ(node.manager().find(pretended), std::nullopt);
    EXPECT_TRUE(node.events<SessionOpened>().empty());
    EXPECT_EQ(node.manager().snapshot().memory_bytes, 0U);
    EXPECT_EQ(node.host.connections(), 0U);
  }
  // Dialled, with nobody in particular wanted or a name that it is to have.
  void dialled(const std::optional<NodeId>& expected) {
    ASSERT_TRUE(node.dial(address(2), expected));
    peer.accept();
    const auto claim = peer.hear();
    ASSERT_TRUE(claim);
    ASSERT_EQ(claim->type, FrameType::claim);
  }
};

TEST_F(Impostor, atk_16_WhoIsDialledUnderAnotherNameIsNeverRegistered) {
  ASSERT_NO_FATAL_FAILURE(dialled(other.id()));
  peer.say(encode_frame(Claim{kProtocolVersion, peer.id(), std::nullopt}));
  peer.say(encode_frame(peer.proof(Side::acceptor, node.id())));
  EXPECT_EQ(peer.ended(), Reason::unexpected_identity);
  ASSERT_EQ(node.events<DialFailed>().size(), 1U);
  EXPECT_EQ(node.events<DialFailed>()[0].proven, std::nullopt);  // not even who it said it was
  expect_nobody(other.id());
  expect_nobody(peer.id());
}

TEST_F(Impostor, atk_16_WhoClaimsTheNameThatWasDialledHasToHaveItsKey) {
  for (const bool wanted : {false, true}) {
    node.log_of_events.clear();
    ASSERT_NO_FATAL_FAILURE(dialled(wanted ? std::optional{other.id()} : std::nullopt));
    peer.say(encode_frame(Claim{kProtocolVersion, other.id(), std::nullopt}));
    peer.say(encode_frame(peer.proof(Side::acceptor, node.id())));  // with its own key
    EXPECT_EQ(peer.ended(), Reason::bad_proof);
    ASSERT_EQ(node.events<DialFailed>().size(), 1U);
    EXPECT_EQ(node.events<DialFailed>()[0].proven, std::nullopt);
    expect_nobody(other.id());
    expect_nobody(peer.id());
  }
}

TEST_F(Impostor, atk_16_AStrangerUnderAnothersNameIsNeverRegistered) {
  peer.connect(node.address());
  (void)peer.open(StreamKind::bidirectional);
  peer.say(encode_frame(Claim{kProtocolVersion, other.id(), std::nullopt}));
  world.run_for(milliseconds(100));
  peer.say(encode_frame(peer.proof(Side::dialler, node.id())));
  EXPECT_EQ(peer.ended(), Reason::bad_proof);
  expect_nobody(other.id());
  expect_nobody(peer.id());
  // The real one is welcome.
  other.connect(node.address());
  other.become_active(node.local);
  EXPECT_EQ(node.manager().session_count(), 1U);
}

// The record in a Hello is of the proven identity, or the Hello is none.
TEST_F(Impostor, atk_16_AHelloWithTheRecordOfAnotherIsRefused) {
  peer.connect(node.address());
  peer.exchange_claims();
  peer.exchange_proofs();
  Hello hello = peer.hello(node.local);
  const auto record = EnrBuilder{1}.sign(*make_key(99));
  ASSERT_TRUE(record);
  append(hello.enr, record->record().encoded());
  peer.say(encode_frame(hello));
  EXPECT_EQ(peer.ended(), Reason::protocol_breach);
  expect_nobody(other.id());
  expect_nobody(peer.id());
}

TEST_F(Impostor, atk_20_OurOwnRecordIsNotDialled) {
  const auto dialled_self = node.dial(node.address(), node.id());
  ASSERT_FALSE(dialled_self);
  EXPECT_TRUE(dialled_self.error().is(SessionError::self_connection));
  EXPECT_EQ(node.host.connections(), 0U);
}

// By address alone, directly or through one who passes on every byte, it is known by the claim.
TEST_F(Impostor, atk_20_OurOwnAddressLeadsToNoSession) {
  ASSERT_TRUE(node.dial(node.address()));
  world.run_for(seconds(1));
  ASSERT_EQ(node.events<DialFailed>().size(), 1U);
  EXPECT_EQ(node.events<DialFailed>()[0].reason, Reason::self_connection);
  EXPECT_EQ(node.events<DialFailed>()[0].proven, std::nullopt);
  EXPECT_EQ(node.refused_with(Reason::self_connection), 1U);
  expect_nobody(node.id());
}

TEST_F(Impostor, atk_20_AMirrorLeadsToNoSession) {
  // What we say to it comes back, as from an acceptor ...
  ASSERT_TRUE(node.dial(address(2)));
  peer.accept();
  const auto claim = peer.hear();
  ASSERT_TRUE(claim);
  peer.say(encode_frame(*decode_claim(claim->body)));
  EXPECT_EQ(peer.ended(), Reason::self_connection);
  expect_nobody(node.id());
  // ... and what we say as an acceptor, as from a dialler who took the name of another.
  peer.connect(node.address());
  (void)peer.open(StreamKind::bidirectional);
  peer.say(encode_frame(Claim{kProtocolVersion, peer.id(), std::nullopt}));
  ASSERT_TRUE(peer.hear());
  const auto proof = peer.hear();
  ASSERT_TRUE(proof);
  ASSERT_EQ(proof->type, FrameType::proof);
  peer.say(encode_frame(*decode_proof(proof->body)));
  EXPECT_EQ(peer.ended(), Reason::bad_proof);
  expect_nobody(node.id());
  expect_nobody(peer.id());
}

}  // namespace
}  // namespace ethnet::session
