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
inline constexpr std::size_t kLanes =
    sizeof(V) / sizeof(Word);  // NOLINT(bugprone-sizeof-expression)
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

// The arrays of vectors below are written whole before they are read; to fill them with zeros first
// would be a store for nothing. NOLINTBEGIN(cppcoreguidelines-pro-type-member-init)

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

// One round of a single state. The parity of each column comes from the round before, taken while
// its words were still in registers: a twentieth faster than reading them again.
ETHNET_FORCE_INLINE void round_with_parity(std::array<Word, kWords>& next,
                                           const std::array<Word, kWords>& a,
                                           std::array<Word, 5>& column, Word constant) {
  std::array<Word, 5> effect;
#pragma GCC unroll 5
  for (std::size_t x = 0; x < 5; ++x) {
    effect[x] = column[(x + 4) % 5] ^ std::rotl(column[(x + 1) % 5], 1);
  }
#pragma GCC unroll 5
  for (std::size_t y = 0; y < kWords; y += 5) {
    std::array<Word, 5> row;
#pragma GCC unroll 5
    for (std::size_t x = 0; x < 5; ++x) {
      const std::size_t from = kPi[y + x];
      row[x] = std::rotl(a[from] ^ effect[from % 5], static_cast<int>(kRho[y + x]));
    }
#pragma GCC unroll 5
    for (std::size_t x = 0; x < 5; ++x) {
      Word word = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
      if (y + x == 0) word ^= constant;
      next[y + x] = word;
      column[x] = y == 0 ? word : column[x] ^ word;
    }
  }
}

ETHNET_FORCE_INLINE void permute(States<Word>& states) {
  auto a = std::bit_cast<std::array<Word, kWords>>(states.words);
  std::array<Word, kWords> b;
  std::array<Word, 5> column;
#pragma GCC unroll 5
  for (std::size_t x = 0; x < 5; ++x) {
    column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
  }
#pragma GCC unroll 1
  for (std::size_t i = 0; i < kRoundConstants.size(); i += 2) {
    round_with_parity(b, a, column, kRoundConstants[i]);
    round_with_parity(a, b, column, kRoundConstants[i + 1]);
  }
  states.words = std::bit_cast<decltype(states.words)>(a);
}

static_assert(std::endian::native == std::endian::little, "Keccak words are little-endian");

[[nodiscard]] inline Word load_word(ByteView eight) {
  ByteArray<sizeof(Word)> raw{};
  copy_into(raw, eight.first<sizeof(Word)>());
  return std::bit_cast<Word>(raw);
}

// --- a block of every lane at once ---

// One block of kKeccakRate bytes for each lane.
template <class V>
using Blocks = std::array<ByteView, kLanes<V>>;

template <class V>
ETHNET_FORCE_INLINE void load_vector(V& out, ByteView bytes) {
  ByteArray<sizeof(V)> raw;
  copy_into(raw, bytes.first<sizeof(V)>());
  out = __builtin_bit_cast(V, raw);
}

