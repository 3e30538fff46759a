// A swarm: many seeds of one scenario in forked workers. A worker that aborts (a failed CHECK, a
// sanitizer) or hangs costs one seed, is reported with that seed, and is replaced.
// Call from a process with one thread (it forks).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
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

struct SwarmFailure {
  std::uint64_t seed = 0;
  std::string kind;  // Verdict::kind(), or how the worker died
  std::string text;  // the verdict, or that with the command that repeats it
};

struct SwarmProgress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::uint64_t failed = 0;
  double seconds = 0;
  const SwarmFailure* failure = nullptr;  // the one that has just happened
};

struct ReachedSum {
  std::uint64_t seeds = 0;  // that came there at least once
  std::uint64_t times = 0;
};

struct Recovery {
  Duration took;
  std::uint64_t seed = 0;
  friend auto operator<=>(const Recovery&, const Recovery&) = default;
};

struct SwarmResult {
  std::uint64_t seeds = 0;
  std::uint64_t events = 0;
  std::uint64_t trace = 0;  // of all traces in order of seed: one number for the whole swarm
  double seconds = 0;
  std::vector<SwarmFailure> failures;  // by seed
  std::map<std::string, ReachedSum, std::less<>> reached;
  double cpu_seconds = 0;            // of all workers
  double node_hours = 0;             // of virtual time, over all hosts of all seeds
  std::uint64_t resident_kib = 0;    // that a worker's first seed added, at most
  std::uint64_t resident_hosts = 0;  // of that seed
  std::vector<Recovery> recoveries;  // the shortest first; of the seeds that measure one

  // Of ScenarioSpec::sometimes: what no seed has reached.
  [[nodiscard]] std::vector<std::string_view> never_reached(const ScenarioSpec& spec) const;
};

// `progress` is called at each failure, else at most about once a second, and at the end.
[[nodiscard]] SwarmResult run_swarm(const ScenarioSpec& spec, const SwarmOptions& options,
                                    const std::function<void(const SwarmProgress&)>& progress);

// Decimal digits alone.
[[nodiscard]] std::optional<std::uint64_t> parse_seed(std::string_view text);
// "A..B" or "N".
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;
};
[[nodiscard]] std::optional<SeedRange> parse_seed_range(std::string_view text);

}  // namespace ethnet::sim
