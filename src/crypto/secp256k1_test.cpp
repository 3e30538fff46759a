#include "secp256k1.hpp"

#include <base/hex.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace ethnet::crypto {
namespace {

// The example key of EIP-778.
constexpr std::string_view kSecret =
    "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291";
constexpr std::string_view kCompressed =
    "03ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138";
constexpr std::string_view kNodeId =
    "a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7";

SecretKey example() { return *SecretKey::from_bytes(*from_hex(kSecret)); }

TEST(Secp256k1, DerivesThePublicKeyAndNodeIdOfEip778) {
  const PublicKey key = example().public_key();
  EXPECT_EQ(to_hex(key.compressed()), kCompressed);
  EXPECT_EQ(to_hex(node_id_of(key)), kNodeId);
  EXPECT_EQ(*PublicKey::parse(key.compressed()), key);
  EXPECT_EQ(*PublicKey::parse(key.xy()), key);
}

TEST(Secp256k1, RefusesWhatIsNotAKeyOrAPoint) {
  EXPECT_TRUE(SecretKey::from_bytes(Bytes(32)).error().is(Secp256k1Error::bad_secret_key));
  EXPECT_TRUE(
      SecretKey::from_bytes(Bytes(31, std::byte{1})).error().is(Secp256k1Error::bad_secret_key));
  EXPECT_TRUE(
      SecretKey::from_bytes(Bytes(32, std::byte{0xff})).error().is(Secp256k1Error::bad_secret_key));
  // Zero, x = y = p, an off-curve point, a hybrid prefix, an odd size.
  EXPECT_FALSE(PublicKey::parse(Bytes(64)));
  const Bytes p = *from_hex("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");
  Bytes pp = p;
  append(pp, p);
  EXPECT_FALSE(PublicKey::parse(pp));
  ByteArray<64> off_curve = example().public_key().xy();
  off_curve[63] ^= std::byte{1};
  EXPECT_TRUE(PublicKey::parse(off_curve).error().is(Secp256k1Error::bad_public_key));
  Bytes hybrid{std::byte{6}};
  append(hybrid, example().public_key().xy());
  EXPECT_FALSE(PublicKey::parse(hybrid));
  EXPECT_FALSE(PublicKey::parse({}));
}

RC_GTEST_PROP(Secp256k1, RecoversTheSignerAndNobodyElse,
              (const std::array<std::uint8_t, 32>& seed)) {
  Digest32 digest{};
  for (std::size_t i = 0; i < 32; ++i) digest[i] = std::byte{seed[i]};
  const SecretKey key = example();
  RecoverableSignature signature = sign(key, digest);
  RC_ASSERT(recover(signature, digest).value() == key.public_key());
  RC_ASSERT(verify(key.public_key(), ByteView{signature}.first(64), digest).has_value());
  digest[0] ^= std::byte{1};
  RC_ASSERT(verify(key.public_key(), ByteView{signature}.first(64), digest)
                .error()
                .is(Secp256k1Error::wrong_signature));
  const auto other = recover(signature, digest);
  RC_ASSERT(!other || *other != key.public_key());
}

TEST(Secp256k1, RefusesHighSAndBadRecoveryIds) {
  const Digest32 digest = keccak256(text_bytes("message"));
  RecoverableSignature signature = sign(example(), digest);
  signature[64] = std::byte{4};
  EXPECT_TRUE(recover(signature, digest).error().is(Secp256k1Error::bad_signature));
  // n - 1 is a valid s, and above n / 2.
  copy_into(MutByteView{signature}.subspan(32),
            *from_hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"));
  signature[64] = std::byte{0};
  EXPECT_TRUE(recover(signature, digest).error().is(Secp256k1Error::high_s));
  EXPECT_TRUE(verify(example().public_key(), ByteView{signature}.first(64), digest)
                  .error()
                  .is(Secp256k1Error::high_s));
}

TEST(Secp256k1, BothSidesOfEcdhAgree) {
  const SecretKey one = example();
  const SecretKey two = *SecretKey::from_bytes(Bytes(32, std::byte{7}));
  EXPECT_EQ(ecdh_x(one, two.public_key()), ecdh_x(two, one.public_key()));
  EXPECT_EQ(ecdh_compressed(one, two.public_key()), ecdh_compressed(two, one.public_key()));
}

}  // namespace
}  // namespace ethnet::crypto
