#include <base/printable.hpp>
#include <nlohmann/json.hpp>

#include "report.hpp"

namespace ethnet::lab {
namespace {

using Json = nlohmann::ordered_json;

Json block_json(const LabBlock& block) {
  return {{"name", block.spec.name},
          {"hash", block.hash.hex()},
          {"number", block.number},
          {"parent", block.spec.parent},
          {"producer", block.spec.producer},
          {"time", block.spec.time},
          {"difficulty", block.spec.difficulty},
          {"withheld", block.spec.withheld}};
}

Json step_json(const Step& step, std::size_t index) {
  return {{"step", index + 1},
          {"at", step.at},
          {"what", describe(step)},
          {"from", step.from},
          {"note", printable(step.note)}};
}

Json reorg_json(const LabReorg& one) {
  return {{"step", one.step + 1},     {"at", one.at},         {"old_head", one.old_head},
          {"new_head", one.new_head}, {"depth", one.depth()}, {"fork_point", one.fork_point},
          {"removed", one.removed},   {"added", one.added},   {"cause", one.cause}};
}

Json result_json(const StepResult& result, std::size_t index) {
  Json heads = Json::array();
  for (const Contender& one : result.heads) {
    heads.push_back({{"block", one.block},
                     {"number", one.number},
                     {"score", one.score},
                     {"why", one.why},
                     {"chosen", one.chosen}});
  }
  return {{"step", index + 1},
          {"head", result.head},
          {"number", result.number},
          {"heads", std::move(heads)},
          {"heads_left_out", result.heads_left_out},
          {"notices", result.notices}};
}

Json playback_json(const Playback& playback) {
  Json steps = Json::array();
  for (std::size_t i = 0; i < playback.steps.size(); ++i) {
    steps.push_back(result_json(playback.steps[i], i));
  }
  Json reorgs = Json::array();
  for (const LabReorg& one : playback.reorgs) reorgs.push_back(reorg_json(one));
  return {{"rule", playback.rule},
          {"steps", std::move(steps)},
          {"reorgs", std::move(reorgs)},
          {"canonical", playback.canonical}};
}

}  // namespace

std::string json_report(const LabReport& report) {
  const Scenario& scenario = report.scenario;
  Json out{{"scenario", scenario.name}, {"about", printable(scenario.about)}};
  out["blocks"] = Json::array();
  for (const LabBlock& block : report.blocks.blocks()) out["blocks"].push_back(block_json(block));
  out["steps"] = Json::array();
  for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
    out["steps"].push_back(step_json(scenario.steps[i], i));
  }
  out["rules"] = Json::array();
  for (const Playback& one : report.playbacks) out["rules"].push_back(playback_json(one));
  out["disagreements"] = Json::array();
  for (const Disagreement& one : report.disagreements) {
    out["disagreements"].push_back({{"step", one.step + 1}, {"rules_of_head", one.rules_of_head}});
  }
  Json unmet = Json::array();
  for (const Unmet& one : report.unmet) {
    unmet.push_back({{"step", one.step + 1},
                     {"line", one.place.line},
                     {"rule", one.rule},
                     {"expected", one.expected},
                     {"found", one.found}});
  }
  out["expectations"] = {
      {"met", report.met}, {"not_played", report.not_played}, {"unmet", std::move(unmet)}};
  return out.dump(2) + "\n";
}

}  // namespace ethnet::lab
