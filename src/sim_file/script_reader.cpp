#include "script_reader.hpp"

#include <array>

#include <base/result.hpp>

#include "event_reader.hpp"
#include "network_reader.hpp"
#include "quantity.hpp"

namespace ethnet::sim_file {

lab::Read<sim::Script> read_script(const std::string& text, const chain::RuleBook& known) {
  constexpr std::array<std::string_view, 9> kKeys{
      "name", "about", "seed", "duration", "nodes", "links", "producers", "events", "expect"};
  using lab::YamlNode;
  const YamlNode root = TRY(lab::parse_yaml(text));
  TRY(lab::expect_keys(root, "a map with the keys of a scenario", kKeys));
  sim::Script script;
  script.rules = known;
  const YamlNode& name = TRY(lab::required(root, "name"));
  script.name = TRY(lab::read_name(name, "the scenario"));
  if (const YamlNode* about = root.find("about")) script.about = TRY(lab::read_text(*about));
  if (const YamlNode* seed = root.find("seed")) {
    script.seed = TRY(lab::read_number(*seed, 0, UINT64_MAX));
  }
  const YamlNode& duration = TRY(lab::required(root, "duration"));
  script.duration = TRY(read_duration(duration, milliseconds(1), sim::kMaxScriptDuration));
  const YamlNode& nodes = TRY(lab::required(root, "nodes"));
  const NameTable names = TRY(read_nodes(nodes, script));
  TRY(read_dials(nodes, names, script));
  if (const YamlNode* links = root.find("links")) TRY(read_links(*links, names, script));
  if (const YamlNode* who = root.find("producers")) TRY(read_producers(*who, names, script));
  if (const YamlNode* events = root.find("events")) TRY(read_events(*events, names, script));
  if (const YamlNode* checks = root.find("expect")) TRY(read_checks(*checks, names, script));
  return script;
}

}  // namespace ethnet::sim_file
