#include <vector>

#include <base/hex.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "rlp_reader.hpp"
#include "rlp_writer.hpp"

namespace ethnet::rlp {
namespace {

Bytes hex(std::string_view text) { return from_hex(text).value(); }

template <class T>
void expect_error(const Result<T>& result, RlpError code, std::uint64_t offset) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message(), (Error{code, offset}.message()));
}

TEST(RlpReader, ReadsEachKindAndTracksTheOffset) {
  const Bytes input = hex("c90583646f6782040001");
  Reader outer{input};
  EXPECT_EQ(outer.peek(), Kind::list);
  Reader list = outer.enter_list().value();
  EXPECT_TRUE(outer.expect_end().has_value());
  EXPECT_EQ(list.count_items(), 4U);
  EXPECT_EQ(list.offset(), 1U);
  EXPECT_EQ(list.read_uint<std::uint8_t>(), 5);
  EXPECT_EQ(list.offset(), 2U);
  EXPECT_TRUE(equal(list.read_fixed<3>().value(), text_bytes("dog")));
  EXPECT_EQ(list.read_uint<std::uint16_t>(), 1024);
  EXPECT_EQ(list.read_bool(), true);
  EXPECT_TRUE(list.at_end());
  expect_error(list.read_bytes(), RlpError::truncated, 10);
}

TEST(RlpReader, IntegersAreCanonicalAndFit) {
  const auto read8 = [](std::string_view text) {
    const Bytes input = hex(text);
    return Reader{input}.read_uint<std::uint8_t>();
  };
  EXPECT_EQ(read8("80"), 0);
  EXPECT_EQ(read8("7f"), 127);
  EXPECT_EQ(read8("81ff"), 255);
  expect_error(read8("00"), RlpError::leading_zero, 0);
  expect_error(read8("820001"), RlpError::leading_zero, 0);
  expect_error(read8("820100"), RlpError::overflow, 0);
  expect_error(read8("8101"), RlpError::non_canonical_byte, 0);
  expect_error(read8("c0"), RlpError::expected_string, 0);
  const Bytes wide = hex("88ffffffffffffffff");
  EXPECT_EQ(Reader{wide}.read_uint<std::uint64_t>(), UINT64_MAX);
  const Bytes wider = hex("89010000000000000000");
  expect_error(Reader{wider}.read_uint<std::uint64_t>(), RlpError::overflow, 0);
  const Bytes two = hex("02");
  expect_error(Reader{two}.read_bool(), RlpError::overflow, 0);
}

TEST(RlpReader, AFailedReadLeavesTheCursor) {
  const Bytes input = hex("83646f67");
  Reader in{input, 100};
  expect_error(in.read_fixed<4>(), RlpError::wrong_size, 100);
  expect_error(in.read_bytes(2), RlpError::wrong_size, 100);
  expect_error(in.read_bool(), RlpError::overflow, 100);
  expect_error(in.enter_list(), RlpError::expected_list, 100);
  EXPECT_EQ(in.offset(), 100U);
  EXPECT_TRUE(in.read_bytes(3).has_value());
  EXPECT_EQ(in.offset(), 104U);
}

TEST(RlpReader, TrailingBytesAreFound) {
  const Bytes input = hex("0102");
  Reader in{input};
  EXPECT_TRUE(in.read_bytes().has_value());
  expect_error(in.expect_end(), RlpError::trailing_bytes, 1);
  expect_error(validate(input), RlpError::trailing_bytes, 1);
}

TEST(RlpReader, DepthIsLimited) {
  Writer out;
  std::vector<Writer::ListMark> marks;
  for (std::uint32_t i = 0; i <= kMaxDepth; ++i) marks.push_back(out.begin_list());
  for (; !marks.empty(); marks.pop_back()) out.end_list(marks.back());
  expect_error(validate(out.view()), RlpError::too_deep, kMaxDepth);
  EXPECT_TRUE(validate(out.view(), kMaxDepth + 1).has_value());
}

TEST(RlpReader, RawItemIsTheEncodingWithItsPrefix) {
  const Bytes input = hex("c382040080");
  Reader in{input};
  EXPECT_EQ(to_hex(in.read_raw().value()), "c3820400");
  EXPECT_EQ(to_hex(in.read_raw().value()), "80");
}

