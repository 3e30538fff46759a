// LongestTiebreak: the greatest height wins, of equal heights the lowest hash. Two nodes that know
// the same blocks have the same head in whatever order these came, and whoever seals can grind for
// a low hash.
#pragma once

#include "rule.hpp"

namespace ethnet::chain {

class LongestTiebreak final : public ForkChoiceRule {
 public:
  [[nodiscard]] std::string_view name() const override { return "longest-tiebreak"; }
  [[nodiscard]] Candidate choose(const RuleView& view) const override;
  [[nodiscard]] Score explain(const RuleView& view, const Candidate& block) const override;
};

}  // namespace ethnet::chain
