#include "lab.hpp"

#include <fstream>
#include <stdexcept>

#include <apps/common/files.hpp>
#include <apps/common/rule_name.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <lab/player.hpp>
#include <lab/scenario_reader.hpp>
#include <lab/svg.hpp>

namespace ethnet::app {
namespace {

constexpr int kUnmet = 2;

lab::Scenario read(const std::string& path) {
  auto scenario = lab::read_scenario(read_text_file(path));
  if (scenario) return std::move(*scenario);
  throw std::runtime_error(fmt::format("{}:{}", path, scenario.error().message()));
}

lab::LabRule rule_named(const std::string& text) {
  auto rule = lab::parse_lab_rule(text);
  if (!rule && rule.error().is(chain::RuleError::unknown_rule)) {
    throw std::runtime_error(fmt::format("no fork-choice rule '{}'; there are {}", text,
                                         fmt::join(lab::lab_rule_names(), ", ")));
  }
  if (!rule) throw std::runtime_error(rule_refusal(text, rule.error()));
  const bool reads_file = rule->choice.name == "checkpoint" && !rule->choice.parameter.empty();
  if (reads_file) rule->choice = read_rule(text, read_text_file);
  return std::move(*rule);
}

std::vector<lab::LabRule> rules_of(const LabOptions& options, const lab::Scenario& scenario) {
  const auto& names = options.rules.empty() ? scenario.rules : options.rules;
  if (names.empty()) throw std::runtime_error("no rule: name one by --rule, or in the scenario");
  if (names.size() > lab::kMaxLabRules) {
    throw std::runtime_error(fmt::format("more than {} rules", lab::kMaxLabRules));
  }
  std::vector<lab::LabRule> rules;
  for (const std::string& name : names) rules.push_back(rule_named(name));
  return rules;
}

void write_picture(const std::string& path, const lab::LabReport& report) {
  const auto picture = lab::svg_report(report);
  if (!picture) {
    throw std::runtime_error(
        fmt::format("{} ({} at most)", picture.error().what(), lab::kMaxPictureBlocks));
  }
  std::ofstream file{path, std::ios::binary | std::ios::trunc};
  file << *picture;
  file.close();
  if (!file) throw std::runtime_error(fmt::format("cannot write {}", path));
}

}  // namespace

std::string lab_rules_help() {
  constexpr std::size_t kWidth = 60;
  std::string out;
  std::size_t line = 0;
  for (const std::string& name : lab::lab_rule_names()) {
    const bool fits = line + name.size() <= kWidth;
    if (!out.empty()) out += fits ? ", " : ",\n";
    line = (fits ? line : 0) + name.size() + 2;
    out += name;
  }
  return out;
}

int lab_run(const LabOptions& options) {
  const lab::Scenario scenario = read(options.scenario);
  const auto rules = rules_of(options, scenario);
  const auto report = lab::play(scenario, rules);
  if (!report) throw std::runtime_error(report.error().message());
  if (!options.svg.empty()) write_picture(options.svg, *report);
  const auto format = options.json  ? lab::json_report
                      : options.csv ? lab::csv_report
                      : options.dot ? lab::dot_report
                                    : lab::text_report;
  fmt::print("{}", format(*report));
  return report->unmet.empty() ? 0 : kUnmet;
}

}  // namespace ethnet::app
