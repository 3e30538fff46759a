// A fork-choice rule that lives outside MiniEthNet: GHOST, the greediest heaviest observed subtree.
// From the lowest block up, at each fork to the child whose side has the most votes. What it does
// where two sides have equally many is better(), and yours to change.
#pragma once

#include <chain/fork_choice/rule.hpp>

namespace my {

class Ghost final : public ethnet::chain::ForkChoiceRule {
 public:
  [[nodiscard]] std::string_view name() const override { return "my-ghost"; }
  // Every branch head each time, and who voted for which block. There is no clock to ask for.
  [[nodiscard]] ethnet::chain::RuleNeeds needs() const override {
    return {.all_heads = true, .votes = true};
  }
  [[nodiscard]] ethnet::chain::Candidate choose(const ethnet::chain::RuleView& view) const override;
  [[nodiscard]] ethnet::chain::Score explain(const ethnet::chain::RuleView& view,
                                             const ethnet::chain::Candidate& block) const override;
};

}  // namespace my
