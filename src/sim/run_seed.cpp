#include <thread>

#include "scenario.hpp"
#include "script_run.hpp"

namespace ethnet::sim {

Verdict run_seed(const ScenarioSpec& spec, std::uint64_t seed, const TraceWriter& writer) {
  Verdict verdict;
  std::thread thread{[&] { verdict = run_seed_here(spec, seed, writer); }};
  thread.join();
  return verdict;
}

ScriptReport run_script(const Script& script, std::uint64_t seed, const TraceWriter& writer) {
  ScriptReport report;
  std::thread thread{[&] { report = run_script_here(script, seed, writer); }};
  thread.join();
  return report;
}

}  // namespace ethnet::sim
