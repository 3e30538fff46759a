// Keccak-f[1600] on several independent states at once, by the compiler's vector extensions.
// Private to keccak.cpp. Everything that touches a vector is forced inline into a function that
// carries the target attribute: no vector ever crosses a call, so the baseline ABI stays intact.
#pragma once

#include <bit>
#include <cstdint>

#include <base/bytes.hpp>

#include "digest.hpp"
#include "keccak.hpp"

// A GNU attribute, and a macro because clang takes it in one place only.
#define ETHNET_FORCE_INLINE [[gnu::always_inline]] inline

namespace ethnet::crypto::lanes {

using Word = std::uint64_t;
inline constexpr std::size_t kWords = 25;
inline constexpr std::size_t kRateWords = kKeccakRate / sizeof(Word);

using Vector4 = Word __attribute__((vector_size(32)));
using Vector8 = Word __attribute__((vector_size(64)));

// States side by side: words[i][lane] is word i (x = i % 5, y = i / 5) of one lane's state.
template <class V>
inline constexpr std::size_t kLanes = sizeof(V) / sizeof(Word);
template <class V>
using Row = std::array<Word, kLanes<V>>;
template <class V>
struct alignas(V) States {
  std::array<Row<V>, kWords> words{};
};

inline constexpr std::array<Word, 24> kRoundConstants{
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
    0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
    0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
    0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};
// Steps rho and pi: word i of the next state is word kPi[i] rotated left by kRho[i].
inline constexpr std::array<std::size_t, kWords> kPi{
    0, 6, 12, 18, 24, 3, 9, 10, 16, 22, 1, 7, 13, 19, 20, 4, 5, 11, 17, 23, 2, 8, 14, 15, 21};
inline constexpr std::array<Word, kWords> kRho{0, 44, 43, 21, 14, 28, 20, 3,  45, 61, 1,  6, 25,
                                               8, 18, 27, 36, 10, 15, 56, 62, 55, 39, 41, 2};

// `n` is never 0: word 0 does not rotate.
template <class V>
ETHNET_FORCE_INLINE void rotate_left(V& out, const V& in, Word n) {
  out = (in << n) | (in >> (64 - n));
}

// One round from `a` to `next`, row by row, so that few values are alive at once. The loops unroll:
// all indices and rotations are constants, and what stays in registers is the compiler's choice.
template <class V>
ETHNET_FORCE_INLINE void round(std::array<V, kWords>& next, const std::array<V, kWords>& a,
                               Word constant) {
  std::array<V, 5> column;
  std::array<V, 5> effect;
#pragma GCC unroll 5
  for (std::size_t x = 0; x < 5; ++x) {
    column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
  }
#pragma GCC unroll 5
  for (std::size_t x = 0; x < 5; ++x) {
    rotate_left(effect[x], column[(x + 1) % 5], 1);
    effect[x] ^= column[(x + 4) % 5];
  }
#pragma GCC unroll 5
  for (std::size_t y = 0; y < kWords; y += 5) {
    std::array<V, 5> row;
#pragma GCC unroll 5
    for (std::size_t x = 0; x < 5; ++x) {
      const std::size_t from = kPi[y + x];
      row[x] = a[from] ^ effect[from % 5];
      if (kRho[y + x] != 0) rotate_left(row[x], row[x], kRho[y + x]);
    }
#pragma GCC unroll 5
    for (std::size_t x = 0; x < 5; ++x) {
      next[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
  }
  next[0] ^= constant;
}

template <class V>
ETHNET_FORCE_INLINE void permute(States<V>& states) {
  std::array<V, kWords> a;
  std::array<V, kWords> b;
#pragma GCC unroll 25
  for (std::size_t i = 0; i < kWords; ++i) a[i] = __builtin_bit_cast(V, states.words[i]);
#pragma GCC unroll 1
  for (std::size_t i = 0; i < kRoundConstants.size(); i += 2) {
    round(b, a, kRoundConstants[i]);
    round(a, b, kRoundConstants[i + 1]);
  }
#pragma GCC unroll 25
  for (std::size_t i = 0; i < kWords; ++i) states.words[i] = __builtin_bit_cast(Row<V>, a[i]);
}

// --- bytes in and out of one lane; no vectors ---

static_assert(std::endian::native == std::endian::little, "Keccak words are little-endian");

[[nodiscard]] inline Word load_word(ByteView eight) {
  ByteArray<sizeof(Word)> raw{};
  copy_into(raw, eight.first<sizeof(Word)>());
  return std::bit_cast<Word>(raw);
}

template <class V>
inline void absorb_byte(States<V>& states, std::size_t lane, std::size_t at, std::byte value) {
  states.words[at / 8][lane] ^= std::to_integer<Word>(value) << (8 * (at % 8));
}

// `block` is kKeccakRate bytes.
template <class V>
inline void absorb_block(States<V>& states, std::size_t lane, ByteView block) {
  for (std::size_t i = 0; i < kRateWords; ++i) {
    states.words[i][lane] ^= load_word(block.subspan(i * sizeof(Word)));
  }
}

// The end of a message from byte `at` of the block on, and the padding: Keccak's 10…01.
template <class V>
inline void absorb_padding(States<V>& states, std::size_t lane, std::size_t at) {
  absorb_byte(states, lane, at, std::byte{0x01});
  absorb_byte(states, lane, kKeccakRate - 1, std::byte{0x80});
}

// `rest` is less than kKeccakRate bytes and starts at the start of the block.
template <class V>
inline void absorb_last(States<V>& states, std::size_t lane, ByteView rest) {
  std::size_t at = 0;
  for (; at + sizeof(Word) <= rest.size(); at += sizeof(Word)) {
    states.words[at / sizeof(Word)][lane] ^= load_word(rest.subspan(at));
  }
  for (; at < rest.size(); ++at) absorb_byte(states, lane, at, rest[at]);
  absorb_padding(states, lane, rest.size());
}

template <class V>
inline void squeeze(const States<V>& states, std::size_t lane, Digest32& out) {
  std::array<Word, 4> words{};
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = states.words[i][lane];
  out = std::bit_cast<Digest32>(words);
}

}  // namespace ethnet::crypto::lanes
