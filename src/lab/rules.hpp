// The rules of the laboratory: those of the chain, `ghost`, which needs votes that no node has, and
// what the program that plays adds of its own (chain::RuleBook).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.hpp>
#include <chain/fork_choice/checkpoint.hpp>
#include <chain/fork_choice/rule_book.hpp>

namespace ethnet::lab {

struct LabRule {
  std::string label;  // how reports and expectations name it: "longest-chain", "random:7"
  chain::RuleChoice choice;
};

// The chain's rules and `ghost`: what `ethnet lab run` knows, and what a program adds its own to.
[[nodiscard]] chain::RuleBook lab_rules();

// As --fork-choice takes them, long or short; besides "checkpoint" without a file: the scenario's
// checkpoints. Of "checkpoint:FILE" the caller puts the file's text into the choice.
// Errors: chain::RuleError.
[[nodiscard]] Result<LabRule> parse_lab_rule(std::string_view text,
                                             const chain::RuleBook& known = lab_rules());
// Errors: chain::RuleError, chain::CheckpointError.
[[nodiscard]] Result<std::unique_ptr<chain::ForkChoiceRule>> make_lab_rule(
    const LabRule& rule, const std::vector<chain::Checkpoint>& of_scenario,
    const chain::RuleBook& known = lab_rules());
[[nodiscard]] std::vector<std::string> lab_rule_names(const chain::RuleBook& known = lab_rules());

}  // namespace ethnet::lab
