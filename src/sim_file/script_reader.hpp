// From the text of a scenario file of the simulator to a Script: every name resolved, every event
// possible as far as that can be known before it runs. docs/SIM.md describes the file.
// Threading: a pure function. Limits: lab/yaml.hpp, sim/script.hpp.
#pragma once

#include <string>

#include <chain/fork_choice/rule_book.hpp>
#include <lab/fault.hpp>
#include <sim/script.hpp>

namespace ethnet::sim_file {

// `known`: the rules that its nodes can have. Errors: those of ScenarioError, at the place of the
// first fault.
[[nodiscard]] lab::Read<sim::Script> read_script(const std::string& text,
                                                 const chain::RuleBook& known = {});

}  // namespace ethnet::sim_file
