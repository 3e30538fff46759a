#include "tree_layout.hpp"

#include <set>

#include <base/prng.hpp>
#include <gtest/gtest.h>

namespace ethnet::lab {
namespace {

Scenario scenario_of(const std::vector<std::pair<std::string, std::string>>& blocks) {
  Scenario scenario;
  scenario.steps.emplace_back();
  for (const auto& [name, parent] : blocks) {
    BlockSpec block{.name = name, .parent = parent, .producer = ""};
    block.time = 1;  // raised to the parent's and one where it is too low
    scenario.steps.back().blocks.push_back(block);
  }
  return scenario;
}

TEST(TreeLayout, TheLongestBranchGoesStraightAndTheOthersTakeLanesBelow) {
  const BlockBook book{scenario_of({{"a1", "genesis"},
                                    {"b1", "genesis"},
                                    {"b2", "b1"},
                                    {"a2", "a1"},
                                    {"a3", "a2"},
                                    {"c3", "a2"}})};
  const TreeLayout layout = lay_out(book.blocks());
  const auto lane = [&](const std::string& name) {
    for (std::size_t i = 0; i < book.blocks().size(); ++i) {
      if (book.blocks()[i].spec.name == name) return layout.spots[i].lane;
    }
    return std::size_t{99};
  };
  for (const char* name : {"genesis", "a1", "a2", "a3"}) EXPECT_EQ(lane(name), 0U) << name;
  EXPECT_EQ(lane("b1"), lane("b2"));
  EXPECT_NE(lane("b1"), lane("c3"));
  EXPECT_EQ(layout.columns, 4U);
  EXPECT_EQ(layout.lanes, 3U);
}

// Any tree: no two blocks in one place, no branch across another one's lane.
TEST(TreeLayout, NoBlocksOrBranchesLieOnOneAnother) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Prng prng{seed};
    std::vector<std::pair<std::string, std::string>> plan;
    for (std::uint64_t i = 0; i < 1 + prng.below(60); ++i) {
      const std::uint64_t parent = prng.below(3) == 0 ? prng.below(i + 1) : i;
      plan.emplace_back("n" + std::to_string(i + 1),
                        parent == 0 ? "genesis" : "n" + std::to_string(parent));
    }
    const BlockBook book{scenario_of(plan)};
    const TreeLayout layout = lay_out(book.blocks());
    std::set<std::pair<std::size_t, std::size_t>> taken;  // lane, column
    for (std::size_t i = 0; i < book.blocks().size(); ++i) {
      const auto& spot = layout.spots[i];
      EXPECT_TRUE(taken.emplace(spot.lane, spot.column).second) << seed;
      EXPECT_LT(spot.lane, layout.lanes);
      EXPECT_LT(spot.column, layout.columns);
      if (i == 0) continue;
      const auto& parent = layout.spots[layout.parents[i]];
      EXPECT_EQ(spot.column, parent.column + 1);
      EXPECT_GE(spot.lane, parent.lane);
    }
    // The edge of a fork comes into its lane in the parent's column: nothing else is there.
    for (std::size_t i = 1; i < book.blocks().size(); ++i) {
      const auto& spot = layout.spots[i];
      const auto& parent = layout.spots[layout.parents[i]];
      if (spot.lane != parent.lane)
        EXPECT_FALSE(taken.contains({spot.lane, parent.column})) << seed;
    }
  }
}

}  // namespace
}  // namespace ethnet::lab
