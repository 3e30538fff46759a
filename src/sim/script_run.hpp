// Runs a Script and says what came of it: what happened when, each node at the end, and whether
// what the script expects held. The checkers of node_checkers.hpp run after every event. The same
// script and seed give the same trace and the same report on every machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <chain/chain_view.hpp>

#include "scenario.hpp"
#include "script.hpp"

namespace ethnet::sim {

struct ScriptLine {
  Instant at;
  std::string what;  // "a1 reorganises by 3 blocks …"
};

struct ScriptNodeReport {
  std::string name;
  std::string rule;  // or the role of a hostile one
  bool honest = true;
  bool up = false;
  chain::BlockRef head{};  // while it is up and honest, as the rest
  std::uint64_t reorgs = 0;
  std::uint64_t deepest = 0;
  std::uint64_t forks = 0;
  std::uint64_t peers = 0;
  std::uint64_t banned = 0;
};

// An expectation, or an event that must be possible.
struct ScriptOutcome {
  std::size_t line = 0;  // of the file
  Instant at;
  std::string what;  // "heads equal: a1, a2"
  std::string found;
  bool met = false;
};

struct ScriptReport {
  std::string name;
  std::string about;
  std::uint64_t seed = 0;
  std::uint64_t trace = 0;
  std::uint64_t events = 0;
  Instant ended;
  std::vector<ScriptLine> lines;
  std::uint64_t lines_left_out = 0;  // beyond kMaxScriptLines
  std::vector<ScriptNodeReport> nodes;
  std::vector<ScriptOutcome> outcomes;  // in the order in which they were judged
  std::vector<std::string> checkers;    // that held after every event, or until the violation
  std::optional<Violation> violation;

  [[nodiscard]] bool ok() const;
};

// On a thread of its own, for which it waits.
[[nodiscard]] ScriptReport run_script(const Script& script, std::uint64_t seed,
                                      const TraceWriter& writer = {});
// On this thread: see run_seed_here().
[[nodiscard]] ScriptReport run_script_here(const Script& script, std::uint64_t seed,
                                           const TraceWriter& writer = {});

}  // namespace ethnet::sim
