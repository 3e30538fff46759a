// A scenario of the laboratory: any text is a fault with a place, or a scenario that every rule
// plays.
#include <algorithm>

#include <lab/player.hpp>
#include <lab/scenario_reader.hpp>
#include <lab/svg.hpp>

#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

// What is read may be any size within the limits; what is played here is small.
constexpr std::size_t kMaxPlayedBlocks = 64;
constexpr std::size_t kMaxPlayedSteps = 64;

bool is_small(const lab::Scenario& scenario) {
  std::size_t blocks = 0;
  for (const lab::Step& step : scenario.steps) blocks += step.blocks.size();
  return blocks <= kMaxPlayedBlocks && scenario.steps.size() <= kMaxPlayedSteps;
}

void check(const lab::LabReport& report) {
  for (const lab::Playback& playback : report.playbacks) {
    CHECK(playback.steps.size() == report.scenario.steps.size());
    CHECK(playback.canonical.back() == playback.steps.back().head);
    for (const lab::StepResult& step : playback.steps) {
      CHECK(std::ranges::count(step.heads, true, &lab::Contender::chosen) == 1);
    }
    for (const lab::LabReorg& reorg : playback.reorgs) {
      CHECK(reorg.depth() > 0 && !reorg.added.empty());
    }
  }
  const auto picture = lab::svg_report(report);
  CHECK(picture.has_value());
  for (const std::string& text : {lab::text_report(report), lab::json_report(report),
                                  lab::csv_report(report), lab::dot_report(report), *picture}) {
    for (const char c : text) CHECK(c == '\n' || (c & 0x80) != 0 || c >= ' ');
  }
}

}  // namespace

void run_lab_scenario(ByteView input) {
  std::string text;
  for (const std::byte b : input) text.push_back(static_cast<char>(b));
  const auto scenario = lab::read_scenario(text);
  if (!scenario) {
    CHECK(!scenario.error().text.empty() && scenario.error().place.line >= 1);
    return;
  }
  if (!is_small(*scenario)) return;
  std::vector<lab::LabRule> rules;
  for (const char* name : {"ghost", "longest", "score", "checkpoint", "random:1"}) {
    auto rule = lab::parse_lab_rule(name);
    CHECK(rule.has_value());
    rules.push_back(std::move(*rule));
  }
  const auto report = lab::play(*scenario, rules);
  CHECK(report.has_value());
  check(*report);
}

}  // namespace ethnet::fuzz
