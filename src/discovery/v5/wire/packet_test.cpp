#include "packet.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "../testing/rig.hpp"

namespace ethnet::discv5 {
namespace {

using testing::id_of;
using testing::masked;
using testing::TestRng;

const NodeId kSelf = id_of(1);

Bytes random_bytes(TestRng& rng, std::size_t size) {
  Bytes out(size);
  rng.fill(out);
  return out;
}

// A packet in its unmasked form: what a test then spoils.
Bytes unmasked(const Authdata& authdata, std::size_t message_size) {
  Header header{.nonce = {}, .authdata = authdata};
  header.masking_iv.fill(std::byte{7});
  PacketBuffer buffer{};
  Bytes out = to_bytes(write_header(header, buffer));
  out.resize(out.size() + message_size);
  return out;
}

// The error with which node kSelf refuses it, or nothing.
std::optional<Error> refusal(ByteView unmasked_form) {
  PacketCodec codec;
  PacketBuffer buffer{};
  const auto packet = codec.decode(kSelf, masked(kSelf, unmasked_form), buffer);
  if (packet) return {};
  return packet.error();
}
::testing::AssertionResult refused(ByteView unmasked_form, Discv5Error why, std::uint64_t at) {
  const auto error = refusal(unmasked_form);
  if (!error) return ::testing::AssertionFailure() << "accepted";
  if (*error == Error{why, at}) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << error->message();
}

TEST(Packet, SizesFrom63To1280AreLookedAtAndNoOthers) {
  PacketCodec codec;
  PacketBuffer buffer{};
  TestRng rng{1};
  for (std::size_t size = 0; size < 1600; size += size < 70 || size > 1270 ? 1 : 50) {
    const auto packet = codec.decode(kSelf, random_bytes(rng, size), buffer);
    ASSERT_FALSE(packet.has_value()) << size;
    const Discv5Error why = size < 63     ? Discv5Error::packet_too_small
                            : size > 1280 ? Discv5Error::packet_too_large
                                          : Discv5Error::wrong_protocol_id;
    EXPECT_TRUE(packet.error().is(why)) << size << ": " << packet.error().message();
  }
  EXPECT_FALSE(refusal(unmasked(Ordinary{}, 1280 - 71)).has_value());
}

TEST(Packet, EveryFieldOfTheStaticHeaderIsJudged) {
  const Bytes good = unmasked(Ordinary{id_of(2)}, 20);
  ASSERT_FALSE(refusal(good).has_value());
  for (std::size_t i = 0; i < 6; ++i) {
    Bytes bad = good;
    bad[16 + i] ^= std::byte{1};
    EXPECT_TRUE(refused(bad, Discv5Error::wrong_protocol_id, 16));
  }
  for (const std::size_t i : {22U, 23U}) {
    Bytes bad = good;
    bad[i] ^= std::byte{2};
    EXPECT_TRUE(refused(bad, Discv5Error::wrong_version, 22));
  }
  for (unsigned flag = 3; flag < 256; ++flag) {
    Bytes bad = good;
    bad[24] = static_cast<std::byte>(flag);
    EXPECT_TRUE(refused(bad, Discv5Error::unknown_flag, 24));
  }
}

TEST(Packet, TheSizeOfTheAuthdataIsThatOfItsFlag) {
  const auto with_size = [](Bytes packet, std::size_t size) {
    store_be<std::uint16_t>(MutByteView{packet}.subspan(37, 2), static_cast<std::uint16_t>(size));
    return packet;
  };
  const Bytes ordinary = unmasked(Ordinary{}, 100);
  for (const std::size_t size : {0U, 24U, 31U, 33U, 131U, 132U, 133U, 65535U}) {
    EXPECT_TRUE(refused(with_size(ordinary, size), Discv5Error::bad_authdata_size, 37)) << size;
  }
  const Bytes whoareyou = unmasked(Whoareyou{}, 0);
  for (const std::size_t size : {0U, 23U, 25U, 32U, 65535U}) {
    EXPECT_TRUE(refused(with_size(whoareyou, size), Discv5Error::bad_authdata_size, 37)) << size;
  }
  const Bytes handshake = unmasked(Handshake{}, 100);
  for (const std::size_t size : {0U, 33U, 34U, 130U, 65535U}) {
    EXPECT_TRUE(refused(with_size(handshake, size), Discv5Error::bad_authdata_size, 37)) << size;
  }
}

TEST(Packet, AWhoareyouHasNoMessageAndTheOthersHaveATag) {
  EXPECT_FALSE(refusal(unmasked(Whoareyou{}, 0)).has_value());
  for (const std::size_t size : {1U, 16U, 1217U}) {
    EXPECT_TRUE(refused(unmasked(Whoareyou{}, size), Discv5Error::message_in_whoareyou, 63));
  }
  for (std::size_t size = 0; size < 16; ++size) {
    EXPECT_TRUE(refused(unmasked(Ordinary{}, size), Discv5Error::message_too_short, 71));
    EXPECT_TRUE(refused(unmasked(Handshake{}, size), Discv5Error::message_too_short, 170));
  }
  EXPECT_FALSE(refusal(unmasked(Ordinary{}, 16)).has_value());
  EXPECT_FALSE(refusal(unmasked(Handshake{}, 16)).has_value());
}

TEST(Packet, OnlyTheSizesOfTheSchemeV4) {
  for (const std::size_t at : {71U, 72U}) {
    Bytes bad = unmasked(Handshake{}, 40);
    bad[at] ^= std::byte{1};
    EXPECT_TRUE(refused(bad, Discv5Error::unsupported_scheme, 71));
  }
}

TEST(Packet, atk_24_ARecordOf300BytesPassesAndOneOf301DoesNot) {
  Bytes record(300);
  EXPECT_FALSE(refusal(unmasked(Handshake{.record = record}, 20)).has_value());
  record.resize(299);
  EXPECT_FALSE(refusal(unmasked(Handshake{.record = record}, 20)).has_value());
  // A byte of the message taken for one of the record.
  record.resize(300);
  for (const std::size_t more : {1U, 50U}) {
    Bytes bad = unmasked(Handshake{.record = record}, 100);
    store_be<std::uint16_t>(MutByteView{bad}.subspan(37, 2),
                            static_cast<std::uint16_t>(131 + 300 + more));
    EXPECT_TRUE(refused(bad, Discv5Error::record_too_large, 39 + 131 + 300));
  }
}

TEST(Packet, WhatIsMaskedForAnotherNodeIsNotOurs) {
  PacketCodec codec;
  PacketBuffer buffer{};
  const Bytes packet = masked(id_of(2), unmasked(Ordinary{}, 30));
  EXPECT_TRUE(codec.decode(id_of(2), packet, buffer).has_value());
  EXPECT_TRUE(codec.decode(kSelf, packet, buffer).error().is(Discv5Error::wrong_protocol_id));
}

struct Drawn {
  Header header;
  Bytes record;
  Bytes key;
  Bytes plain;
};
Drawn draw(TestRng& rng, std::uint64_t kind) {
  Drawn out;
  rng.fill(out.header.masking_iv);
  rng.fill(out.header.nonce);
  out.key = random_bytes(rng, 16);
  out.plain = random_bytes(rng, rng.next() % 300);
  out.record = random_bytes(rng, rng.next() % 301);
  NodeId source;
  rng.fill(source.bytes);
  if (kind == 0) {
    out.header.authdata = Ordinary{source};
  } else if (kind == 1) {
    Whoareyou whoareyou{.enr_seq = rng.next()};
    rng.fill(whoareyou.id_nonce);
    out.header.authdata = whoareyou;
  } else {
    Handshake handshake{.source = source};
    rng.fill(handshake.id_signature);
    rng.fill(handshake.ephemeral_key);
    out.header.authdata = handshake;
  }
  return out;
}

bool same(const Authdata& a, const Authdata& b) {
  PacketBuffer one{};
  PacketBuffer other{};
  return a.index() == b.index() &&
         equal(write_header({.authdata = a}, one), write_header({.authdata = b}, other));
}

RC_GTEST_PROP(PacketProperty, EachKindComesBackAsItWasMade, (std::uint64_t seed)) {
  TestRng rng{seed};
  const std::uint64_t kind = seed % 3;
  Drawn drawn = draw(rng, kind);
  if (auto* handshake = std::get_if<Handshake>(&drawn.header.authdata)) {
    handshake->record = drawn.record;
  }
  PacketCodec codec;
  PacketBuffer sent{};
  PacketBuffer buffer{};
  std::size_t size = 0;
  if (kind == 1) {
    ChallengeData data{};
    write_header(drawn.header, data);
    size = codec.encode_whoareyou(kSelf, data, sent);
    RC_ASSERT(size == kWhoareyouBytes);
  } else {
    size = codec.encode_sealed(kSelf, drawn.header, drawn.key, drawn.plain, sent).value();
  }
  const ByteView datagram = ByteView{sent}.first(size);
  const auto packet = codec.decode(kSelf, datagram, buffer);
  RC_ASSERT(packet.has_value());
  RC_ASSERT(packet->header.masking_iv == drawn.header.masking_iv);
  RC_ASSERT(packet->header.nonce == drawn.header.nonce);
  RC_ASSERT(same(packet->header.authdata, drawn.header.authdata));
  if (kind == 1) {
    RC_ASSERT(packet->message.empty() && packet->header_bytes.size() == kWhoareyouBytes);
    RC_ASSERT(!codec.open(*packet, drawn.key).has_value());
    return;
  }
  const auto plain = codec.open(*packet, drawn.key);
  RC_ASSERT(plain.has_value() && equal(*plain, drawn.plain));
}

// Masking authenticates nothing: the tag covers iv, header and message.
TEST(Packet, WithAnyBitTurnedNothingIsReadable) {
  TestRng rng{9};
  PacketCodec codec;
  for (const std::uint64_t kind : {0U, 2U}) {
    Drawn drawn = draw(rng, kind);
    PacketBuffer sent{};
    const std::size_t size =
        codec.encode_sealed(kSelf, drawn.header, drawn.key, text_bytes("PING"), sent).value();
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      Bytes turned = to_bytes(ByteView{sent}.first(size));
      turned[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      PacketBuffer buffer{};
      const auto packet = codec.decode(kSelf, turned, buffer);
      if (!packet) continue;
      const auto plain = codec.open(*packet, drawn.key);
      ASSERT_FALSE(plain.has_value()) << bit;
      EXPECT_TRUE(plain.error().is(Discv5Error::unreadable));
    }
  }
}

TEST(Packet, WhatDoesNotFitIntoOnePacketIsNotMade) {
  PacketCodec codec;
  PacketBuffer sent{};
  const Header header{.authdata = Ordinary{id_of(2)}};
  const Bytes key(16);
  EXPECT_EQ(codec.encode_sealed(kSelf, header, key, Bytes(1280 - 71 - 16), sent), 1280U);
  EXPECT_TRUE(codec.encode_sealed(kSelf, header, key, Bytes(1280 - 71 - 15), sent)
                  .error()
                  .is(Discv5Error::message_does_not_fit));
  EXPECT_EQ(codec.encode_raw(kSelf, header, Bytes(1280 - 71), sent), 1280U);
  EXPECT_TRUE(codec.encode_raw(kSelf, header, Bytes(1280 - 70), sent)
                  .error()
                  .is(Discv5Error::message_does_not_fit));
}

TEST(Packet, EveryErrorHasItsOwnText) {
  std::vector<std::string> texts;
  for (std::size_t code = 1; code < kDiscv5Errors; ++code) {
    texts.emplace_back(Error{static_cast<Discv5Error>(code)}.what());
    EXPECT_NE(texts.back(), "unknown") << code;
  }
  std::ranges::sort(texts);
  EXPECT_EQ(std::ranges::adjacent_find(texts), texts.end());
  EXPECT_EQ(Error{static_cast<Discv5Error>(kDiscv5Errors)}.what(), "unknown");
}

}  // namespace
}  // namespace ethnet::discv5
