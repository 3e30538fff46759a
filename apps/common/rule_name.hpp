// A fork-choice rule as a person names it: "longest-chain", "random:7", "checkpoint:FILE".
#pragma once

#include <functional>
#include <string>

#include <chain/fork_choice/rule_table.hpp>

namespace ethnet::app {

// One line: what is wrong with the name, and which names there are.
[[nodiscard]] std::string rule_refusal(const std::string& text, const Error& error);

// The rule with what its file says. Throws std::runtime_error with one clear line.
[[nodiscard]] chain::RuleChoice read_rule(
    const std::string& text, const std::function<std::string(const std::string& path)>& read_file);

}  // namespace ethnet::app
