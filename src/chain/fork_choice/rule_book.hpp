// RuleBook: the rules that a program knows by name: those of rule_table.hpp and what it adds of its
// own. A value, handed to whoever makes a chain: no table that the whole process shares.
#pragma once

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.hpp>

#include "rule_table.hpp"

namespace ethnet::chain {

class RuleBook {
 public:
  using Make = std::function<std::unique_ptr<ForkChoiceRule>()>;

  // A rule without a parameter, under the name that it says itself: letters, digits, `-` and `_`.
  // Errors: bad_name, name_taken.
  [[nodiscard]] Result<void> add(Make make);
  template <std::derived_from<ForkChoiceRule> Rule>
  [[nodiscard]] Result<void> add() {
    return add([] { return std::make_unique<Rule>(); });
  }

  // As parse_rule_choice and make_fork_choice_rule, of all these rules. Errors: theirs.
  [[nodiscard]] Result<RuleChoice> parse(std::string_view text) const;
  [[nodiscard]] Result<std::unique_ptr<ForkChoiceRule>> make(const RuleChoice& choice) const;
  // Whether the name is one that was added.
  [[nodiscard]] bool is_added(std::string_view name) const { return added_.contains(name); }
  // For help and error texts: those of the table, then those that were added.
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::map<std::string, Make, std::less<>> added_;
};

}  // namespace ethnet::chain
