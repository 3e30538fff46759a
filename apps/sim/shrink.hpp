// Shrink: a seed that fails, made smaller: fewer hosts, fewer kinds of faults, a shorter phase
// under them, as long as it goes on failing in the same way (Verdict::kind()). Greedy and
// deterministic: the same seed shrinks to the same. Each try runs in a worker, so that one that
// aborts or hangs shrinks too. Call from a process with one thread (it forks).
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <base/result.hpp>
#include <sim/scenario.hpp>

namespace ethnet::sim {

enum class ShrinkError : std::uint16_t { seed_passes = 1 };
[[nodiscard]] const ErrorDomain& error_domain(ShrinkError);

struct Shrunk {
  ScenarioSpec spec;  // narrowed; spec.command(seed) repeats it
  std::string kind;   // how it fails, narrowed as whole
  std::string text;   // what the smallest said
  std::uint64_t runs = 0;
};

// `progress` is told of each step that still fails: the flags so far. Errors: seed_passes.
[[nodiscard]] Result<Shrunk> shrink_seed(const ScenarioSpec& spec, std::uint64_t seed,
                                         int seed_timeout_seconds,
                                         const std::function<void(const std::string&)>& progress);

}  // namespace ethnet::sim
