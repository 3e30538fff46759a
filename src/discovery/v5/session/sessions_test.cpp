#include "sessions.hpp"

#include <gtest/gtest.h>

#include "../testing/rig.hpp"

namespace ethnet::discv5 {
namespace {

using namespace testing;

constexpr std::string_view kAsked = "asked";

::testing::AssertionResult refused(const Result<Received>& received, const Node& by,
                                   Discv5Error why) {
  if (received) return ::testing::AssertionFailure() << "accepted";
  if (!received.error().is(why)) return ::testing::AssertionFailure() << received.error().message();
  if (by.sessions.counters().refused(why) == 0)
    return ::testing::AssertionFailure() << "not counted";
  return ::testing::AssertionSuccess();
}

// Whether `to` reads what `from` seals for it.
bool reads(Now now, Node& from, Node& to, std::string_view text = "message") {
  const auto sealed = from.sessions.seal(to.peer(), text_bytes(text), from.out);
  if (!sealed) return false;
  const auto received = to.take(now, from.place, from.sent(sealed->size));
  const auto* message = as<MessageReceived>(received);
  return message != nullptr && equal(message->plain, text_bytes(text)) &&
         message->from == from.peer() && message->established == nullptr;
}

TEST(Sessions, AHandshakeMakesASessionInBothDirections) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  const auto first = a.sessions.make_random(b.peer(), a.out);
  EXPECT_EQ(first.size, 71 + kRandomMessageBytes);
  const Bytes challenge = challenge_for(now, b, a.place, a.sent(first.size));
  ASSERT_EQ(challenge.size(), kWhoareyouBytes);
  const auto whoareyou = a.take(now, b.place, challenge);
  ASSERT_NE(as<ChallengeReceived>(whoareyou), nullptr);
  EXPECT_EQ(as<ChallengeReceived>(whoareyou)->nonce, first.nonce);
  EXPECT_EQ(as<ChallengeReceived>(whoareyou)->whoareyou.enr_seq, 0U);

  const Bytes handshake = handshake_for(now, a, b, challenge, text_bytes(kAsked));
  const auto received = b.take(now, a.place, handshake);
  const auto* message = as<MessageReceived>(received);
  ASSERT_NE(message, nullptr);
  EXPECT_TRUE(equal(message->plain, text_bytes(kAsked)));
  ASSERT_NE(message->established, nullptr);
  EXPECT_EQ(*message->established, *record_of(1));
  EXPECT_EQ(message->from, a.peer());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(reads(now, b, a));
    EXPECT_TRUE(reads(now, a, b));
  }
  EXPECT_EQ(a.sessions.counters().challenges_answered, 1U);
  EXPECT_EQ(b.sessions.counters().handshakes_accepted, 1U);
  EXPECT_EQ(b.sessions.counters().challenges_made, 1U);
  EXPECT_EQ(b.sessions.challenges(), 0U);
}

TEST(Sessions, TheSameChallengeGoesToTheSamePacketWithinASecondAndThenAnother) {
  Node a{1};
  Node b{2};
  const Bytes packet = random_packet(a, b);
  const Bytes first = challenge_for(at(seconds(0)), b, a.place, packet);
  EXPECT_EQ(challenge_for(at(milliseconds(1)), b, a.place, packet), first);
  EXPECT_EQ(challenge_for(at(milliseconds(999)), b, a.place, packet), first);
  EXPECT_EQ(b.sessions.counters().challenges_repeated, 2U);
  // Repeating does not make it last longer.
  EXPECT_NE(challenge_for(at(milliseconds(1000)), b, a.place, packet), first);
  EXPECT_EQ(b.sessions.counters().challenges_made, 2U);
  EXPECT_EQ(b.sessions.counters().challenges_expired, 1U);
  EXPECT_EQ(b.sessions.challenges(), 1U);
}

