// From the text of a scenario file to a Scenario whose every name is known. docs/LAB.md.
// Threading: a pure function. Limits: yaml.hpp, scenario.hpp.
#pragma once

#include <string>

#include "scenario.hpp"

namespace ethnet::lab {

// Errors: each of ScenarioError, at the place of the first fault.
[[nodiscard]] Read<Scenario> read_scenario(const std::string& text);

}  // namespace ethnet::lab
