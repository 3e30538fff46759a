#include "sip_hash.hpp"

#include <bit>

namespace ethnet {
namespace {

struct State {
  std::uint64_t v0;
  std::uint64_t v1;
  std::uint64_t v2;
  std::uint64_t v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word, int rounds) {
    v3 ^= word;
    for (int i = 0; i < rounds; ++i) round();
    v0 ^= word;
  }
};

// Little-endian, at most eight bytes.
std::uint64_t load_word(ByteView bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    word = (word << 8) | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return word;
}

}  // namespace

std::uint64_t sip_hash(SipKey key, ByteView data, int block_rounds, int final_rounds) noexcept {
  State state{key.k0 ^ 0x736f6d6570736575, key.k1 ^ 0x646f72616e646f6d, key.k0 ^ 0x6c7967656e657261,
              key.k1 ^ 0x7465646279746573};
  const std::uint64_t length = static_cast<std::uint64_t>(data.size()) << 56;  // its last byte
  for (; data.size() >= 8; data = data.subspan(8)) {
    state.absorb(load_word(data.first(8)), block_rounds);
  }
  state.absorb(length | load_word(data), block_rounds);
  state.v2 ^= 0xff;
  for (int i = 0; i < final_rounds; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace ethnet
