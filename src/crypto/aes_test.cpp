#include "aes.hpp"

#include <base/hex.hpp>
#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "wycheproof_test.hpp"

namespace ethnet::crypto {
namespace {

using wycheproof::hex_of;
using Json = nlohmann::json;

Bytes random_bytes(Prng& prng, std::size_t size) {
  Bytes out(size);
  for (std::byte& b : out) b = static_cast<std::byte>(prng.next() & 0xff);
  return out;
}

// RC_ASSERT cannot compare a Result by itself.
template <class T>
bool gives(const Result<T>& result, const T& value) {
  return result.has_value() && *result == value;
}

// --- GCM ---

// Judges one vector on an AesGcm of its key, in both directions.
std::string judge_gcm(const Json& group, const Json& test) {
  const Bytes key = hex_of(test, "key");
  const Bytes nonce = hex_of(test, "iv");
  const Bytes associated = hex_of(test, "aad");
  const Bytes plain = hex_of(test, "msg");
  Bytes sealed = hex_of(test, "ct");
  append(sealed, hex_of(test, "tag"));
  auto gcm = AesGcm::make(key);
  if (group.at("keySize") == 192) {
    EXPECT_TRUE(!gcm && gcm.error().is(CryptoError::bad_key_size));
    return "refused 192-bit keys";
  }
  if (!gcm) {
    ADD_FAILURE() << gcm.error().message();
    return "failed";
  }
  const auto opened = gcm->open(nonce, associated, sealed);
  if (nonce.empty() || nonce.size() > kMaxGcmNonceSize) {
    EXPECT_TRUE(!opened && opened.error().is(CryptoError::bad_nonce));
    const auto resealed = gcm->seal(nonce, associated, plain);
    EXPECT_TRUE(!resealed && resealed.error().is(CryptoError::bad_nonce));
    return nonce.empty() ? "invalid (empty nonce)" : "refused nonces over the limit";
  }
  if (test.at("result") == "invalid") {
    EXPECT_TRUE(!opened && opened.error().is(CryptoError::authentication_failed));
    return "invalid (tag)";
  }
  EXPECT_EQ(opened, plain);
  EXPECT_EQ(gcm->seal(nonce, associated, plain), sealed);
  if (key.size() == 16) {
    static AesGcmAnyKey any;  // of all vectors
    Bytes out(sealed.size());
    EXPECT_TRUE(any.seal_into(key, nonce, associated, plain, out).has_value());
    EXPECT_EQ(out, sealed);
    out.resize(plain.size());
    EXPECT_TRUE(any.open_into(key, nonce, associated, sealed, out).has_value());
    EXPECT_EQ(out, plain);
  }
  return "valid";
}

TEST(AesGcmVectors, Wycheproof) {
  ETHNET_NEED_VECTORS();
  wycheproof::Suite suite{"aes_gcm_test.json"};
  suite.run(judge_gcm);
  EXPECT_EQ(suite.count("valid"), 153U);
  EXPECT_EQ(suite.count("invalid (tag)"), 54U);
  EXPECT_EQ(suite.count("invalid (empty nonce)"), 4U);
  EXPECT_EQ(suite.count("refused 192-bit keys"), 103U);
  EXPECT_EQ(suite.count("refused nonces over the limit"), 2U);
}

TEST(AesGcm, RefusesKeysOfOtherSizes) {
  for (const std::size_t size : {0U, 1U, 15U, 17U, 24U, 31U, 33U, 64U}) {
    const auto gcm = AesGcm::make(Bytes(size));
    ASSERT_FALSE(gcm.has_value()) << size;
    EXPECT_TRUE(gcm.error().is(CryptoError::bad_key_size));
    EXPECT_EQ(gcm.error().offset(), size);
  }
}

TEST(AesGcm, RefusesWhatIsShorterThanATag) {
  auto gcm = AesGcm::make(Bytes(16)).value();
  for (std::size_t size = 0; size < kGcmTagSize; ++size) {
    const auto opened = gcm.open(Bytes(12), {}, Bytes(size));
    ASSERT_FALSE(opened.has_value());
    EXPECT_TRUE(opened.error().is(CryptoError::truncated));
  }
}

TEST(AesGcm, ReleasesNothingWhenTheTagIsWrong) {
  auto gcm = AesGcm::make(Bytes(16, std::byte{1})).value();
  const Bytes nonce(12, std::byte{2});
  Bytes sealed = gcm.seal(nonce, {}, text_bytes("attack at dawn")).value();
  sealed.back() ^= std::byte{1};
  Bytes out(sealed.size() - kGcmTagSize, std::byte{0xaa});
  const auto opened = gcm.open_into(nonce, {}, sealed, out);
  ASSERT_FALSE(opened.has_value());
  EXPECT_TRUE(opened.error().is(CryptoError::authentication_failed));
  EXPECT_EQ(out, Bytes(out.size()));
}

// In place, where the plaintext would lie over the ciphertext, and whatever is wrong.
TEST(AesGcm, ReleasesNothingInPlaceEither) {
  auto gcm = AesGcm::make(Bytes(32, std::byte{1})).value();
  const Bytes nonce(12, std::byte{2});
  const Bytes plain(40, std::byte{0x33});
  const Bytes sealed = gcm.seal(nonce, text_bytes("header"), plain).value();
  for (const std::string_view associated : {"header", "heade", "Header", ""}) {
    Bytes buffer = sealed;
    const MutByteView out = MutByteView{buffer}.first(plain.size());
    const auto opened = gcm.open_into(nonce, text_bytes(associated), buffer, out);
    ASSERT_EQ(opened.has_value(), associated == "header");
    EXPECT_EQ(to_bytes(out), opened ? plain : Bytes(plain.size()));
  }
}

// NIST's GCM specification (McGrew and Viega), test cases 1 to 4, on one object.
TEST(AesGcmAnyKey, SpecificationVectors) {
  struct Case {
    std::string_view key, nonce, plain, associated, sealed;
  };
  constexpr std::string_view kText =
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
  constexpr std::string_view kCipher =
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
      "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985"
      "4d5c2af327cd64a62cf35abd2ba6fab4";
  const std::array cases{
      Case{"00000000000000000000000000000000", "000000000000000000000000", "", "",
           "58e2fccefa7e3061367f1d57a4e7455a"},
      Case{"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", kText, "", kCipher},
      Case{"00000000000000000000000000000000", "000000000000000000000000",
           "00000000000000000000000000000000", "",
           "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
      Case{"feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", kText.substr(0, 120),
           "feedfacedeadbeeffeedfacedeadbeefabaddad2",
           "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
           "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
           "5bc94fbc3221a5db94fae95ae7121a47"}};
  AesGcmAnyKey gcm;
  for (const Case& c : cases) {
    const Bytes key = from_hex(c.key).value();
    const Bytes nonce = from_hex(c.nonce).value();
    const Bytes associated = from_hex(c.associated).value();
    const Bytes plain = from_hex(c.plain).value();
    Bytes sealed(plain.size() + kGcmTagSize);
    ASSERT_TRUE(gcm.seal_into(key, nonce, associated, plain, sealed).has_value());
    EXPECT_EQ(to_hex(sealed), c.sealed);
    Bytes opened(plain.size());
    ASSERT_TRUE(gcm.open_into(key, nonce, associated, sealed, opened).has_value());
    EXPECT_EQ(opened, plain);
  }
}

TEST(AesGcmAnyKey, AgreesWithAnObjectOfEachKeyAndReleasesNothingUnderAnother) {
  Prng prng{4};
  AesGcmAnyKey any;
  for (int i = 0; i < 50; ++i) {
    const Bytes key = random_bytes(prng, 16);
    const Bytes nonce = random_bytes(prng, 12);
    const Bytes associated = random_bytes(prng, prng.below(80));
    const Bytes plain = random_bytes(prng, 1 + prng.below(300));
    auto one = AesGcm::make(key).value();
    Bytes sealed(plain.size() + kGcmTagSize);
    ASSERT_TRUE(any.seal_into(key, nonce, associated, plain, sealed).has_value());
    EXPECT_EQ(one.seal(nonce, associated, plain), sealed);
    Bytes out(plain.size(), std::byte{0xaa});
    const auto opened = any.open_into(random_bytes(prng, 16), nonce, associated, sealed, out);
    ASSERT_FALSE(opened.has_value());
    EXPECT_TRUE(opened.error().is(CryptoError::authentication_failed));
    EXPECT_EQ(out, Bytes(plain.size()));
    ASSERT_TRUE(any.open_into(key, nonce, associated, sealed, out).has_value());
    EXPECT_EQ(out, plain);
  }
}

// More keys than stay expanded, some of them used again at once, some late, and nonces of two
// sizes.
TEST(AesGcmAnyKey, KeysInAnyOrderEachSealAndOpenTheirOwn) {
  Prng prng{5};
  AesGcmAnyKey any;
  std::array<Bytes, kMaxExpandedGcmKeys + 2> keys;
  for (Bytes& key : keys) key = random_bytes(prng, 16);
  keys.back() = Bytes(16);  // the key that a new object has in all its contexts
  for (int i = 0; i < 2'000; ++i) {
    const Bytes& key = keys[prng.below(keys.size())];
    const Bytes nonce = random_bytes(prng, prng.below(4) == 0 ? 16 : 12);
    const Bytes plain = random_bytes(prng, prng.below(40));
    Bytes sealed(plain.size() + kGcmTagSize);
    ASSERT_TRUE(any.seal_into(key, nonce, {}, plain, sealed).has_value());
    ASSERT_EQ(AesGcm::make(key).value().seal(nonce, {}, plain), sealed) << i;
    Bytes out(plain.size(), std::byte{0xaa});
    const Bytes& other = keys[prng.below(keys.size())];
    ASSERT_EQ(any.open_into(other, nonce, {}, sealed, out).has_value(), other == key) << i;
    ASSERT_TRUE(any.open_into(key, nonce, {}, sealed, out).has_value()) << i;
    ASSERT_EQ(out, plain);
  }
}

TEST(AesGcmAnyKey, RefusesOtherSizes) {
  AesGcmAnyKey any;
  Bytes out(kGcmTagSize);
  for (const std::size_t size : {0U, 15U, 17U, 32U}) {
    EXPECT_TRUE(
        any.seal_into(Bytes(size), Bytes(12), {}, {}, out).error().is(CryptoError::bad_key_size));
    EXPECT_TRUE(
        any.open_into(Bytes(size), Bytes(12), {}, out, {}).error().is(CryptoError::bad_key_size));
  }
  EXPECT_TRUE(any.seal_into(Bytes(16), {}, {}, {}, out).error().is(CryptoError::bad_nonce));
  EXPECT_TRUE(any.open_into(Bytes(16), Bytes(12), {}, MutByteView{out}.first(15), {})
                  .error()
                  .is(CryptoError::truncated));
}

TEST(AesGcmDeathTest, WantsAnOutputOfTheRightSize) {
  auto gcm = AesGcm::make(Bytes(16)).value();
  Bytes out(3);
  EXPECT_DEATH((void)gcm.seal_into(Bytes(12), {}, Bytes(3), out), "CHECK failed");
}

// One object seals and opens many messages with nonces of changing sizes; every flipped bit of the
// nonce, the associated data or the sealed text is noticed, and the object works on afterwards.
RC_GTEST_PROP(AesGcmProperty, OpensOnlyWhatItSealed, (std::uint64_t seed)) {
  Prng prng{seed};
  auto gcm = AesGcm::make(random_bytes(prng, prng.chance_ppm(500'000) ? 16 : 32)).value();
  for (int message = 0; message < 5; ++message) {
    Bytes nonce = random_bytes(prng, prng.chance_ppm(700'000) ? 12 : 1 + prng.below(64));
    Bytes associated = random_bytes(prng, prng.below(100));
    const Bytes plain = random_bytes(prng, prng.below(200));
    Bytes sealed = gcm.seal(nonce, associated, plain).value();
    RC_ASSERT(sealed.size() == plain.size() + kGcmTagSize);
    RC_ASSERT(gives(gcm.open(nonce, associated, sealed), plain));

    Bytes in_place = plain;
    in_place.resize(sealed.size());
    RC_ASSERT(gcm.seal_into(nonce, associated, ByteView{in_place}.first(plain.size()), in_place)
                  .has_value());
    RC_ASSERT(in_place == sealed);

    std::array<Bytes*, 3> parts{&nonce, &associated, &sealed};
    Bytes& part = *parts[prng.below(3)];
    if (part.empty()) continue;
    part[prng.below(part.size())] ^= static_cast<std::byte>(1U << prng.below(8));
    const auto opened = gcm.open(nonce, associated, sealed);
    RC_ASSERT(!opened && opened.error().is(CryptoError::authentication_failed));
  }
}

TEST(AesGcm, SurvivesAMove) {
  auto first = AesGcm::make(Bytes(32, std::byte{3})).value();
  const auto sealed = first.seal(Bytes(12), {}, text_bytes("moved")).value();
  AesGcm second = std::move(first);
  EXPECT_EQ(second.open(Bytes(12), {}, sealed), to_bytes(text_bytes("moved")));
}

// --- CTR ---

// NIST SP 800-38A, F.5.1 (AES-128) and F.5.5 (AES-256).
TEST(AesCtr, NistVectors) {
  const Bytes counter = from_hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").value();
  const Bytes plain = from_hex(
                          "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                          "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710")
                          .value();
  struct Case {
    std::string_view key;
    std::string_view cipher;
  };
  constexpr std::array kCases{
      Case{"2b7e151628aed2a6abf7158809cf4f3c",
           "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"
           "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee"},
      Case{"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
           "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
           "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"}};
  for (const Case& c : kCases) {
    auto ctr = AesCtr::make(from_hex(c.key).value(), counter).value();
    Bytes data = plain;
    ASSERT_TRUE(ctr.apply(data).has_value());
    EXPECT_EQ(to_hex(data), c.cipher);
  }
}

// The counter is one integer of 128 bits: after the last block comes block 0, not an error and not
// the same block again.
TEST(AesCtr, TheCounterWrapsAround) {
  const Bytes key(16, std::byte{5});
  Bytes across(32);
  ASSERT_TRUE(AesCtr::make(key, Bytes(16, std::byte{0xff})).value().apply(across).has_value());
  Bytes zero(16);
  ASSERT_TRUE(AesCtr::make(key, Bytes(16)).value().apply(zero).has_value());
  EXPECT_EQ(to_hex(ByteView{across}.last(16)), to_hex(zero));
  EXPECT_NE(to_hex(ByteView{across}.first(16)), to_hex(zero));
}

TEST(AesCtr, RefusesOtherSizes) {
  EXPECT_TRUE(AesCtr::make(Bytes(24), Bytes(16)).error().is(CryptoError::bad_key_size));
  EXPECT_TRUE(AesCtr::make(Bytes(16), Bytes(12)).error().is(CryptoError::bad_nonce));
  EXPECT_TRUE(AesCtr::make(Bytes(16), {}).error().is(CryptoError::bad_nonce));
}

TEST(AesCtr, RestartedItIsTheStreamOfTheNewKeyWhereverTheOldOneWas) {
  Prng prng{5};
  for (const std::size_t key_size : {16U, 32U}) {
    auto reused = AesCtr::make(random_bytes(prng, key_size), random_bytes(prng, 16)).value();
    for (int i = 0; i < 20; ++i) {
      Bytes some(prng.below(40));
      ASSERT_TRUE(reused.apply(some).has_value());
      const Bytes key = random_bytes(prng, key_size);
      const Bytes counter = random_bytes(prng, 16);
      ASSERT_TRUE(reused.restart(key, counter).has_value());
      Bytes stream(50);
      ASSERT_TRUE(reused.apply(stream).has_value());
      Bytes expected(50);
      ASSERT_TRUE(AesCtr::make(key, counter).value().apply(expected).has_value());
      EXPECT_EQ(stream, expected);
      ASSERT_TRUE(reused.restart(counter).has_value());  // the same key, from its beginning
      Bytes again(50);
      ASSERT_TRUE(reused.apply(again).has_value());
      EXPECT_EQ(again, expected);
    }
    EXPECT_TRUE(reused.restart(Bytes(15)).error().is(CryptoError::bad_nonce));
    EXPECT_TRUE(
        reused.restart(Bytes(48 - key_size), Bytes(16)).error().is(CryptoError::bad_key_size));
    EXPECT_TRUE(reused.restart(Bytes(key_size), Bytes(15)).error().is(CryptoError::bad_nonce));
  }
}

RC_GTEST_PROP(AesCtrProperty, PiecesGoOnWhereTheLastOneEnded, (std::uint64_t seed)) {
  Prng prng{seed};
  const Bytes key = random_bytes(prng, prng.chance_ppm(500'000) ? 16 : 32);
  const Bytes counter = random_bytes(prng, 16);
  const Bytes plain = random_bytes(prng, prng.below(500));
  Bytes whole(plain.size());
  auto once = AesCtr::make(key, counter).value();
  RC_ASSERT(once.apply(plain, whole).has_value());

  Bytes pieces = plain;
  auto stream = AesCtr::make(key, counter).value();
  MutByteView rest{pieces};
  while (!rest.empty()) {
    const std::size_t size = prng.below(std::min<std::size_t>(rest.size(), 60) + 1);
    RC_ASSERT(stream.apply(rest.first(size)).has_value());
    rest = rest.subspan(size);
  }
  RC_ASSERT(pieces == whole);

  auto back = AesCtr::make(key, counter).value();
  RC_ASSERT(back.apply(pieces).has_value());
  RC_ASSERT(pieces == plain);
}

}  // namespace
}  // namespace ethnet::crypto
