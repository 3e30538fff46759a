// rlp::Writer: appends canonical RLP to a buffer of its own (Yellow Paper, appendix B).
//
//   rlp::Writer out;
//   const auto list = out.begin_list();
//   out.write_uint(7);
//   out.write_bytes(view);
//   out.end_list(list);
//
// begin_list/end_list move the payload of a list of 56 bytes or more once, to make room for its
// length. Where the size is known beforehand (size_of_* below) write_list_header avoids that.
// Threading: a value; use one from one thread. Limits: none of its own, the caller bounds what it
// writes.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include <base/bytes.hpp>

namespace ethnet::rlp {

// Bytes that an item takes, prefix included.
[[nodiscard]] std::size_t size_of_bytes(ByteView payload);
[[nodiscard]] std::size_t size_of_uint(std::uint64_t value);
// Of a string or list of this many payload bytes (a string of one byte: use size_of_bytes).
[[nodiscard]] std::size_t size_of_header(std::size_t payload_size);
// `digits` without its leading zero bytes.
[[nodiscard]] ByteView trim_zeros(ByteView digits);

class Writer {
 public:
  Writer() = default;
  // Reserves room for `capacity` bytes.
  explicit Writer(std::size_t capacity) { out_.reserve(capacity); }

  void write_bytes(ByteView payload);
  void write_text(std::string_view text) { write_bytes(text_bytes(text)); }
  void write_uint(std::uint64_t value);
  // A big-endian integer of any width; leading zeros are left out.
  void write_uint_bytes(ByteView digits) { write_bytes(trim_zeros(digits)); }
  void write_bool(bool value) { write_uint(value ? 1 : 0); }
  // An item that is encoded already.
  void write_raw(ByteView encoded) { append(out_, encoded); }
  void write_empty_list() { out_.push_back(std::byte{0xc0}); }

  // Where a list began. Lists end in the reverse order of their beginning.
  class ListMark {
    friend class Writer;
    ListMark(std::size_t start, std::size_t level) : start_{start}, level_{level} {}
    std::size_t start_;
    std::size_t level_;
  };
  [[nodiscard]] ListMark begin_list();
  void end_list(ListMark mark);
  // The prefix of a list whose items, of `payload_size` bytes together, the caller writes next.
  void write_list_header(std::size_t payload_size);

  [[nodiscard]] std::size_t size() const { return out_.size(); }
  // What was written so far; every list must be ended.
  [[nodiscard]] ByteView view() const;
  [[nodiscard]] Bytes take() &&;

 private:
  void write_header(std::uint8_t base, std::size_t payload_size);

  Bytes out_;
  std::size_t open_lists_ = 0;
};

}  // namespace ethnet::rlp
