// What a snapshot shows of the fork tree: which headers, in which order, at what cost, and when it
// is the same object.
#include "block_view.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include <chain/test_support.hpp>
#include <gtest/gtest.h>

namespace ethnet::node {
namespace {

using chain::testing::TestBench;

std::vector<std::string> names(const std::string& prefix, std::size_t from, std::size_t to) {
  std::vector<std::string> out;
  for (std::size_t i = from; i <= to; ++i) out.push_back(prefix + std::to_string(i));
  return out;
}

class BlockViewTest : public ::testing::Test {
 protected:
  // A branch of prefix1..prefixN on `parent`, imported and stored.
  void grow(const std::string& parent, const std::string& prefix, std::size_t count) {
    (void)bench.import(bench.branch(parent, names(prefix, 1, count)));
    bench.acknowledge();
  }
  const BlockViews::View& refresh() {
    const BlockViews::View& view = views.refresh(bench.manager);
    check_order(*view.blocks);
    return view;
  }
  // By height, each after its parent where that is shown, none twice.
  static void check_order(const std::vector<BlockView>& blocks) {
    std::set<Hash32> seen;
    std::set<Hash32> all;
    for (const BlockView& block : blocks) all.insert(block.hash);
    ASSERT_EQ(all.size(), blocks.size());
    std::uint64_t height = 0;
    for (const BlockView& block : blocks) {
      ASSERT_GE(block.number, height);
      height = block.number;
      ASSERT_TRUE(!all.contains(block.parent) || seen.contains(block.parent));
      seen.insert(block.hash);
    }
  }
  const BlockView* find(const std::string& name) {
    const auto& blocks = *views.refresh(bench.manager).blocks;
    const auto it = std::ranges::find(blocks, bench.hash(name), &BlockView::hash);
    return it == blocks.end() ? nullptr : &*it;
  }

