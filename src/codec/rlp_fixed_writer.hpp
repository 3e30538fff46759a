// rlp::FixedWriter: canonical RLP into a caller's buffer, without an allocation. Who writes knows
// all sizes beforehand (size_of_* of rlp_writer.hpp) and gives a buffer that has room: a CHECK.
// Threading: a value; use one from one thread.
#pragma once

#include <cstdint>

#include <base/bytes.hpp>

#include "rlp_writer.hpp"

namespace ethnet::rlp {

class FixedWriter {
 public:
  explicit FixedWriter(MutByteView out) : rest_{out} {}

  void write_list_header(std::size_t payload) { write_header(0xc0, payload); }
  void write_bytes(ByteView bytes) {
    const bool is_itself = bytes.size() == 1 && bytes.front() < std::byte{0x80};
    if (!is_itself) write_header(0x80, bytes.size());
    put(bytes);
  }
  void write_uint(std::uint64_t value) {
    ByteArray<8> digits{};
    store_be<std::uint64_t>(digits, value);
    write_bytes(trim_zeros(digits));
  }
  void put(ByteView bytes) {
    copy_into(rest_, bytes);
    rest_ = rest_.subspan(bytes.size());
  }
  void put_byte(std::size_t value) { put(ByteArray<1>{static_cast<std::byte>(value)}); }
  [[nodiscard]] bool full() const { return rest_.empty(); }

 private:
  void write_header(std::size_t base, std::size_t payload) {
    if (payload <= 55) return put_byte(base + payload);
    ByteArray<8> digits{};
    store_be<std::uint64_t>(digits, payload);
    const ByteView size = trim_zeros(digits);
    put_byte(base + 55 + size.size());
    put(size);
  }

  MutByteView rest_;
};

}  // namespace ethnet::rlp
