#include "rules.hpp"

#include <base/check.hpp>

#include "ghost.hpp"

namespace ethnet::lab {
namespace {

constexpr std::string_view kCheckpoint = "checkpoint";

}  // namespace

chain::RuleBook lab_rules() {
  chain::RuleBook rules;
  CHECK(rules.add<Ghost>().has_value());
  return rules;
}

Result<LabRule> parse_lab_rule(std::string_view text, const chain::RuleBook& known) {
  if (text == kCheckpoint) return LabRule{std::string{text}, {std::string{text}, {}}};
  chain::RuleChoice choice = TRY(known.parse(text));
  std::string label = choice.name;
  if (!choice.parameter.empty()) label += ":" + choice.parameter;
  return LabRule{std::move(label), std::move(choice)};
}

Result<std::unique_ptr<chain::ForkChoiceRule>> make_lab_rule(
    const LabRule& rule, const std::vector<chain::Checkpoint>& of_scenario,
    const chain::RuleBook& known) {
  if (rule.label == kCheckpoint) return std::make_unique<chain::CheckpointChain>(of_scenario);
  return known.make(rule.choice);
}

std::vector<std::string> lab_rule_names(const chain::RuleBook& known) {
  std::vector<std::string> names = known.names();
  names.emplace_back("checkpoint (the scenario's)");
  return names;
}

}  // namespace ethnet::lab
