#include "checkpoint.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "../test_support.hpp"

namespace ethnet::chain {
namespace {

using ::testing::ElementsAre;
using testing::TestBench;

// The hash of a block is the same on every bench: it follows from names alone.
TestBench bench_with(const std::vector<std::pair<std::uint64_t, std::string>>& lines) {
  std::string text;
  for (const auto& [number, hash] : lines) text += fmt::format("{} {}\n", number, hash);
  return TestBench{testing::rule_named("checkpoint", text)};
}

struct Names {
  TestBench bench;
  Names() {
    (void)bench.branch("genesis", {"a1", "a2", "a3", "a4"});
    (void)bench.branch("genesis", {"b1", "b2", "b3", "b4", "b5", "b6"});
  }
  [[nodiscard]] std::string hash(const std::string& name) const { return bench.hash(name).hex(); }
};

TEST(CheckpointChain, ALongerBranchThatLeavesACheckpointNeverWins) {
  const Names names;
  TestBench bench = bench_with({{2, names.hash("a2")}});
  (void)bench.import(bench.branch("genesis", {"a1", "a2", "a3"}));
  (void)bench.import(bench.branch("genesis", {"b1", "b2", "b3", "b4", "b5", "b6"}));
  EXPECT_THAT(bench.why(), ElementsAre("a3*: height 3, arrival 3",
                                       "b6: height 6, of which 1 count: checkpoint 2 is " +
                                           names.bench.hash("a2").short_hex()));
}

// While it syncs it may be on a branch that turns out wrong, and it stops below the checkpoint.
TEST(CheckpointChain, ABranchIsFollowedUpToWhereItLeaves) {
  const Names names;
  TestBench bench = bench_with({{3, names.hash("a3")}});
  (void)bench.import(bench.branch("genesis", {"b1", "b2", "b3", "b4"}));
  EXPECT_EQ(bench.manager.pending_head().hash, bench.hash("b2"));
  EXPECT_THAT(bench.why(), ElementsAre("b2*: height 2, arrival 2",
                                       "b4: height 4, of which 2 count: checkpoint 3 is " +
                                           names.bench.hash("a3").short_hex()));
  (void)bench.import(bench.branch("genesis", {"a1", "a2"}));
  EXPECT_EQ(bench.manager.pending_head().hash, bench.hash("b2")) << "a tie keeps the head";
  (void)bench.import(bench.branch("a2", {"a3"}));
  EXPECT_EQ(bench.manager.pending_head().hash, bench.hash("a3"));
  TestBench again = bench_with({{3, names.hash("a3")}});
  bench.acknowledge();
  for (const Bytes& record : bench.store) ASSERT_TRUE(again.manager.restore(record).has_value());
  again.manager.finish_restore();
  EXPECT_EQ(again.manager.head(), bench.manager.head());
}

// Checkpoints of two branches, or of another genesis: as far as any branch obeys, and no further.
TEST(CheckpointChain, CheckpointsThatNoBranchFulfilsHoldTheHeadBelowThem) {
  const Names names;
  TestBench torn = bench_with({{1, names.hash("a1")}, {4, names.hash("b4")}});
  (void)torn.import(torn.branch("genesis", {"b1", "b2", "b3", "b4", "b5"}));
  (void)torn.import(torn.branch("genesis", {"a1", "a2", "a3", "a4"}));
  EXPECT_EQ(torn.manager.pending_head().hash, torn.hash("a3"));
  TestBench foreign = bench_with({{0, names.hash("a1")}});
  (void)foreign.import(foreign.branch("genesis", {"a1", "a2"}));
  EXPECT_EQ(foreign.manager.pending_head().hash, foreign.genesis.hash);
}

TEST(CheckpointFile, LinesCommentsAndOrder) {
  const std::string one = std::string(64, '1');
  const std::string two = std::string(64, '2');
  const auto read =
      parse_checkpoints("# mainnet\n\n 7 0x" + one + "  # why\r\n3\t" + two + "\n7 " + one);
  ASSERT_TRUE(read.has_value());
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ(read->front().number, 3U);
  EXPECT_EQ(read->back().hash.hex(), "0x" + one);
  EXPECT_TRUE(parse_checkpoints("").has_value());
}

TEST(CheckpointFile, WhatIsNoneIsAnErrorAtItsLine) {
  const std::string good = "5 " + std::string(64, 'a') + "\n";
  for (const std::string& bad : std::vector<std::string>{
           "6", "6 0x12", "x " + std::string(64, 'a'), "-1 " + std::string(64, 'a'),
           "6 " + std::string(64, 'g'), "6 " + std::string(64, 'a') + " 7",
           "18446744073709551616 " + std::string(64, 'a'), std::string(64, 'a') + " 6"}) {
    const auto read = parse_checkpoints(good + bad);
    ASSERT_FALSE(read.has_value()) << bad;
    EXPECT_TRUE(read.error().is(CheckpointError::bad_line)) << bad;
    EXPECT_EQ(read.error().offset(), good.size()) << bad;
  }
  const auto torn = parse_checkpoints(good + "5 " + std::string(64, 'b'));
  ASSERT_FALSE(torn.has_value());
  EXPECT_TRUE(torn.error().is(CheckpointError::contradiction));
}

TEST(CheckpointFile, HasALimit) {
  std::string text;
  for (std::size_t i = 0; i < kMaxCheckpoints; ++i) {
    text += fmt::format("{} {:064x}\n", i, i);
  }
  EXPECT_EQ(parse_checkpoints(text)->size(), kMaxCheckpoints);
  const auto more = parse_checkpoints(text + fmt::format("{} {:064x}", kMaxCheckpoints, 1));
  ASSERT_FALSE(more.has_value());
  EXPECT_TRUE(more.error().is(CheckpointError::too_many));
}

}  // namespace
}  // namespace ethnet::chain