  TestBench bench;
  BlockViews views;
};

TEST_F(BlockViewTest, OfAFreshChainIsItsGenesis) {
  const auto& view = refresh();
  ASSERT_EQ(view.blocks->size(), 1U);
  EXPECT_EQ(view.blocks->front(), (BlockView{bench.genesis.hash, {}, 0, true}));
  EXPECT_FALSE(view.cut);
}

TEST_F(BlockViewTest, OfAForkedTreeNamesEveryBranchAndWhatIsCanonical) {
  grow("genesis", "a", 5);
  grow("a2", "b", 2);  // beside it
  grow("b1", "c", 1);  // a branch of a branch
  grow("a5", "d", 1);  // the head
  grow("genesis", "e", 1);
  const auto& view = refresh();
  EXPECT_EQ(view.blocks->size(), 1U + 5 + 2 + 1 + 1 + 1);
  EXPECT_FALSE(view.cut);
  std::map<std::string, bool> canonical{{"a1", true},  {"a2", true},  {"a5", true},  {"d1", true},
                                        {"b1", false}, {"b2", false}, {"c1", false}, {"e1", false}};
  for (const auto& [name, is] : canonical) {
    const BlockView* block = find(name);
    ASSERT_NE(block, nullptr) << name;
    EXPECT_EQ(block->canonical, is) << name;
    EXPECT_EQ(block->number, bench.header(name).number) << name;
    EXPECT_EQ(block->parent, bench.header(name).parent_hash) << name;
  }
}

// A reorganisation adds one header and moves the mark on several.
TEST_F(BlockViewTest, FollowsAReorganisation) {
  grow("genesis", "a", 2);
  grow("genesis", "b", 2);
  ASSERT_TRUE(find("a2")->canonical);
  grow("b2", "c", 1);
  EXPECT_TRUE(find("b2")->canonical);
  EXPECT_TRUE(find("c1")->canonical);
  EXPECT_FALSE(find("a1")->canonical);
  EXPECT_FALSE(find("a2")->canonical);
}

TEST_F(BlockViewTest, IsTheSameObjectUntilSomethingInTheTreeChanges) {
  grow("genesis", "a", 3);
  const auto first = refresh().blocks;
  EXPECT_GT(views.steps(), 0U);
  EXPECT_EQ(refresh().blocks, first);
  EXPECT_EQ(views.steps(), 0U);
  // Known already: nothing new.
  (void)bench.import({bench.make("a3", "a2")});
  bench.acknowledge();
  EXPECT_EQ(refresh().blocks, first);
  // One beside the head moves nothing, and is new.
  grow("a2", "b", 1);
  const auto second = refresh().blocks;
  EXPECT_NE(second, first);
  EXPECT_EQ(first->size() + 1, second->size()) << "what a reader holds is changed under it";
  EXPECT_EQ(refresh().blocks, second);
}

// What waits for the store is not spoken of.
TEST_F(BlockViewTest, ShowsAHeaderWhenItIsStoredAndNotBefore) {
  grow("genesis", "a", 2);
  for (const auto& [name, parent] : {std::pair{"b1", "a1"}, std::pair{"a3", "a2"}}) {
    (void)bench.import({bench.make(name, parent)});
    EXPECT_EQ(find(name), nullptr);
    bench.acknowledge();
    EXPECT_NE(find(name), nullptr);
  }
}

TEST_F(BlockViewTest, IsTheNewestHeightsAndTheOlderBranchesThatReachThem) {
  grow("genesis", "a", 200);
  grow("a10", "deep", 150);    // to height 160
  grow("deep130", "twin", 3);  // part of the way down is shared
  grow("a10", "old", 50);      // to height 60
  grow("a180", "new", 5);
  const auto& view = refresh();
  EXPECT_FALSE(view.cut);
  EXPECT_EQ(view.blocks->front().number, 200 - kViewedHeights);
  EXPECT_EQ(find("a135"), nullptr);
  EXPECT_NE(find("a136"), nullptr);
  EXPECT_NE(find("new5"), nullptr);
  EXPECT_NE(find("deep150"), nullptr);  // height 160
  EXPECT_NE(find("deep126"), nullptr);  // height 136
  EXPECT_EQ(find("deep125"), nullptr);
  EXPECT_EQ(find("old50"), nullptr);
  EXPECT_EQ(view.blocks->size(), (kViewedHeights + 1) + 5 + 25 + 3);
}

// A header has as many children as anybody likes: the canonical chain is shown all the same, and
// of the branches the newest.
TEST_F(BlockViewTest, AtItsLimitKeepsTheCanonicalChainAndTheNewestBranchesAndSaysSo) {
  grow("genesis", "a", 70);
  std::vector<chain::HeaderInput> crowd;
  for (const std::string& name : names("low", 1, kMaxViewedBlocks)) {
    crowd.push_back(bench.make(name, "a20"));
  }
  (void)bench.import(crowd);
  bench.acknowledge();
  grow("a60", "high", 3);
  const auto& view = refresh();
  EXPECT_TRUE(view.cut);
  EXPECT_EQ(view.blocks->size(), kMaxViewedBlocks);
  EXPECT_EQ(std::ranges::count(*view.blocks, true, &BlockView::canonical),
            static_cast<std::ptrdiff_t>(kViewedHeights + 1));
  EXPECT_NE(find("a70"), nullptr);
  EXPECT_NE(find("high3"), nullptr);
}

// Twenty times the headers and the branches, and not a step more than the limit.
TEST_F(BlockViewTest, CostsNoMoreStepsOnALargerTree) {
  grow("genesis", "a", 100);
  for (int round = 0; round < 20; ++round) {
    std::vector<chain::HeaderInput> batch;
    for (std::size_t i = 0; i < 300; ++i) {
      const std::string name = "s" + std::to_string(round) + "-" + std::to_string(i);
      batch.push_back(bench.make(name, "a" + std::to_string(1 + i % 99)));
    }
    (void)bench.import(batch);
    bench.acknowledge();
    const auto& view = refresh();
    EXPECT_LE(views.steps(), kMaxViewSteps);
    EXPECT_LE(view.blocks->size(), kMaxViewedBlocks);
    EXPECT_EQ(view.blocks->size() == kMaxViewedBlocks, view.cut);
  }
  EXPECT_EQ(bench.manager.tree().size(), 1U + 100 + 6'000);
  EXPECT_GT(bench.manager.tree().leaves().size(), kMaxViewedLeaves);
  EXPECT_TRUE(refresh().cut);
  // A high tree of one branch costs its newest heights.
  TestBench high;
  (void)high.import(high.branch("genesis", names("h", 1, 3'000)));
  high.acknowledge();
  BlockViews other;
  EXPECT_EQ(other.refresh(high.manager).blocks->size(), kViewedHeights + 1);
  EXPECT_LE(other.steps(), 3 * (kViewedHeights + 1));
}

// Where history is released the lowest header has no parent that could be named.
TEST_F(BlockViewTest, EndsWhereHistoryWasReleased) {
  TestBench bench_of_few{std::make_unique<chain::LongestChain>(), {.retention = 10}};
  (void)bench_of_few.import(bench_of_few.branch("genesis", names("a", 1, 30)));
  bench_of_few.acknowledge();
  const auto blocks = views.refresh(bench_of_few.manager).blocks;
  ASSERT_EQ(blocks->size(), 11U);
  EXPECT_EQ(blocks->front().number, 20U);
  EXPECT_EQ(blocks->front().parent, Hash32{});
}

}  // namespace
}  // namespace ethnet::node
