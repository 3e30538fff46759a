#include "random.hpp"

#include <set>

#include <gtest/gtest.h>

#include "../test_support.hpp"

namespace ethnet::chain {
namespace {

std::vector<std::string> heads_of(const std::string& seed) {
  testing::TestBench bench{testing::rule_named("random", seed)};
  std::vector<std::string> heads;
  for (int i = 0; i < 12; ++i) {
    (void)bench.import({bench.make("r" + std::to_string(i), "genesis")});
    bench.acknowledge();
    heads.push_back(bench.head());
  }
  return heads;
}

TEST(RandomHead, ASeedAndTheBlocksDecideAlone) {
  EXPECT_EQ(heads_of("7"), heads_of("7"));
  std::set<std::vector<std::string>> runs;
  for (const char* seed : {"1", "2", "3", "4", "18446744073709551615"}) {
    runs.insert(heads_of(seed));
  }
  EXPECT_GE(runs.size(), 4U);
}

TEST(RandomHead, ABranchOfAnyHeightMayWin) {
  std::set<std::uint64_t> heights;
  for (int seed = 0; seed < 12; ++seed) {
    testing::TestBench bench{testing::rule_named("random", std::to_string(seed))};
    (void)bench.import(bench.branch("genesis", {"a1", "a2", "a3", "a4", "a5", "a6"}));
    for (int i = 0; i < 5; ++i) {
      const std::string number = std::to_string(i);
      (void)bench.import({bench.make("r" + number, "a" + std::to_string(1 + i))});
    }
    heights.insert(bench.manager.pending_head().number);
  }
  EXPECT_GE(heights.size(), 4U);
}

}  // namespace
}  // namespace ethnet::chain
