#include "longest_tiebreak.hpp"

#include <gtest/gtest.h>

#include "../test_support.hpp"

namespace ethnet::chain {
namespace {

// Two names of siblings, the one with the lower hash first.
std::pair<std::string, std::string> siblings(testing::TestBench& bench) {
  (void)bench.make("p1", "genesis");
  (void)bench.make("q1", "genesis");
  const bool in_order = bench.hash("p1") < bench.hash("q1");
  return in_order ? std::pair{"p1", "q1"} : std::pair{"q1", "p1"};
}

TEST(LongestTiebreak, OfEqualHeightsTheLowestHashWinsInWhateverOrderTheyCome) {
  for (const bool lower_first : {true, false}) {
    testing::TestBench bench{testing::rule_named("longest-tiebreak")};
    const auto [low, high] = siblings(bench);
    (void)bench.import({bench.make(lower_first ? low : high, "genesis")});
    (void)bench.import({bench.make(lower_first ? high : low, "genesis")});
    EXPECT_EQ(bench.manager.pending_head().hash, bench.hash(low));
  }
}

TEST(LongestTiebreak, HeightGoesBeforeHash) {
  testing::TestBench bench{testing::rule_named("tiebreak")};
  const auto [low, high] = siblings(bench);
  (void)bench.import({bench.make(low, "genesis"), bench.make(high, "genesis")});
  (void)bench.import({bench.make("next", high)});
  EXPECT_EQ(bench.manager.pending_head().hash, bench.hash("next"));
  const auto why = bench.manager.explain_heads().back();
  EXPECT_EQ(why.score.value, "2");
  EXPECT_EQ(why.score.why, "height 2, hash " + bench.hash("next").short_hex());
}

}  // namespace
}  // namespace ethnet::chain