// As geth's suite wants it (HandshakeResend), and once.
TEST(Sessions, OfTwoPacketsAtOnceTheSecondGetsTheChallengeOfTheFirst) {
  Node a{1};
  Node b{2};
  const Bytes first = challenge_for(at(seconds(0)), b, a.place, random_packet(a, b));
  EXPECT_EQ(challenge_for(at(milliseconds(99)), b, a.place, random_packet(a, b)), first);
  EXPECT_NE(challenge_for(at(milliseconds(99)), b, a.place, random_packet(a, b)), first);
  Node c{3};
  const Bytes other = challenge_for(at(seconds(0)), b, c.place, random_packet(c, b));
  EXPECT_NE(challenge_for(at(kConcurrentPackets), b, c.place, random_packet(c, b)), other);
}

// Between the first packet and the newest others may have been forged.
TEST(Sessions, atk_28_TheFirstAndTheNewestChallengeOfAPeerAreBothGood) {
  const Now now = at(seconds(0));
  const Now later = at(milliseconds(500));
  for (const bool answers_first : {true, false}) {
    Node a{1};
    Node b{2};
    Node forger{1, {}, 9};  // knows a's identity and address
    const Bytes mine = random_packet(a, b);
    const Bytes forged = random_packet(forger, b);
    const Bytes first = challenge_for(now, b, a.place, answers_first ? mine : forged);
    (void)challenge_for(later, b, a.place, random_packet(forger, b));
    const Bytes newest = challenge_for(later, b, a.place, answers_first ? forged : mine);
    EXPECT_EQ(b.sessions.challenges(), 2U) << "and no more";
    EXPECT_EQ(b.sessions.challenges_of(a.peer()), 2U);
    const Bytes answered =
        handshake_for(later, a, b, answers_first ? first : newest, text_bytes(kAsked));
    EXPECT_NE(as<MessageReceived>(b.take(later, a.place, answered)), nullptr);
    EXPECT_EQ(b.sessions.challenges(), 0U) << "both have been of use";
    EXPECT_TRUE(reads(later, b, a));
  }
}

TEST(Sessions, BothChallengesOfAPeerAreOverInTheirTime) {
  Node a{1};
  Node b{2};
  (void)challenge_for(at(seconds(0)), b, a.place, random_packet(a, b));
  const Bytes newest = challenge_for(at(milliseconds(600)), b, a.place, random_packet(a, b));
  b.sessions.handle_deadline(at(seconds(1)));
  EXPECT_EQ(b.sessions.challenges(), 1U);
  EXPECT_EQ(b.sessions.next_deadline(), at(milliseconds(1600)).mono);
  const Now now = at(milliseconds(1599));
  const Bytes handshake = handshake_for(now, a, b, newest, text_bytes(kAsked));
  b.sessions.handle_deadline(at(milliseconds(1600)));
  EXPECT_EQ(b.sessions.challenges(), 0U);
  EXPECT_TRUE(
      refused(b.take(at(milliseconds(1600)), a.place, handshake), b, Discv5Error::no_challenge));
}

TEST(Sessions, AnotherEndpointOrIdentityGetsAChallengeOfItsOwn) {
  Node a{1};
  Node b{2};
  Node c{3};
  const Now now = at(seconds(0));
  const Bytes first = challenge_for(now, b, a.place, random_packet(a, b));
  EXPECT_NE(challenge_for(now, b, place_of(1, 9001), random_packet(a, b)), first);
  EXPECT_NE(challenge_for(now, b, place_of(9), random_packet(a, b)), first);
  EXPECT_NE(challenge_for(now, b, a.place, random_packet(c, b)), first);
  EXPECT_EQ(b.sessions.challenges(), 4U);
}

