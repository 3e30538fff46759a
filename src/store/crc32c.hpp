// CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds what a disk corrupts. Not against adversaries.
#pragma once

#include <cstdint>

#include <base/bytes.hpp>

namespace ethnet::store {

[[nodiscard]] std::uint32_t crc32c(ByteView bytes, std::uint32_t before = 0);

}  // namespace ethnet::store
