#include "secp256k1.hpp"

#include <ostream>

#include <base/hex.hpp>
#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "hkdf.hpp"
#include "keccak.hpp"
#include "wycheproof_test.hpp"

namespace ethnet::crypto {
namespace {

using wycheproof::hex_of;
using Json = nlohmann::json;

// EIP-778, the example record.
constexpr std::string_view kExampleKey =
    "b71c71a67e1177ad4e901695e1b4b9ee17ae16c6668d313eac2f96dbcda3f291";
constexpr std::string_view kExampleCompressed =
    "03ca634cae0d49acb401d8a4c6b6fe8c55b70d115bf400769cc1400f3258cd3138";
constexpr std::string_view kExampleNodeId =
    "a448f24c6d18e575453db13171562b71999873db5b286df957af199ec94617f7";
// The field's prime and the group's order.
constexpr std::string_view kPrime =
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
constexpr std::string_view kOrder =
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

Bytes bytes_of(std::string_view hex) { return from_hex(hex).value(); }

SecretKey key_of(std::string_view hex) { return SecretKey::from_bytes(bytes_of(hex)).value(); }

SecretKey example() { return key_of(kExampleKey); }

void fill(Prng& prng, MutByteView out) {
  for (std::byte& b : out) b = static_cast<std::byte>(prng.next() & 0xff);
}

class TestRng : public SecureRng {
 public:
  explicit TestRng(std::uint64_t seed) : prng_{seed} {}
  void fill(MutByteView out) noexcept override { crypto::fill(prng_, out); }