TEST(Sessions, ASessionBelongsToAnIdentityAndAnEndpoint) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  ASSERT_TRUE(connect(now, a, b));
  const auto sealed = a.sessions.seal(b.peer(), text_bytes(kAsked), a.out);
  ASSERT_TRUE(sealed.has_value());
  for (const Endpoint& elsewhere : {place_of(1, 9001), place_of(9)}) {
    const auto received = b.take(now, elsewhere, a.sent(sealed->size));
    const auto* unreadable = as<Unreadable>(received);
    ASSERT_NE(unreadable, nullptr);
    EXPECT_EQ(unreadable->nonce, sealed->nonce);
    EXPECT_EQ(unreadable->from, (Peer{a.sessions.self(), elsewhere}));
  }
  EXPECT_FALSE(a.sessions.seal({b.sessions.self(), place_of(9)}, {}, a.out).has_value());
  EXPECT_EQ(b.sessions.counters().refused(Discv5Error::no_session), 3U);  // one: the first packet
  EXPECT_EQ(a.sessions.counters().refused(Discv5Error::no_session), 1U);
  EXPECT_NE(as<MessageReceived>(b.take(now, a.place, a.sent(sealed->size))), nullptr);
}

TEST(Sessions, AHandshakeThatNobodyAskedForIsRefused) {
  Node a{1};
  Node b{2};
  Node c{3};
  const Now now = at(seconds(0));
  // The challenge is another node's.
  const Bytes other = challenge_for(now, c, a.place, random_packet(a, c));
  const Bytes handshake = handshake_for(now, a, c, other, text_bytes(kAsked));
  const auto at_b = masked(b.sessions.self(), masked(c.sessions.self(), handshake, 39 + 131 + 300),
                           39 + 131 + 300);
  EXPECT_TRUE(refused(b.take(now, a.place, at_b), b, Discv5Error::no_challenge));
}

TEST(Sessions, AHandshakeIsTakenOnce) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b));
  const Bytes handshake = handshake_for(now, a, b, challenge, text_bytes(kAsked));
  ASSERT_NE(as<MessageReceived>(b.take(now, a.place, handshake)), nullptr);
  EXPECT_TRUE(refused(b.take(now, a.place, handshake), b, Discv5Error::no_challenge));
  // Nor for a later challenge.
  const auto again = challenge_for(now, b, a.place, random_packet(a, b));
  ASSERT_FALSE(again.empty());
  EXPECT_TRUE(refused(b.take(now, a.place, handshake), b, Discv5Error::bad_id_signature));
  EXPECT_TRUE(reads(now, a, b));  // and the session is what it was
}

TEST(Sessions, AHandshakeFromAnotherEndpointIsRefused) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b));
  const Bytes handshake = handshake_for(now, a, b, challenge, text_bytes(kAsked));
  EXPECT_TRUE(refused(b.take(now, place_of(1, 9001), handshake), b, Discv5Error::no_challenge));
  EXPECT_NE(as<MessageReceived>(b.take(now, a.place, handshake)), nullptr);
}

TEST(Sessions, AHandshakeThatComesLateIsRefused) {
  for (const std::int64_t late_ms : {999, 1000, 5000}) {
    Node a{1};
    Node b{2};
    const Bytes challenge = challenge_for(at(seconds(0)), b, a.place, random_packet(a, b));
    EXPECT_EQ(b.sessions.next_deadline(), at(kChallengeLifetime).mono);
    const Bytes handshake = handshake_for(at(seconds(0)), a, b, challenge, text_bytes(kAsked));
    const auto received = b.take(at(milliseconds(late_ms)), a.place, handshake);
    if (late_ms < 1000) {
      EXPECT_TRUE(received.has_value());
      continue;
    }
    EXPECT_TRUE(refused(received, b, Discv5Error::challenge_expired));
    EXPECT_EQ(b.sessions.challenges(), 0U);
    EXPECT_EQ(b.sessions.counters().challenges_expired, 1U);
    EXPECT_FALSE(b.sessions.has_session(a.peer()));
  }
}

