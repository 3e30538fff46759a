// What a run of a scenario file comes to, for people and for programs. Threading: pure functions.
#pragma once

#include <string>

#include <sim/script_run.hpp>

namespace ethnet::sim_file {

[[nodiscard]] std::string text_report(const sim::ScriptReport& report);
[[nodiscard]] std::string json_report(const sim::ScriptReport& report);

}  // namespace ethnet::sim_file
