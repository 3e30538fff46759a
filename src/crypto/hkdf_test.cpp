#include "hkdf.hpp"

#include <new>

#include <base/hex.hpp>
#include <gtest/gtest.h>

#include "ct_equal.hpp"
#include "wycheproof_test.hpp"

namespace ethnet::crypto {
namespace {

using wycheproof::hex_of;
using Json = nlohmann::json;

TEST(Sha256, KnownHashes) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(text_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

std::string judge_hmac(const Json& group, const Json& test) {
  const Bytes tag = hex_of(test, "tag");
  const Digest32 full = hmac_sha256(hex_of(test, "key"), hex_of(test, "msg"));
  EXPECT_EQ(tag.size() * 8, group.at("tagSize").get<std::size_t>());
  const bool matches = ct_equal(ByteView{full}.first(tag.size()), tag);
  const auto result = test.at("result").get<std::string>();
  EXPECT_EQ(matches, result == "valid");
  return result;
}

TEST(HmacVectors, Wycheproof) {
  ETHNET_NEED_VECTORS();
  wycheproof::Suite suite{"hmac_sha256_test.json"};
  suite.run(judge_hmac);
  EXPECT_EQ(suite.count("valid"), 66U);
  EXPECT_EQ(suite.count("invalid"), 108U);
}

std::string judge_hkdf(const Json&, const Json& test) {
  Bytes out(test.at("size").get<std::size_t>());
  const auto done =
      hkdf_sha256(hex_of(test, "salt"), hex_of(test, "ikm"), hex_of(test, "info"), out);
  const auto result = test.at("result").get<std::string>();
  if (result == "valid") {
    EXPECT_TRUE(done.has_value());
    EXPECT_EQ(out, hex_of(test, "okm"));
  } else {
    EXPECT_TRUE(!done && done.error().is(CryptoError::input_too_long));
    EXPECT_EQ(out, Bytes(out.size()));
  }
  return result;
}

TEST(HkdfVectors, Wycheproof) {
  ETHNET_NEED_VECTORS();
  wycheproof::Suite suite{"hkdf_sha256_test.json"};
  suite.run(judge_hkdf);
  EXPECT_EQ(suite.count("valid"), 83U);
  EXPECT_EQ(suite.count("invalid"), 3U);
}

// RFC 5869, A.1: both halves by themselves.
TEST(Hkdf, ExtractThenExpand) {
  const Bytes ikm(22, std::byte{0x0b});
  const auto key = hkdf_extract(from_hex("000102030405060708090a0b0c").value(), ikm);
  EXPECT_EQ(to_hex(key.view()), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  Bytes out(42);
  ASSERT_TRUE(hkdf_expand(key.view(), from_hex("f0f1f2f3f4f5f6f7f8f9").value(), out).has_value());
  EXPECT_EQ(to_hex(out),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(Hkdf, TheLongestOutputIsTheLimit) {
  Bytes out(kMaxHkdfOutput);
  EXPECT_TRUE(hkdf_expand(Bytes(32), {}, out).has_value());
  out.resize(kMaxHkdfOutput + 1);
  EXPECT_TRUE(hkdf_expand(Bytes(32), {}, out).error().is(CryptoError::input_too_long));
}

TEST(CtEqual, ComparesAllBytesAndTheLength) {
  const Bytes a(40, std::byte{7});
  EXPECT_TRUE(ct_equal(a, Bytes(a)));
  EXPECT_TRUE(ct_equal({}, {}));
  EXPECT_FALSE(ct_equal(a, ByteView{a}.first(39)));
  for (std::size_t i = 0; i < a.size(); ++i) {
    Bytes b = a;
    b[i] ^= std::byte{0x80};
    EXPECT_FALSE(ct_equal(a, b)) << i;
  }
}

TEST(Wipe, ClearsMemory) {
  Bytes secret(100, std::byte{0x5a});
  wipe(secret);
  EXPECT_EQ(secret, Bytes(100));
  wipe({});
}

// The object's memory outlives it here, so that what its destructor left can be seen.
TEST(SecretBytes, AreGoneWhenTheObjectIs) {
  alignas(SecretBytes<32>) ByteArray<sizeof(SecretBytes<32>)> memory{};
  auto* secret = new (memory.data()) SecretBytes<32>;
  std::ranges::fill(secret->writable(), std::byte{0x5a});
  secret->~SecretBytes();
  EXPECT_EQ(memory, (ByteArray<sizeof(SecretBytes<32>)>{}));
}

TEST(SecretBytes, LeaveNothingBehindWhenMoved) {
  SecretBytes<4> first;
  std::ranges::fill(first.writable(), std::byte{0x5a});
  SecretBytes<4> second = std::move(first);
  EXPECT_EQ(to_hex(first.view()), "00000000");  // NOLINT(bugprone-use-after-move): the point
  EXPECT_EQ(to_hex(second.view()), "5a5a5a5a");
  first = std::move(second);
  EXPECT_EQ(to_hex(first.view()), "5a5a5a5a");
  EXPECT_EQ(to_hex(second.view()), "00000000");  // NOLINT(bugprone-use-after-move)
  static_assert(!std::is_copy_constructible_v<SecretBytes<4>>);
  static_assert(!std::is_copy_assignable_v<SecretBytes<4>>);
}

}  // namespace
}  // namespace ethnet::crypto
