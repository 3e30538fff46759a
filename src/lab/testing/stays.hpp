// For tests of rules that a program adds.
#pragma once

#include <string>
#include <string_view>

#include <chain/fork_choice/rule.hpp>

namespace ethnet::lab::testing {

// The side of a fork that came first, however long the other one grows.
class Stays final : public chain::ForkChoiceRule {
 public:
  [[nodiscard]] std::string_view name() const override { return "stays"; }
  [[nodiscard]] chain::Candidate choose(const chain::RuleView& view) const override {
    for (const chain::Candidate& head : view.heads()) {
      if (view.descends(head, view.present())) return head;
    }
    return view.present();
  }
  [[nodiscard]] chain::Score explain(const chain::RuleView&,
                                     const chain::Candidate& block) const override {
    return {std::to_string(block.arrival), "came then"};
  }
};

}  // namespace ethnet::lab::testing
