// The operating system's clocks and entropy, for the one thread that owns a node.
#pragma once

#include <base/instant.hpp>
#include <base/secure_rng.hpp>

namespace ethnet::runtime {

// Monotonic time counts on during suspend (CLOCK_BOOTTIME), so that timers of a node that slept are
// due when it wakes.
[[nodiscard]] Now os_now();

// getrandom(2). Aborts when the kernel has none to give, which Linux excludes after boot.
// A key, and whatever else has 32 bytes or more, comes straight from the kernel. Smaller things
// (nonces, request ids, two of them for a packet) would cost a system call each, more than the
// packet's encryption: they come from a stock, of which nothing is kept once it is given out. A
// process that forks without exec must not use it in the child.
// Threading: an object is of one thread.
class OsEntropy final : public SecureRng {
 public:
  ~OsEntropy() override;
  void fill(MutByteView out) noexcept override;

 private:
  static constexpr std::size_t kStockBytes = 2048;
  ByteArray<kStockBytes> stock_{};
  std::size_t used_ = kStockBytes;  // of the stock
};

}  // namespace ethnet::runtime
