// SecureRng: keys, nonces and everything an adversary would like to predict. The runtime gives one
// on OS entropy; the simulator gives one that it seeds. It does not mix with Prng.
#pragma once

#include "bytes.hpp"

namespace ethnet {

class SecureRng {
 public:
  SecureRng() = default;
  SecureRng(const SecureRng&) = delete;
  SecureRng& operator=(const SecureRng&) = delete;
  virtual ~SecureRng() = default;

  virtual void fill(MutByteView out) noexcept = 0;

  [[nodiscard]] std::uint64_t next() {
    ByteArray<8> raw{};
    fill(raw);
    return load_be<std::uint64_t>(raw);
  }
};

}  // namespace ethnet
