// rlp::Reader: a strict cursor over one RLP payload (Yellow Paper, appendix B). It never allocates
// and never copies: strings and sub-lists are views of the input, which must outlive them.
//
//   rlp::Reader in{message};
//   rlp::Reader list = TRY(in.enter_list());
//   const auto number = TRY(list.read_uint<std::uint64_t>());
//   TRY(list.expect_end());
//   TRY(in.expect_end());
//
// Canonical form is required: one encoding a value. Every error carries the byte offset, in the
// outermost input, of the item that is at fault. A read that fails leaves the cursor where it was.
// Threading: a value; use one from one thread.
// Limits: kMaxDepth nested lists. Sizes are bounded by the input, which the caller bounds.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>

#include <base/bytes.hpp>
#include <base/result.hpp>

namespace ethnet::rlp {

enum class RlpError : std::uint16_t {
  truncated = 1,       // the input ends before the item does
  non_canonical_size,  // a length with leading zeros, or in long form though it fits the short one
  non_canonical_byte,  // a single byte below 0x80 that was given a length prefix
  leading_zero,        // an integer with a leading zero byte
  overflow,            // an integer wider than its type
  expected_list,       // a string where a list belongs
  expected_string,     // a list where a string belongs
  wrong_size,          // a string whose length is not the field's, or above its limit
  trailing_bytes,      // something after the last item
  too_deep             // more than the allowed number of nested lists
};
[[nodiscard]] const ErrorDomain& error_domain(RlpError);

// Depth of nested lists that a Reader enters. Ethereum's messages need 5 or less.
inline constexpr std::uint32_t kMaxDepth = 32;

enum class Kind : std::uint8_t { string, list };

class Reader {
 public:
  // Reads the items of `input` one after another. `offset` is what is added to reported offsets
  // when `input` is part of something larger.
  explicit Reader(ByteView input, std::uint64_t offset = 0, std::uint32_t max_depth = kMaxDepth)
      : rest_{input}, offset_{offset}, depth_left_{max_depth} {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  // What is not read yet, and where it starts.
  [[nodiscard]] ByteView rest() const { return rest_; }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  // Error: trailing_bytes.
  [[nodiscard]] Result<void> expect_end() const;
  // The kind of the next item, from its first byte alone. Error: truncated at the end.
  [[nodiscard]] Result<Kind> peek() const;

  // A string of any length.
  [[nodiscard]] Result<ByteView> read_bytes();
  // A string of at most `max` bytes. Error besides: wrong_size.
  [[nodiscard]] Result<ByteView> read_bytes(std::size_t max);
  // A string of exactly `size` bytes. Error besides: wrong_size.
  [[nodiscard]] Result<ByteView> read_exact(std::size_t size);
  // A string that fills `out` exactly; `out` is untouched on error. Error besides: wrong_size.
  [[nodiscard]] Result<void> read_into(MutByteView out);
  template <std::size_t N>
  [[nodiscard]] Result<ByteArray<N>> read_fixed() {
    ByteArray<N> out{};
    TRY(read_into(out));
    return out;
  }
  // A big-endian integer of at most `max` bytes, without leading zeros; zero is the empty string.
  // Errors besides: leading_zero, overflow.
  [[nodiscard]] Result<ByteView> read_uint_bytes(std::size_t max);
  template <std::unsigned_integral T>
  [[nodiscard]] Result<T> read_uint() {
    const ByteView digits = TRY(read_uint_bytes(sizeof(T)));
    std::uint64_t value = 0;
    for (const std::byte b : digits) value = (value << 8) | std::to_integer<std::uint64_t>(b);
    return static_cast<T>(value);
  }
  // 0 or 1. Error besides: overflow.
  [[nodiscard]] Result<bool> read_bool();

  // The next item must be a list: steps over it and returns a cursor over its items.
  [[nodiscard]] Result<Reader> enter_list();
  // Steps over the next item and returns its encoding, prefix included. Its own prefix is checked,
  // what is inside a list is not: use validate() for that.
  [[nodiscard]] Result<ByteView> read_raw();
  // How many items are left, by walking their prefixes; the cursor stays.
  [[nodiscard]] Result<std::size_t> count_items() const;

 private:
  struct Item {
    Kind kind;
    std::size_t header;  // bytes of prefix
    std::size_t size;    // bytes of payload
  };
  [[nodiscard]] Result<Item> next_item() const;
  [[nodiscard]] Result<std::size_t> long_size(std::size_t size_bytes) const;
  [[nodiscard]] Result<Item> next_string() const;
  [[nodiscard]] ByteView payload_of(const Item& item) const;
  void skip(const Item& item);

  ByteView rest_;
  std::uint64_t offset_;
  std::uint32_t depth_left_;
};

// Checks that `input` is exactly one item, canonical all the way down, no deeper than `max_depth`.
[[nodiscard]] Result<void> validate(ByteView input, std::uint32_t max_depth = kMaxDepth);

}  // namespace ethnet::rlp
