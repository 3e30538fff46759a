// Byte sequences: the vocabulary every module uses for wire data.
// Views do not own; Bytes does. Copies into fixed memory go through copy_into, which checks sizes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "check.hpp"

namespace ethnet {

using ByteView = std::span<const std::byte>;
using MutByteView = std::span<std::byte>;
using Bytes = std::vector<std::byte>;
template <std::size_t N>
using ByteArray = std::array<std::byte, N>;

// The bytes of a text, as they are.
[[nodiscard]] inline ByteView text_bytes(std::string_view text) {
  return std::as_bytes(std::span<const char>{text});
}

[[nodiscard]] inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

// Copies all of src to the start of dst; dst must be at least as long.
inline void copy_into(MutByteView dst, ByteView src) {
  CHECK(dst.size() >= src.size());
  std::ranges::copy(src, dst.first(src.size()).begin());
}

inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }

[[nodiscard]] inline bool equal(ByteView a, ByteView b) { return std::ranges::equal(a, b); }

// Big-endian (network order) integers. The view must hold exactly sizeof(T) bytes.
template <class T>
[[nodiscard]] constexpr T load_be(ByteView in) {
  CHECK(in.size() == sizeof(T));
  std::uint64_t value = 0;
  for (const std::byte b : in) value = (value << 8) | std::to_integer<std::uint64_t>(b);
  return static_cast<T>(value);
}

template <class T>
constexpr void store_be(MutByteView out, T value) {
  CHECK(out.size() == sizeof(T));
  auto rest = static_cast<std::uint64_t>(value);
  for (std::size_t i = out.size(); i-- > 0;) {
    out[i] = static_cast<std::byte>(rest & 0xff);
    rest >>= 8;
  }
}

template <class T>
void append_be(Bytes& out, T value) {
  ByteArray<sizeof(T)> raw{};
  store_be<T>(raw, value);
  append(out, raw);
}

// Orders byte strings lexicographically, a prefix first.
[[nodiscard]] inline bool lex_less(ByteView a, ByteView b) {
  return std::ranges::lexicographical_compare(a, b);
}

}  // namespace ethnet
