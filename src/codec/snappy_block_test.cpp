#include "snappy_block.hpp"

#include <base/hex.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ethnet::snappy {
namespace {

constexpr std::size_t kLimit = 1 << 24;

Bytes hex(std::string_view text) { return from_hex(text).value(); }

void expect_error(ByteView block, SnappyError code, std::size_t max = kLimit) {
  const auto result = decompress(block, max);
  ASSERT_FALSE(result.has_value());
  EXPECT_TRUE(result.error().is(code)) << result.error().message();
}

TEST(SnappyBlock, KnownBlocks) {
  EXPECT_TRUE(decompress(hex("00"), 0).value().empty());
  // One literal of three bytes: element 0x08 = (3 - 1) << 2.
  EXPECT_EQ(to_hex(decompress(hex("0308616263"), 3).value()), "616263");
  // Literal "a", then a copy of 4 bytes at offset 1: "aaaaa".
  EXPECT_EQ(to_hex(decompress(hex("0500610101"), 5).value()), "6161616161");
}

TEST(SnappyBlock, LengthIsCheckedBeforeAnythingElse) {
  expect_error({}, SnappyError::truncated_length);
  expect_error(hex("80"), SnappyError::truncated_length);
  expect_error(hex("8000"), SnappyError::non_canonical_length);
  expect_error(hex("838000"), SnappyError::non_canonical_length);
  expect_error(hex("ffffffff1f"), SnappyError::non_canonical_length);    // 33 bits
  expect_error(hex("ffffffffff01"), SnappyError::non_canonical_length);  // six bytes
  expect_error(hex("0308616263"), SnappyError::too_large, 2);
  EXPECT_EQ(claimed_size(hex("ffffffff0f")), 0xffff'ffffU);
  // 4 GiB claimed by five bytes: refused although the limit would allow it.
  expect_error(hex("ffffffff0f0308616263"), SnappyError::impossible_length, 0xffff'ffff);
}

TEST(SnappyBlock, CorruptBodies) {
  expect_error(hex("03086162"), SnappyError::corrupt);      // literal cut off
  expect_error(hex("030861626364"), SnappyError::corrupt);  // more than claimed
  expect_error(hex("05010161"), SnappyError::corrupt);      // copy before any output
  expect_error(hex("0408616263"), SnappyError::corrupt);    // less than claimed
}

TEST(SnappyBlock, HighestRatioIsPossible) {
  const Bytes zeros(1 << 20);
  const Bytes block = compress(zeros);
  EXPECT_LT(block.size() * 20, zeros.size());
  EXPECT_TRUE(equal(decompress(block, zeros.size()).value(), zeros));
}

TEST(SnappyProperties, RoundTripAndMutation) {
  EXPECT_TRUE(rc::check("round trip; mutations never yield more than the limit", [] {
    const auto text = *rc::gen::container<std::string>(rc::gen::inRange('a', 'e'));
    Bytes block = compress(text_bytes(text));
    RC_ASSERT(equal(decompress(block, text.size()).value(), text_bytes(text)));
    const auto at = *rc::gen::inRange<std::size_t>(0, block.size());
    block[at] = std::byte{*rc::gen::arbitrary<std::uint8_t>()};
    const auto result = decompress(block, kLimit);
    if (result) RC_ASSERT(result->size() == claimed_size(block).value());
  }));
}

}  // namespace
}  // namespace ethnet::snappy
