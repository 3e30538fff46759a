// Keccak-f[1600] (FIPS 202, section 3.3) on one state or on several side by side: V is uint64_t, or
// a vector of them in which each element belongs to another state. The target attribute of the
// function that this is inlined into decides which instructions come out.
#pragma once

#include <array>
#include <cstdint>

namespace ethnet::crypto::keccak_detail {

inline constexpr std::array<std::uint64_t, 24> kRoundConstants = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

template <int N, class V>
[[gnu::always_inline]] inline V rotate(const V& v) {
  return (v << N) | (v >> (64 - N));
}

template <class V>
struct Row {
  V v0, v1, v2, v3, v4;
};

// chi on one row, with the round constant for the first lane of the first row.
template <class V>
[[gnu::always_inline]] inline void chi(const Row<V>& b, V& a0, V& a1, V& a2, V& a3, V& a4) {
  a0 = b.v0 ^ (~b.v1 & b.v2);
  a1 = b.v1 ^ (~b.v2 & b.v3);
  a2 = b.v2 ^ (~b.v3 & b.v4);
  a3 = b.v3 ^ (~b.v4 & b.v0);
  a4 = b.v4 ^ (~b.v0 & b.v1);
}

template <class V>
[[gnu::always_inline]] inline void round(std::array<V, 25>& a, std::uint64_t constant) {
  const V c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
  const V c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
  const V c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
  const V c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
  const V c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
  const V d0 = c4 ^ rotate<1>(c1);
  const V d1 = c0 ^ rotate<1>(c2);
  const V d2 = c1 ^ rotate<1>(c3);
  const V d3 = c2 ^ rotate<1>(c4);
  const V d4 = c3 ^ rotate<1>(c0);
  const Row<V> b0{a[0] ^ d0, rotate<44>(a[6] ^ d1), rotate<43>(a[12] ^ d2), rotate<21>(a[18] ^ d3),
                  rotate<14>(a[24] ^ d4)};
  const Row<V> b1{rotate<28>(a[3] ^ d3), rotate<20>(a[9] ^ d4), rotate<3>(a[10] ^ d0),
                  rotate<45>(a[16] ^ d1), rotate<61>(a[22] ^ d2)};
  const Row<V> b2{rotate<1>(a[1] ^ d1), rotate<6>(a[7] ^ d2), rotate<25>(a[13] ^ d3),
                  rotate<8>(a[19] ^ d4), rotate<18>(a[20] ^ d0)};
  const Row<V> b3{rotate<27>(a[4] ^ d4), rotate<36>(a[5] ^ d0), rotate<10>(a[11] ^ d1),
                  rotate<15>(a[17] ^ d2), rotate<56>(a[23] ^ d3)};
  const Row<V> b4{rotate<62>(a[2] ^ d2), rotate<55>(a[8] ^ d3), rotate<39>(a[14] ^ d4),
                  rotate<41>(a[15] ^ d0), rotate<2>(a[21] ^ d1)};
  chi(b0, a[0], a[1], a[2], a[3], a[4]);
  chi(b1, a[5], a[6], a[7], a[8], a[9]);
  chi(b2, a[10], a[11], a[12], a[13], a[14]);
  chi(b3, a[15], a[16], a[17], a[18], a[19]);
  chi(b4, a[20], a[21], a[22], a[23], a[24]);
  a[0] = a[0] ^ constant;
}

template <class V>
[[gnu::always_inline]] inline void permute(std::array<V, 25>& state) {
  std::array<V, 25> a = state;
#pragma clang loop unroll(disable)
  for (const std::uint64_t constant : kRoundConstants) round(a, constant);
  state = a;
}

}  // namespace ethnet::crypto::keccak_detail
