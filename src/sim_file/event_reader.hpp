// The events and expectations of a scenario file, and whether they can happen: what is down cannot
// crash, who is not paused does not go on. Threading: pure functions.
#pragma once

#include <lab/yaml_values.hpp>
#include <sim/script.hpp>

#include "name_table.hpp"

namespace ethnet::sim_file {

// script.events, by time; repetitions and what ends them ("for") are events of their own.
[[nodiscard]] lab::Read<void> read_events(const lab::YamlNode& list, const NameTable& names,
                                          sim::Script& script);
[[nodiscard]] lab::Read<void> read_checks(const lab::YamlNode& list, const NameTable& names,
                                          sim::Script& script);

}  // namespace ethnet::sim_file
