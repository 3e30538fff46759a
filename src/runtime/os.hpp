// The operating system's clocks and entropy, for the one thread that owns a node.
#pragma once

#include <base/instant.hpp>
#include <base/secure_rng.hpp>

namespace ethnet::runtime {

// Monotonic time counts on during suspend (CLOCK_BOOTTIME), so that timers of a node that slept are
// due when it wakes.
[[nodiscard]] Now os_now();

// getrandom(2). Aborts when the kernel has none to give, which Linux excludes after boot.
class OsEntropy final : public SecureRng {
 public:
  void fill(MutByteView out) noexcept override;
};

}  // namespace ethnet::runtime
