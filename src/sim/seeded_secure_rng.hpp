// SeededSecureRng: the SecureRng of a simulated host. Every byte follows from the seed, so that
// keys, nonces and connection ids are the same in every run. For simulation only: whoever knows the
// seed knows everything.
#pragma once

#include <algorithm>

#include <base/prng.hpp>
#include <base/secure_rng.hpp>

namespace ethnet::sim {

class SeededSecureRng final : public SecureRng {
 public:
  explicit SeededSecureRng(Prng prng) : prng_{prng} {}

  void fill(MutByteView out) noexcept override {
    while (!out.empty()) {
      ByteArray<8> word{};
      store_be<std::uint64_t>(word, prng_.next());
      const std::size_t n = std::min(out.size(), word.size());
      copy_into(out, ByteView{word}.first(n));
      out = out.subspan(n);
    }
  }

 private:
  Prng prng_;
};

}  // namespace ethnet::sim
