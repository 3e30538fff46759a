// Ghost: LMD-GHOST, the greediest heaviest observed subtree by the latest message of each voter.
// From the lowest block up, at each fork to the child whose subtree has the most votes; of equals
// to the one with the greatest hash. As in Ethereum's consensus specifications (fork choice),
// without justification, proposer boost and slashing.
//
// A rule that does not stand in the chain's table: a node has no votes to give it.
#pragma once

#include <chain/fork_choice/rule.hpp>

namespace ethnet::lab {

class Ghost final : public chain::ForkChoiceRule {
 public:
  [[nodiscard]] std::string_view name() const override { return "ghost"; }
  [[nodiscard]] chain::RuleNeeds needs() const override {
    return {.all_heads = true, .votes = true};
  }
  [[nodiscard]] chain::Candidate choose(const chain::RuleView& view) const override;
  // The votes for its side of each fork on the way up to it.
  [[nodiscard]] chain::Score explain(const chain::RuleView& view,
                                     const chain::Candidate& block) const override;
};

}  // namespace ethnet::lab