 private:
  Prng prng_;
};

Digest32 random_digest(Prng& prng) {
  Digest32 out{};
  fill(prng, out);
  return out;
}

// a - b on 32-byte big-endian numbers, a >= b.
ByteArray<32> subtract(ByteView a, ByteView b) {
  ByteArray<32> out{};
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    int digit = std::to_integer<int>(a[i]) - std::to_integer<int>(b[i]) - borrow;
    borrow = digit < 0 ? 1 : 0;
    if (digit < 0) digit += 256;
    out[i] = static_cast<std::byte>(digit);
  }
  return out;
}

// The other signature that fits: (r, n - s) with the parity bit of v turned.
RecoverableSignature malleable_twin(RecoverableSignature signature) {
  const MutByteView s = MutByteView{signature}.subspan(32, 32);
  copy_into(s, subtract(bytes_of(kOrder), s));
  signature.back() ^= std::byte{1};
  return signature;
}

ByteView compact(const RecoverableSignature& signature) { return ByteView{signature}.first(64); }

template <class T>
bool failed_with(const Result<T>& result, CryptoError error) {
  return !result.has_value() && result.error().is(error);
}

// RC_ASSERT cannot compare a Result by itself.
template <class T>
bool gives(const Result<T>& result, const T& value) {
  return result.has_value() && *result == value;
}

// --- the types keep the promises ---

// Attacks 2, 3, 4: what is not known to lie on the curve cannot be spelled as an argument of ECDH.
// There is no PublicKey without parse(), recover() or a secret key, and no ECDH without a
// PublicKey.
template <class T>
concept AcceptedByEcdh = requires(const SecretKey& ours, const T& theirs) {
  ecdh_x(ours, theirs);
} || requires(const SecretKey& ours, const T& theirs) { ecdh_compressed(ours, theirs); };
static_assert(AcceptedByEcdh<PublicKey>);
static_assert(!AcceptedByEcdh<ByteView> && !AcceptedByEcdh<Bytes> && !AcceptedByEcdh<Digest32> &&
              !AcceptedByEcdh<ByteArray<33>> && !AcceptedByEcdh<ByteArray<64>> &&
              !AcceptedByEcdh<ByteArray<65>> && !AcceptedByEcdh<Result<PublicKey>>);
static_assert(!std::is_default_constructible_v<PublicKey> && !std::is_aggregate_v<PublicKey>);
static_assert(!std::is_constructible_v<PublicKey, ByteView> &&
              !std::is_constructible_v<PublicKey, Bytes> &&
              !std::is_constructible_v<PublicKey, ByteArray<33>> &&
              !std::is_constructible_v<PublicKey, ByteArray<64>> &&
              !std::is_constructible_v<PublicKey, ByteArray<65>>);

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
static_assert(!std::is_copy_constructible_v<SecretKey> && !std::is_copy_assignable_v<SecretKey>);
static_assert(!std::is_default_constructible_v<SecretKey> && !std::equality_comparable<SecretKey>);
static_assert(std::is_nothrow_move_constructible_v<SecretKey> && !Printable<SecretKey>);
static_assert(!Printable<SecretBytes<32>> && !std::equality_comparable<SecretBytes<32>>);

// --- keys ---

TEST(SecretKey, GivesThePublicKeyAndNodeIdOfTheExampleInEip778) {
  const PublicKey key = example().public_key();
  EXPECT_EQ(to_hex(key.compressed()), kExampleCompressed);
  EXPECT_EQ(to_hex(node_id_of(key)), kExampleNodeId);
}

TEST(SecretKey, RefusesZeroTheOrderAndOtherSizes) {
  EXPECT_TRUE(failed_with(SecretKey::from_bytes(Bytes(32)), CryptoError::bad_secret_key));
  EXPECT_TRUE(failed_with(SecretKey::from_bytes(bytes_of(kOrder)), CryptoError::bad_secret_key));
  EXPECT_TRUE(
      failed_with(SecretKey::from_bytes(Bytes(32, std::byte{0xff})), CryptoError::bad_secret_key));
  for (const std::size_t size : {0U, 1U, 31U, 33U, 64U}) {
    EXPECT_TRUE(
        failed_with(SecretKey::from_bytes(Bytes(size, std::byte{1})), CryptoError::bad_secret_key));
  }
  Bytes one(32);
  one.back() = std::byte{1};
  EXPECT_TRUE(SecretKey::from_bytes(one).has_value());
  EXPECT_TRUE(SecretKey::from_bytes(subtract(bytes_of(kOrder), one)).has_value());
}

TEST(SecretKey, IsGeneratedFromTheGivenSourceAndRevealsItsBytesForTheFile) {
  TestRng first{1};
  TestRng second{1};
  const SecretKey a = SecretKey::generate(first);
  const SecretKey b = SecretKey::generate(second);
  EXPECT_EQ(a.public_key(), b.public_key());
  EXPECT_NE(a.public_key(), SecretKey::generate(first).public_key());
  EXPECT_EQ(SecretKey::from_bytes(a.reveal())->public_key(), a.public_key());
}

// Draws zero, then the order, then good bytes.
TEST(SecretKey, GenerationDrawsAgainWhenTheBytesAreNoKey) {
  class Scripted : public SecureRng {
   public:
    void fill(MutByteView out) noexcept override {
      std::ranges::fill(out, std::byte{0});
      if (draws == 1) copy_into(out, bytes_of(kOrder));
      if (draws == 2) copy_into(out, bytes_of(kExampleKey));
      ++draws;
    }
    int draws = 0;
  } rng;
  EXPECT_EQ(to_hex(SecretKey::generate(rng).reveal()), kExampleKey);
  EXPECT_EQ(rng.draws, 3);
}

TEST(SecretKeyDeathTest, ABrokenSourceAndAMovedKeyAreNoticed) {
  class Zeros : public SecureRng {
   public:
    void fill(MutByteView out) noexcept override { std::ranges::fill(out, std::byte{0}); }
  } zeros;
  EXPECT_DEATH((void)SecretKey::generate(zeros), "CHECK failed");
  SecretKey key = example();
  const SecretKey moved = std::move(key);
  EXPECT_DEATH((void)key.public_key(), "CHECK failed");  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(to_hex(moved.reveal()), kExampleKey);
}

TEST(SecretKey, BlindingChangesNoResult) {
  TestRng rng{3};
  SecretKey key = example();
  const Digest32 digest = keccak256(text_bytes("blind"));
  const auto before = sign(key, digest);
  key.blind(rng);
  EXPECT_EQ(sign(key, digest), before);
  EXPECT_EQ(key.public_key(), example().public_key());
}

RC_GTEST_PROP(SumProperty, TheKeyOfASumIsTheSumOfTheKeys, (std::uint64_t seed)) {
  TestRng rng{seed};
  const SecretKey a = SecretKey::generate(rng);
  const SecretKey b = SecretKey::generate(rng);
  RC_ASSERT(sum(a, b)->public_key() == *sum(a.public_key(), b.public_key()));
  RC_ASSERT(sum(a, a)->public_key() == *sum(a.public_key(), a.public_key()));
}

TEST(Sum, OfAKeyAndItsOppositeIsNoKey) {
  const SecretKey opposite =
      SecretKey::from_bytes(subtract(bytes_of(kOrder), bytes_of(kExampleKey))).value();
  EXPECT_TRUE(failed_with(sum(example(), opposite), CryptoError::bad_secret_key));
  EXPECT_TRUE(
      failed_with(sum(example().public_key(), opposite.public_key()), CryptoError::bad_public_key));
}

RC_GTEST_PROP(PublicKeyProperty, AllThreeFormsParseToTheSameKey, (std::uint64_t seed)) {
  TestRng rng{seed};
  const PublicKey key = SecretKey::generate(rng).public_key();
  Bytes prefixed{std::byte{4}};
  append(prefixed, key.xy());
  RC_ASSERT(gives(PublicKey::parse(key.compressed()), key));
  RC_ASSERT(gives(PublicKey::parse(key.xy()), key));
  RC_ASSERT(gives(PublicKey::parse(prefixed), key));
}

// --- attacks 2, 3, 4: points that are none ---

bool is_refused(ByteView encoded) {
  return failed_with(PublicKey::parse(encoded), CryptoError::bad_public_key);
}

TEST(PublicKey, atk_04_CoordinatesAtOrAbovePAndZeroAreRefused) {
  const Bytes good = to_bytes(example().public_key().xy());
  const Bytes zero(32);
  const Bytes all_ones(32, std::byte{0xff});
  Bytes one(32);
  one.back() = std::byte{1};
  // p + 1 stands for the coordinate 1, which is an x on the curve: only the range check refuses it.
  Bytes p_plus_one = bytes_of(kPrime);
  p_plus_one.back() ^= std::byte{0x1f};
  ASSERT_EQ(to_hex(p_plus_one).substr(56), "fffffc30");
  Bytes compressed_one{std::byte{2}};
  append(compressed_one, one);
  ASSERT_FALSE(is_refused(compressed_one));
  for (const Bytes& bad : {zero, bytes_of(kPrime), p_plus_one, all_ones}) {
    for (const int position : {0, 1, 2}) {
      Bytes xy = good;
      if (position != 1) copy_into(MutByteView{xy}.first(32), bad);
      if (position != 0) copy_into(MutByteView{xy}.last(32), bad);
      EXPECT_TRUE(is_refused(xy)) << to_hex(xy);
      Bytes prefixed{std::byte{4}};
      append(prefixed, xy);
      EXPECT_TRUE(is_refused(prefixed));
    }
    for (const std::byte prefix : {std::byte{2}, std::byte{3}}) {
      Bytes encoded{prefix};
      append(encoded, bad);
      EXPECT_TRUE(is_refused(encoded)) << to_hex(encoded);
    }
  }
}

TEST(PublicKey, atk_03_InfinityHybridFormsAndOtherSizesAreRefused) {
  const auto xy = example().public_key().xy();
  EXPECT_TRUE(is_refused({}));
  EXPECT_TRUE(is_refused(Bytes(1)));   // SEC 1's infinity
  EXPECT_TRUE(is_refused(Bytes(33)));  // the same, padded
  EXPECT_TRUE(is_refused(Bytes(64)));
  EXPECT_TRUE(is_refused(Bytes(65)));
  for (int prefix = 0; prefix < 256; ++prefix) {
    Bytes encoded{static_cast<std::byte>(prefix)};
    append(encoded, xy);
    EXPECT_EQ(is_refused(encoded), prefix != 4) << prefix;
    encoded.resize(33);
    EXPECT_EQ(is_refused(encoded), prefix != 2 && prefix != 3) << prefix;
  }
  Bytes encoded{std::byte{4}};
  append(encoded, xy);
  for (std::size_t size = 0; size < 65; ++size) {
    if (size != 64) {
      EXPECT_TRUE(is_refused(ByteView{encoded}.first(size))) << size;
    }
  }
  encoded.push_back(std::byte{0});
  EXPECT_TRUE(is_refused(encoded));
}

// 1000 points off the curve: good keys with one bit turned, and random coordinates (of the twist or
// of no curve at all). A bit turned in y cannot give a point, since only -y shares the x.
TEST(PublicKey, atk_02_AThousandPointsOffTheCurveAreRefused) {
  Prng prng{4};
  TestRng rng{4};
  for (int i = 0; i < 500; ++i) {
    auto xy = SecretKey::generate(rng).public_key().xy();
    xy[32 + prng.below(32)] ^= static_cast<std::byte>(1U << prng.below(8));
    ASSERT_TRUE(is_refused(xy)) << to_hex(xy);
    fill(prng, xy);
    ASSERT_TRUE(is_refused(xy)) << to_hex(xy);
  }
}

// Half of all x belong to the twist: refused in compressed form, and what is accepted is a point.
TEST(PublicKey, atk_02_CompressedTwistPointsAreRefused) {
  Prng prng{5};
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    ByteArray<33> encoded{};
    fill(prng, encoded);
    encoded.front() = std::byte{2} | (encoded.front() & std::byte{1});
    const auto key = PublicKey::parse(encoded);
    if (!key) {
      ++refused;
      continue;
    }
    EXPECT_EQ(key->compressed(), encoded);
    EXPECT_EQ(PublicKey::parse(key->xy()), *key);
  }
  EXPECT_GT(refused, 400);
  EXPECT_LT(refused, 600);
}

