// SHA-256, HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869).
// Pure functions; any thread. Keys of any length are accepted.
#pragma once

#include <base/bytes.hpp>
#include <base/result.hpp>

#include "digest.hpp"
#include "error.hpp"
#include "wipe.hpp"

namespace ethnet::crypto {

// RFC 5869 allows 255 blocks of output.
inline constexpr std::size_t kMaxHkdfOutput = 255 * 32;

[[nodiscard]] Digest32 sha256(ByteView data);
[[nodiscard]] Digest32 hmac_sha256(ByteView key, ByteView data);

// An empty salt stands for 32 zero bytes.
[[nodiscard]] SecretBytes<32> hkdf_extract(ByteView salt, ByteView input_key);
// Fills all of `out`. Errors: input_too_long (out over kMaxHkdfOutput); `out` is then untouched.
[[nodiscard]] Result<void> hkdf_expand(ByteView pseudo_random_key, ByteView info, MutByteView out);
// Extract, then expand.
[[nodiscard]] Result<void> hkdf_sha256(ByteView salt, ByteView input_key, ByteView info,
                                       MutByteView out);

}  // namespace ethnet::crypto
