// interpose/curve_memo.cpp: what is remembered is what the library says, right and wrong alike.
#include <crypto/secp256k1.hpp>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace ethnet::sim