// --- signatures ---

RC_GTEST_PROP(SignatureProperty, FitsItsKeyAndDigestOnly, (std::uint64_t seed)) {
  Prng prng{seed};
  TestRng rng{seed};
  const SecretKey key = SecretKey::generate(rng);
  const PublicKey signer = key.public_key();
  const Digest32 digest = random_digest(prng);
  const RecoverableSignature signature = sign(key, digest);
  RC_ASSERT(signature == sign(key, digest));
  RC_ASSERT(equal(sign_compact(key, digest), compact(signature)));
  RC_ASSERT(gives(recover(signature, digest), signer));
  RC_ASSERT(verify(signer, compact(signature), digest).has_value());

  Digest32 other = digest;
  other[prng.below(32)] ^= static_cast<std::byte>(1U << prng.below(8));
  RC_ASSERT(
      failed_with(verify(signer, compact(signature), other), CryptoError::signature_mismatch));
  RC_ASSERT(!gives(recover(signature, other), signer));
  const PublicKey stranger = SecretKey::generate(rng).public_key();
  RC_ASSERT(
      failed_with(verify(stranger, compact(signature), digest), CryptoError::signature_mismatch));
  RecoverableSignature bent = signature;
  bent[prng.below(64)] ^= static_cast<std::byte>(1U << prng.below(8));
  RC_ASSERT(!verify(signer, compact(bent), digest).has_value());
  RC_ASSERT(!gives(recover(bent, digest, HighS::accept), signer));
}

