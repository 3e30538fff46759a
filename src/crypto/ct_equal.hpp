// Comparison and erasure that leak nothing.
#pragma once

#include <base/bytes.hpp>

namespace ethnet::crypto {

// In time that depends on the sizes only. Different sizes are unequal.
[[nodiscard]] bool ct_equal(ByteView a, ByteView b);

// Overwrites with zeros in a way that the optimiser keeps.
void wipe(MutByteView secret);

}  // namespace ethnet::crypto
