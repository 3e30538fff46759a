// Whole nodes, with TLS, in a world.
#include "first_light.hpp"

#include <iostream>

#include <gtest/gtest.h>

namespace ethnet::sim {
namespace {

TEST(FirstLight, SeedsPassAndForksHappen) {
  std::size_t heads = 0;
  std::size_t reorgs = 0;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Verdict verdict = run_seed(make_first_light_spec(), seed, [&](std::string_view line) {
      if (line.find("head ") != std::string_view::npos) ++heads;
      if (line.find("reorg ") != std::string_view::npos) ++reorgs;
    });
    EXPECT_TRUE(verdict.ok()) << verdict.text();
  }
  EXPECT_GT(heads, 20U);
  EXPECT_GT(reorgs, 0U);
  std::cout << "first-light: 5 seeds, " << heads << " heads, " << reorgs << " reorganisations\n";
}

TEST(FirstLight, TheSameSeedGivesTheSameTraceWhateverRanBefore) {
  const Verdict first = run_seed(make_first_light_spec(), 1);
  const Verdict other = run_seed(make_first_light_spec(), 2);
  const Verdict again = run_seed(make_first_light_spec(), 1);
  EXPECT_EQ(first.text(), again.text());
  EXPECT_EQ(first.trace, again.trace);
  EXPECT_NE(first.trace, other.trace);
}

TEST(FirstLight, FindsANodeThatForgets) {
  bool found = false;
  for (std::uint64_t seed = 1; seed <= 20 && !found; ++seed) {
    const Verdict verdict = run_seed(make_first_light_spec({.forgets_last_record = true}), seed);
    found = verdict.safety && verdict.safety->what.contains("what is acknowledged survives");
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace ethnet::sim
