// LongestChain: the greatest height wins; a tie keeps the present head, and among new heads the one
// that came first.
#pragma once

#include "rule.hpp"

namespace ethnet::chain {

class LongestChain final : public ForkChoiceRule {
 public:
  [[nodiscard]] std::string_view name() const override { return "longest-chain"; }
  [[nodiscard]] Candidate choose(const RuleView& view) const override;
  [[nodiscard]] Score explain(const RuleView& view, const Candidate& block) const override;
};

}  // namespace ethnet::chain
