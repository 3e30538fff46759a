#include "keccak.hpp"

#include <base/hex.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace ethnet::crypto {
namespace {

TEST(Keccak, KnownDigests) {
  EXPECT_EQ(to_hex(keccak256({})),
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(to_hex(keccak256(text_bytes("abc"))),
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
  // keccak(rlp([])): the ommers hash of every block after the merge.
  EXPECT_EQ(to_hex(keccak256(*from_hex("c0"))),
            "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
}

RC_GTEST_PROP(Keccak, PiecesDoNotMatter, (const std::vector<std::uint8_t>& seed)) {
  Bytes input;
  for (int i = 0; i < 8; ++i) {
    for (const auto b : seed) input.push_back(std::byte{b});
  }
  const auto cut = *rc::gen::inRange<std::size_t>(0, input.size() + 1);
  Keccak256 hash;
  hash.update(ByteView{input}.first(cut));
  hash.update(ByteView{input}.subspan(cut));
  RC_ASSERT(hash.finish() == keccak256(input));
}

TEST(Keccak, EveryLengthAroundTheRateDiffersAndIsStable) {
  const Bytes input(300, std::byte{0x5a});
  Digest32 previous{};
  for (std::size_t n = 130; n < 280; ++n) {
    const Digest32 digest = keccak256(ByteView{input}.first(n));
    EXPECT_NE(digest, previous);
    Keccak256 hash;
    for (std::size_t i = 0; i < n; ++i) hash.update(ByteView{input}.subspan(i, 1));
    EXPECT_EQ(hash.finish(), digest);
    previous = digest;
  }
}

}  // namespace
}  // namespace ethnet::crypto
