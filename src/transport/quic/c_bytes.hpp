// Between byte spans and the pointer-and-size pairs of ngtcp2 and GnuTLS. The only place of this
// module that makes a span from a pointer.
#pragma once

#include <cstdint>

#include <base/bytes.hpp>

namespace ethnet::quic {

inline ByteView view_of(const std::uint8_t* data, std::size_t size) {
#pragma clang unsafe_buffer_usage begin
  return std::as_bytes(std::span<const std::uint8_t>{data, size});
#pragma clang unsafe_buffer_usage end
}
inline MutByteView view_of(std::uint8_t* data, std::size_t size) {
#pragma clang unsafe_buffer_usage begin
  return std::as_writable_bytes(std::span<std::uint8_t>{data, size});
#pragma clang unsafe_buffer_usage end
}
inline const std::uint8_t* in_ptr(ByteView bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}
inline std::uint8_t* out_ptr(MutByteView bytes) {
  return reinterpret_cast<std::uint8_t*>(bytes.data());
}

}  // namespace ethnet::quic
