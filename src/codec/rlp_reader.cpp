#include "rlp_reader.hpp"

namespace ethnet::rlp {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<RlpError>(code)) {
    case RlpError::truncated:
      return "input ends inside an item";
    case RlpError::non_canonical_size:
      return "non-canonical size";
    case RlpError::non_canonical_byte:
      return "single byte with a length prefix";
    case RlpError::leading_zero:
      return "integer with a leading zero";
    case RlpError::overflow:
      return "integer too large for its field";
    case RlpError::expected_list:
      return "expected a list";
    case RlpError::expected_string:
      return "expected a string";
    case RlpError::wrong_size:
      return "string of the wrong size";
    case RlpError::trailing_bytes:
      return "trailing bytes";
    case RlpError::too_deep:
      return "lists nested too deep";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"rlp", describe};

constexpr std::size_t kShortMax = 55;  // longest payload whose length fits the first byte

}  // namespace

const ErrorDomain& error_domain(RlpError) { return kDomain; }

Result<void> Reader::expect_end() const {
  if (!at_end()) return fail(RlpError::trailing_bytes, offset_);
  return {};
}

Result<Kind> Reader::peek() const {
  if (at_end()) return fail(RlpError::truncated, offset_);
  return rest_.front() < std::byte{0xc0} ? Kind::string : Kind::list;
}

// The length that follows the first byte in long form.
Result<std::size_t> Reader::long_size(std::size_t size_bytes) const {
  if (rest_.size() - 1 < size_bytes) return fail(RlpError::truncated, offset_);
  const ByteView digits = rest_.subspan(1, size_bytes);
  if (digits.front() == std::byte{0}) return fail(RlpError::non_canonical_size, offset_);
  std::uint64_t size = 0;  // eight bytes at most
  for (const std::byte b : digits) size = (size << 8) | std::to_integer<std::uint64_t>(b);
  if (size <= kShortMax) return fail(RlpError::non_canonical_size, offset_);
  if (size > rest_.size() - 1 - size_bytes) return fail(RlpError::truncated, offset_);
  return static_cast<std::size_t>(size);
}

Result<Reader::Item> Reader::next_item() const {
  if (at_end()) return fail(RlpError::truncated, offset_);
  const auto first = std::to_integer<std::size_t>(rest_.front());
  if (first < 0x80) return Item{Kind::string, 0, 1};
  const Kind kind = first < 0xc0 ? Kind::string : Kind::list;
  const std::size_t code = first - (kind == Kind::string ? 0x80 : 0xc0);
  if (code > kShortMax) {
    const std::size_t size_bytes = code - kShortMax;
    const std::size_t size = TRY(long_size(size_bytes));
    return Item{kind, 1 + size_bytes, size};
  }
  if (code > rest_.size() - 1) return fail(RlpError::truncated, offset_);
  if (kind == Kind::string && code == 1 && rest_[1] < std::byte{0x80}) {
    return fail(RlpError::non_canonical_byte, offset_);
  }
  return Item{kind, 1, code};
}

Result<Reader::Item> Reader::next_string() const {
  const Item item = TRY(next_item());
  if (item.kind != Kind::string) return fail(RlpError::expected_string, offset_);
  return item;
}

ByteView Reader::payload_of(const Item& item) const {
  return rest_.subspan(item.header, item.size);
}

void Reader::skip(const Item& item) {
  rest_ = rest_.subspan(item.header + item.size);
  offset_ += item.header + item.size;
}

Result<ByteView> Reader::read_bytes() {
  const Item item = TRY(next_string());
  const ByteView payload = payload_of(item);
  skip(item);
  return payload;
}

Result<ByteView> Reader::read_bytes(std::size_t max) {
  const Item item = TRY(next_string());
  if (item.size > max) return fail(RlpError::wrong_size, offset_);
  const ByteView payload = payload_of(item);
  skip(item);
  return payload;
}

Result<ByteView> Reader::read_exact(std::size_t size) {
  const Item item = TRY(next_string());
  if (item.size != size) return fail(RlpError::wrong_size, offset_);
  const ByteView payload = payload_of(item);
  skip(item);
  return payload;
}

Result<void> Reader::read_into(MutByteView out) {
  const Item item = TRY(next_string());
  if (item.size != out.size()) return fail(RlpError::wrong_size, offset_);
  copy_into(out, payload_of(item));
  skip(item);
  return {};
}

Result<ByteView> Reader::read_uint_bytes(std::size_t max) {
  const Item item = TRY(next_string());
  const ByteView payload = payload_of(item);
  if (!payload.empty() && payload.front() == std::byte{0}) {
    return fail(RlpError::leading_zero, offset_);
  }
  if (payload.size() > max) return fail(RlpError::overflow, offset_);
  skip(item);
  return payload;
}

Result<bool> Reader::read_bool() {
  Reader ahead = *this;
  const auto value = TRY(ahead.read_uint<std::uint8_t>());
  if (value > 1) return fail(RlpError::overflow, offset_);
  *this = ahead;
  return value == 1;
}

Result<Reader> Reader::enter_list() {
  const Item item = TRY(next_item());
  if (item.kind != Kind::list) return fail(RlpError::expected_list, offset_);
  if (depth_left_ == 0) return fail(RlpError::too_deep, offset_);
  const Reader inner{payload_of(item), offset_ + item.header, depth_left_ - 1};
  skip(item);
  return inner;
}

Result<ByteView> Reader::read_raw() {
  const Item item = TRY(next_item());
  const ByteView raw = rest_.first(item.header + item.size);
  skip(item);
  return raw;
}

Result<std::size_t> Reader::count_items() const {
  Reader ahead = *this;
  std::size_t count = 0;
  for (; !ahead.at_end(); ++count) TRY(ahead.read_raw());
  return count;
}

namespace {

// Recursion ends after at most kMaxDepth calls: enter_list counts.
Result<void> validate_items(Reader items) {
  while (!items.at_end()) {
    const Kind kind = TRY(items.peek());
    if (kind == Kind::string) {
      TRY(items.read_bytes());
      continue;
    }
    const Reader inner = TRY(items.enter_list());
    TRY(validate_items(inner));
  }
  return {};
}

}  // namespace

Result<void> validate(ByteView input, std::uint32_t max_depth) {
  Reader one{input, 0, max_depth};
  TRY(one.read_raw());
  TRY(one.expect_end());
  return validate_items(Reader{input, 0, max_depth});
}

}  // namespace ethnet::rlp