TEST(Sessions, WhatIsOverIsDroppedAtItsDeadline) {
  Node a{1};
  Node b{2};
  EXPECT_TRUE(b.sessions.next_deadline().is_never());
  (void)challenge_for(at(seconds(0)), b, a.place, random_packet(a, b));
  (void)challenge_for(at(milliseconds(10)), b, place_of(7), random_packet(a, b));
  b.sessions.handle_deadline(at(milliseconds(1005)));
  EXPECT_EQ(b.sessions.challenges(), 1U);
  b.sessions.handle_deadline(at(milliseconds(1010)));
  EXPECT_EQ(b.sessions.challenges(), 0U);
  EXPECT_TRUE(b.sessions.next_deadline().is_never());
}

// --- records ---

// b knows a's record with number `known` (0: none); a has one with number `own`.
struct Outcome {
  Result<Received> received;
  std::uint64_t asked_seq = 0;
  bool record_sent = false;
};
Outcome handshake_with_records(Node& a, Node& b, std::uint64_t known, std::uint64_t own) {
  const Now now = at(seconds(0));
  a.sessions.set_local_record(record_of(a.number, own));
  const EnrPtr record = known == 0 ? nullptr : record_of(a.number, known);
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b), record);
  const auto whoareyou = a.take(now, b.place, challenge);
  const std::uint64_t asked = as<ChallengeReceived>(whoareyou)->whoareyou.enr_seq;
  const Bytes handshake = handshake_for(now, a, b, challenge, text_bytes(kAsked));
  PacketCodec codec;
  PacketBuffer buffer{};
  const auto packet = codec.decode(b.sessions.self(), handshake, buffer);
  const bool sent = !std::get<Handshake>(packet->header.authdata).record.empty();
  return {b.take(now, a.place, handshake), asked, sent};
}

TEST(Sessions, TheRecordIsSentWhereOursIsOlderOrThereIsNone) {
  struct Case {
    std::uint64_t known, own;
    bool sent;
    std::uint64_t established;
  };
  for (const Case& c : {Case{0, 1, true, 1}, Case{0, 0, true, 0}, Case{1, 1, false, 1},
                        Case{1, 2, true, 2}, Case{3, 2, false, 3}}) {
    SCOPED_TRACE(c.known * 10 + c.own);
    Node a{1};
    Node b{2};
    const Outcome outcome = handshake_with_records(a, b, c.known, c.own);
    EXPECT_EQ(outcome.asked_seq, c.known);
    EXPECT_EQ(outcome.record_sent, c.sent);
    const auto* message = as<MessageReceived>(outcome.received);
    ASSERT_NE(message, nullptr);
    EXPECT_EQ(message->established->record().seq(), c.established);
  }
}

// A handshake of node a for b's challenge, with the record replaced and signed as `signer` would.
Bytes forged(Node& a, Node& b, ByteView challenge, ByteView record, std::uint64_t signer) {
  const auto received = a.take(at(seconds(0)), b.place, challenge);
  const auto* whoareyou = as<ChallengeReceived>(received);
  CHECK(whoareyou != nullptr);
  const auto ephemeral = crypto::SecretKey::generate(a.rng);
  const auto keys =
      derive_keys(ephemeral, b.public_key(), a.sessions.self(), b.sessions.self(), whoareyou->data);
  Handshake handshake{.source = a.sessions.self(),
                      .ephemeral_key = ephemeral.public_key().compressed(),
                      .record = record};
  handshake.id_signature =
      sign_id(*key_of(signer), whoareyou->data, handshake.ephemeral_key, b.sessions.self());
  PacketCodec codec;
  PacketBuffer out{};
  const auto size = codec.encode_sealed(b.sessions.self(), {.authdata = handshake},
                                        keys.initiator.view(), text_bytes(kAsked), out);
  return to_bytes(ByteView{out}.first(size.value()));
}

TEST(Sessions, WithoutARecordOnBothSidesAHandshakeIsRefused) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b));
  EXPECT_TRUE(refused(b.take(now, a.place, forged(a, b, challenge, {}, 1)), b,
                      Discv5Error::record_missing));
  const Bytes own = to_bytes(record_of(1)->record().encoded());
  EXPECT_NE(as<MessageReceived>(b.take(now, a.place, forged(a, b, challenge, own, 1))), nullptr);
}

