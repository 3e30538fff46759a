// Where a block stands, and which heads decide it.
#include "block_why.hpp"

#include <algorithm>
#include <string>

#include <chain/test_support.hpp>
#include <gtest/gtest.h>

namespace ethnet::node {
namespace {

using chain::testing::TestBench;

class BlockWhyTest : public ::testing::Test {
 protected:
  void grow(const std::string& parent, const std::vector<std::string>& names) {
    (void)bench.import(bench.branch(parent, names));
    bench.acknowledge();
  }
  [[nodiscard]] BlockWhy why_of(const std::string& name) const {
    return why(bench.manager, bench.hash(name));
  }
  [[nodiscard]] std::vector<Hash32> rivals(const BlockWhy& answer) const {
    std::vector<Hash32> out;
    for (const auto& one : answer.rivals) out.push_back(one.block.hash);
    return out;
  }

  TestBench bench;
};

TEST_F(BlockWhyTest, OfACanonicalBlockItTellsTheHeadsThatLostAndDoNotDescendFromIt) {
  grow("genesis", {"a1", "a2", "a3"});
  grow("a1", {"b2"});  // descends from a1: no rival of it
  grow("genesis", {"c1"});
  const BlockWhy answer = why_of("a1");
  EXPECT_EQ(answer.standing, Standing::canonical);
  EXPECT_EQ(answer.block.number, 1U);
  EXPECT_EQ(answer.parent, bench.hash("genesis"));
  EXPECT_EQ(answer.rule, "longest-chain");
  EXPECT_EQ(answer.head.block.hash, bench.hash("a3"));
  EXPECT_EQ(answer.head.score.why, "height 3, arrival 3");
  EXPECT_EQ(rivals(answer), std::vector{bench.hash("c1")});
  EXPECT_EQ(answer.rivals.front().score.value, "1");
  EXPECT_EQ(answer.fork_point, std::nullopt);
  EXPECT_FALSE(answer.cut);
}

TEST_F(BlockWhyTest, OfASideBlockItTellsItsForkPointAndTheHeadsAboveIt) {
  grow("genesis", {"a1", "a2", "a3", "a4"});
  grow("a1", {"b2", "b3"});
  grow("b2", {"c3"});
  grow("a2", {"d3"});  // a rival of b2's, but not above it
  const BlockWhy answer = why_of("b2");
  EXPECT_EQ(answer.standing, Standing::side);
  ASSERT_TRUE(answer.fork_point);
  EXPECT_EQ(answer.fork_point->hash, bench.hash("a1"));
  EXPECT_EQ(answer.head.block.hash, bench.hash("a4"));
  EXPECT_EQ(rivals(answer), (std::vector{bench.hash("b3"), bench.hash("c3")}));
}

TEST_F(BlockWhyTest, WhatIsNotKeptIsUnknownAndTheHeadIsToldAllTheSame) {
  grow("genesis", {"a1"});
  const BlockWhy answer = why(bench.manager, Hash32{});
  EXPECT_EQ(answer.standing, Standing::unknown);
  EXPECT_EQ(answer.head.block.hash, bench.hash("a1"));
  EXPECT_TRUE(answer.rivals.empty());
}

TEST_F(BlockWhyTest, ManyBranchesAreToldInPart) {
  for (std::size_t i = 0; i < kMaxToldHeads + 3; ++i) grow("genesis", {"x" + std::to_string(i)});
  const BlockWhy answer = why_of("x0");
  EXPECT_EQ(answer.standing, Standing::canonical);
  EXPECT_EQ(answer.rivals.size(), kMaxToldHeads);
  EXPECT_TRUE(answer.cut);
  EXPECT_EQ(answer.rivals.back().block.hash, bench.hash("x" + std::to_string(kMaxToldHeads + 2)));
}

}  // namespace
}  // namespace ethnet::node
