// Keccak-256 as Ethereum uses it (the submission's padding 0x01, not the 0x06 of SHA3-256 in
// FIPS 202). Single messages, streams, and batches on 1, 4 or 8 lanes by what the CPU has.
// Pure; any thread. Messages of any length.
#pragma once

#include <span>

#include <base/bytes.hpp>

#include "digest.hpp"

namespace ethnet::crypto {

inline constexpr std::size_t kKeccakRate = 136;  // bytes absorbed by one permutation

[[nodiscard]] Digest32 keccak256(ByteView data);

// The same over data that arrives in pieces.
class Keccak256 {
 public:
  void update(ByteView more);
  // The digest of everything so far. The object then starts over, empty; for a running digest (the
  // MACs of RLPx) finish a copy.
  [[nodiscard]] Digest32 finish();

 private:
  std::array<std::uint64_t, 25> state_{};
  std::size_t filled_ = 0;  // bytes of the current block already absorbed, < kKeccakRate
};

// out[i] = keccak256(in[i]). Equally many of both. Lengths may differ: a lane that is done takes
// the next message. On AVX-512 eight 32-byte messages cost about twice what one costs alone.
void keccak256_many(std::span<const ByteView> in, std::span<Digest32> out);

// --- for tests and benchmarks: one implementation by name ---

enum class KeccakKernel : std::uint8_t {
  portable,   // 1 lane, baseline instructions
  bmi,        // 1 lane, BMI1 and BMI2
  avx2_x4,    // 4 lanes
  avx512_x4,  // 4 lanes in 256-bit registers (AVX-512VL: rotate and ternary logic)
  avx512_x8,  // 8 lanes
};
inline constexpr std::array kAllKeccakKernels{KeccakKernel::portable, KeccakKernel::bmi,
                                              KeccakKernel::avx2_x4, KeccakKernel::avx512_x4,
                                              KeccakKernel::avx512_x8};
[[nodiscard]] bool is_supported(KeccakKernel kernel);
// What decides between them, and the one that keccak256_many takes for `count` messages on a CPU
// with these features.
struct CpuFeatures {
  bool bmi = false;     // BMI1 and BMI2
  bool avx2 = false;    // AVX2
  bool avx512 = false;  // AVX-512F and VL
};
[[nodiscard]] CpuFeatures cpu_features();
[[nodiscard]] KeccakKernel best_kernel(std::size_t count, CpuFeatures features);
// The kernel must be supported by this CPU.
void keccak256_many_on(KeccakKernel kernel, std::span<const ByteView> in, std::span<Digest32> out);

}  // namespace ethnet::crypto
