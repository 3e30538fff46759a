#include "message.hpp"

#include <codec/rlp_writer.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "../testing/rig.hpp"

namespace ethnet::discv5 {
namespace {

using testing::TestRng;

Bytes encoded(const Message& message) {
  Bytes out(encoded_size(message));
  EXPECT_EQ(encode_message(message, out), out.size());
  return out;
}

// A plaintext of this type whose list `write` fills.
template <class F>
Bytes plain_of(unsigned type, F write) {
  rlp::Writer out;
  const auto list = out.begin_list();
  write(out);
  out.end_list(list);
  Bytes plain{static_cast<std::byte>(type)};
  append(plain, out.view());
  return plain;
}

::testing::AssertionResult refused(ByteView plain, Error why) {
  const auto message = decode_message(plain);
  if (message) return ::testing::AssertionFailure() << "accepted";
  if (message.error() == why) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << message.error().message();
}
template <class E>
::testing::AssertionResult refused(ByteView plain, E why, std::uint64_t at) {
  return refused(plain, Error{why, at});
}

const RequestId kId = RequestId::from_bytes(ByteArray<2>{std::byte{1}, std::byte{2}}).value();

FindNode findnode(std::initializer_list<std::uint16_t> distances) {
  FindNode out{.request_id = kId, .distances = {}};
  for (const std::uint16_t distance : distances) out.distances.push_back(distance);
  return out;
}

Bytes record_of_size(std::size_t size) {
  for (std::size_t text = 0; text < size; ++text) {
    rlp::Writer out;
    const auto list = out.begin_list();
    out.write_bytes(Bytes(text, std::byte{0xaa}));
    out.end_list(list);
    if (out.size() == size) return std::move(out).take();
  }
  ADD_FAILURE() << "no list of " << size << " bytes";
  return {};
}

TEST(Message, EachKindIsWhatTheSpecificationSays) {
  const Bytes ping = encoded(Ping{kId, 5});
  EXPECT_EQ(to_hex(ping), "01c482010205");
  const Endpoint place{IpAddress::loopback_v4(), 30303};
  EXPECT_EQ(to_hex(encoded(Pong{kId, 5, place})), "02cc82010205847f00000182765f");
  EXPECT_EQ(to_hex(encoded(findnode({0, 256, 128}))), "03ca820102c6808201008180");
  Nodes nodes{.request_id = kId, .total = 2, .records = {}};
  const Bytes record = record_of_size(5);
  nodes.records.push_back(record);
  EXPECT_EQ(to_hex(encoded(nodes)), "04ca82010202c5c483aaaaaa");
  EXPECT_EQ(to_hex(encoded(TalkReq{kId, text_bytes("abc"), text_bytes("z")})),
            "05c8820102836162637a");
  EXPECT_EQ(to_hex(encoded(TalkResp{kId, {}})), "06c482010280");
}

TEST(Message, UnknownTypesAndNothingAreErrorsOfTheirOwn) {
  EXPECT_TRUE(refused({}, Discv5Error::empty_message, 0));
  for (unsigned type = 0; type < 256; ++type) {
    if (type >= 1 && type <= 6) continue;
    EXPECT_TRUE(refused(plain_of(type, [](rlp::Writer& out) { out.write_bytes({}); }),
                        Discv5Error::unknown_message, 0));
  }
}

TEST(Message, ARequestIdHasAtMostEightBytes) {
  for (unsigned type = 1; type <= 6; ++type) {
    const auto plain = plain_of(type, [](rlp::Writer& out) { out.write_bytes(Bytes(9)); });
    EXPECT_TRUE(refused(plain, Discv5Error::request_id_too_long, 2)) << type;
  }
  for (std::size_t size = 0; size <= 8; ++size) {
    const auto plain = plain_of(1, [&](rlp::Writer& out) {
      out.write_bytes(Bytes(size, std::byte{0}));
      out.write_uint(7);
    });
    const auto message = decode_message(plain);
    ASSERT_TRUE(message.has_value()) << size;
    EXPECT_EQ(std::get<Ping>(*message).request_id.view().size(), size);
    EXPECT_EQ(encoded(*message), plain);
  }
}

TEST(Message, ARequestIdIsAnsweredWithOrWithoutItsLeadingZeros) {
  const auto id = [](std::string_view hex) {
    return RequestId::from_bytes(from_hex(hex).value()).value();
  };
  EXPECT_TRUE(id("0102").answers(id("00000102")));
  EXPECT_TRUE(id("00000102").answers(id("0102")));
  EXPECT_TRUE(id("").answers(id("00")));
  EXPECT_TRUE(RequestId::of(258).answers(id("0102")));
  EXPECT_FALSE(id("0102").answers(id("010200")));
  EXPECT_FALSE(id("01").answers(id("02")));
  EXPECT_FALSE(id("").answers(id("01")));
}

TEST(Message, DistancesAreFrom0To256AndAtMost257) {
  const auto with = [](std::size_t count, std::uint64_t distance) {
    return plain_of(3, [&](rlp::Writer& out) {
      out.write_bytes(kId.view());
      const auto list = out.begin_list();
      for (std::size_t i = 0; i < count; ++i) out.write_uint(distance);
      out.end_list(list);
    });
  };
  EXPECT_TRUE(decode_message(with(0, 0)).has_value());
  const auto most = decode_message(with(257, 256));
  ASSERT_TRUE(most.has_value());
  EXPECT_EQ(std::get<FindNode>(*most).distances.view().size(), 257U);
  EXPECT_TRUE(refused(with(258, 5), Discv5Error::too_many_distances, 1 + 3 + 3 + 3 + 257));
  EXPECT_TRUE(refused(with(1, 257), Discv5Error::bad_distance, 6));
  EXPECT_TRUE(refused(with(1, UINT64_MAX), Discv5Error::bad_distance, 6));
  const auto zero_with_leading_zero = plain_of(3, [](rlp::Writer& out) {
    out.write_bytes(kId.view());
    const auto list = out.begin_list();
    out.write_bytes(Bytes(1));
    out.end_list(list);
  });
  EXPECT_TRUE(refused(zero_with_leading_zero, rlp::RlpError::leading_zero, 6));
}

Bytes nodes_plain(std::uint64_t total, std::span<const Bytes> records) {
  return plain_of(4, [&](rlp::Writer& out) {
    out.write_bytes(kId.view());
    out.write_uint(total);
    const auto list = out.begin_list();
    for (const Bytes& record : records) out.write_raw(record);
    out.end_list(list);
  });
}

TEST(Message, atk_31_ATotalOf0IsRefusedAndAnyOtherReadAsItIs) {
  for (const std::uint64_t total : {std::uint64_t{1}, std::uint64_t{5}, std::uint64_t{6},
                                    std::uint64_t{255}, std::uint64_t{257}, UINT64_MAX}) {
    const Bytes plain = nodes_plain(total, {});
    const auto message = decode_message(plain);
    ASSERT_TRUE(message.has_value()) << total;
    EXPECT_EQ(std::get<Nodes>(*message).total, total);
  }
  EXPECT_TRUE(refused(nodes_plain(0, {}), Discv5Error::bad_total, 5));
}

TEST(Message, atk_24_RecordsInNodesHaveAtMost300Bytes) {
  for (const std::size_t size : {299U, 300U}) {
    const std::vector<Bytes> records{record_of_size(size)};
    EXPECT_TRUE(decode_message(nodes_plain(1, records)).has_value()) << size;
  }
  const std::vector<Bytes> records{record_of_size(40), record_of_size(301)};
  EXPECT_TRUE(
      refused(nodes_plain(1, records), Discv5Error::record_too_large, 1 + 3 + 3 + 1 + 3 + 40));
}

TEST(Message, NodesHoldsAtMost16RecordsEachAList) {
  std::vector<Bytes> records(16, record_of_size(3));
  EXPECT_TRUE(decode_message(nodes_plain(1, records)).has_value());
  records.push_back(record_of_size(3));
  EXPECT_TRUE(
      refused(nodes_plain(1, records), Discv5Error::too_many_records, 1 + 1 + 3 + 1 + 1 + 48 + 1));
  const std::vector<Bytes> text{Bytes{std::byte{0x81}, std::byte{0x99}}};
  EXPECT_TRUE(refused(nodes_plain(1, text), rlp::RlpError::expected_list, 7));
}

TEST(Message, AnAddressHas4Or16Bytes) {
  const auto with = [](std::size_t size, std::uint64_t port) {
    return plain_of(2, [&](rlp::Writer& out) {
      out.write_bytes(kId.view());
      out.write_uint(1);
      out.write_bytes(Bytes(size, std::byte{0x99}));
      out.write_uint(port);
    });
  };
  EXPECT_TRUE(decode_message(with(4, 0)).has_value());
  EXPECT_TRUE(decode_message(with(16, 65535)).has_value());
  for (const std::size_t size : {0U, 1U, 3U, 5U, 15U, 17U}) {
    EXPECT_TRUE(refused(with(size, 9), Discv5Error::bad_address, 6)) << size;
  }
  EXPECT_TRUE(refused(with(4, 65536), rlp::RlpError::overflow, 11));
}

TEST(Message, AnIpv4AddressInSixteenBytesIsTakenForWhatItMeans) {
  const auto plain = plain_of(2, [](rlp::Writer& out) {
    out.write_bytes(kId.view());
    out.write_uint(1);
    out.write_bytes(from_hex("00000000000000000000ffff01020304").value());
    out.write_uint(9);
  });
  const auto message = decode_message(plain);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(std::get<Pong>(*message).recipient.to_string(), "1.2.3.4:9");
}

TEST(Message, NothingIsMissingAndNothingFollows) {
  const Bytes record = record_of_size(60);
  Nodes nodes{.request_id = kId, .total = 1, .records = {}};
  nodes.records.push_back(record);
  const Bytes text(70);
  const std::vector<Message> messages{Ping{kId, 300},
                                      Pong{kId, 1, Endpoint{IpAddress::loopback_v6(), 9}},
                                      findnode({3, 256}),
                                      nodes,
                                      TalkReq{kId, text_bytes("p"), text},
                                      TalkResp{kId, record}};
  for (const Message& message : messages) {
    const Bytes plain = encoded(message);
    ASSERT_EQ(decode_message(plain), message);
    for (std::size_t size = 0; size < plain.size(); ++size) {
      EXPECT_FALSE(decode_message(ByteView{plain}.first(size)).has_value());
    }
    Bytes longer = plain;
    longer.push_back(std::byte{0});
    EXPECT_TRUE(refused(longer, rlp::RlpError::trailing_bytes, plain.size()));
    // One element too many, and one too few.
    rlp::Reader in{ByteView{plain}.subspan(1)};
    rlp::Reader list = in.enter_list().value();
    const ByteView elements = list.rest();
    const auto more = plain_of(static_cast<unsigned>(message.index() + 1), [&](rlp::Writer& out) {
      out.write_raw(elements);
      out.write_uint(1);
    });
    const auto error = decode_message(more);
    ASSERT_FALSE(error.has_value());
    EXPECT_TRUE(error.error().is(rlp::RlpError::trailing_bytes));
    std::vector<ByteView> items;
    while (!list.at_end()) items.push_back(list.read_raw().value());
    items.pop_back();
    const auto fewer = plain_of(static_cast<unsigned>(message.index() + 1), [&](rlp::Writer& out) {
      for (const ByteView item : items) out.write_raw(item);
    });
    EXPECT_TRUE(decode_message(fewer).error().is(rlp::RlpError::truncated));
  }
}

TEST(Message, WhatDoesNotFitIsNotWritten) {
  const Message message = TalkResp{kId, text_bytes("response")};
  Bytes out(encoded_size(message) - 1, std::byte{0x55});
  EXPECT_TRUE(encode_message(message, out).error().is(Discv5Error::message_does_not_fit));
  EXPECT_EQ(out, Bytes(out.size(), std::byte{0x55}));
}

Message draw(TestRng& rng, Bytes& kept) {
  const auto bytes = [&](std::size_t size) {
    Bytes out(size);
    rng.fill(out);
    return out;
  };
  const auto id = RequestId::from_bytes(bytes(rng.next() % 9)).value();
  kept = bytes(rng.next() % 400);
  const auto number = [&] { return rng.next() >> (rng.next() % 64); };
  switch (rng.next() % 5) {
    case 0:
      return Ping{id, number()};
    case 1: {
      ByteArray<16> v6{};
      rng.fill(v6);
      ByteArray<4> v4{};
      rng.fill(v4);
      const IpAddress ip = rng.next() % 2 == 0 ? IpAddress::v4(v4) : IpAddress::v6(v6);
      return Pong{id, number(), {ip, static_cast<std::uint16_t>(number())}};
    }
    case 2: {
      FindNode out{.request_id = id, .distances = {}};
      for (std::uint64_t i = rng.next() % 258; i > 0; --i) {
        out.distances.push_back(static_cast<std::uint16_t>(rng.next() % 257));
      }
      return out;
    }
    case 3: {
      const ByteView all{kept};
      const std::size_t cut = rng.next() % (kept.size() + 1);
      return TalkReq{id, all.first(cut), all.subspan(cut)};
    }
    default:
      return TalkResp{id, kept};
  }
}

RC_GTEST_PROP(MessageProperty, EachComesBackAsItWasMade, (std::uint64_t seed)) {
  TestRng rng{seed};
  Bytes kept;
  const Message message = draw(rng, kept);
  const Bytes plain = encoded(message);
  const auto again = decode_message(plain);
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == message);
}

}  // namespace
}  // namespace ethnet::discv5
