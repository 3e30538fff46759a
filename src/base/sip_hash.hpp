// SipHash (Aumasson and Bernstein, 2012): a hash for tables whose keys strangers choose. Without
// the key nobody can find inputs that collide, which multiply-and-shift hashes with a seed do not
// promise: there, differences in high bits cancel whatever the seed is.
// Pure; any thread. Bytes of any length.
#pragma once

#include <cstdint>

#include "bytes.hpp"

namespace ethnet {

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};

// SipHash-1-3 unless other numbers of rounds are given (the paper's own vectors are of 2-4).
[[nodiscard]] std::uint64_t sip_hash(SipKey key, ByteView data, int block_rounds = 1,
                                     int final_rounds = 3) noexcept;

}  // namespace ethnet
