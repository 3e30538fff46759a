#include "chain_manager.hpp"

#include <gtest/gtest.h>

#include "test_support.hpp"

namespace ethnet::chain {
namespace {

using testing::TestBench;

TEST(ChainManager, OrphansWaitForTheirParentAndThenCountInItsBatch) {
  TestBench bench;
  const auto batch = bench.branch("genesis", {"a1", "a2", "a3"});
  EXPECT_EQ(bench.import({batch[2], batch[1]}).waiting, 2U);
  EXPECT_EQ(bench.manager.waiting_count(), 2U);
  const auto outcome = bench.import({batch[0]});
  EXPECT_EQ(outcome.added, 3U);
  bench.acknowledge();
  EXPECT_EQ(bench.head(), "0xa3");
  EXPECT_EQ(bench.manager.waiting_count(), 0U);
}

TEST(ChainManager, TheOrphanPoolIsBoundedForEachSource) {
  TestBench bench;
  Header parent = bench.genesis.header;
  parent.extra_data = Bytes(3);  // a parent that nobody has
  std::vector<HeaderInput> batch;
  for (std::size_t i = 0; i < 2 * kMaxWaitingPerSource; ++i) {
    batch.push_back(
        {seal_header(bench.genesis.config, parent, 100 + i, {}, "orphan").encode(), {}});
  }
  const auto outcome = bench.import(batch);
  EXPECT_EQ(outcome.waiting, kMaxWaitingPerSource);
  EXPECT_EQ(outcome.refused, kMaxWaitingPerSource);
}

TEST(ChainManager, AnEarlyHeaderWaitsUntilItsTime) {
  TestBench bench;
  const std::uint64_t wall = bench.now.wall.whole_seconds();
  const Header early =
      seal_header(bench.genesis.config, bench.genesis.header, wall + 60, {}, "early");
  EXPECT_EQ(bench.import({{early.encode(), {}}}).waiting, 1U);
  EXPECT_FALSE(bench.manager.next_deadline().is_never());
  bench.now.mono = bench.now.mono + seconds(30);
  bench.now.wall = bench.now.wall + seconds(30);
  bench.manager.handle_deadline(bench.now);
  bench.acknowledge();
  EXPECT_EQ(bench.manager.head().number, 0U);
  bench.now.mono = bench.now.mono + seconds(16);
  bench.now.wall = bench.now.wall + seconds(16);
  bench.manager.handle_deadline(bench.now);
  bench.acknowledge();
  EXPECT_EQ(bench.manager.head().hash, early.hash());
  EXPECT_TRUE(bench.manager.next_deadline().is_never());
}

// Our clock was behind and is set; meanwhile somebody gives an early header twice a second.
TEST(ChainManager, EarlyHeadersThatKeepComingDoNotPutOffWhatIsDue) {
  TestBench bench;
  const std::uint64_t wall = bench.now.wall.whole_seconds();
  const auto early = [&](std::uint64_t after, const char* text) {
    return seal_header(bench.genesis.config, bench.genesis.header, wall + after, {}, text);
  };
  const Header honest = early(60, "honest");
  EXPECT_EQ(bench.import({{honest.encode(), {}}}).waiting, 1U);
  bench.now.wall = bench.now.wall + seconds(60);
  for (int i = 0; i < 4; ++i) {
    bench.now.mono = bench.now.mono + milliseconds(500);
    if (bench.manager.next_deadline() <= bench.now.mono) bench.manager.handle_deadline(bench.now);
    const std::string text = std::to_string(i);
    EXPECT_EQ(bench.import({{early(3'600, text.c_str()).encode(), {}}}).early, 1U);
  }
  bench.acknowledge();
  EXPECT_EQ(bench.manager.head().hash, honest.hash());
}

TEST(ChainManager, AnEarlyHeaderThatBreaksAnotherRuleIsInvalidAndNotKept) {
  TestBench bench;
  const std::uint64_t wall = bench.now.wall.whole_seconds();
  Header early = seal_header(bench.genesis.config, bench.genesis.header, wall + 60, {}, "early");
  early.gas_used = early.gas_limit + 1;
  const auto outcome = bench.import({{early.encode(), {}}});
  ASSERT_TRUE(outcome.invalid);
  EXPECT_TRUE(outcome.invalid->error.is(HeaderRule::gas_used_above_limit));
  EXPECT_EQ(outcome.early, 0U);
  EXPECT_EQ(bench.manager.waiting_count(), 0U);
}

TEST(ChainManager, AnEarlyHeaderCountsAsEarlyAgainAlthoughItWaitsAlready) {
  TestBench bench;
  const std::uint64_t wall = bench.now.wall.whole_seconds();
  const Header early =
      seal_header(bench.genesis.config, bench.genesis.header, wall + 60, {}, "early");
  for (int i = 0; i < 3; ++i) {
    const auto outcome = bench.import({{early.encode(), {}}});
    EXPECT_EQ(outcome.early, 1U);
    EXPECT_EQ(outcome.waiting, 1U);
    EXPECT_EQ(outcome.refused, 0U);
    EXPECT_EQ(bench.manager.waiting_count(), 1U);
  }
}

TEST(ChainManager, AForkBelowRetainedHistoryIsRefusedAndCounted) {
  TestBench bench{std::make_unique<LongestChain>(), {.memory_bytes = 1 << 30, .retention = 3}};
  (void)bench.import(bench.branch("genesis", {"a1", "a2", "a3", "a4", "a5", "a6"}));
  bench.acknowledge();
  EXPECT_EQ(bench.import({bench.make("b3", "a2")}).refused, 1U);
  EXPECT_EQ(bench.manager.counters().below_retained, 1U);
  EXPECT_EQ(bench.import({bench.make("b4", "a3")}).added, 1U);
  EXPECT_EQ(bench.manager.earliest().number, 3U);
}

TEST(ChainManager, ARetentionBeyondEveryHeightRetainsAll) {
  TestBench bench{std::make_unique<LongestChain>(),
                  {.memory_bytes = 1 << 30, .retention = UINT64_MAX}};
  EXPECT_EQ(bench.import(bench.branch("genesis", {"a1", "a2", "a3"})).added, 3U);
  EXPECT_EQ(bench.import({bench.make("b2", "a1")}).added, 1U);
}

TEST(ChainManager, TheMemoryLimitRefusesAndChangesNothing) {
  TestBench bench{std::make_unique<LongestChain>(), {.memory_bytes = 4096, .retention = {}}};
  std::vector<std::string> names;
  for (int i = 0; i < 50; ++i) names.push_back("m" + std::to_string(i));
  const auto outcome = bench.import(bench.branch("genesis", names));
  EXPECT_GT(outcome.added, 0U);
  EXPECT_GT(bench.manager.counters().memory_refused, 0U);
  EXPECT_LE(bench.manager.tree().memory_bytes(), 4096U);
}

TEST(ChainManager, AnInvalidHeaderStopsItsBatchAndKeepsWhatCameBefore) {
  TestBench bench;
  auto batch = bench.branch("genesis", {"a1", "a2", "a3"});
  Header wrong = bench.header("a2");
  wrong.gas_used = wrong.gas_limit + 1;
  batch[1] = {wrong.encode(), {}};
  const auto outcome = bench.import(batch);
  ASSERT_TRUE(outcome.invalid);
  EXPECT_EQ(outcome.invalid->index, 1U);
  EXPECT_TRUE(outcome.invalid->error.is(HeaderRule::gas_used_above_limit));
  EXPECT_EQ(outcome.added, 1U);
  EXPECT_EQ(outcome.waiting, 0U);
}

TEST(ChainManager, ASignatureOfAnotherSizeMakesAHeaderInvalid) {
  TestBench bench;
  auto batch = bench.branch("genesis", {"a1"});
  for (const std::size_t size : {1U, 64U, 66U}) {
    batch[0].signature = Bytes(size);
    const auto outcome = bench.import(batch);
    ASSERT_TRUE(outcome.invalid) << size;
    EXPECT_TRUE(outcome.invalid->error.is(ChainError::bad_signature_size));
  }
  batch[0].signature = Bytes(65);
  EXPECT_EQ(bench.import(batch).added, 1U);
}

TEST(HeaderTree, SkipPointersFindEveryAncestor) {
  TestBench bench;
  std::vector<std::string> names;
  for (int i = 1; i <= 600; ++i) names.push_back("s" + std::to_string(i));
  (void)bench.import(bench.branch("genesis", names));
  const HeaderTree& tree = bench.manager.tree();
  const NodeIndex head = *tree.find(bench.hash("s600"));
  for (std::uint64_t n = 0; n <= 600; ++n) EXPECT_EQ(tree.ancestor(head, n), n);
}

TEST(Chain, IsAViewOfOneBranch) {
  TestBench bench;
  (void)bench.import(bench.branch("genesis", {"a1", "a2"}));
  (void)bench.import(bench.branch("a1", {"b2", "b3"}));
  const HeaderTree& tree = bench.manager.tree();
  const Chain chain{tree, *tree.find(bench.hash("a2"))};
  EXPECT_EQ(chain.height(), 2U);
  EXPECT_EQ(chain.head_hash(), bench.hash("a2"));
  EXPECT_EQ(hash_of(chain.header_at(2)), bench.hash("a2"));
  EXPECT_TRUE(chain.header_at(3).empty());
}

}  // namespace
}  // namespace ethnet::chain
