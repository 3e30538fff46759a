#include "aes.hpp"

#include <base/hex.hpp>
#include <gtest/gtest.h>

namespace ethnet::crypto {
namespace {

TEST(AesGcm, OpensWhatItSealed) {
  const Bytes key(16, std::byte{1});
  const Bytes nonce(12, std::byte{2});
  auto gcm = AesGcm::make(key).value();
  const auto sealed = gcm.seal(nonce, text_bytes("head"), text_bytes("body")).value();
  EXPECT_EQ(gcm.open(nonce, text_bytes("head"), sealed).value(), to_bytes(text_bytes("body")));
}

}  // namespace
}  // namespace ethnet::crypto