RC_GTEST_PROP(SignatureProperty, TheMalleableTwinIsRefused, (std::uint64_t seed)) {
  Prng prng{seed};
  TestRng rng{seed};
  const SecretKey key = SecretKey::generate(rng);
  const Digest32 digest = random_digest(prng);
  const RecoverableSignature twin = malleable_twin(sign(key, digest));
  RC_ASSERT(failed_with(verify(key.public_key(), compact(twin), digest), CryptoError::high_s));
  RC_ASSERT(failed_with(recover(twin, digest), CryptoError::high_s));
  RC_ASSERT(gives(recover(twin, digest, HighS::accept), key.public_key()));
}

TEST(Signature, ScalarsOutOfRangeSizesAndRecoveryIdsAreRefused) {
  const Digest32 digest = keccak256(text_bytes("range"));
  const PublicKey signer = example().public_key();
  const RecoverableSignature good = sign(example(), digest);
  for (const Bytes& bad : {Bytes(32), bytes_of(kOrder), Bytes(32, std::byte{0xff})}) {
    for (const std::size_t at : {0U, 32U}) {
      RecoverableSignature signature = good;
      copy_into(MutByteView{signature}.subspan(at, 32), bad);
      EXPECT_TRUE(failed_with(recover(signature, digest), CryptoError::bad_signature));
      EXPECT_TRUE(
          failed_with(recover(signature, digest, HighS::accept), CryptoError::bad_signature));
      EXPECT_TRUE(
          failed_with(verify(signer, compact(signature), digest), CryptoError::bad_signature));
    }
  }
  for (int v = 4; v < 256; ++v) {
    RecoverableSignature signature = good;
    signature.back() = static_cast<std::byte>(v);
    EXPECT_TRUE(failed_with(recover(signature, digest), CryptoError::bad_signature)) << v;
  }
  for (std::size_t size = 0; size <= 66; ++size) {
    Bytes cut = to_bytes(good);
    cut.resize(size);
    if (size != 65) {
      EXPECT_TRUE(failed_with(recover(cut, digest), CryptoError::bad_signature));
    }
    if (size != 64) {
      EXPECT_TRUE(failed_with(verify(signer, cut, digest), CryptoError::bad_signature));
    }
  }
}

