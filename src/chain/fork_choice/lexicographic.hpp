// LexicographicHead: the branch head with the greatest hash, whatever its height. Useless for a
// currency and good for a laboratory: it reorganises often and deeply.
#pragma once

#include "rule.hpp"

namespace ethnet::chain {

class LexicographicHead final : public ForkChoiceRule {
 public:
  [[nodiscard]] std::string_view name() const override { return "lexicographic-head"; }
  [[nodiscard]] Candidate choose(const Candidate& present,
                                 std::span<const Candidate> candidates) const override;
};

}  // namespace ethnet::chain
