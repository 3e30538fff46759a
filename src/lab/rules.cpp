#include "rules.hpp"

#include "ghost.hpp"

namespace ethnet::lab {
namespace {

constexpr std::string_view kGhost = "ghost";
constexpr std::string_view kCheckpoint = "checkpoint";

}  // namespace

Result<LabRule> parse_lab_rule(std::string_view text) {
  if (text == kGhost || text == kCheckpoint) {
    return LabRule{std::string{text}, {std::string{text}, {}}};
  }
  chain::RuleChoice choice = TRY(chain::parse_rule_choice(text));
  std::string label = choice.name;
  if (!choice.parameter.empty()) label += ":" + choice.parameter;
  return LabRule{std::move(label), std::move(choice)};
}

Result<std::unique_ptr<chain::ForkChoiceRule>> make_lab_rule(
    const LabRule& rule, const std::vector<chain::Checkpoint>& of_scenario) {
  if (rule.choice.name == kGhost) return std::make_unique<Ghost>();
  if (rule.label == kCheckpoint) return std::make_unique<chain::CheckpointChain>(of_scenario);
  return chain::make_fork_choice_rule(rule.choice);
}

std::vector<std::string> lab_rule_names() {
  std::vector<std::string> names = chain::fork_choice_rule_names();
  names.emplace_back("checkpoint (the scenario's)");
  names.emplace_back(kGhost);
  return names;
}

}  // namespace ethnet::lab