TEST(RlpReader, SizeOfEightBytesDoesNotWrap) {
  const Bytes string = hex("bfffffffffffffffff00");
  expect_error(Reader{string}.read_bytes(), RlpError::truncated, 0);
  const Bytes list = hex("ffffffffffffffffff00");
  expect_error(Reader{list}.enter_list(), RlpError::truncated, 0);
}

TEST(RlpWriter, BoundaryOfShortAndLongForm) {
  for (const std::size_t size : {std::size_t{54}, std::size_t{55}, std::size_t{56},
                                 std::size_t{255}, std::size_t{256}, std::size_t{65536}}) {
    const Bytes payload(size, std::byte{0xaa});
    Writer out;
    const auto list = out.begin_list();
    out.write_bytes(payload);
    out.end_list(list);
    EXPECT_EQ(out.size(), size_of_header(size_of_bytes(payload)) + size_of_bytes(payload));
    Reader in{out.view()};
    Reader inner = in.enter_list().value();
    EXPECT_TRUE(equal(inner.read_bytes().value(), payload));
  }
}

// A tree of strings and lists, drawn at random.
struct Node {
  bool is_list = false;
  Bytes payload;
  std::vector<Node> items;
  bool operator==(const Node&) const = default;
};

Node draw_node(int depth) {
  Node node;
  node.is_list = depth > 0 && *rc::gen::arbitrary<bool>();
  if (node.is_list) {
    const auto count = *rc::gen::inRange<std::size_t>(0, 5);
    for (std::size_t i = 0; i < count; ++i) node.items.push_back(draw_node(depth - 1));
    return node;
  }
  const auto size = *rc::gen::element<std::size_t>(0, 1, 1, 2, 32, 55, 56, 300);
  const auto octets =
      *rc::gen::container<std::vector<std::uint8_t>>(size, rc::gen::arbitrary<std::uint8_t>());
  for (const std::uint8_t octet : octets) node.payload.push_back(std::byte{octet});
  return node;
}

void write_node(Writer& out, const Node& node) {
  if (!node.is_list) return out.write_bytes(node.payload);
  const auto list = out.begin_list();
  for (const Node& item : node.items) write_node(out, item);
  out.end_list(list);
}

Result<Node> read_node(Reader& in) {
  Node node;
  const Kind kind = TRY(in.peek());
  node.is_list = kind == Kind::list;
  if (!node.is_list) {
    const ByteView payload = TRY(in.read_bytes());
    node.payload = to_bytes(payload);
    return node;
  }
  Reader list = TRY(in.enter_list());
  while (!list.at_end()) {
    Node item = TRY(read_node(list));
    node.items.push_back(std::move(item));
  }
  return node;
}

TEST(RlpProperties, RoundTrip) {
  EXPECT_TRUE(rc::check("any tree survives encoding and decoding", [] {
    const Node node = draw_node(4);
    Writer out;
    write_node(out, node);
    RC_ASSERT(validate(out.view()).has_value());
    Reader in{out.view()};
    RC_ASSERT(read_node(in).value() == node);
    RC_ASSERT(in.at_end());
  }));
}

TEST(RlpProperties, WhatIsAcceptedIsCanonical) {
  EXPECT_TRUE(rc::check("a mutated encoding is refused, or is the one encoding of its value", [] {
    Writer out;
    write_node(out, draw_node(3));
    Bytes bytes = to_bytes(out.view());
    const auto mutations = *rc::gen::inRange(1, 4);
    for (int i = 0; i < mutations; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, bytes.size());
      bytes[at] = std::byte{*rc::gen::arbitrary<std::uint8_t>()};
    }
    bytes.resize(*rc::gen::inRange<std::size_t>(0, bytes.size() + 1));
    const bool valid = validate(bytes).has_value();
    Reader in{bytes};
    const auto node = read_node(in);
    RC_ASSERT(valid == (node.has_value() && in.at_end()));
    if (valid) {
      Writer again;
      write_node(again, *node);
      RC_ASSERT(equal(again.view(), bytes));
    }
  }));
}