TEST(Sessions, TheRecordIsOfTheIdentityAndItsSignatureIsRight) {
  const Now now = at(seconds(0));
  const Bytes own = to_bytes(record_of(1, 5)->record().encoded());
  Bytes spoilt = own;
  spoilt[10] ^= std::byte{1};
  const Bytes others = to_bytes(record_of(3)->record().encoded());
  Node a{1};
  Node b{2};
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b));
  const auto take = [&](ByteView record, std::uint64_t signer) {
    return b.take(now, a.place, forged(a, b, challenge, record, signer));
  };
  EXPECT_TRUE(refused(take(others, 3), b, Discv5Error::wrong_record_identity));
  EXPECT_TRUE(refused(take(spoilt, 1), b, Discv5Error::bad_record));
  Node c{1};
  Node d{2};
  const Bytes another = challenge_for(now, d, c.place, random_packet(c, d));
  const Bytes cut = to_bytes(ByteView{own}.first(own.size() - 1));
  EXPECT_TRUE(
      refused(d.take(now, c.place, forged(c, d, another, cut, 1)), d, Discv5Error::bad_record));
}

TEST(Sessions, atk_24_ARecordWithALowerNumberDoesNotReplaceTheOneThatWeHave) {
  const Now now = at(seconds(0));
  Node a{1};
  Node b{2};
  const EnrPtr known = record_of(1, 7);
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b), known);
  const auto received =
      b.take(now, a.place, forged(a, b, challenge, record_of(1, 6)->record().encoded(), 1));
  const auto* message = as<MessageReceived>(received);
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->established, known);
}

// --- proofs ---

TEST(Sessions, TheIdSignatureIsOfTheIdentitysKey) {
  const Now now = at(seconds(0));
  Node a{1};
  Node b{2};
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b), record_of(1));
  EXPECT_TRUE(refused(b.take(now, a.place, forged(a, b, challenge, {}, 3)), b,
                      Discv5Error::bad_id_signature));
}

// What the signature covers is right, what it is about is no point of the curve.
TEST(Sessions, AnEphemeralKeyOffTheCurveIsRefused) {
  const Now now = at(seconds(0));
  Node a{1};
  Node b{2};
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b), record_of(1));
  const auto received = a.take(now, b.place, challenge);
  const auto* whoareyou = as<ChallengeReceived>(received);
  ASSERT_NE(whoareyou, nullptr);
  Handshake handshake{.source = a.sessions.self()};
  handshake.ephemeral_key.fill(std::byte{0xff});
  handshake.ephemeral_key.front() = std::byte{2};
  handshake.id_signature =
      sign_id(*key_of(1), whoareyou->data, handshake.ephemeral_key, b.sessions.self());
  PacketCodec codec;
  const auto size = codec.encode_sealed(b.sessions.self(), {.authdata = handshake}, Bytes(16),
                                        text_bytes(kAsked), a.out);
  EXPECT_TRUE(
      refused(b.take(now, a.place, a.sent(size.value())), b, Discv5Error::bad_ephemeral_key));
}

TEST(Sessions, AMessageUnderOtherKeysMakesNoSession) {
  const Now now = at(seconds(0));
  Node a{1};
  Node b{2};
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b), record_of(1));
  Bytes handshake = forged(a, b, challenge, {}, 1);
  handshake.back() ^= std::byte{1};
  EXPECT_TRUE(refused(b.take(now, a.place, handshake), b, Discv5Error::handshake_unreadable));
  EXPECT_FALSE(b.sessions.has_session(a.peer()));
}

