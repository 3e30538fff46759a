// What is not kept: headers below the retention depth, and what the memory limit pushes out.
#include <algorithm>

#include "chain_manager.hpp"

namespace ethnet::chain {

// The number that lies `depth` below `head`.
std::uint64_t ChainManager::above(std::uint64_t depth, NodeIndex head) const {
  const std::uint64_t number = tree_.node(head).number;
  return number > depth ? number - depth : 0;
}

// The root moves up the served chain to `number`, at most to where a batch that the store has not
// acknowledged yet leaves that chain. False when it is there already.
bool ChainManager::raise_floor(std::uint64_t number) {
  if (number <= tree_.root_number()) return false;
  NodeIndex kept = tree_.common_ancestor(served_head_, head_);
  for (const PendingBatch& batch : pending_) kept = tree_.common_ancestor(kept, batch.head_after);
  number = std::min(number, tree_.node(kept).number);
  if (number <= tree_.root_number()) return false;
  const auto steps = static_cast<std::ptrdiff_t>(number - tree_.root_number());
  counters_.released += tree_.raise_root(canonical_[static_cast<std::size_t>(steps)]);
  canonical_.erase(canonical_.begin(), canonical_.begin() + steps);
  return true;
}

bool ChainManager::is_held(NodeIndex index, NodeIndex parent) const {
  return index == head_ || index == served_head_ || index == parent || index == tree_.root() ||
         std::ranges::any_of(pending_,
                             [&](const PendingBatch& batch) { return batch.head_after == index; });
}

// A branch loses its tip; the lowest tip first, of one height the first to arrive.
bool ChainManager::release_lowest_leaf(std::uint64_t below, NodeIndex parent) {
  const auto held = [&](NodeIndex index) { return is_held(index, parent); };
  const auto leaf = tree_.lowest_leaf(held);
  if (!leaf || tree_.node(*leaf).number >= below) return false;
  tree_.release_leaf(*leaf);
  ++counters_.released;
  return true;
}

// What nobody is likely to miss: tips far below the head, then the oldest history.
bool ChainManager::release_old(NodeIndex parent) {
  const std::uint64_t floor = above(limits_.min_depth, served_head_);
  if (release_lowest_leaf(floor, parent)) return true;
  return raise_floor(std::min(floor, tree_.root_number() + kReleaseStep));
}

// For a header of this number on this parent. A branch does not push out one that is as high.
bool ChainManager::make_room(std::uint64_t cost, std::uint64_t number, NodeIndex parent) {
  if (!restored_) {
    // Which of the restored branches is the head is not known yet, and costs a look at all of
    // them: so more room is made at once.
    settle();
    const std::uint64_t many = std::max(cost, tree_.memory_limit() / 64);
    while (!tree_.has_room(many) && release_old(parent)) {
    }
  }
  while (!tree_.has_room(cost)) {
    if (!release_old(parent) && !release_lowest_leaf(number, parent)) return false;
  }
  return true;
}

}  // namespace ethnet::chain
