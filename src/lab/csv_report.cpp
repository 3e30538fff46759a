#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report.hpp"

namespace ethnet::lab {
namespace {

// RFC 4180: a field with a comma, a quote or a line's end is quoted.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out{'"'};
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + '"';
}

std::string row(const LabReport& report, const Playback& playback, std::size_t index) {
  const Step& step = report.scenario.steps[index];
  const StepResult& result = playback.steps[index];
  const auto chosen = std::ranges::find(result.heads, true, &Contender::chosen);
  std::vector<std::string> fields{
      playback.rule,
      std::to_string(index + 1),
      std::to_string(step.at),
      describe(step),
      result.head,
      std::to_string(result.number),
      chosen == result.heads.end() ? "" : chosen->score,
  };
  // At most one of a batch; where blocks that waited moved the head before, the last one.
  LabReorg none;
  const LabReorg& reorg = result.reorgs.empty() ? none : playback.reorgs[result.reorgs.back()];
  fields.push_back(std::to_string(reorg.depth()));
  fields.push_back(reorg.fork_point);
  fields.push_back(fmt::format("{}", fmt::join(reorg.removed, " ")));
  fields.push_back(fmt::format("{}", fmt::join(reorg.added, " ")));
  fields.push_back(reorg.cause);
  std::string out;
  for (const std::string& one : fields) out += (out.empty() ? "" : ",") + field(one);
  return out + "\n";
}

}  // namespace

std::string csv_report(const LabReport& report) {
  std::string out =
      "rule,step,at,what,head,number,score,reorg_depth,fork_point,removed,added,cause\n";
  for (const Playback& playback : report.playbacks) {
    for (std::size_t i = 0; i < playback.steps.size(); ++i) out += row(report, playback, i);
  }
  return out;
}

}  // namespace ethnet::lab
