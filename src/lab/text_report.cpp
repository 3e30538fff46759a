#include <base/printable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report.hpp"

namespace ethnet::lab {
namespace {

std::string list(const std::vector<std::string>& names) {
  return fmt::format("[{}]", fmt::join(names, ", "));
}

// One line of a terminal; the other outputs have all of it.
std::string shortened(const Step& step) {
  constexpr std::size_t kWidth = 76;
  std::string text = describe(step);
  if (text.size() <= kWidth) return text;
  text.resize(kWidth);
  text.resize(text.rfind(','));
  return text + ", …";
}

void add_step(const LabReport& report, const Playback& playback, std::size_t index,
              std::string& out) {
  const Step& step = report.scenario.steps[index];
  const StepResult& result = playback.steps[index];
  const bool moved = index == 0 || playback.steps[index - 1].head != result.head;
  const std::string_view change = !result.reorgs.empty() ? "REORG" : moved ? "head" : "stays";
  out += fmt::format("{:>4}  {:>6}s  {:<6} {:<12} {}\n", index + 1, step.at, change,
                     fmt::format("{} ({})", result.head, result.number), shortened(step));
  if (!step.note.empty()) out += fmt::format("{:24}# {}\n", "", printable(step.note));
  for (const std::string& notice : result.notices) {
    out += fmt::format("{:24}! {}\n", "", printable(notice));
  }
  for (const Contender& one : result.heads) {
    out += fmt::format("{:22}{} {:<12} {:>10}  {}\n", "", one.chosen ? '*' : ' ', one.block,
                       one.score.size() > 10 ? "" : one.score, one.why);
  }
  if (result.heads_left_out > 0) {
    out += fmt::format("{:24}… and {} older heads\n", "", result.heads_left_out);
  }
}

void add_ledger(const Playback& playback, std::string& out) {
  if (playback.reorgs.empty()) {
    out += "      no reorganisation\n";
    return;
  }
  for (const LabReorg& one : playback.reorgs) {
    out += fmt::format(
        "      reorg at step {}, {} s: {} → {}, fork_point={} depth={} removed={} "
        "added={}, by {}\n",
        one.step + 1, one.at, one.old_head, one.new_head, one.fork_point, one.depth(),
        list(one.removed), list(one.added), one.cause);
  }
}

void add_disagreements(const LabReport& report, std::string& out) {
  if (report.playbacks.size() < 2) return;
  if (report.disagreements.empty()) {
    out += "\nThe rules agree after every step.\n";
    return;
  }
  out += "\nThe rules disagree after\n";
  for (const Disagreement& one : report.disagreements) {
    std::vector<std::string> sides;
    for (const auto& [head, rules] : one.rules_of_head) {
      sides.push_back(fmt::format("{}: {}", head, fmt::join(rules, ", ")));
    }
    out += fmt::format("{:>4}  {}\n", one.step + 1, fmt::join(sides, " | "));
  }
}

void add_expectations(const LabReport& report, std::string& out) {
  out += fmt::format("\nExpectations: {} met, {} not met", report.met, report.unmet.size());
  if (report.not_played > 0) out += fmt::format(", {} of rules not played", report.not_played);
  out += "\n";
  for (const Unmet& one : report.unmet) {
    out += fmt::format("  NOT MET  line {}, step {}, {}: expected {}, found {}\n", one.place.line,
                       one.step + 1, one.rule, one.expected, one.found);
  }
}

}  // namespace

std::string text_report(const LabReport& report) {
  const Scenario& scenario = report.scenario;
  std::string out = fmt::format("Scenario {}: {} blocks, {} steps\n", scenario.name,
                                report.blocks.blocks().size() - 1, scenario.steps.size());
  if (!scenario.about.empty()) out += printable(scenario.about) + "\n";
  for (const Playback& playback : report.playbacks) {
    out += fmt::format("\n{}\nstep      at          head         what\n", playback.rule);
    for (std::size_t i = 0; i < playback.steps.size(); ++i) add_step(report, playback, i, out);
    add_ledger(playback, out);
  }
  add_disagreements(report, out);
  add_expectations(report, out);
  return out;
}

}  // namespace ethnet::lab
