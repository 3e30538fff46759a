#include "rule_table.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <base/decimal.hpp>

#include "checkpoint.hpp"
#include "heaviest.hpp"
#include "lexicographic.hpp"
#include "longest.hpp"
#include "longest_tiebreak.hpp"
#include "random.hpp"
#include "score.hpp"

namespace ethnet::chain {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<RuleError>(code)) {
    case RuleError::unknown_rule:
      return "no such fork-choice rule";
    case RuleError::missing_parameter:
      return "this rule needs a parameter, as in random:7 or checkpoint:FILE";
    case RuleError::unexpected_parameter:
      return "this rule takes no parameter";
    case RuleError::bad_seed:
      return "a seed is a number below 2^64";
    case RuleError::bad_name:
      return "a rule's name is letters, digits, - and _";
    case RuleError::name_taken:
      return "there is a rule of this name already";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"fork choice", describe};

using MadeRule = Result<std::unique_ptr<ForkChoiceRule>>;

template <class Rule>
MadeRule make(const std::string&) {
  return std::make_unique<Rule>();
}

MadeRule make_random(const std::string& digits) {
  const auto seed = parse_decimal(digits);
  if (!seed) return fail(RuleError::bad_seed);
  return std::make_unique<RandomHead>(*seed);
}

MadeRule make_checkpoint(const std::string& text) {
  std::vector<Checkpoint> checkpoints = TRY(parse_checkpoints(text));
  return std::make_unique<CheckpointChain>(std::move(checkpoints));
}

struct Entry {
  std::string_view name;
  std::string_view short_name;
  RuleParameter parameter;
  MadeRule (*make)(const std::string& parameter);
};

constexpr std::array kRules{
    Entry{"longest-chain", "longest", RuleParameter::none, make<LongestChain>},
    Entry{"longest-tiebreak", "tiebreak", RuleParameter::none, make<LongestTiebreak>},
    Entry{"heaviest", "heaviest", RuleParameter::none, make<HeaviestChain>},
    Entry{"score", "score", RuleParameter::none, make<ScoreRule>},
    Entry{"lexicographic-head", "lexicographic", RuleParameter::none, make<LexicographicHead>},
    Entry{"checkpoint", "checkpoint", RuleParameter::checkpoint_file, make_checkpoint},
    Entry{"random", "random", RuleParameter::seed, make_random},
};

const Entry* find_rule(std::string_view name) {
  const auto is_it = [&](const Entry& rule) {
    return name == rule.name || name == rule.short_name;
  };
  const auto* const it = std::ranges::find_if(kRules, is_it);
  return it == kRules.end() ? nullptr : it;
}

}  // namespace

const ErrorDomain& error_domain(RuleError) { return kDomain; }

Result<RuleChoice> parse_rule_choice(std::string_view text) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const Entry* rule = find_rule(text.substr(0, colon));
  if (rule == nullptr) return fail(RuleError::unknown_rule);
  const bool takes_one = rule->parameter != RuleParameter::none;
  if (colon == text.size()) {
    if (takes_one) return fail(RuleError::missing_parameter);
    return RuleChoice{std::string{rule->name}, {}};
  }
  if (!takes_one) return fail(RuleError::unexpected_parameter);
  const std::string parameter{text.substr(colon + 1)};
  if (parameter.empty()) return fail(RuleError::missing_parameter);
  if (rule->parameter == RuleParameter::seed) TRY(make_random(parameter));
  return RuleChoice{std::string{rule->name}, parameter};
}

std::optional<RuleParameter> parameter_of(std::string_view name) {
  const Entry* rule = find_rule(name);
  if (rule == nullptr) return std::nullopt;
  return rule->parameter;
}

Result<std::unique_ptr<ForkChoiceRule>> make_fork_choice_rule(const RuleChoice& choice) {
  const Entry* rule = find_rule(choice.name);
  if (rule == nullptr) return fail(RuleError::unknown_rule);
  if (rule->parameter == RuleParameter::none && !choice.parameter.empty()) {
    return fail(RuleError::unexpected_parameter);
  }
  return rule->make(choice.parameter);
}

std::vector<std::string> fork_choice_rule_names() {
  std::vector<std::string> names;
  for (const Entry& rule : kRules) {
    std::string name{rule.name};
    if (rule.parameter == RuleParameter::seed) name += ":SEED";
    if (rule.parameter == RuleParameter::checkpoint_file) name += ":FILE";
    if (rule.short_name != rule.name) name += " (" + std::string{rule.short_name} + ")";
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace ethnet::chain
