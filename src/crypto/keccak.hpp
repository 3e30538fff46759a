// Keccak-256 as Ethereum uses it (the original padding 0x01, not SHA3's 0x06), our own.
// Threading: pure functions and values. Limits: none.
#pragma once

#include <cstdint>

#include <base/bytes.hpp>

namespace ethnet::crypto {

using Digest32 = ByteArray<32>;

[[nodiscard]] Digest32 keccak256(ByteView input);

// As keccak256 of all pieces one after another.
class Keccak256 {
 public:
  void update(ByteView piece);
  // The object is as new afterwards.
  [[nodiscard]] Digest32 finish();

 private:
  static constexpr std::size_t kRate = 136;

  void absorb(ByteView block);

  std::array<std::uint64_t, 25> state_{};
  ByteArray<kRate> buffer_{};
  std::size_t buffered_ = 0;
};

}  // namespace ethnet::crypto
