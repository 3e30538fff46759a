#include "secp256k1.hpp"

#include <base/hex.hpp>
#include <gtest/gtest.h>

namespace ethnet::crypto {
namespace {

// EIP-778, the example record: its private key and the node id that it gives.
constexpr std::string_view kEip778Key =
    "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291";
constexpr std::string_view kEip778NodeId =
    "a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7";

SecretKey key_of(std::string_view hex) {
  const auto bytes = from_hex(hex);
  return SecretKey::from_bytes(bytes.value()).value();
}

TEST(NodeId, IsThatOfTheExampleInEip778) {
  EXPECT_EQ(to_hex(node_id_of(key_of(kEip778Key).public_key())), kEip778NodeId);
}

TEST(Signature, RoundTrip) {
  const SecretKey key = key_of(kEip778Key);
  const Digest32 digest{std::byte{7}};
  const auto signature = sign(key, digest);
  EXPECT_EQ(recover(signature, digest).value(), key.public_key());
  EXPECT_TRUE(verify(key.public_key(), ByteView{signature}.first(64), digest).has_value());
}

}  // namespace
}  // namespace ethnet::crypto
