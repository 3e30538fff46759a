#include <thread>

#include "scenario.hpp"

namespace ethnet::sim {

Verdict run_seed(const ScenarioSpec& spec, std::uint64_t seed, const TraceWriter& writer) {
  Verdict verdict;
  std::thread thread{[&] { verdict = run_seed_here(spec, seed, writer); }};
  thread.join();
  return verdict;
}

}  // namespace ethnet::sim
