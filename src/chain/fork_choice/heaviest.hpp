// HeaviestChain: the greatest total difficulty wins, as before the merge. Of equal ones (blocks
// after the merge add nothing) the greater height; a tie keeps the present head, then the first to
// arrive.
#pragma once

#include "rule.hpp"

namespace ethnet::chain {

class HeaviestChain final : public ForkChoiceRule {
 public:
  [[nodiscard]] std::string_view name() const override { return "heaviest"; }
  [[nodiscard]] RuleNeeds needs() const override { return {.total_difficulty = true}; }
  [[nodiscard]] Candidate choose(const RuleView& view) const override;
  [[nodiscard]] Score explain(const RuleView& view, const Candidate& block) const override;
};

}  // namespace ethnet::chain
