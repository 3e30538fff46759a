#include "heaviest.hpp"

#include <gmock/gmock.h>

#include "../test_support.hpp"

namespace ethnet::chain {
namespace {

using testing::BlockPlan;
using ::testing::ElementsAre;

constexpr BlockPlan of(std::uint64_t difficulty) { return {.difficulty = difficulty}; }

TEST(HeaviestChain, AShortBranchOfGreaterDifficultyWins) {
  testing::TestBench bench{testing::rule_named("heaviest"), {}, lab_genesis()};
  (void)bench.import({bench.make("a1", "genesis", of(3)), bench.make("a2", "a1", of(3)),
                      bench.make("a3", "a2", of(3))});
  EXPECT_EQ(bench.manager.pending_head().hash, bench.hash("a3"));
  (void)bench.import({bench.make("b1", "genesis", of(10))});
  EXPECT_THAT(bench.why(), ElementsAre("a3: total difficulty 9, height 3",
                                       "b1*: total difficulty 10, height 1"));
}

TEST(HeaviestChain, OfEqualTotalsTheHigherWinsAndATieOfBothKeepsThePresentHead) {
  testing::TestBench bench{testing::rule_named("heaviest"), {}, lab_genesis()};
  (void)bench.import({bench.make("a1", "genesis", of(6)), bench.make("a2", "a1", of(4))});
  (void)bench.import({bench.make("c1", "genesis", of(5)), bench.make("c2", "c1", of(5))});
  EXPECT_EQ(bench.manager.pending_head().hash, bench.hash("a2"));
  (void)bench.import({bench.make("d1", "genesis", of(4)), bench.make("d2", "d1", of(3)),
                      bench.make("d3", "d2", of(3))});
  EXPECT_EQ(bench.manager.pending_head().hash, bench.hash("d3"));
}

TEST(HeaviestChain, AfterTheMergeTheLongestChainIsTheHeaviest) {
  testing::TestBench bench{testing::rule_named("heaviest")};
  (void)bench.import(bench.branch("genesis", {"a1", "a2"}));
  (void)bench.import(bench.branch("genesis", {"b1", "b2", "b3"}));
  EXPECT_EQ(bench.manager.pending_head().hash, bench.hash("b3"));
}

// The sum of two difficulties just below 2^64 does not fit 64 bits.
TEST(HeaviestChain, TotalsAbove64BitsAreExact) {
  testing::TestBench bench{testing::rule_named("heaviest"), {}, lab_genesis()};
  (void)bench.import({bench.make("a1", "genesis", of(UINT64_MAX)),
                      bench.make("a2", "a1", of(UINT64_MAX)), bench.make("b1", "genesis", of(7))});
  EXPECT_THAT(bench.why(), ElementsAre("a2*: total difficulty 36893488147419103230, height 2",
                                       "b1: total difficulty 7, height 1"));
}

// A slot that was released and given again has the facts of its new block.
TEST(HeaviestChain, AReusedSlotHasTheWeightOfItsNewBlock) {
  const ChainLimits limits{.memory_bytes = 1 << 20, .retention = 2};
  testing::TestBench bench{testing::rule_named("heaviest"), limits, lab_genesis()};
  std::string tip = "genesis";
  for (int i = 1; i <= 30; ++i) {
    const std::string next = "a" + std::to_string(i);
    (void)bench.import({bench.make(next, tip, of(100))});
    (void)bench.import({bench.make("x" + std::to_string(i), tip, of(1))});
    bench.acknowledge();
    tip = next;
  }
  EXPECT_GT(bench.manager.counters().released, 40U);
  EXPECT_EQ(bench.why().back(), "x30: total difficulty 2901, height 30");
}

// What the rule keeps of each header is within the limit of the headers.
TEST(HeaviestChain, WhatItKeepsComesOutOfTheMemoryLimit) {
  constexpr std::uint64_t kMemory = 1 << 20;
  const FactTable facts{HeaviestChain{}.needs()};
  EXPECT_EQ(facts.bytes_per_header(), 16U);
  const testing::TestBench bench{testing::rule_named("heaviest"),
                                 {.memory_bytes = kMemory, .retention = {}}};
  const std::uint64_t tree = bench.manager.tree().memory_limit();
  const std::uint64_t headers = tree / HeaderTree::cost_of(500);
  EXPECT_LE(tree + headers * 16, kMemory);
  EXPECT_GE(tree, kMemory - kMemory / 32);
  const testing::TestBench plain{testing::rule_named("longest"),
                                 {.memory_bytes = kMemory, .retention = {}}};
  EXPECT_EQ(plain.manager.tree().memory_limit(), kMemory);
}

TEST(TotalDifficulty, SumsCompareAndPrintAsNumbersOf128BitsThatSaturate) {
  const TotalDifficulty top{UINT64_MAX};
  EXPECT_EQ(TotalDifficulty{}.decimal(), "0");
  EXPECT_EQ((top + 1).decimal(), "18446744073709551616");
  EXPECT_GT(top + 1, top);
  Bytes digits(16, std::byte{0xff});
  const TotalDifficulty most = TotalDifficulty::of(UintView{digits});
  EXPECT_EQ(most.decimal(), "340282366920938463463374607431768211455");
  EXPECT_EQ(most + 1, most);
  EXPECT_EQ(most + most, most);
  digits.push_back(std::byte{0});
  EXPECT_EQ(TotalDifficulty::of(UintView{digits}), most);
  digits = {std::byte{1}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0},
            std::byte{0}, std::byte{0}, std::byte{0}, std::byte{5}};
  EXPECT_EQ(TotalDifficulty::of(UintView{digits}).decimal(), "18446744073709551621");
}

}  // namespace
}  // namespace ethnet::chain
