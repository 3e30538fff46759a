#include <base/printable.hpp>
#include <nlohmann/json.hpp>

#include "report.hpp"

namespace ethnet::sim_file {
namespace {

using Json = nlohmann::ordered_json;

Json node_json(const sim::ScriptNodeReport& node) {
  Json out{{"name", node.name}, {"honest", node.honest}, {"up", node.up}};
  out[node.honest ? "fork_choice" : "role"] = node.rule;
  if (!node.honest) return out;
  if (node.up) {
    out["head"] = {{"number", node.head.number}, {"hash", node.head.hash.hex()}};
    out["peers"] = node.peers;
    out["banned"] = node.banned;
  }
  out["reorgs"] = node.reorgs;
  out["reorg_depth"] = node.deepest;
  out["forks"] = node.forks;
  return out;
}

}  // namespace

std::string json_report(const sim::ScriptReport& report) {
  Json out{{"name", report.name},
           {"about", printable(report.about)},
           {"seed", report.seed},
           {"trace", sim::hash_text(report.trace)},
           {"ok", report.ok()},
           {"events", report.events},
           {"ended_ns", report.ended.ns},
           {"happened", Json::array()},
           {"lines_left_out", report.lines_left_out},
           {"nodes", Json::array()},
           {"expected", Json::array()},
           {"checkers", report.checkers},
           {"violation", nullptr}};
  for (const sim::ScriptLine& line : report.lines) {
    out["happened"].push_back({{"at_ns", line.at.ns}, {"what", printable(line.what)}});
  }
  for (const auto& node : report.nodes) out["nodes"].push_back(node_json(node));
  for (const sim::ScriptOutcome& one : report.outcomes) {
    out["expected"].push_back({{"line", one.line},
                               {"at_ns", one.at.ns},
                               {"what", printable(one.what)},
                               {"found", printable(one.found)},
                               {"met", one.met}});
  }
  if (report.violation) {
    out["violation"] = {{"at_ns", report.violation->at.ns},
                        {"what", printable(report.violation->what)}};
  }
  return out.dump(2) + "\n";
}

}  // namespace ethnet::sim_file
