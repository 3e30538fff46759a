#include "rule_view.hpp"

#include <base/check.hpp>

namespace ethnet::chain {

Candidate candidate_of(const HeaderTree& tree, NodeIndex index) {
  const HeaderTree::Node& node = tree.node(index);
  return {node.hash, node.number, node.arrival, index};
}

Candidate RuleView::at(NodeIndex index) const { return candidate_of(sources_.tree, index); }

Candidate RuleView::ancestor(const Candidate& block, std::uint64_t number) const {
  return at(sources_.tree.ancestor(block.node, number));
}

std::optional<Candidate> RuleView::parent(const Candidate& block) const {
  const NodeIndex above = sources_.tree.node(block.node).parent;
  if (above == kNoNode) return std::nullopt;
  return at(above);
}

bool RuleView::descends(const Candidate& block, const Candidate& ancestor) const {
  return sources_.tree.descends(block.node, ancestor.node);
}

std::vector<WeightedBlock> RuleView::votes() const {
  CHECK(needs_.votes);
  std::vector<WeightedBlock> out;
  for (const auto& [hash, weight] : sources_.votes.weights()) {
    if (const auto index = sources_.tree.find(hash)) out.push_back({at(*index), weight});
  }
  return out;
}

}  // namespace ethnet::chain