// Whether `bytes` is one item; where it is, it must also be the one encoding of its value, and
// where it is not, the error must lie in it and every typed read must leave the cursor.
bool judge(const Bytes& bytes) {
  const auto verdict = validate(bytes);
  Reader in{bytes};
  const auto node = read_node(in);
  EXPECT_EQ(verdict.has_value(), node.has_value() && in.at_end()) << to_hex(bytes);
  if (verdict) {
    Writer again;
    write_node(again, *node);
    EXPECT_EQ(to_hex(again.view()), to_hex(bytes));
  } else {
    EXPECT_LE(verdict.error().offset(), bytes.size()) << to_hex(bytes);
  }
  Reader cursor{bytes};
  const auto stays = [&](bool succeeded) {
    EXPECT_TRUE(succeeded || cursor.offset() == 0) << to_hex(bytes);
    cursor = Reader{bytes};
  };
  stays(cursor.read_bytes().has_value());
  stays(cursor.read_bytes(3).has_value());
  stays(cursor.read_fixed<4>().has_value());
  stays(cursor.read_uint<std::uint64_t>().has_value());
  stays(cursor.read_bool().has_value());
  stays(cursor.enter_list().has_value());
  stays(cursor.read_raw().has_value());
  return verdict.has_value();
}

// All of them: which are items is known by counting.
TEST(RlpReader, EveryInputOfOneOrTwoBytes) {
  std::size_t ones = 0;
  std::size_t twos = 0;
  for (unsigned first = 0; first < 256; ++first) {
    ones += judge({static_cast<std::byte>(first)}) ? 1U : 0U;
    for (unsigned second = 0; second < 256; ++second) {
      twos += judge({static_cast<std::byte>(first), static_cast<std::byte>(second)}) ? 1U : 0U;
    }
  }
  EXPECT_EQ(ones, 128U + 2);        // single bytes, the empty string, the empty list
  EXPECT_EQ(twos, 128U + 128 + 2);  // 81 80 to 81 ff, c1 00 to c1 7f, c1 80, c1 c0
}

// Lengths of every width whose bytes are near zero, near the end of the input and near 2^64.
TEST(RlpReader, LengthsNearEveryEdge) {
  constexpr std::size_t kBody = 300;
  for (const unsigned base : {0xb7U, 0xf7U}) {
    for (unsigned width = 1; width <= 8; ++width) {
      const std::uint64_t top = UINT64_MAX >> (64 - 8 * width);
      for (const std::uint64_t edge :
           {std::uint64_t{0}, std::uint64_t{56}, std::uint64_t{kBody}, top}) {
        for (std::uint64_t length = edge - 2; length != edge + 3; ++length) {
          Bytes bytes{static_cast<std::byte>(base + width)};
          ByteArray<8> digits{};
          store_be<std::uint64_t>(digits, length & top);
          append(bytes, ByteView{digits}.last(width));
          bytes.resize(bytes.size() + kBody);
          const bool minimal = width == 1 || ((length & top) >> (8 * (width - 1))) != 0;
          const bool fits = (length & top) == kBody && width == 2;
          EXPECT_EQ(judge(bytes), fits && minimal) << width << " " << length;
        }
      }
    }
  }
}

TEST(RlpProperties, AnyBytes) {
  EXPECT_TRUE(rc::check("any bytes are refused, or are the one encoding of their value", [] {
    // Prefixes are drawn often: plain random bytes hardly ever begin a list that ends well.
    const auto octet = rc::gen::oneOf(
        rc::gen::arbitrary<std::uint8_t>(),
        rc::gen::element<std::uint8_t>(0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0xb7, 0xb8, 0xb9, 0xbf,
                                       0xc0, 0xc1, 0xc2, 0xc3, 0xf7, 0xf8, 0xf9, 0xff));
    Bytes bytes;
    for (const std::uint8_t o : *rc::gen::container<std::vector<std::uint8_t>>(octet)) {
      bytes.push_back(std::byte{o});
    }
    judge(bytes);
    RC_ASSERT(!::testing::Test::HasFailure());
  }));
}

}  // namespace
}  // namespace ethnet::rlp
