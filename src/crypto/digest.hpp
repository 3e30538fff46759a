// Digest32: the output of any 32-byte hash. `crypto` knows no protocol types; `types` wraps a
// digest into Hash32 or NodeId.
#pragma once

#include <base/bytes.hpp>

namespace ethnet::crypto {

using Digest32 = ByteArray<32>;

}  // namespace ethnet::crypto