// Row i, lane j becomes row j, lane i.
ETHNET_FORCE_INLINE void transpose(std::array<Vector4, 4>& r) {
  const Vector4 low0 = __builtin_shufflevector(r[0], r[1], 0, 4, 2, 6);
  const Vector4 high0 = __builtin_shufflevector(r[0], r[1], 1, 5, 3, 7);
  const Vector4 low1 = __builtin_shufflevector(r[2], r[3], 0, 4, 2, 6);
  const Vector4 high1 = __builtin_shufflevector(r[2], r[3], 1, 5, 3, 7);
  r[0] = __builtin_shufflevector(low0, low1, 0, 1, 4, 5);
  r[1] = __builtin_shufflevector(high0, high1, 0, 1, 4, 5);
  r[2] = __builtin_shufflevector(low0, low1, 2, 3, 6, 7);
  r[3] = __builtin_shufflevector(high0, high1, 2, 3, 6, 7);
}
ETHNET_FORCE_INLINE void transpose(std::array<Vector8, 8>& r) {
  std::array<Vector8, 8> pairs;  // words of two lanes side by side: even ones, then odd ones
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 4; ++i) {
    pairs[i] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    pairs[i + 4] = __builtin_shufflevector(r[2 * i], r[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
#pragma GCC unroll 2
  for (std::size_t odd = 0; odd < 2; ++odd) {
    const std::size_t p = 4 * odd;
    const Vector8 a = __builtin_shufflevector(pairs[p], pairs[p + 1], 0, 1, 8, 9, 4, 5, 12, 13);
    const Vector8 b = __builtin_shufflevector(pairs[p], pairs[p + 1], 2, 3, 10, 11, 6, 7, 14, 15);
    const Vector8 c = __builtin_shufflevector(pairs[p + 2], pairs[p + 3], 0, 1, 8, 9, 4, 5, 12, 13);
    const Vector8 d =
        __builtin_shufflevector(pairs[p + 2], pairs[p + 3], 2, 3, 10, 11, 6, 7, 14, 15);
    r[odd] = __builtin_shufflevector(a, c, 0, 1, 2, 3, 8, 9, 10, 11);
    r[odd + 4] = __builtin_shufflevector(a, c, 4, 5, 6, 7, 12, 13, 14, 15);
    r[odd + 2] = __builtin_shufflevector(b, d, 0, 1, 2, 3, 8, 9, 10, 11);
    r[odd + 6] = __builtin_shufflevector(b, d, 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

// As many words of each lane as there are lanes are turned at once: a word stored by itself into
// its lane would hold up the load of the whole vector.
template <class V>
ETHNET_FORCE_INLINE void absorb_blocks(std::array<V, kWords>& a, const Blocks<V>& blocks) {
  constexpr std::size_t kWide = kLanes<V>;
#pragma GCC unroll 4
  for (std::size_t first = 0; first + kWide <= kRateWords; first += kWide) {
    std::array<V, kWide> rows;
#pragma GCC unroll 8
    for (std::size_t l = 0; l < kWide; ++l) {
      load_vector(rows[l], blocks[l].subspan(first * sizeof(Word)));
    }
    transpose(rows);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kWide; ++i) a[first + i] ^= rows[i];
  }
  static_assert(kRateWords % kWide == 1);
  Row<V> last;
#pragma GCC unroll 8
  for (std::size_t l = 0; l < kWide; ++l) {
    last[l] = load_word(blocks[l].subspan((kRateWords - 1) * sizeof(Word)));
  }
  a[kRateWords - 1] ^= __builtin_bit_cast(V, last);
}

template <class V>
ETHNET_FORCE_INLINE void absorb_and_permute(States<V>& states, const Blocks<V>& blocks) {
  std::array<V, kWords> a;
  std::array<V, kWords> b;
#pragma GCC unroll 25
  for (std::size_t i = 0; i < kWords; ++i) a[i] = __builtin_bit_cast(V, states.words[i]);
  absorb_blocks(a, blocks);
#pragma GCC unroll 1
  for (std::size_t i = 0; i < kRoundConstants.size(); i += 2) {
    round(b, a, kRoundConstants[i]);
    round(a, b, kRoundConstants[i + 1]);
  }
#pragma GCC unroll 25
  for (std::size_t i = 0; i < kWords; ++i) states.words[i] = __builtin_bit_cast(Row<V>, a[i]);
}

// --- bytes in and out of one lane; no vectors ---

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

// The last block of a message, padded: as a block by itself. `rest` as above.
inline void pad_block(ByteArray<kKeccakRate>& out, ByteView rest) {
  out = {};
  copy_into(out, rest);
  out[rest.size()] = std::byte{0x01};
  out.back() |= std::byte{0x80};
}

template <class V>
inline void squeeze(const States<V>& states, std::size_t lane, Digest32& out) {
  std::array<Word, 4> words{};
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = states.words[i][lane];
  out = std::bit_cast<Digest32>(words);
}

// NOLINTEND(cppcoreguidelines-pro-type-member-init)

}  // namespace ethnet::crypto::lanes
