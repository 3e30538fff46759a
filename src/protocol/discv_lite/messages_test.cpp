// The messages: what they are on the wire, and everything that is refused.
#include "messages.hpp"

#include <base/hex.hpp>
#include <codec/rlp_writer.hpp>
#include <discovery/kbucket/testing/records.hpp>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "limits.hpp"

namespace ethnet::discv_lite {
namespace {

using namespace kbucket::testing;

Bytes hex(std::string_view text) { return from_hex(text).value(); }
Bytes record(std::uint64_t number) {
  return to_bytes(enr_of(number, own_subnet(number)).record().encoded());
}

Bytes nodes_of(std::size_t count) { return encode(Nodes{1, std::vector<Bytes>(count, record(1))}); }

TEST(Messages, RoundTrip) {
  const Ping ping{UINT64_MAX, 7};
  const Pong v4{1, UINT64_MAX, endpoint("255.1.2.3:65535")};
  const Pong v6{0, 0, endpoint("[2a00::1]:1")};
  const FindNodes find{9, {256, 0, 1}};
  const Nodes nodes{9, {record(1), record(2)}};
  EXPECT_EQ(*decode_ping(encode(ping)), ping);
  EXPECT_EQ(*decode_pong(encode(v4)), v4);
  EXPECT_EQ(*decode_pong(encode(v6)), v6);
  EXPECT_EQ(*decode_find_nodes(encode(find)), find);
  EXPECT_EQ(*decode_nodes(encode(nodes)), nodes);
  EXPECT_EQ(*peek_request_id(encode(nodes)), 9U);
  EXPECT_EQ(*peek_records_count(encode(nodes)), 2U);
  EXPECT_EQ(*peek_request_id(encode(v4)), 1U);
}

TEST(Messages, OnlyFourCodes) {
  EXPECT_EQ(*peek_code(hex("03c0")), Code::nodes);
  EXPECT_TRUE(peek_code({}).error().is(DiscvError::empty_message));
  for (unsigned code = 4; code < 256; ++code) {
    const Bytes payload{static_cast<std::byte>(code)};
    EXPECT_TRUE(peek_code(payload).error().is(DiscvError::unknown_code)) << code;
  }
}

TEST(Messages, EveryTruncationAndEveryByteMoreIsRefused) {
  const auto refused = [](const Bytes& payload, auto decode) {
    for (std::size_t size = 0; size < payload.size(); ++size) {
      EXPECT_FALSE(decode(ByteView{payload}.first(size)).has_value()) << size;
    }
    Bytes longer = payload;
    longer.push_back(std::byte{0x80});
    EXPECT_FALSE(decode(longer).has_value());
  };
  refused(encode(Ping{300, 7}), decode_ping);
  refused(encode(Pong{300, 7, endpoint("1.2.3.4:9000")}), decode_pong);
  refused(encode(FindNodes{300, {256, 3}}), decode_find_nodes);
  refused(encode(Nodes{300, {record(1)}}), decode_nodes);
}

TEST(Messages, AFieldMoreIsRefused) {
  EXPECT_FALSE(decode_ping(hex("00c3010701")).has_value());
  EXPECT_FALSE(decode_pong(hex("01cd010184010203048223290f")).has_value());
  EXPECT_FALSE(decode_find_nodes(hex("02c401c10180")).has_value());
  EXPECT_FALSE(decode_nodes(hex("03c304c080")).has_value());
}

TEST(Messages, NumbersAreCanonical) {
  EXPECT_FALSE(decode_ping(hex("00c20007")).has_value());
  EXPECT_FALSE(decode_ping(hex("00c481018007")).has_value());
  EXPECT_FALSE(decode_ping(hex("00cb89010000000000000000"
                               "07"))
                   .has_value());
  EXPECT_FALSE(decode_find_nodes(hex("02c503c382000a")).has_value());
}

TEST(Messages, AnAddressHasFourOrSixteenBytesAndAPort) {
  const auto pong = [](std::string_view ip, std::string_view port) {
    rlp::Writer out;
    const auto list = out.begin_list();
    out.write_uint(1);
    out.write_uint(1);
    out.write_bytes(hex(ip));
    out.write_raw(hex(port));
    out.end_list(list);
    Bytes payload{std::byte{1}};
    append(payload, out.view());
    return decode_pong(payload);
  };
  EXPECT_TRUE(pong("01020304", "01").has_value());
  for (const auto* ip :
       {"", "010203", "0102030405", "00000000000000000000ffff01020304",
        "2a0000000000000000000000000001", "2a0000000000000000000000000000000001"}) {
    ASSERT_FALSE(pong(ip, "01").has_value()) << ip;
    EXPECT_TRUE(pong(ip, "01").error().is(DiscvError::bad_address)) << ip;
  }
  EXPECT_TRUE(pong("01020304", "80").error().is(DiscvError::bad_address)) << "port 0";
  EXPECT_FALSE(pong("01020304", "83010000").has_value()) << "port 65536";
}

TEST(Messages, DistancesAreOneToSixteenUpTo256AndDistinct) {
  const auto find = [](std::vector<std::uint16_t> distances) {
    return decode_find_nodes(encode(FindNodes{1, std::move(distances)}));
  };
  EXPECT_TRUE(find({0}).has_value());
  EXPECT_TRUE(find({}).error().is(DiscvError::no_distances));
  EXPECT_TRUE(find({257}).error().is(DiscvError::bad_distance));
  EXPECT_TRUE(find({5, 256, 5}).error().is(DiscvError::bad_distance));
  std::vector<std::uint16_t> many;
  for (std::uint16_t d = 200; d < 216; ++d) many.push_back(d);
  EXPECT_TRUE(find(many).has_value());
  many.push_back(216);
  EXPECT_TRUE(find(many).error().is(DiscvError::too_many_distances));
}

TEST(Messages, SixteenRecordsOf300BytesFitAndOneMoreOrLongerDoesNot) {
  Bytes large(298, std::byte{0x80});
  rlp::Writer list;
  list.write_list_header(297);
  for (int i = 0; i < 297; ++i) list.write_uint(0);
  const Bytes longest = to_bytes(list.view());
  ASSERT_EQ(longest.size(), kMaxEnrBytes);
  const Bytes full = encode(Nodes{UINT64_MAX, std::vector<Bytes>(16, longest)});
  EXPECT_LE(full.size(), kMaxNodesBytes);
  EXPECT_EQ(decode_nodes(full)->records.size(), 16U);
  EXPECT_TRUE(decode_nodes(nodes_of(17)).error().is(DiscvError::too_many_records));
  EXPECT_EQ(*peek_records_count(nodes_of(17)), 17U) << "known before anything is decoded";
  rlp::Writer longer;
  longer.write_list_header(298);
  for (int i = 0; i < 298; ++i) longer.write_uint(0);
  EXPECT_TRUE(decode_nodes(encode(Nodes{1, {to_bytes(longer.view())}}))
                  .error()
                  .is(DiscvError::record_too_large));
  EXPECT_TRUE(
      decode_nodes(encode(Nodes{1, {hex("83010203")}})).error().is(rlp::RlpError::expected_list));
}

TEST(Messages, AMessageAboveItsLimitIsRefusedWhateverItHolds) {
  Bytes question(kMaxQuestionBytes + 1);
  EXPECT_TRUE(decode_ping(question).error().is(DiscvError::message_too_large));
  EXPECT_TRUE(decode_pong(question).error().is(DiscvError::message_too_large));
  EXPECT_TRUE(decode_find_nodes(question).error().is(DiscvError::message_too_large));
  Bytes answer(kMaxNodesBytes + 1);
  EXPECT_TRUE(decode_nodes(answer).error().is(DiscvError::message_too_large));
  EXPECT_TRUE(peek_request_id(answer).error().is(DiscvError::message_too_large));
}

RC_GTEST_PROP(MessagesProperty, AnyBytesDecodeToWhatEncodesToThemOrNotAtAll, ()) {
  Bytes payload{static_cast<std::byte>(*rc::gen::inRange(0, 5))};
  const auto rest = *rc::gen::container<std::vector<std::uint8_t>>(rc::gen::element<std::uint8_t>(
      0x00, 0x01, 0x80, 0x81, 0x82, 0x84, 0x90, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc7, 0xcc, 0xff));
  for (const std::uint8_t octet : rest) payload.push_back(static_cast<std::byte>(octet));
  if (const auto message = decode_ping(payload))
    RC_ASSERT(encode(*message).size() == payload.size());
  if (const auto message = decode_find_nodes(payload)) {
    RC_ASSERT(equal(ByteView{encode(*message)}.subspan(1), ByteView{payload}.subspan(1)));
  }
  if (const auto message = decode_nodes(payload)) {
    RC_ASSERT(equal(ByteView{encode(*message)}.subspan(1), ByteView{payload}.subspan(1)));
  }
}

}  // namespace
}  // namespace ethnet::discv_lite
