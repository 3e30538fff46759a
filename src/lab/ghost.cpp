#include "ghost.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace ethnet::lab {
namespace {

using chain::Candidate;
using chain::RuleView;

// The tree from the bottom up, with the votes of each subtree.
struct Subtrees {
  struct Link {
    Candidate block;
    Hash32 parent;
  };
  std::map<Hash32, std::uint64_t> weight;
  std::map<Hash32, std::vector<Candidate>> children;

  explicit Subtrees(const RuleView& view) {
    for (const chain::WeightedBlock& vote : view.votes()) weight[vote.block.hash] = vote.weight;
    std::vector<Link> links;
    std::set<Hash32> seen;
    for (const Candidate& head : view.heads()) {
      Candidate at = head;
      while (seen.insert(at.hash).second) {
        const auto parent = view.parent(at);
        if (!parent) break;
        links.push_back({at, parent->hash});
        at = *parent;
      }
    }
    // From the top down, so that a block has all votes above it when it hands them on.
    std::ranges::sort(links, std::ranges::greater{}, [](const Link& l) { return l.block.number; });
    for (const Link& link : links) {
      const auto votes = weight.find(link.block.hash);
      if (votes != weight.end()) weight[link.parent] += votes->second;
      children[link.parent].push_back(link.block);
    }
  }
  [[nodiscard]] std::uint64_t weight_of(const Candidate& block) const {
    const auto it = weight.find(block.hash);
    return it == weight.end() ? 0 : it->second;
  }
};

}  // namespace

Candidate Ghost::choose(const RuleView& view) const {
  const Subtrees trees{view};
  const auto rank = [&](const Candidate& block) {
    return std::pair{trees.weight_of(block), block.hash};
  };
  Candidate at = view.root();
  for (;;) {
    const auto children = trees.children.find(at.hash);
    if (children == trees.children.end()) return at;
    at = *std::ranges::max_element(children->second, {}, rank);
  }
}

chain::Score Ghost::explain(const RuleView& view, const Candidate& block) const {
  const Subtrees trees{view};
  std::vector<std::string> values;
  std::vector<std::string> reasons;
  for (std::optional<Candidate> at = block; at; at = view.parent(*at)) {
    const auto parent = view.parent(*at);
    if (!parent || trees.children.at(parent->hash).size() < 2) continue;
    std::uint64_t all = 0;
    for (const Candidate& child : trees.children.at(parent->hash)) all += trees.weight_of(child);
    const std::uint64_t here = trees.weight_of(*at);
    values.push_back(std::to_string(here));
    reasons.push_back(fmt::format("{} of {} at height {}", here, all, at->number));
  }
  if (values.empty()) return {std::to_string(trees.weight_of(block)), "no fork on the way"};
  std::ranges::reverse(values);
  std::ranges::reverse(reasons);
  return {fmt::format("{}", fmt::join(values, "/")),
          fmt::format("votes at each fork: {}", fmt::join(reasons, ", "))};
}

}  // namespace ethnet::lab
