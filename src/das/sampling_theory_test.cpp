// Many samplers against one publisher who withholds: the fraction that is fooled is what the closed
// form says (docs/THREATS.md, A.8).
#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <sim/seeded_secure_rng.hpp>

#include "confidence.hpp"
#include "sampler.hpp"

namespace ethnet::das {
namespace {

struct Outcome {
  std::uint32_t fooled = 0;         // all that they drew was there
  std::uint32_t wrong_verdict = 0;  // drew one that is missing, and said that all came
  std::vector<std::uint32_t> drawn;
};

// `published` of `total` chunks, chosen by the seed, and `nodes` that draw k each.
Outcome sample_by_many(std::uint64_t seed, std::uint32_t nodes, std::uint32_t total,
                       std::uint32_t published, std::uint32_t k) {
  const Prng prng{seed};
  sim::SeededSecureRng publisher_rng{prng.split("publisher")};
  SecureIndexSource publisher{publisher_rng};
  const auto chosen = draw_indices(publisher, total, published);
  const std::set<std::uint32_t> there{chosen.begin(), chosen.end()};
  sim::SeededSecureRng sampler_rng{prng.split("samplers")};
  SecureIndexSource sampler{sampler_rng};
  Outcome out;
  for (std::uint32_t node = 0; node < nodes; ++node) {
    const auto drawn = draw_indices(sampler, total, k);
    Tally tally{0, static_cast<std::uint32_t>(drawn.size())};
    for (const std::uint32_t index : drawn) tally.received += there.contains(index) ? 1U : 0U;
    const bool says_available = confidence(tally) == 1.0;
    const bool missed_one =
        std::ranges::any_of(drawn, [&](std::uint32_t i) { return !there.contains(i); });
    out.fooled += says_available ? 1U : 0U;
    out.wrong_verdict += says_available && missed_one ? 1U : 0U;
    out.drawn.insert(out.drawn.end(), drawn.begin(), drawn.end());
  }
  return out;
}

// 63 of 128 published, k = 8: each is fooled with p = C(63,8)/C(128,8) = 0.271 %. Of 100,000 nodes
// 270.9 are expected; the 99 % interval of the binomial distribution is 229 to 314 (2.576 standard
// deviations of 16.4, one more for the steps of a count).
TEST(SamplingTheory, atk_A8a_With63Of128PublishedTheFooledFractionIsThatOfTheClosedForm) {
  constexpr std::uint32_t kNodes = 100'000;
  const Outcome outcome = sample_by_many(20'260'101, kNodes, 128, 63, 8);
  const double p = fooled_probability(128, 65, {8, 8});
  EXPECT_NEAR(p * kNodes, 270.9, 0.5);
  EXPECT_EQ(outcome.wrong_verdict, 0U);
  EXPECT_GE(outcome.fooled, 229U);
  EXPECT_LE(outcome.fooled, 314U);
  RecordProperty("fooled", static_cast<int>(outcome.fooled));
}

// Half the chunks and k = 1: half are fooled. A sampler that always draws the same would show here.
TEST(SamplingTheory, OneSampleFoolsAsManyAsArePublished) {
  const Outcome outcome = sample_by_many(5, 20'000, 128, 64, 1);
  EXPECT_NEAR(outcome.fooled, 10'000, 2.576 * 70.8);
}

TEST(SamplingTheory, atk_A8d_TheSameSeedDrawsTheSameAndAnotherDoesNot) {
  const auto run = [](std::uint64_t seed) { return sample_by_many(seed, 1'000, 128, 63, 8).drawn; };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace ethnet::das