TEST(Sessions, AForgedHandshakeDoesNotSpoilTheChallengeAndThreeDo) {
  const Now now = at(seconds(0));
  for (std::uint32_t forgeries = 0; forgeries <= kMaxHandshakeTries; ++forgeries) {
    Node a{1};
    Node b{2};
    const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b), record_of(1));
    const Bytes wrong = forged(a, b, challenge, {}, 3);
    for (std::uint32_t i = 0; i < forgeries; ++i) (void)b.take(now, a.place, wrong);
    const auto received = b.take(now, a.place, forged(a, b, challenge, {}, 1));
    EXPECT_EQ(received.has_value(), forgeries < kMaxHandshakeTries);
    EXPECT_EQ(b.sessions.counters().challenges_spoilt, forgeries == kMaxHandshakeTries ? 1U : 0U);
    EXPECT_EQ(b.sessions.challenges(), 0U);
  }
}

TEST(Sessions, APacketInOurOwnNameIsRefused) {
  Node a{1};
  Node mirror{1, {}, 5};
  EXPECT_TRUE(refused(a.take(at(seconds(0)), place_of(8), random_packet(mirror, a)), a,
                      Discv5Error::own_identity));
}

TEST(Sessions, WhatIsNoPacketIsCountedByItsError) {
  Node a{1};
  EXPECT_TRUE(
      refused(a.take(at(seconds(0)), place_of(8), Bytes(62)), a, Discv5Error::packet_too_small));
  EXPECT_TRUE(
      refused(a.take(at(seconds(0)), place_of(8), Bytes(1281)), a, Discv5Error::packet_too_large));
  EXPECT_TRUE(
      refused(a.take(at(seconds(0)), place_of(8), Bytes(100)), a, Discv5Error::wrong_protocol_id));
}

// --- sessions that meet ---

TEST(Sessions, AForgedPacketEndsNoSession) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  ASSERT_TRUE(connect(now, a, b));
  Node forger{1, {}, 9};  // knows a's identity and address, not its session
  EXPECT_FALSE(challenge_for(now, b, a.place, random_packet(forger, b)).empty());
  EXPECT_TRUE(reads(now, a, b));
  EXPECT_TRUE(reads(now, b, a));
}

TEST(Sessions, APeerThatLostItsKeysIsBackAfterOneHandshake) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  ASSERT_TRUE(connect(now, a, b));
  Node restarted{1, {}, 9};
  // It cannot read us, asks, and answers our challenge.
  const auto sealed = b.sessions.seal(a.peer(), text_bytes(kAsked), b.out);
  const Bytes challenge = challenge_for(now, restarted, b.place, b.sent(sealed->size));
  ASSERT_FALSE(challenge.empty());
  const Bytes handshake = handshake_for(now, b, restarted, challenge, text_bytes(kAsked));
  EXPECT_NE(as<MessageReceived>(restarted.take(now, b.place, handshake)), nullptr);
  EXPECT_TRUE(reads(now, restarted, b));
  EXPECT_TRUE(reads(now, b, restarted));
}

TEST(Sessions, HandshakesThatCrossLeaveOneThatBothRead) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  const Bytes to_a = challenge_for(now, b, a.place, random_packet(a, b));
  const Bytes to_b = challenge_for(now, a, b.place, random_packet(b, a));
  const Bytes of_a = handshake_for(now, a, b, to_a, text_bytes(kAsked));
  const Bytes of_b = handshake_for(now, b, a, to_b, text_bytes(kAsked));
  EXPECT_NE(as<MessageReceived>(b.take(now, a.place, of_a)), nullptr);
  EXPECT_NE(as<MessageReceived>(a.take(now, b.place, of_b)), nullptr);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(reads(now, a, b));
    EXPECT_TRUE(reads(now, b, a));
  }
}

TEST(Sessions, AMessageUnderWayWhileAHandshakeEndsIsRead) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  ASSERT_TRUE(connect(now, a, b));
  const auto sealed = a.sessions.seal(b.peer(), text_bytes(kAsked), a.out);
  const Bytes under_way = a.sent(sealed->size);
  ASSERT_TRUE(connect(now, b, a));
  EXPECT_NE(as<MessageReceived>(b.take(now, a.place, under_way)), nullptr);
  // Two handshakes later its keys are gone.
  ASSERT_TRUE(connect(now, b, a));
  EXPECT_NE(as<Unreadable>(b.take(now, a.place, under_way)), nullptr);
  EXPECT_EQ(b.sessions.counters().refused(Discv5Error::unreadable), 1U);
}

