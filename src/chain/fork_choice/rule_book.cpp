#include "rule_book.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>

namespace ethnet::chain {
namespace {

// What a name may hold, so that it can stand before a colon, in a list and in a file.
bool is_name(std::string_view text) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !text.empty() && text.find_first_not_of(kLetters) == std::string_view::npos;
}

}  // namespace

Result<void> RuleBook::add(Make make) {
  const std::unique_ptr<ForkChoiceRule> rule = make();
  CHECK(rule != nullptr);
  std::string name{rule->name()};
  if (!is_name(name)) return fail(RuleError::bad_name);
  if (parameter_of(name) || is_added(name)) return fail(RuleError::name_taken);
  added_.emplace(std::move(name), std::move(make));
  return {};
}

Result<RuleChoice> RuleBook::parse(std::string_view text) const {
  const std::string_view name = text.substr(0, text.find(':'));
  if (!is_added(name)) return parse_rule_choice(text);
  if (name.size() < text.size()) return fail(RuleError::unexpected_parameter);
  return RuleChoice{std::string{name}, {}};
}

Result<std::unique_ptr<ForkChoiceRule>> RuleBook::make(const RuleChoice& choice) const {
  const auto added = added_.find(choice.name);
  if (added == added_.end()) return make_fork_choice_rule(choice);
  if (!choice.parameter.empty()) return fail(RuleError::unexpected_parameter);
  return added->second();
}

std::vector<std::string> RuleBook::names() const {
  std::vector<std::string> names = fork_choice_rule_names();
  for (const auto& [name, make] : added_) names.push_back(name);
  return names;
}

}  // namespace ethnet::chain
