// Uint256: a 256-bit unsigned integer as a header carries it. It orders, prints and converts; it
// does not calculate (the header rules that need arithmetic work on 64 bits and refuse more).
#pragma once

#include <compare>
#include <optional>
#include <string>

#include <base/bytes.hpp>
#include <base/hex.hpp>
#include <codec/rlp_reader.hpp>
#include <codec/rlp_writer.hpp>

namespace ethnet {

class Uint256 {
 public:
  constexpr Uint256() = default;  // zero
  // NOLINTNEXTLINE(google-explicit-constructor): every 64-bit value is one
  constexpr Uint256(std::uint64_t value) {
    for (std::size_t i = 0; i < 8; ++i) {
      bytes_[31 - i] = static_cast<std::byte>((value >> (8 * i)) & 0xff);
    }
  }
  // Big-endian, at most 32 bytes (CHECK); leading zeros allowed.
  [[nodiscard]] static Uint256 from_bytes(ByteView digits) {
    CHECK(digits.size() <= 32);
    Uint256 out;
    copy_into(MutByteView{out.bytes_}.last(digits.size()), digits);
    return out;
  }
  // The next item as a canonical integer. Errors: those of rlp::Reader::read_uint_bytes.
  [[nodiscard]] static Result<Uint256> read(rlp::Reader& in) {
    const ByteView digits = TRY(in.read_uint_bytes(32));
    return from_bytes(digits);
  }

  // All 32 bytes, big-endian.
  [[nodiscard]] ByteView bytes() const { return bytes_; }
  // Without leading zeros; empty for zero.
  [[nodiscard]] ByteView digits() const { return rlp::trim_zeros(bytes_); }
  [[nodiscard]] bool is_zero() const { return digits().empty(); }
  // Nothing when it needs more than 64 bits.
  [[nodiscard]] std::optional<std::uint64_t> to_u64() const {
    if (digits().size() > 8) return {};
    return load_be<std::uint64_t>(ByteView{bytes_}.last(8));
  }
  // "0x0", "0x3b9aca00"
  [[nodiscard]] std::string hex() const {
    std::string text = to_hex(digits());
    if (text.starts_with('0')) text.erase(0, 1);
    return text.empty() ? "0x0" : "0x" + text;
  }

  friend constexpr auto operator<=>(const Uint256&, const Uint256&) = default;

 private:
  ByteArray<32> bytes_{};
};

}  // namespace ethnet
