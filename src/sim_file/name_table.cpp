#include "name_table.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <base/result.hpp>
#include <fmt/format.h>

namespace ethnet::sim_file {

using lab::ScenarioError;
using lab::YamlNode;
using sim::HostId;

void NameTable::add(std::string name, std::vector<HostId> nodes) {
  const bool is_new = by_name_.emplace(std::move(name), std::move(nodes)).second;
  CHECK(is_new);
}

lab::Read<void> NameTable::read_one(const YamlNode& node, Who who, const sim::Script& script,
                                    std::vector<HostId>& out) const {
  TRY(lab::expect_kind(node, YamlNode::Kind::text, "the name of a node or group"));
  const auto named = by_name_.find(node.text);
  if (named == by_name_.end()) {
    return lab::wrong(
        ScenarioError::unknown_node, node.place,
        fmt::format("expected a node or group, or '{}', found {}", kEverybody, lab::found(node)));
  }
  for (const HostId host : named->second) {
    const auto& role = script.nodes[host].role;
    if (who == Who::honest && role) {
      return lab::wrong(ScenarioError::unknown_node, node.place,
                        fmt::format("expected an honest node, found {}", lab::found(node)));
    }
    const bool withholds = role && role->manner == sim::Manner::withholds;
    if (who == Who::withholding && !withholds) {
      return lab::wrong(
          ScenarioError::unknown_node, node.place,
          fmt::format("expected a node of the role 'withholding', found {}", lab::found(node)));
    }
    if (who == Who::with_das && !script.nodes[host].das) {
      return lab::wrong(
          ScenarioError::unknown_node, node.place,
          fmt::format("expected a node with 'das: true', found {}", lab::found(node)));
    }
    if (std::ranges::find(out, host) != out.end()) {
      return lab::wrong(ScenarioError::duplicate_name, node.place,
                        fmt::format("'{}' stands twice", script.nodes[host].name));
    }
    out.push_back(host);
  }
  return {};
}

lab::Read<std::vector<HostId>> NameTable::read(const YamlNode& node, Who who,
                                               const sim::Script& script) const {
  std::vector<HostId> out;
  if (node.kind != YamlNode::Kind::list) {
    TRY(read_one(node, who, script, out));
    return out;
  }
  for (const YamlNode& item : node.items) TRY(read_one(item, who, script, out));
  if (!out.empty()) return out;
  return lab::wrong(ScenarioError::missing_key, node.place, "expected at least one node");
}

std::string names_text(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::list) return node.text;
  std::string out;
  for (const YamlNode& item : node.items) {
    if (!out.empty()) out += ", ";
    out += item.text;
  }
  return out;
}

}  // namespace ethnet::sim_file
