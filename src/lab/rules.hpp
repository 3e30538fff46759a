// The rules of the laboratory: those of the chain, and `ghost`, which needs votes that no node has.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.hpp>
#include <chain/fork_choice/checkpoint.hpp>
#include <chain/fork_choice/rule_table.hpp>

namespace ethnet::lab {

struct LabRule {
  std::string label;  // how reports and expectations name it: "longest-chain", "random:7"
  chain::RuleChoice choice;
};

// As --fork-choice takes them, long or short; besides "ghost", and "checkpoint" without a file: the
// scenario's checkpoints. Of "checkpoint:FILE" the caller puts the file's text into the choice.
// Errors: chain::RuleError.
[[nodiscard]] Result<LabRule> parse_lab_rule(std::string_view text);
// Errors: chain::RuleError, chain::CheckpointError.
[[nodiscard]] Result<std::unique_ptr<chain::ForkChoiceRule>> make_lab_rule(
    const LabRule& rule, const std::vector<chain::Checkpoint>& of_scenario);
[[nodiscard]] std::vector<std::string> lab_rule_names();

}  // namespace ethnet::lab
