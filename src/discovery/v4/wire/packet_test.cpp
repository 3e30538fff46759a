#include "packet.hpp"

#include <crypto/keccak.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <tests/support/counting_allocator/counting_allocator.hpp>

#include "../testing/packets.hpp"

namespace ethnet::discv4 {
namespace {

using namespace testing;
using ethnet::testing::AllocationMeter;

const Place kHere{IpAddress::loopback_v4(), 30303, 30304};
const Place kThere{Endpoint::parse("[2001:db8::1]:1").value().ip, 2222, 0};

KeyBytes key_bytes(std::uint64_t number) { return key_of(number)->public_key().xy(); }
Neighbors neighbors(std::size_t count, const IpAddress& ip = IpAddress::loopback_v4()) {
  Neighbors out;
  for (std::size_t i = 0; i < count; ++i) {
    out.nodes.push_back({{ip, 0xffff, 0xffff}, key_bytes(i)});
  }
  out.expiration = kEpoch;
  return out;
}
Bytes record_of_size(std::size_t size) {
  for (std::size_t text = 0; text < size; ++text) {
    Bytes out = list_of([&](rlp::Writer& w) { w.write_bytes(Bytes(text, std::byte{0xaa})); });
    if (out.size() == size) return out;
  }
  ADD_FAILURE() << "no list of " << size << " bytes";
  return {};
}

Result<Message> decode(ByteView packet) {
  const Envelope envelope = TRY(open(packet));
  return decode_message(envelope);
}
template <class E>
::testing::AssertionResult refused(ByteView packet, E why, std::uint64_t at) {
  const auto message = decode(packet);
  if (message) return ::testing::AssertionFailure() << "accepted";
  if (message.error() == Error{why, at}) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << message.error().message();
}
template <class F>
Bytes raw_list(std::uint8_t type, F write) {
  return raw_packet(type, list_of(write), *key_of(1));
}
void write_place(rlp::Writer& out, ByteView ip) {
  const auto list = out.begin_list();
  out.write_bytes(ip);
  out.write_uint(1);
  out.write_uint(2);
  out.end_list(list);
}

TEST(Packet, EachKindIsWrittenAsItIsReadAndSignedByItsSender) {
  const Bytes record = record_of_size(100);
  const std::vector<Message> messages{
      Ping{.from = kHere, .to = kThere, .expiration = kEpoch, .enr_seq = 0},
      Ping{.from = kHere, .to = kThere, .expiration = kEpoch},
      Pong{.to = kThere, .ping_hash = Hash32{id_of(7).bytes}, .expiration = 1, .enr_seq = 77},
      FindNode{key_bytes(3), kEpoch},
      neighbors(0),
      neighbors(13),
      EnrRequest{kEpoch},
      EnrResponse{Hash32{id_of(8).bytes}, record}};
  for (const Message& message : messages) {
    PacketBuffer buffer{};
    const auto encoded = encode(message, *key_of(1), buffer);
    ASSERT_TRUE(encoded.has_value());
    EXPECT_EQ(encoded->size, encoded_size(message));
    const auto envelope = open(ByteView{buffer}.first(encoded->size));
    ASSERT_TRUE(envelope.has_value()) << envelope.error().message();
    EXPECT_EQ(envelope->hash, encoded->hash);
    EXPECT_EQ(envelope->type, type_of(message));
    EXPECT_EQ(decode_message(*envelope), message);
    EXPECT_EQ(recover_sender(*envelope), key_of(1)->public_key());
  }
}

TEST(Packet, APingHasTheFieldsOfTheSpecificationInTheirOrder) {
  const Bytes packet = packet_of(
      Ping{.from = kHere, .to = kThere, .expiration = 0x5f000000, .enr_seq = 9}, *key_of(1));
  EXPECT_EQ(to_hex(ByteView{packet}.subspan(kHeaderBytes - 1)),
            "01e904cb847f00000182765f827660"
            "d59020010db80000000000000000000000018208ae80845f00000009");
}

TEST(Packet, PaddingIsWrittenBehindTheSequenceNumberAndReadByNobody) {
  Ping ping{.from = kHere, .to = kThere, .expiration = 0x5f000000, .enr_seq = 9};
  const Message plain = ping;
  for (const std::size_t padding : {1U, 2U, 40U, 55U, 56U, 300U}) {
    ping.padding = padding;
    const Bytes packet = packet_of(ping, *key_of(1));
    EXPECT_GE(packet.size(), encoded_size(plain) + padding);
    EXPECT_LE(packet.size(), encoded_size(plain) + padding + 5);
    EXPECT_EQ(decode(packet), plain) << padding;
  }
  ping.enr_seq.reset();  // or it would stand in its place
  EXPECT_EQ(std::get<Ping>(decode(packet_of(ping, *key_of(1))).value()).enr_seq, std::nullopt);
}

RC_GTEST_PROP(PacketProperty, AnyPingComesBack, (std::uint64_t version, std::uint16_t udp)) {
  const bool v6 = *rc::gen::arbitrary<bool>();
  const auto seq = *rc::gen::arbitrary<std::uint64_t>();
  Ping ping{.version = version, .from = v6 ? kThere : kHere, .to = kHere, .expiration = ~version};
  ping.from.udp = udp;
  if (udp % 2 == 0) ping.enr_seq = seq;
  const auto back = decode(packet_of(ping, *key_of(1)));
  RC_ASSERT(back.has_value() && *back == Message{ping});
}

TEST(Packet, SizesAreJudgedBeforeTheHash) {
  EXPECT_TRUE(refused(Bytes(97), Discv4Error::packet_too_small, 0));
  EXPECT_TRUE(refused(Bytes(98), Discv4Error::bad_hash, 0));
  EXPECT_TRUE(refused(Bytes(1280), Discv4Error::bad_hash, 0));
  EXPECT_TRUE(refused(Bytes(1281), Discv4Error::packet_too_large, 0));
  const Bytes largest = raw_packet(1, Bytes(kMaxDiscv4Packet - kHeaderBytes), *key_of(1));
  EXPECT_EQ(largest.size(), kMaxDiscv4Packet);
  EXPECT_TRUE(refused(largest, rlp::RlpError::expected_list, kHeaderBytes));
}

TEST(Packet, AnyBitThatTurnsIsSeenByTheHash) {
  const Bytes packet = packet_of(EnrRequest{kEpoch}, *key_of(1));
  for (std::size_t i = 0; i < packet.size(); ++i) {
    Bytes spoilt = packet;
    spoilt[i] ^= std::byte{0x10};
    EXPECT_TRUE(refused(spoilt, Discv4Error::bad_hash, 0)) << i;
  }
}

TEST(Packet, TypesThatDoNotExistAreRefused) {
  const Bytes list{std::byte{0xc0}};
  for (const std::uint8_t type :
       {std::uint8_t{0}, std::uint8_t{7}, std::uint8_t{66}, std::uint8_t{255}}) {
    EXPECT_TRUE(refused(raw_packet(type, list, *key_of(1)), Discv4Error::unknown_packet_type,
                        kHeaderBytes - 1));
  }
}

TEST(Packet, ASignatureOfNobodyNamesNoSender) {
  Bytes packet = packet_of(EnrRequest{kEpoch}, *key_of(1));
  for (const auto value : {std::byte{0xff}, std::byte{0}}) {
    std::ranges::fill(MutByteView{packet}.subspan(32, 64), value);
    copy_into(MutByteView{packet}, crypto::keccak256(ByteView{packet}.subspan(32)));
    const auto envelope = open(packet);
    ASSERT_TRUE(envelope.has_value());
    EXPECT_FALSE(recover_sender(*envelope).has_value());
  }
}

TEST(Packet, WhatIsInTheListIsReadStrictly) {
  const auto at = kHeaderBytes;
  EXPECT_TRUE(refused(raw_packet(5, Bytes{}, *key_of(1)), rlp::RlpError::truncated, at));
  EXPECT_TRUE(refused(raw_list(5, [](auto&) {}), rlp::RlpError::truncated, at + 1));
  EXPECT_TRUE(refused(raw_list(5, [](auto& w) { w.write_empty_list(); }),
                      rlp::RlpError::expected_string, at + 1));
  EXPECT_TRUE(refused(raw_list(5, [](auto& w) { w.write_bytes(ByteArray<2>{}); }),
                      rlp::RlpError::leading_zero, at + 1));
  EXPECT_TRUE(refused(raw_list(5, [](auto& w) { w.write_bytes(Bytes(9, std::byte{1})); }),
                      rlp::RlpError::overflow, at + 1));
  EXPECT_TRUE(refused(raw_list(3, [](auto& w) { w.write_bytes(Bytes(65)); }),
                      rlp::RlpError::wrong_size, at + 2));
  EXPECT_TRUE(
      refused(raw_list(2, [](auto& w) { w.write_uint(1); }), rlp::RlpError::expected_list, at + 1));
}

TEST(Packet, AddressesHaveFourOrSixteenBytesOrNone) {
  const auto ping_from = [](std::size_t size) {
    return raw_list(1, [&](rlp::Writer& out) {
      out.write_uint(4);
      write_place(out, Bytes(size, std::byte{7}));
      write_place(out, ByteArray<4>{});
      out.write_uint(kEpoch);
    });
  };
  for (const std::size_t size : {1U, 3U, 5U, 15U, 17U}) {
    EXPECT_TRUE(refused(ping_from(size), Discv4Error::bad_address, kHeaderBytes + 3)) << size;
  }
  const auto none = decode(ping_from(0));
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ(std::get<Ping>(*none).from, (Place{IpAddress{}, 1, 2}));
  const auto v6 = decode(ping_from(16));
  ASSERT_TRUE(v6.has_value());
  EXPECT_FALSE(std::get<Ping>(*v6).from.ip.is_v4());
}

TEST(Packet, ElementsTooManyAndBytesBehindTheListAreIgnored) {
  Bytes list = list_of([](rlp::Writer& out) {
    out.write_uint(kEpoch);
    out.write_uint(42);
    out.write_raw(Bytes(3, std::byte{0xff}));  // not even RLP
  });
  append(list, Bytes(10, std::byte{0xff}));
  EXPECT_EQ(decode(raw_packet(5, list, *key_of(1))), Message{EnrRequest{kEpoch}});
}

TEST(Packet, AListInThePlaceOfTheSequenceNumberCountsAsNone) {
  const auto pong = decode(raw_list(2, [](rlp::Writer& out) {
    write_place(out, ByteArray<4>{});
    out.write_bytes(Bytes(32));
    out.write_uint(5);
    out.write_empty_list();
  }));
  ASSERT_TRUE(pong.has_value());
  EXPECT_EQ(std::get<Pong>(*pong).enr_seq, std::nullopt);
}

TEST(Packet, SixteenNeighborsAtMost) {
  const auto packet = [](std::size_t count) {
    return raw_list(4, [&](rlp::Writer& out) {
      const auto nodes = out.begin_list();
      for (std::size_t i = 0; i < count; ++i) {
        const auto node = out.begin_list();
        for (int field = 0; field < 3; ++field) out.write_uint(0);
        out.write_bytes(KeyBytes{});
        out.end_list(node);
      }
      out.end_list(nodes);
      out.write_uint(kEpoch);
    });
  };
  const auto full = decode(packet(16));
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(std::get<Neighbors>(*full).nodes.view().size(), kMaxPacketNeighbors);
  EXPECT_FALSE(decode(packet(17)).has_value());
}

TEST(Packet, atk_24_ARecordOf300BytesPassesAndOneOf301DoesNot) {
  const auto response = [](std::size_t size) {
    return raw_list(6, [&](rlp::Writer& out) {
      out.write_bytes(Bytes(32));
      out.write_raw(record_of_size(size));
    });
  };
  EXPECT_TRUE(decode(response(299)).has_value());
  EXPECT_TRUE(decode(response(300)).has_value());
  EXPECT_TRUE(refused(response(301), Discv4Error::record_too_large, kHeaderBytes + 3 + 33));
}

// The specification's time stamps are seconds; a negative one, as 64 bits, is long past.
TEST(Packet, atk_23_APacketHasExpiredTenSecondsAfterItsTimeStamp) {
  const UnixTime now = UnixTime::from_seconds(kEpoch);
  EXPECT_FALSE(is_expired(kEpoch, now));
  EXPECT_FALSE(is_expired(kEpoch - 10, now));
  EXPECT_TRUE(is_expired(kEpoch - 11, now));
  EXPECT_FALSE(is_expired(kEpoch + 1'000'000, now));
  EXPECT_FALSE(is_expired(static_cast<std::uint64_t>(INT64_MAX), now));
  EXPECT_TRUE(is_expired(~kEpoch, now));
  EXPECT_TRUE(is_expired(0, now));
  EXPECT_EQ(expiration_at(now), kEpoch + 20);
  EXPECT_EQ(expiration_of(FindNode{{}, 5}), 5U);
  EXPECT_EQ(expiration_of(EnrResponse{}), std::nullopt);
}

TEST(Packet, WhatDoesNotFitIsNotWritten) {
  PacketBuffer buffer{};
  const auto small = encode(EnrRequest{kEpoch}, *key_of(1), MutByteView{buffer}.first(100));
  EXPECT_EQ(small.error(), Error{Discv4Error::packet_does_not_fit});
  EXPECT_EQ(buffer, PacketBuffer{});
  Bytes large(2000);
  const auto too_many = encode(neighbors(14, kThere.ip), *key_of(1), large);
  EXPECT_EQ(too_many.error(), Error{Discv4Error::packet_does_not_fit});
}

// What splits an answer by these sizes stays within a packet.
TEST(Packet, ThirteenNeighborsInV4AndTwelveInV6FitBesideTheRest) {
  for (const auto& [ip, count] : {std::pair{kHere.ip, 14U}, std::pair{kThere.ip, 12U}}) {
    const Neighbor one{{ip, 0xffff, 0xffff}, key_bytes(1)};
    EXPECT_EQ((kMaxDiscv4Packet - kEmptyNeighborsBytes) / encoded_size(one), count);
    EXPECT_LE(encoded_size(neighbors(count, ip)), kMaxDiscv4Packet);
    EXPECT_LE(encoded_size(neighbors(count, ip)), kEmptyNeighborsBytes + count * encoded_size(one));
  }
}

TEST(Packet, ReadingAndWritingAllocateNothing) {
  const Bytes record = record_of_size(200);
  const auto key = key_of(1);
  for (const Message& message :
       std::vector<Message>{Ping{.from = kHere, .to = kThere, .expiration = 1, .enr_seq = 2},
                            neighbors(12), EnrResponse{{}, record}}) {
    PacketBuffer buffer{};
    const AllocationMeter meter;
    const auto encoded = encode(message, *key, buffer);
    const auto envelope = open(ByteView{buffer}.first(encoded ? encoded->size : 0));
    const bool same = envelope && decode_message(*envelope) == message;
    const bool signed_by_us = envelope && recover_sender(*envelope).has_value();
    EXPECT_EQ(meter.allocations(), 0U);
    EXPECT_TRUE(same && signed_by_us);
  }
}

}  // namespace
}  // namespace ethnet::discv4
