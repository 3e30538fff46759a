// A key for SipHash that nobody can guess: for the tables whose keys strangers choose.
#pragma once

#include "secure_rng.hpp"
#include "sip_hash.hpp"

namespace ethnet {

[[nodiscard]] inline SipKey draw_sip_key(SecureRng& rng) {
  const std::uint64_t k0 = rng.next();
  return {k0, rng.next()};
}

}  // namespace ethnet
