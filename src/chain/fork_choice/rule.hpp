// A fork-choice rule: which block is the canonical head, and why.
//
// A new rule is one new pair of files beside this one, its test, and one line in rule_table.cpp;
// nothing else. src/chain/README.md shows one.
#pragma once

#include <string>
#include <string_view>

#include "rule_needs.hpp"
#include "rule_view.hpp"

namespace ethnet::chain {

// How a rule sees one block, for people: what it compares first, and that in words.
struct Score {
  std::string value;  // "7", "131072", "0x8f3a…"
  std::string why;    // "height 7"
  friend bool operator==(const Score&, const Score&) = default;
};

class ForkChoiceRule {
 public:
  ForkChoiceRule() = default;
  ForkChoiceRule(const ForkChoiceRule&) = delete;
  ForkChoiceRule& operator=(const ForkChoiceRule&) = delete;
  virtual ~ForkChoiceRule() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  // Asked once, when the chain is made.
  [[nodiscard]] virtual RuleNeeds needs() const { return {}; }
  // The new head: the present one, one of the heads, or an ancestor of one, but none of the present
  // head's own ancestors. Must be a pure function of what the view shows.
  [[nodiscard]] virtual Candidate choose(const RuleView& view) const = 0;
  // Why a block stands where it does; whoever compares by hand comes to what choose() says. Shown
  // on demand: its cost is not an import's.
  [[nodiscard]] virtual Score explain(const RuleView& view, const Candidate& block) const = 0;
};

}  // namespace ethnet::chain
