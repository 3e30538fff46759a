#include "keccak.hpp"

#include <bit>

namespace ethnet::crypto {
namespace {

using State = std::array<std::uint64_t, 25>;

constexpr std::array<std::uint64_t, 24> kRoundConstants{
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};
// b[i] takes the word kPi[i], rotated left by kRho[i].
constexpr std::array<std::size_t, 25> kPi{0,  6,  12, 18, 24, 3,  9,  10, 16, 22, 1,  7, 13,
                                          19, 20, 4,  5,  11, 17, 23, 2,  8,  14, 15, 21};
constexpr std::array<int, 25> kRho{0, 44, 43, 21, 14, 28, 20, 3,  45, 61, 1,  6, 25,
                                   8, 18, 27, 36, 10, 15, 56, 62, 55, 39, 41, 2};

void permute(State& a) {
  State b{};
  for (const std::uint64_t constant : kRoundConstants) {
    std::array<std::uint64_t, 5> c{};
    for (std::size_t x = 0; x < 5; ++x) {
      c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    }
    for (std::size_t x = 0; x < 5; ++x) {
      const std::uint64_t d = c[(x + 4) % 5] ^ std::rotl(c[(x + 1) % 5], 1);
      for (std::size_t y = 0; y < 25; y += 5) a[x + y] ^= d;
    }
    for (std::size_t i = 0; i < 25; ++i) b[i] = std::rotl(a[kPi[i]], kRho[i]);
    for (std::size_t y = 0; y < 25; y += 5) {
      for (std::size_t x = 0; x < 5; ++x) {
        a[x + y] = b[x + y] ^ (~b[(x + 1) % 5 + y] & b[(x + 2) % 5 + y]);
      }
    }
    a[0] ^= constant;
  }
}

void absorb_byte(State& a, std::size_t at, std::byte value) {
  a[at / 8] ^= std::to_integer<std::uint64_t>(value) << (8 * (at % 8));
}

}  // namespace

void Keccak256::update(ByteView more) {
  for (const std::byte b : more) {
    absorb_byte(state_, filled_, b);
    if (++filled_ == kKeccakRate) {
      permute(state_);
      filled_ = 0;
    }
  }
}

Digest32 Keccak256::finish() {
  absorb_byte(state_, filled_, std::byte{0x01});
  absorb_byte(state_, kKeccakRate - 1, std::byte{0x80});
  permute(state_);
  Digest32 out{};
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>((state_[i / 8] >> (8 * (i % 8))) & 0xff);
  }
  state_ = {};
  filled_ = 0;
  return out;
}

Digest32 keccak256(ByteView data) {
  Keccak256 hasher;
  hasher.update(data);
  return hasher.finish();
}

void keccak256_many(std::span<const ByteView> in, std::span<Digest32> out) {
  keccak256_many_on(KeccakKernel::portable, in, out);
}

bool is_supported(KeccakKernel kernel) { return kernel == KeccakKernel::portable; }

void keccak256_many_on(KeccakKernel kernel, std::span<const ByteView> in, std::span<Digest32> out) {
  CHECK(in.size() == out.size());
  CHECK(is_supported(kernel));
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = keccak256(in[i]);
}

}  // namespace ethnet::crypto
