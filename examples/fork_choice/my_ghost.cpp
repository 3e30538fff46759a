#include "my_ghost.hpp"

#include <algorithm>
#include <vector>

namespace my {
namespace {

using ethnet::chain::Candidate;
using ethnet::chain::RuleView;

// One side of a fork: a child, the votes for it and for all that stands on it, its highest block.
struct Side {
  Candidate child;
  std::uint64_t votes = 0;
  std::uint64_t height = 0;
};

// Whether `a` goes before `b`. Equally many votes: the side that came first.
bool better(const Side& a, const Side& b) {
  if (a.votes != b.votes) return a.votes > b.votes;
  return a.child.arrival < b.child.arrival;
}

std::vector<Side> sides_of(const RuleView& view, const Candidate& block) {
  std::vector<Side> sides;
  for (const Candidate& head : view.heads()) {
    if (head.number <= block.number || !view.descends(head, block)) continue;
    const Candidate child = view.ancestor(head, block.number + 1);
    auto side = std::ranges::find_if(
        sides, [&](const Side& known) { return known.child.hash == child.hash; });
    if (side == sides.end()) side = sides.insert(sides.end(), Side{child});
    side->height = std::max(side->height, head.number);
  }
  for (const auto& [voted, weight] : view.votes()) {
    for (Side& side : sides) {
      if (view.descends(voted, side.child)) side.votes += weight;
    }
  }
  return sides;
}

}  // namespace

Candidate Ghost::choose(const RuleView& view) const {
  Candidate at = view.root();
  for (;;) {
    const std::vector<Side> sides = sides_of(view, at);
    if (sides.empty()) return at;
    at = std::ranges::min_element(sides, better)->child;
  }
}

ethnet::chain::Score Ghost::explain(const RuleView& view, const Candidate& block) const {
  std::string value;
  std::string why;
  for (std::uint64_t number = view.root().number; number < block.number; ++number) {
    const std::vector<Side> sides = sides_of(view, view.ancestor(block, number));
    if (sides.size() < 2) continue;
    const Candidate ours = view.ancestor(block, number + 1);
    const auto is_ours = [&](const Side& side) { return side.child.hash == ours.hash; };
    const std::string votes = std::to_string(std::ranges::find_if(sides, is_ours)->votes);
    value += (value.empty() ? "" : "/") + votes;
    why += (why.empty() ? "" : ", ") + votes + " votes at height " + std::to_string(number + 1);
  }
  return value.empty() ? ethnet::chain::Score{"0", "no fork on the way"}
                       : ethnet::chain::Score{value, why};
}

}  // namespace my
