#include "rule_table.hpp"

#include <array>

#include "lexicographic.hpp"
#include "longest.hpp"

namespace ethnet::chain {
namespace {

struct Entry {
  std::string_view name;
  std::string_view short_name;
  std::unique_ptr<ForkChoiceRule> (*make)();
};

template <class Rule>
std::unique_ptr<ForkChoiceRule> make() {
  return std::make_unique<Rule>();
}

constexpr std::array kRules{
    Entry{"longest-chain", "longest", make<LongestChain>},
    Entry{"lexicographic-head", "lexicographic", make<LexicographicHead>},
};

}  // namespace

std::unique_ptr<ForkChoiceRule> make_fork_choice_rule(std::string_view name) {
  for (const Entry& rule : kRules) {
    if (name == rule.name || name == rule.short_name) return rule.make();
  }
  return nullptr;
}

std::vector<std::string> fork_choice_rule_names() {
  std::vector<std::string> names;
  for (const Entry& rule : kRules) {
    names.push_back(std::string{rule.name} + " (" + std::string{rule.short_name} + ")");
  }
  return names;
}

}  // namespace ethnet::chain
