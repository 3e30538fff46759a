// interpose/curve_memo.cpp and key_memo.cpp: what is remembered is what the library says, right and
// wrong alike.
#include <algorithm>
#include <set>
#include <vector>

#include <crypto/secp256k1.hpp>
#include <gtest/gtest.h>

#include "interpose/memo.hpp"
#include "seeded_secure_rng.hpp"
#include "virtual_os.hpp"
#include "world.hpp"

namespace ethnet::sim {
namespace {

struct Answers {
  bool right = false;
  bool other_digest = true;
  bool other_key = true;
  bool recovered = false;
  bool recovered_other = true;
  friend bool operator==(const Answers&, const Answers&) = default;
};

Answers ask() {
  SeededSecureRng rng{Prng{7}};
  const auto key = crypto::SecretKey::generate(rng);
  const auto other = crypto::SecretKey::generate(rng);
  crypto::Digest32 digest{};
  digest.front() = std::byte{1};
  crypto::Digest32 other_digest = digest;
  other_digest.back() = std::byte{1};
  const auto signature = crypto::sign(key, digest);
  const ByteView compact = ByteView{signature}.first(64);
  const auto who = crypto::recover(signature, digest, crypto::HighS::refuse);
  const auto who_other = crypto::recover(signature, other_digest, crypto::HighS::refuse);
  return {.right = crypto::verify(key.public_key(), compact, digest).has_value(),
          .other_digest = crypto::verify(key.public_key(), compact, other_digest).has_value(),
          .other_key = crypto::verify(other.public_key(), compact, digest).has_value(),
          .recovered = who && *who == key.public_key(),
          .recovered_other = who_other && *who_other == key.public_key()};
}

TEST(CurveMemo, AnswersAreTheLibrarysHoweverOftenOneAsks) {
  const Answers library = ask();
  EXPECT_EQ(library, (Answers{true, false, false, true, false}));
  World world{1};
  const VirtualOsScope scope{world};
  EXPECT_EQ(ask(), library);
  EXPECT_EQ(ask(), library);
}

// What two make of a key agreement, in both forms, and what a third makes of it; keys that are
// read.
std::vector<Bytes> agree() {
  SeededSecureRng rng{Prng{9}};
  const auto a = crypto::SecretKey::generate(rng);
  const auto b = crypto::SecretKey::generate(rng);
  const auto c = crypto::SecretKey::generate(rng);
  std::vector<Bytes> out;
  for (const auto* ours : {&a, &b, &c}) {
    out.push_back(to_bytes(ours->public_key().xy()));
    for (const auto* theirs : {&a, &b, &c}) {
      const auto compressed = theirs->public_key().compressed();
      const auto key = crypto::PublicKey::parse(compressed);
      out.push_back(key ? to_bytes(key->xy()) : Bytes{});
      out.push_back(to_bytes(crypto::ecdh_x(*ours, *key).view()));
      out.push_back(to_bytes(crypto::ecdh_compressed(*ours, *key).view()));
    }
  }
  ByteArray<33> no_point{};
  no_point.front() = std::byte{2};
  no_point.back() = std::byte{5};  // x = 5 is on no point of the curve
  out.push_back(crypto::PublicKey::parse(no_point) ? Bytes{} : Bytes{std::byte{1}});
  return out;
}

TEST(CurveMemo, KeysAndAgreementsAreTheLibrarysWhicheverSideAsksFirst) {
  const std::vector<Bytes> library = agree();
  EXPECT_EQ(library.back(), Bytes{std::byte{1}});
  // a with b is b with a: its own key, then three things of each of a, b and c.
  EXPECT_EQ(library[6], library[10 + 3]);
  EXPECT_NE(library[6], library[20 + 3]);
  World world{1};
  const VirtualOsScope scope{world};
  EXPECT_EQ(agree(), library);
  EXPECT_EQ(agree(), library);
}

// In a siege one key is in thousands of agreements.
TEST(CurveMemo, QuestionsThatShareAKeyAreNotInOneBucket) {
  std::set<std::size_t> hashes;
  for (const std::size_t other : {0U, 64U}) {
    for (std::uint64_t i = 0; i < 1'000; ++i) {
      ByteArray<128> question{};
      std::ranges::fill(MutByteView{question}.subspan(64 - other, 64), std::byte{0x5a});
      store_be(MutByteView{question}.subspan(other + 8, 8), i);
      hashes.insert(interpose::QuestionHash<128>{}(question));
    }
  }
  EXPECT_GE(hashes.size(), 1'000U);
}

}  // namespace
}  // namespace ethnet::sim