// v of 2 and 3 says that r was reduced by the order: r + n must be a coordinate below p, which no
// ordinary r is.
TEST(Signature, NoKeyIsRecoveredForAnImpossibleRecoveryId) {
  const Digest32 digest = keccak256(text_bytes("overflow"));
  RecoverableSignature signature = sign(example(), digest);
  signature.back() |= std::byte{2};
  EXPECT_TRUE(failed_with(recover(signature, digest), CryptoError::recovery_failed));
}

std::string judge_ecdsa(const Json& group, const Json& test) {
  const PublicKey key =
      PublicKey::parse(
          from_hex(group.at("publicKey").at("uncompressed").get<std::string>()).value())
          .value();
  const auto result = test.at("result").get<std::string>();
  const auto signature = wycheproof::parse_der_signature(hex_of(test, "sig"));
  const bool accepted =
      signature && verify(key, *signature, sha256(hex_of(test, "msg"))).has_value();
  EXPECT_EQ(accepted, result == "valid");
  if (accepted) return "valid";
  if (!signature) return "invalid (encoding)";
  const std::string_view reason =
      verify(key, *signature, sha256(hex_of(test, "msg"))).error().what();
  return "invalid (" + std::string{reason} + ")";
}

TEST(EcdsaVectors, Wycheproof) {
  ETHNET_NEED_VECTORS();
  wycheproof::Suite suite{"ecdsa_secp256k1_sha256_bitcoin_test.json"};
  suite.run(judge_ecdsa);
  EXPECT_EQ(suite.count("valid"), 162U);
  EXPECT_EQ(suite.count("invalid (encoding)"), 232U);
  // Each reason by its number: a verifier that refused all of them for one of these would show.
  EXPECT_EQ(suite.count("invalid (invalid signature encoding)"), 50U);
  EXPECT_EQ(suite.count("invalid (signature does not match)"), 15U);
  EXPECT_EQ(suite.count("invalid (signature is not canonical (high s))"), 4U);
}

// --- key agreement ---

// An integer in as many bytes as it happens to have.
std::optional<SecretKey> secret_of_integer(Bytes integer) {
  const auto first = std::ranges::find_if(integer, [](std::byte b) { return b != std::byte{0}; });
  integer.erase(integer.begin(), first);
  if (integer.size() > 32) return std::nullopt;
  integer.insert(integer.begin(), 32 - integer.size(), std::byte{0});
  auto key = SecretKey::from_bytes(integer);
  if (!key) return std::nullopt;
  return *std::move(key);
}

