#include "score.hpp"

#include <gmock/gmock.h>

#include "../test_support.hpp"

namespace ethnet::chain {
namespace {

using testing::BlockPlan;
using ::testing::ElementsAre;
using testing::TestBench;

// A branch on genesis, a plan a block; the names are the letter and the height.
void grow(TestBench& bench, const std::string& letter, const std::vector<BlockPlan>& plans) {
  std::vector<HeaderInput> batch;
  std::string below = "genesis";
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const std::string name = letter + std::to_string(i + 1);
    batch.push_back(bench.make(name, below, plans[i]));
    below = name;
  }
  ASSERT_EQ(bench.import(batch).added, plans.size());
}

// Genesis counts as a producer of its own: address 0.
TEST(ScoreRule, ManyProducersBeatOneMoreBlock) {
  TestBench bench{testing::rule_named("score")};
  grow(bench, "a", std::vector<BlockPlan>(6, {.producer = 1}));
  std::vector<BlockPlan> many;
  for (std::uint8_t i = 1; i <= 5; ++i) many.push_back({.producer = i});
  grow(bench, "b", many);
  EXPECT_THAT(bench.why(),
              ElementsAre("a6*: 650 = 100 x height 6 + 25 x 2 producers - 0 s of spread",
                          "b5: 650 = 100 x height 5 + 25 x 6 producers - 0 s of spread"));
  (void)bench.import(
      {bench.make("a7", "a6", {.producer = 1}), bench.make("b6", "b5", {.producer = 6})});
  EXPECT_THAT(bench.why(),
              ElementsAre("a7: 750 = 100 x height 7 + 25 x 2 producers - 0 s of spread",
                          "b6*: 775 = 100 x height 6 + 25 x 7 producers - 0 s of spread"));
}

TEST(ScoreRule, AnUnevenBranchLosesToAnEvenOneThatIsShorter) {
  TestBench bench{testing::rule_named("score")};
  grow(bench, "a", {{.seconds = 12}, {.seconds = 12}, {.seconds = 312}});
  grow(bench, "b", {{.seconds = 12}, {.seconds = 12}});
  EXPECT_THAT(bench.why(),
              ElementsAre("a3: 25 = 100 x height 3 + 25 x 1 producers - 300 s of spread",
                          "b2*: 225 = 100 x height 2 + 25 x 1 producers - 0 s of spread"));
}

// The head moves without a block of another branch: its own child costs it more than it brings.
TEST(ScoreRule, ABranchCanLoseByGrowing) {
  TestBench bench{testing::rule_named("score")};
  grow(bench, "a", {{.producer = 1}, {.producer = 1}, {.producer = 1}});
  grow(bench, "b", {{.producer = 1}, {.producer = 1}});
  ASSERT_EQ(bench.manager.pending_head().hash, bench.hash("a3"));
  (void)bench.import({bench.make("a4", "a3", {.seconds = 2000, .producer = 1})});
  EXPECT_EQ(bench.manager.pending_head().hash, bench.hash("b2"));
  EXPECT_EQ(bench.why().back(), "a4: -550 = 100 x height 4 + 25 x 2 producers - 1000 s of spread");
}

// Old producers and old pauses are forgotten.
TEST(ScoreRule, OnlyTheNewest32BlocksCountBesidesTheHeight) {
  TestBench bench{testing::rule_named("score")};
  std::vector<BlockPlan> plans{{.seconds = 900, .producer = 7}};
  for (int i = 0; i < 32; ++i) plans.push_back({.producer = 1});
  grow(bench, "a", plans);
  EXPECT_THAT(bench.why(),
              ElementsAre("a33*: 3325 = 100 x height 33 + 25 x 1 producers - 0 s of spread"));
}

}  // namespace
}  // namespace ethnet::chain
