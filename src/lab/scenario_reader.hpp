// From the text of a scenario file to a Scenario whose every name is known. docs/LAB.md.
// Threading: a pure function. Limits: yaml.hpp, scenario.hpp.
#pragma once

#include <string>

#include "rules.hpp"
#include "scenario.hpp"

namespace ethnet::lab {

// Errors: each of ScenarioError, at the place of the first fault; unknown_rule where it names one
// that is not known.
[[nodiscard]] Read<Scenario> read_scenario(const std::string& text,
                                           const chain::RuleBook& known = lab_rules());

}  // namespace ethnet::lab
