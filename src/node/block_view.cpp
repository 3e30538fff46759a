#include "block_view.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include <base/check.hpp>

namespace ethnet::node {
namespace {

using chain::kNoNode;
using chain::NodeIndex;

class Walk {
 public:
  explicit Walk(const chain::ChainManager& chain) : chain_{chain}, tree_{chain.tree()} {
    const auto head = tree_.find(chain.head().hash);
    CHECK(head.has_value());  // it is kept
    head_ = *head;
    const std::uint64_t top = tree_.node(head_).number;
    const std::uint64_t lowest = top < kViewedHeights ? 0 : top - kViewedHeights;
    floor_ = std::max(lowest, tree_.root_number());
  }

  void run() {
    take_canonical();
    const std::size_t canonical = taken_.size();
    for (std::size_t i = 0; i < canonical; ++i) take_branches(taken_[i]);
    take_older_branches();
  }
  [[nodiscard]] bool cut() const { return cut_; }
  [[nodiscard]] std::size_t steps() const { return steps_; }

  [[nodiscard]] std::vector<BlockView> views() const {
    std::vector<NodeIndex> order = taken_;
    std::ranges::sort(order, {}, [this](NodeIndex index) {
      return std::tuple{tree_.node(index).number, tree_.node(index).arrival};
    });
    std::vector<BlockView> out;
    out.reserve(order.size());
    for (const NodeIndex index : order) {
      const auto& node = tree_.node(index);
      const Hash32 parent = node.parent == kNoNode ? Hash32{} : tree_.node(node.parent).hash;
      out.push_back({node.hash, parent, node.number, canonical_.contains(index)});
    }
    return out;
  }

 private:
  // False, and the view is cut, when this header is one too many to look at.
  [[nodiscard]] bool step() {
    if (steps_ < kMaxViewSteps) {
      ++steps_;
      return true;
    }
    cut_ = true;
    return false;
  }
  [[nodiscard]] bool is_acknowledged(NodeIndex index) const {
    return chain_.find(tree_.node(index).hash).has_value();
  }
  // False, and the view is cut, when there is no room.
  [[nodiscard]] bool take(NodeIndex index) {
    if (taken_.size() < kMaxViewedBlocks) {
      taken_.push_back(index);
      seen_.insert(index);
      return true;
    }
    cut_ = true;
    return false;
  }

  // From the head down: kViewedHeights of them are far fewer than there is room for.
  void take_canonical() {
    static_assert(kViewedHeights < kMaxViewedBlocks);
    for (NodeIndex index = head_;; index = tree_.node(index).parent) {
      if (!step() || !take(index)) return;
      canonical_.insert(index);
      if (tree_.node(index).number == floor_) return;
    }
  }

  // What descends from this canonical header beside the canonical chain, by height.
  void take_branches(NodeIndex fork_point) {
    std::size_t next = taken_.size();
    for (NodeIndex parent = fork_point;;) {
      if (!take_children(parent)) return;
      if (next == taken_.size()) return;
      parent = taken_[next++];
    }
  }
  [[nodiscard]] bool take_children(NodeIndex parent) {
    if (tree_.is_leaf(parent)) return true;  // `below` is then something else
    for (NodeIndex child = tree_.node(parent).below; child != kNoNode;
         child = tree_.node(child).next_sibling) {
      if (!step()) return false;
      if (canonical_.contains(child) || !is_acknowledged(child)) continue;
      if (!take(child)) return false;
    }
    return true;
  }

  // Branches whose fork point is below the view.
  void take_older_branches() {
    const auto leaves = tree_.leaves();
    if (leaves.size() > kMaxViewedLeaves) cut_ = true;
    const NodeIndex base = tree_.ancestor(head_, floor_);
    for (const NodeIndex leaf : leaves.last(std::min(leaves.size(), kMaxViewedLeaves))) {
      if (tree_.node(leaf).number < floor_) continue;
      if (!step()) return;
      if (!tree_.descends(leaf, base)) take_down_from(leaf);
    }
  }
  // Whole or not at all: what is shown of a branch hangs together.
  void take_down_from(NodeIndex leaf) {
    std::vector<NodeIndex> path;
    for (NodeIndex index = leaf; index != kNoNode && tree_.node(index).number >= floor_;
         index = tree_.node(index).parent) {
      if (seen_.contains(index)) break;
      if (!step()) return;
      if (is_acknowledged(index)) path.push_back(index);
      if (taken_.size() + path.size() > kMaxViewedBlocks) {
        cut_ = true;
        return;
      }
    }
    for (const NodeIndex index : path) (void)take(index);
  }

  const chain::ChainManager& chain_;
  const chain::HeaderTree& tree_;
  NodeIndex head_ = kNoNode;
  std::uint64_t floor_ = 0;
  std::vector<NodeIndex> taken_;
  std::set<NodeIndex> seen_;
  std::set<NodeIndex> canonical_;
  std::size_t steps_ = 0;
  bool cut_ = false;
};

}  // namespace

const BlockViews::View& BlockViews::refresh(const chain::ChainManager& chain) {
  steps_ = 0;
  const Stamp now{chain.head().hash, chain.tree().next_arrival(), chain.counters().released,
                  chain.pending_batches()};
  if (now == stamp_) return view_;
  Walk walk{chain};
  walk.run();
  stamp_ = now;
  steps_ = walk.steps();
  view_ = {std::make_shared<const std::vector<BlockView>>(walk.views()), walk.cut()};
  return view_;
}

}  // namespace ethnet::node
