// ethereum/tests RLPTests: rlptest.json, invalidRLPTest.json, RandomRLPTests/example.json.
#include <map>

#include <gtest/gtest.h>

#include "rlp_reader.hpp"
#include "rlp_writer.hpp"
#include "testing/vectors.hpp"

namespace ethnet::rlp {
namespace {

using nlohmann::json;

// Decimal text to big-endian bytes, by repeated multiplication.
Bytes decimal_to_bytes(std::string_view digits) {
  Bytes out(40);
  for (const char digit : digits) {
    unsigned carry = static_cast<unsigned>(digit - '0');
    for (std::size_t i = out.size(); i-- > 0;) {
      const unsigned value = std::to_integer<unsigned>(out[i]) * 10 + carry;
      out[i] = static_cast<std::byte>(value & 0xff);
      carry = value >> 8;
    }
  }
  return to_bytes(trim_zeros(out));
}

Bytes payload_of(const json& value) {
  if (value.is_number()) {
    Bytes digits;
    append_be<std::uint64_t>(digits, value.get<std::uint64_t>());
    return to_bytes(trim_zeros(digits));
  }
  const auto text = value.get<std::string>();
  if (text.starts_with('#')) return decimal_to_bytes(std::string_view{text}.substr(1));
  return to_bytes(text_bytes(text));
}

void write(Writer& out, const json& value) {
  if (!value.is_array()) return out.write_bytes(payload_of(value));
  const auto list = out.begin_list();
  for (const json& item : value) write(out, item);
  out.end_list(list);
}

// The size-first way of writing the same.
std::size_t size_of(const json& value) {
  if (!value.is_array()) return size_of_bytes(payload_of(value));
  std::size_t payload = 0;
  for (const json& item : value) payload += size_of(item);
  return size_of_header(payload) + payload;
}
void write_sized(Writer& out, const json& value) {
  if (!value.is_array()) return out.write_bytes(payload_of(value));
  std::size_t payload = 0;
  for (const json& item : value) payload += size_of(item);
  out.write_list_header(payload);
  for (const json& item : value) write_sized(out, item);
}

void expect_value(Reader& in, const json& value) {
  if (!value.is_array()) {
    const auto bytes = in.read_bytes();
    ASSERT_TRUE(bytes.has_value()) << bytes.error().message();
    EXPECT_TRUE(equal(*bytes, payload_of(value)));
    return;
  }
  auto list = in.enter_list();
  ASSERT_TRUE(list.has_value()) << list.error().message();
  EXPECT_EQ(list->count_items(), value.size());
  for (const json& item : value) expect_value(*list, item);
  EXPECT_TRUE(list->expect_end().has_value());
}

TEST(RlpVectors, ValidDecodeAndEncode) {
  ETHNET_NEED_VECTORS();
  const json cases = testing::read_json("rlp/rlptest.json");
  for (const auto& [name, test] : cases.items()) {
    SCOPED_TRACE(name);
    const Bytes encoded = testing::hex_bytes(test["out"]);
    EXPECT_TRUE(validate(encoded).has_value());
    Reader in{encoded};
    expect_value(in, test["in"]);
    EXPECT_TRUE(in.expect_end().has_value());
    Writer out;
    write(out, test["in"]);
    EXPECT_EQ(to_hex(out.view()), to_hex(encoded));
    Writer sized;
    write_sized(sized, test["in"]);
    EXPECT_EQ(to_hex(sized.view()), to_hex(encoded));
    EXPECT_EQ(size_of(test["in"]), encoded.size());
  }
  EXPECT_EQ(cases.size(), 28U);
  testing::report_vectors("rlp_valid", cases.size());
}

// What is wrong with each, and where.
const std::map<std::string, Error>& faults() {
  static const std::map<std::string, Error> kFaults{
      {"int32Overflow", Error{RlpError::truncated, 0}},
      {"int32Overflow2", Error{RlpError::truncated, 0}},
      {"wrongSizeList", Error{RlpError::non_canonical_size, 0}},
      {"wrongSizeList2", Error{RlpError::non_canonical_size, 0}},
      {"incorrectLengthInArray", Error{RlpError::non_canonical_size, 0}},
      {"randomRLP", Error{RlpError::non_canonical_size, 4}},
      {"bytesShouldBeSingleByte00", Error{RlpError::non_canonical_byte, 0}},
      {"bytesShouldBeSingleByte01", Error{RlpError::non_canonical_byte, 0}},
      {"bytesShouldBeSingleByte7F", Error{RlpError::non_canonical_byte, 0}},
      {"leadingZerosInLongLengthArray1", Error{RlpError::non_canonical_size, 0}},
      {"leadingZerosInLongLengthArray2", Error{RlpError::non_canonical_size, 0}},
      {"leadingZerosInLongLengthList1", Error{RlpError::non_canonical_size, 0}},
      {"leadingZerosInLongLengthList2", Error{RlpError::non_canonical_size, 0}},
      {"nonOptimalLongLengthArray1", Error{RlpError::non_canonical_size, 0}},
      {"nonOptimalLongLengthArray2", Error{RlpError::non_canonical_size, 0}},
      {"nonOptimalLongLengthList1", Error{RlpError::non_canonical_size, 0}},
      {"nonOptimalLongLengthList2", Error{RlpError::non_canonical_size, 0}},
      {"emptyEncoding", Error{RlpError::truncated, 0}},
      {"lessThanShortLengthArray1", Error{RlpError::truncated, 0}},
      {"lessThanShortLengthArray2", Error{RlpError::truncated, 0}},
      {"lessThanShortLengthList1", Error{RlpError::truncated, 0}},
      {"lessThanShortLengthList2", Error{RlpError::truncated, 0}},
      {"lessThanLongLengthArray1", Error{RlpError::truncated, 0}},
      {"lessThanLongLengthArray2", Error{RlpError::truncated, 0}},
      {"lessThanLongLengthList1", Error{RlpError::truncated, 0}},
      {"lessThanLongLengthList2", Error{RlpError::truncated, 0}},
  };
  return kFaults;
}

TEST(RlpVectors, InvalidAreRefusedForTheirReason) {
  ETHNET_NEED_VECTORS();
  const json cases = testing::read_json("rlp/invalidRLPTest.json");
  for (const auto& [name, test] : cases.items()) {
    SCOPED_TRACE(name);
    const auto verdict = validate(testing::hex_bytes(test["out"]));
    ASSERT_FALSE(verdict.has_value());
    ASSERT_TRUE(faults().contains(name)) << "a case without a named fault";
    EXPECT_EQ(verdict.error().message(), faults().at(name).message());
  }
  EXPECT_EQ(cases.size(), faults().size());
  testing::report_vectors("rlp_invalid", cases.size());
}

void rewrite(Reader in, Writer& out) {
  while (!in.at_end()) {
    if (in.peek().value() == Kind::string) {
      out.write_bytes(in.read_bytes().value());
      continue;
    }
    const auto list = out.begin_list();
    rewrite(in.enter_list().value(), out);
    out.end_list(list);
  }
}

TEST(RlpVectors, RandomExample) {
  ETHNET_NEED_VECTORS();
  const json cases = testing::read_json("rlp/example.json");
  for (const auto& [name, test] : cases.items()) {
    SCOPED_TRACE(name);
    const Bytes encoded = testing::hex_bytes(test["out"]);
    ASSERT_TRUE(validate(encoded).has_value());
    Writer out;
    rewrite(Reader{encoded}, out);
    EXPECT_EQ(to_hex(out.view()), to_hex(encoded));
  }
  EXPECT_EQ(cases.size(), 1U);
  testing::report_vectors("rlp_random", cases.size());
}

}  // namespace
}  // namespace ethnet::rlp