std::string judge_ecdh(const Json&, const Json& test) {
  const Bytes spki = hex_of(test, "public");
  const auto point = wycheproof::parse_spki(spki);
  const auto key = point ? std::optional{PublicKey::parse(*point)} : std::nullopt;
  const auto secret = secret_of_integer(hex_of(test, "private"));
  const auto result = test.at("result").get<std::string>();
  const bool accepted = key && key->has_value() && secret;
  if (result == "valid") {
    EXPECT_TRUE(accepted);
  }
  if (result == "invalid") {
    EXPECT_FALSE(accepted);
  }
  if (!accepted) {
    return result + (point ? ", refused by the key" : ", refused by the wrapping");
  }
  EXPECT_EQ(to_bytes(ecdh_x(*secret, **key).view()), hex_of(test, "shared"));
  return result + ", agreed";
}

TEST(EcdhVectors, Wycheproof) {
  ETHNET_NEED_VECTORS();
  wycheproof::Suite suite{"ecdh_secp256k1_test.json"};
  suite.run(judge_ecdh);
  EXPECT_EQ(suite.count("valid, agreed"), 473U);
  EXPECT_EQ(suite.count("invalid, agreed"), 0U);
  // Off-curve points in a correct wrapping, which only PublicKey::parse can refuse.
  EXPECT_EQ(suite.count("invalid, refused by the key"), 22U);
  EXPECT_EQ(suite.count("invalid, refused by the wrapping"), 27U);
  // What a library may take or leave. Ours leaves all but the compressed point.
  EXPECT_EQ(suite.count("acceptable, agreed"), 1U);
  EXPECT_EQ(suite.count("acceptable, refused by the key"), 5U);
  EXPECT_EQ(suite.count("acceptable, refused by the wrapping"), 224U);
}

// discv5's wire vectors: the shared point in compressed form.
TEST(Ecdh, CompressedAsInTheVectorOfDiscv5) {
  const SecretKey ours = key_of("fb757dc581730490a1d7a00deea65e9b1936924caaea8f44d476014856b68736");
  const PublicKey theirs =
      PublicKey::parse(
          bytes_of("039961e4c2356d61bedb83052c115d311acb3a96f5777296dcf297351130266231"))
          .value();
  EXPECT_EQ(to_hex(ecdh_compressed(ours, theirs).view()),
            "033b11a2a1f214567e1537ce5e509ffd9b21373247f2a3ff6841f4976f53165e7e");
}

// The same vectors' id signature: RFC 6979 nonces give these very bytes.
TEST(Signature, DeterministicAsInTheVectorOfDiscv5) {
  const SecretKey key = key_of("fb757dc581730490a1d7a00deea65e9b1936924caaea8f44d476014856b68736");
  Digest32 digest{};
  copy_into(digest, bytes_of("f8b18af81856bc494b09db6930f1feebc8bbebc5c1738c58ed5dc1281618ddc0"));
  EXPECT_EQ(to_hex(sign_compact(key, digest)),
            "94852a1e2318c4e5e9d422c98eaf19d1d90d876b29cd06ca7cb7546d0fff7b48"
            "4fe86c09a064fe72bdbef73ba8e9c34df0cd2b53e9d65528c2c7f336d5dfc6e6");
}

RC_GTEST_PROP(EcdhProperty, BothSidesAgree, (std::uint64_t seed)) {
  TestRng rng{seed};
  const SecretKey a = SecretKey::generate(rng);
  const SecretKey b = SecretKey::generate(rng);
  const auto ab = ecdh_compressed(a, b.public_key());
  const auto ba = ecdh_compressed(b, a.public_key());
  RC_ASSERT(equal(ab.view(), ba.view()));
  RC_ASSERT(equal(ecdh_x(a, b.public_key()).view(), ab.view().subspan(1)));
  RC_ASSERT(PublicKey::parse(ab.view()).has_value());
}

}  // namespace
}  // namespace ethnet::crypto
