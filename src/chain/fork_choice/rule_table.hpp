// The rules by name, as --fork-choice takes them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rule.hpp"

namespace ethnet::chain {

// Nothing when no rule has this name, long ("longest-chain") or short ("longest").
[[nodiscard]] std::unique_ptr<ForkChoiceRule> make_fork_choice_rule(std::string_view name);
// "longest-chain (longest)", … for help and error texts.
[[nodiscard]] std::vector<std::string> fork_choice_rule_names();

}  // namespace ethnet::chain
