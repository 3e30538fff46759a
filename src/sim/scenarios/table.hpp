// Every scenario, by name. A new one: a file beside this one and a line in table.cpp.
#pragma once

#include <string_view>
#include <vector>

#include "../scenario.hpp"

namespace ethnet::sim {

// What ethnet-sim runs when it is not told.
inline constexpr std::string_view kDefaultScenario = "first-light";

[[nodiscard]] std::vector<ScenarioSpec> make_scenario_table();

}  // namespace ethnet::sim
