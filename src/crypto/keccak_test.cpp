#include "keccak.hpp"

#include <base/hex.hpp>
#include <gtest/gtest.h>

namespace ethnet::crypto {
namespace {

TEST(Keccak, KnownHashes) {
  EXPECT_EQ(to_hex(keccak256({})),
            "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
  EXPECT_EQ(to_hex(keccak256(text_bytes("abc"))),
            "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
}

}  // namespace
}  // namespace ethnet::crypto
