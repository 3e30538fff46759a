// The rules by name, as --fork-choice takes them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <base/result.hpp>

#include "rule.hpp"

namespace ethnet::chain {

enum class RuleError : std::uint16_t {
  unknown_rule = 1,
  missing_parameter,     // "random" without its seed
  unexpected_parameter,  // "longest-chain:7"
  bad_seed,
  // Of a rule that a program adds (rule_book.hpp).
  bad_name,
  name_taken,
};
[[nodiscard]] const ErrorDomain& error_domain(RuleError);

// What stands behind the colon of a rule's name.
enum class RuleParameter : std::uint8_t { none, seed, checkpoint_file };

// A rule and what it was given, as plain data of a configuration.
struct RuleChoice {
  std::string name = "longest-chain";
  // The seed in decimal digits; the *text* of the checkpoint file, once somebody has read it.
  std::string parameter;
  friend bool operator==(const RuleChoice&, const RuleChoice&) = default;
};

// "longest-chain", "longest", "random:7", "checkpoint:FILE"; names come out long. The parameter is
// as it stands: of a checkpoint rule its caller reads the file and puts in the text.
// Errors: RuleError.
[[nodiscard]] Result<RuleChoice> parse_rule_choice(std::string_view text);
// Nothing when no rule has this name, long or short.
[[nodiscard]] std::optional<RuleParameter> parameter_of(std::string_view name);
// Errors: RuleError, CheckpointError at the byte of the parameter.
[[nodiscard]] Result<std::unique_ptr<ForkChoiceRule>> make_fork_choice_rule(
    const RuleChoice& choice);
// "longest-chain (longest)", "random:SEED", … for help and error texts.
[[nodiscard]] std::vector<std::string> fork_choice_rule_names();

}  // namespace ethnet::chain
