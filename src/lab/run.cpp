#include "run.hpp"

#include <chain/fork_choice/checkpoint.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "player.hpp"
#include "scenario_reader.hpp"
#include "svg.hpp"

namespace ethnet::lab {
namespace {

template <class T>
using OrLine = std::expected<T, std::string>;

OrLine<LabRule> rule_named(const std::string& text, const ReadFile& read_file,
                           const chain::RuleBook& known) {
  auto rule = parse_lab_rule(text, known);
  if (!rule && rule.error().is(chain::RuleError::unknown_rule)) {
    return std::unexpected(fmt::format("no fork-choice rule '{}'; there are {}", text,
                                       fmt::join(lab_rule_names(known), ", ")));
  }
  if (!rule) {
    return std::unexpected(fmt::format("fork-choice rule '{}': {}", text, rule.error().what()));
  }
  chain::RuleChoice& choice = rule->choice;
  if (choice.name != "checkpoint" || choice.parameter.empty()) return std::move(*rule);
  const std::string path = choice.parameter;
  choice.parameter = read_file(path);
  const auto points = chain::parse_checkpoints(choice.parameter);
  if (points) return std::move(*rule);
  return std::unexpected(chain::describe_fault(path, choice.parameter, points.error()));
}

OrLine<std::vector<LabRule>> rules_named(const std::vector<std::string>& names,
                                         const ReadFile& read_file, const chain::RuleBook& known) {
  if (names.empty()) return std::unexpected("no rule: name one by --rule, or in the scenario");
  if (names.size() > kMaxLabRules) {
    return std::unexpected(fmt::format("more than {} rules", kMaxLabRules));
  }
  std::vector<LabRule> rules;
  for (const std::string& name : names) {
    LabRule rule = TRY(rule_named(name, read_file, known));
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace

OrLine<RunResult> run(const RunOptions& options, const ReadFile& read_file,
                      const chain::RuleBook& known) {
  const auto scenario = read_scenario(read_file(options.scenario), known);
  if (!scenario) {
    return std::unexpected(fmt::format("{}:{}", options.scenario, scenario.error().message()));
  }
  const auto& names = options.rules.empty() ? scenario->rules : options.rules;
  const std::vector<LabRule> rules = TRY(rules_named(names, read_file, known));
  const auto report = play(*scenario, rules, {}, known);
  if (!report) return std::unexpected(report.error().message());
  RunResult out;
  if (options.picture) {
    auto picture = svg_report(*report);
    if (!picture) {
      return std::unexpected(
          fmt::format("{} ({} at most)", picture.error().what(), kMaxPictureBlocks));
    }
    out.picture = std::move(*picture);
  }
  out.met = report->unmet.empty();
  const auto write = options.format == Format::json  ? json_report
                     : options.format == Format::csv ? csv_report
                     : options.format == Format::dot ? dot_report
                                                     : text_report;
  out.report = write(*report);
  return out;
}

}  // namespace ethnet::lab
