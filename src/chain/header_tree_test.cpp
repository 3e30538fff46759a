#include "header_tree.hpp"

#include <map>
#include <set>

#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "test_hash.hpp"

namespace ethnet::chain {
namespace {

// The tree beside a map from each kept block to its parent; blocks are named by their arrival.
struct Twins {
  explicit Twins(std::uint64_t root_number)
      : tree{hash_of_number(0), root_number, Bytes(5), 1 << 30, 3} {
    kept[0] = {0, root_number};
  }

  struct Block {
    std::uint32_t parent = 0;
    std::uint64_t number = 0;
  };
  [[nodiscard]] NodeIndex node(std::uint32_t block) const {
    return tree.find(hash_of_number(block)).value();
  }
  [[nodiscard]] std::uint32_t pick(Prng& prng) const {
    // Every third time the newest, so that branches grow.
    const auto back = prng.below(3) == 0 ? 1 : 1 + prng.below(kept.size());
    return std::prev(kept.end(), static_cast<std::ptrdiff_t>(back))->first;
  }
  [[nodiscard]] std::set<std::uint32_t> leaves() const {
    std::set<std::uint32_t> out;
    for (const auto& [block, of] : kept) out.insert(block);
    for (const auto& [block, of] : kept) {
      if (block != root) out.erase(of.parent);
    }
    return out;
  }
  void add(std::uint32_t parent) {
    kept[next] = {parent, kept.at(parent).number + 1};
    RC_ASSERT(tree.insert(hash_of_number(next), hash_of_number(parent), Bytes(4), Bytes(1)));
    ++next;
  }
  void release_leaf(std::uint32_t block) {
    tree.release_leaf(node(block));
    kept.erase(block);
  }
  // A block arrives after its parent, so one pass in order finds all that descends from `block`.
  void raise_root(std::uint32_t block) {
    std::map<std::uint32_t, Block> above{{block, kept.at(block)}};
    for (const auto& [other, of] : kept) {
      if (above.contains(of.parent) && other != block) above.emplace(other, of);
    }
    RC_ASSERT(tree.raise_root(node(block)) == kept.size() - above.size());
    kept = std::move(above);
    root = block;
  }

  HeaderTree tree;
  std::map<std::uint32_t, Block> kept;
  std::uint32_t root = 0;
  std::uint32_t next = 1;
};

// The lowest leaves one after the other, each found by leaving out those before it.
void compare(const Twins& twins) {
  const std::set<std::uint32_t> expected = twins.leaves();
  std::vector<std::pair<std::uint64_t, std::uint32_t>> in_order;
  for (const std::uint32_t leaf : expected) {
    in_order.emplace_back(twins.kept.at(leaf).number, leaf);
    RC_ASSERT(twins.tree.is_leaf(twins.node(leaf)));
  }
  std::ranges::sort(in_order);
  RC_ASSERT(twins.tree.size() == twins.kept.size());
  RC_ASSERT(twins.tree.leaves().size() == expected.size());
  std::set<NodeIndex> left_out;
  const auto skip = [&](NodeIndex index) { return left_out.contains(index); };
  for (const auto& [number, leaf] : in_order) {
    const auto lowest = twins.tree.lowest_leaf(skip);
    RC_ASSERT(lowest == twins.node(leaf));
    left_out.insert(*lowest);
  }
  RC_ASSERT(!twins.tree.lowest_leaf(skip));
}

RC_GTEST_PROP(HeaderTree, TheLeavesAreTheBlocksWithoutAChildAndComeLowestFirst, ()) {
  Twins twins{*rc::gen::inRange<std::uint64_t>(0, 3)};
  Prng prng{*rc::gen::arbitrary<std::uint64_t>()};
  const auto steps = *rc::gen::inRange(1, 200);
  for (int i = 0; i < steps; ++i) {
    const std::uint64_t what = prng.below(20);
    const std::set<std::uint32_t> leaves = twins.leaves();
    const auto at = static_cast<std::ptrdiff_t>(prng.below(leaves.size()));
    const std::uint32_t leaf = *std::next(leaves.begin(), at);
    if (what < 15) {
      twins.add(twins.pick(prng));
    } else if (what < 19) {
      if (leaf != twins.root) twins.release_leaf(leaf);
    } else {
      twins.raise_root(twins.pick(prng));
    }
    if (what % 4 == 0 || i + 1 == steps) compare(twins);
  }
}

// What a branch that is only there costs an import: nothing. Counted in leaves that are looked at,
// by the places that change.
TEST(HeaderTree, ABranchThatGrowsLeavesAllOthersWhereTheyAre) {
  constexpr std::uint32_t kBranches = 1000;
  HeaderTree tree{hash_of_number(0), 0, Bytes(5), 1 << 30, 3};
  NodeIndex trunk = tree.root();
  std::uint32_t next = 1;
  for (std::uint32_t i = 0; i < kBranches; ++i) {
    const NodeIndex below = trunk;
    trunk = tree.insert_under(below, hash_of_number(next++), Bytes(4), {}).value();
    ASSERT_TRUE(tree.insert_under(below, hash_of_number(next++), Bytes(4), {}).has_value());
  }
  const auto count = [&](std::uint32_t headers) {
    std::size_t moved = 0;
    for (std::uint32_t i = 0; i < headers; ++i) {
      const std::vector<NodeIndex> before{tree.leaves().begin(), tree.leaves().end()};
      trunk = tree.insert_under(trunk, hash_of_number(next++), Bytes(4), {}).value();
      for (std::size_t k = 0; k < before.size(); ++k) moved += tree.leaves()[k] != before[k];
    }
    return moved;
  };
  EXPECT_EQ(tree.leaves().size(), kBranches + 1);
  EXPECT_EQ(count(50), 50U);
}

}  // namespace
}  // namespace ethnet::chain
