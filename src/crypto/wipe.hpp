// Erasing secrets: wipe() for memory, SecretBytes for key material of a fixed size.
// Limit: what the compiler spilled to the stack or the kernel to swap is out of reach.
#pragma once

#include <base/bytes.hpp>

namespace ethnet::crypto {

// Overwrites with zeros; the optimiser cannot drop it, even when the memory is about to die.
void wipe(MutByteView secret) noexcept;

// Key material: wiped when it dies and when it is moved away; not copyable, not comparable (use
// ct_equal), not printable.
template <std::size_t N>
class SecretBytes {
 public:
  SecretBytes() = default;
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  SecretBytes(SecretBytes&& other) noexcept : bytes_{other.bytes_} { wipe(other.bytes_); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }
  ~SecretBytes() { wipe(bytes_); }

  [[nodiscard]] ByteView view() const { return bytes_; }
  [[nodiscard]] MutByteView writable() { return bytes_; }

 private:
  ByteArray<N> bytes_{};
};

}  // namespace ethnet::crypto
