#include "keccak.hpp"

#include <algorithm>
#include <bit>

#include <base/check.hpp>

#include "keccak_permute.hpp"

namespace ethnet::crypto {
namespace {

static_assert(std::endian::native == std::endian::little, "lanes are little-endian words");

std::uint64_t load_le64(ByteView in) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = (value << 8) | std::to_integer<std::uint64_t>(in[i]);
  return value;
}

void store_le64(MutByteView out, std::uint64_t value) {
  for (std::byte& b : out) {
    b = static_cast<std::byte>(value & 0xff);
    value >>= 8;
  }
}

[[gnu::target("bmi,bmi2")]] void permute_bmi(std::array<std::uint64_t, 25>& state) {
  keccak_detail::permute(state);
}
void permute_plain(std::array<std::uint64_t, 25>& state) { keccak_detail::permute(state); }

void permute_one(std::array<std::uint64_t, 25>& state) {
  static const bool has_bmi =
      __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("bmi2") != 0;
  has_bmi ? permute_bmi(state) : permute_plain(state);
}

}  // namespace

void Keccak256::absorb(ByteView block) {
  for (std::size_t i = 0; i < kRate / 8; ++i) state_[i] ^= load_le64(block.subspan(8 * i, 8));
  permute_one(state_);
}

void Keccak256::update(ByteView piece) {
  if (buffered_ > 0) {
    const std::size_t n = std::min(kRate - buffered_, piece.size());
    copy_into(MutByteView{buffer_}.subspan(buffered_), piece.first(n));
    buffered_ += n;
    piece = piece.subspan(n);
    if (buffered_ < kRate) return;
    absorb(buffer_);
    buffered_ = 0;
  }
  while (piece.size() >= kRate) {
    absorb(piece.first(kRate));
    piece = piece.subspan(kRate);
  }
  copy_into(buffer_, piece);
  buffered_ = piece.size();
}

Digest32 Keccak256::finish() {
  std::ranges::fill(MutByteView{buffer_}.subspan(buffered_), std::byte{0});
  buffer_[buffered_] ^= std::byte{0x01};
  buffer_[kRate - 1] ^= std::byte{0x80};
  absorb(buffer_);
  Digest32 digest{};
  for (std::size_t i = 0; i < 4; ++i) {
    store_le64(MutByteView{digest}.subspan(8 * i, 8), state_[i]);
  }
  *this = Keccak256{};
  return digest;
}

Digest32 keccak256(ByteView input) {
  Keccak256 hash;
  hash.update(input);
  return hash.finish();
}

}  // namespace ethnet::crypto
