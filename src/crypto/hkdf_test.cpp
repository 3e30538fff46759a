#include "hkdf.hpp"

#include <base/hex.hpp>
#include <gtest/gtest.h>

namespace ethnet::crypto {
namespace {

TEST(Sha256, KnownHash) {
  EXPECT_EQ(to_hex(sha256(text_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace ethnet::crypto
