// Comparison whose duration does not tell where two byte strings differ. For every tag, MAC and
// proof. The lengths are not secret: different lengths are unequal at once.
#pragma once

#include <base/bytes.hpp>

namespace ethnet::crypto {

[[nodiscard]] bool ct_equal(ByteView a, ByteView b) noexcept;

}  // namespace ethnet::crypto
