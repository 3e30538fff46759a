// LexicographicHead: the branch head with the greatest hash, whatever its height. Useless for a
// currency and good for a laboratory: it reorganises often and deeply.
#pragma once

#include "rule.hpp"

namespace ethnet::chain {

class LexicographicHead final : public ForkChoiceRule {
 public:
  [[nodiscard]] std::string_view name() const override { return "lexicographic-head"; }
  [[nodiscard]] RuleNeeds needs() const override { return {.all_heads = true}; }
  [[nodiscard]] Candidate choose(const RuleView& view) const override;
  [[nodiscard]] Score explain(const RuleView& view, const Candidate& block) const override;
};

}  // namespace ethnet::chain
