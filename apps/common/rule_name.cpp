#include "rule_name.hpp"

#include <stdexcept>

#include <chain/fork_choice/checkpoint.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ethnet::app {

std::string rule_refusal(const std::string& text, const Error& error) {
  if (!error.is(chain::RuleError::unknown_rule)) {
    return fmt::format("fork-choice rule '{}': {}", text, error.what());
  }
  return fmt::format("no fork-choice rule '{}'; there are {}", text,
                     fmt::join(chain::fork_choice_rule_names(), ", "));
}

chain::RuleChoice read_rule(const std::string& text,
                            const std::function<std::string(const std::string&)>& read_file) {
  auto choice = chain::parse_rule_choice(text);
  if (!choice) throw std::runtime_error(rule_refusal(text, choice.error()));
  if (chain::parameter_of(choice->name) != chain::RuleParameter::checkpoint_file) return *choice;
  const std::string path = choice->parameter;
  choice->parameter = read_file(path);
  const auto checkpoints = chain::parse_checkpoints(choice->parameter);
  if (!checkpoints) {
    throw std::runtime_error(chain::describe_fault(path, choice->parameter, checkpoints.error()));
  }
  return *choice;
}

}  // namespace ethnet::app
