// Snappy block format (github.com/google/snappy, format_description.txt), as RLPx and our own
// protocols use it: one block, no framing.
// Threading: pure functions. Limits: the caller names the largest result that it accepts; nothing
// is allocated before the claimed length has been checked against it and against the most that the
// compressed bytes could possibly expand to.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/bytes.hpp>
#include <base/result.hpp>

namespace ethnet::snappy {

enum class SnappyError : std::uint16_t {
  truncated_length = 1,  // the input ends inside the varint
  non_canonical_length,  // the varint has needless bytes, or exceeds 32 bits
  too_large,             // the claimed length is above the caller's limit
  impossible_length,     // so few compressed bytes cannot expand to that much
  corrupt                // the elements do not decode to exactly the claimed length
};
[[nodiscard]] const ErrorDomain& error_domain(SnappyError);

// A longer input is a caller's mistake (CHECK): the length field has 32 bits.
inline constexpr std::size_t kMaxCompressInput = 0xffff'ffff;

[[nodiscard]] Bytes compress(ByteView plain);
// The length that a block claims; checks the varint only.
[[nodiscard]] Result<std::size_t> claimed_size(ByteView block);
[[nodiscard]] Result<Bytes> decompress(ByteView block, std::size_t max_size);

}  // namespace ethnet::snappy
