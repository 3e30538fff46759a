#include "wipe.hpp"

namespace ethnet::crypto {

void wipe(MutByteView secret) noexcept {
  std::ranges::fill(secret, std::byte{0});
  // The compiler must assume that this reads what was just written.
  __asm__ volatile("" : : "r"(secret.data()) : "memory");
}

}  // namespace ethnet::crypto
