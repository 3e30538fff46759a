// The nodes, links and producers of a scenario file. Threading: pure functions.
#pragma once

#include <lab/yaml_values.hpp>
#include <sim/script.hpp>

#include "name_table.hpp"

namespace ethnet::sim_file {

// script.nodes, honest ones first, and what they are called. Not yet whom they dial, which may
// stand further below: read_dials() comes after it.
[[nodiscard]] lab::Read<NameTable> read_nodes(const lab::YamlNode& list, sim::Script& script);
[[nodiscard]] lab::Read<void> read_dials(const lab::YamlNode& list, const NameTable& names,
                                         sim::Script& script);
[[nodiscard]] lab::Read<void> read_links(const lab::YamlNode& map, const NameTable& names,
                                         sim::Script& script);
[[nodiscard]] lab::Read<void> read_producers(const lab::YamlNode& list, const NameTable& names,
                                             sim::Script& script);
// A rule that a node of the simulator can have. Error: unknown_rule.
[[nodiscard]] lab::Read<chain::RuleChoice> read_rule(const lab::YamlNode& node,
                                                     const chain::RuleBook& known);

}  // namespace ethnet::sim_file
