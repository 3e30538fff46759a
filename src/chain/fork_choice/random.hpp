// RandomHead: the branch head that a keyed hash ranks highest. It means nothing, depends on the
// seed and the blocks alone, and reorganises at any depth at any time: for tests of all that stands
// above fork choice.
#pragma once

#include "rule.hpp"

namespace ethnet::chain {

class RandomHead final : public ForkChoiceRule {
 public:
  explicit RandomHead(std::uint64_t seed) : seed_{seed} {}
  [[nodiscard]] std::string_view name() const override { return "random"; }
  [[nodiscard]] RuleNeeds needs() const override { return {.all_heads = true}; }
  [[nodiscard]] Candidate choose(const RuleView& view) const override;
  [[nodiscard]] Score explain(const RuleView& view, const Candidate& block) const override;

 private:
  [[nodiscard]] std::uint64_t rank_of(const Candidate& block) const;

  std::uint64_t seed_;
};

}  // namespace ethnet::chain
