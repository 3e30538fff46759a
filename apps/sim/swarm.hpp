// A swarm: many seeds of one scenario in forked workers. A worker that aborts (a failed CHECK, a
// sanitizer) or hangs costs one seed, is reported with that seed, and is replaced.
// Call from a process with one thread (it forks).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sim/scenario.hpp>

namespace ethnet::sim {

struct SwarmOptions {
  std::uint64_t first = 1;
  std::uint64_t last = 1;  // included
  unsigned jobs = 1;
  int seed_timeout_seconds = 300;  // of real time; 0: none
};

struct SwarmProgress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t failed = 0;
  double seconds = 0;
};

struct SwarmFailure {
  std::uint64_t seed = 0;
  std::string text;  // the verdict, or how the worker died
};

struct SwarmResult {
  std::uint64_t seeds = 0;
  std::uint64_t events = 0;
  std::uint64_t trace = 0;  // of all traces in order of seed: one number for the whole swarm
  double seconds = 0;
  std::vector<SwarmFailure> failures;  // by seed
};

// `progress` is called at most about once a second, and at the end.
[[nodiscard]] SwarmResult run_swarm(const ScenarioSpec& spec, const SwarmOptions& options,
                                    const std::function<void(const SwarmProgress&)>& progress);

// "A..B" or "N".
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
};
[[nodiscard]] std::optional<SeedRange> parse_seed_range(std::string_view text);

}  // namespace ethnet::sim