TEST(Sessions, AForgottenPeerHasNoSession) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  ASSERT_TRUE(connect(now, a, b));
  b.sessions.forget(a.peer());
  EXPECT_FALSE(b.sessions.has_session(a.peer()));
  EXPECT_FALSE(reads(now, a, b));
  b.sessions.forget(a.peer());
}

TEST(Sessions, WhatDoesNotFitIsRefusedAndMakesNoSession) {
  Node a{1};
  Node b{2};
  const Now now = at(seconds(0));
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b));
  const auto received = a.take(now, b.place, challenge);
  const auto* whoareyou = as<ChallengeReceived>(received);
  ASSERT_NE(whoareyou, nullptr);
  const auto sealed =
      a.sessions.answer_challenge(b.peer(), b.public_key(), *whoareyou, Bytes(1200), a.out);
  EXPECT_TRUE(sealed.error().is(Discv5Error::message_does_not_fit));
  EXPECT_FALSE(a.sessions.has_session(b.peer()));
  ASSERT_TRUE(connect(at(seconds(2)), a, b));
  EXPECT_TRUE(a.sessions.seal(b.peer(), Bytes(1280 - 71 - 15), a.out)
                  .error()
                  .is(Discv5Error::message_does_not_fit));
  EXPECT_EQ(a.sessions.counters().refused(Discv5Error::message_does_not_fit), 2U);
  EXPECT_TRUE(a.sessions.seal(b.peer(), Bytes(1280 - 71 - 16), a.out).has_value());
}

TEST(Sessions, AtTheLimitTheSessionThatWasNotUsedForLongestMakesWay) {
  SessionLimits limits;
  limits.sessions = 3;
  Node b{2, limits};
  const Now now = at(seconds(0));
  std::vector<std::unique_ptr<Node>> peers;
  for (std::uint64_t i = 0; i < 4; ++i) peers.push_back(std::make_unique<Node>(10 + i));
  for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(connect(now, *peers[i], b));
  ASSERT_TRUE(reads(now, *peers[0], b));
  ASSERT_TRUE(connect(now, *peers[3], b));
  EXPECT_EQ(b.sessions.sessions(), 3U);
  EXPECT_EQ(b.sessions.counters().sessions_dropped, 1U);
  EXPECT_TRUE(b.sessions.has_session(peers[0]->peer()));
  EXPECT_FALSE(b.sessions.has_session(peers[1]->peer()));
  EXPECT_TRUE(reads(now, *peers[2], b));
}

TEST(SessionsDeathTest, TheRecordsAreOfTheRightIdentity) {
  Node a{1};
  EXPECT_DEATH(a.sessions.set_local_record(record_of(2)), "node_id");
  EXPECT_DEATH(
      a.sessions.make_challenge(at(seconds(0)), {{id_of(2), place_of(2)}, {}}, record_of(3), a.out),
      "node_id");
}

TEST(NonceCounter, CountsInTheFirstFourBytesAndEndsAtTheLast) {
  TestRng rng{1};
  NonceCounter fresh;
  EXPECT_EQ(to_hex(ByteView{*fresh.next(rng)}.first(4)), "00000000");
  EXPECT_EQ(to_hex(ByteView{*fresh.next(rng)}.first(4)), "00000001");
  NonceCounter last{(std::uint64_t{1} << 32) - 1};
  const auto nonce = last.next(rng);
  ASSERT_TRUE(nonce.has_value());
  EXPECT_EQ(to_hex(ByteView{*nonce}.first(4)), "ffffffff");
  EXPECT_FALSE(last.next(rng).has_value());
  EXPECT_FALSE(last.next(rng).has_value());
}

}  // namespace
}  // namespace ethnet::discv5
