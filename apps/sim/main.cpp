// ethnet-sim: runs seeds of the simulator's scenarios, and scenario files. Exit code 0: everything
// held; 1: something was violated, or the command line is wrong; of `run`, see run_file.hpp.
// `ethnet sim` becomes this program.
#include <algorithm>
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>
#include <apps/common/completion.hpp>
#include <base/out_of_memory.hpp>
#include <base/printable.hpp>
#include <fmt/format.h>
#include <malloc.h>
#include <sim/scenarios/table.hpp>
#include <unistd.h>

#include "run_file.hpp"
#include "shrink.hpp"
#include "swarm.hpp"

namespace {

using namespace ethnet::sim;

// A world's thread has a heap of its own, which grew page by page, each a call of the kernel.
void grow_heaps_in_large_steps() {
  constexpr int kStep = 32 * 1'024 * 1'024;
  (void)::mallopt(M_TOP_PAD, kStep);
  (void)::mallopt(M_MMAP_THRESHOLD, kStep);
}

int list_scenarios() {
  for (const ScenarioSpec& spec : make_scenario_table()) {
    fmt::print("{:16} {}\n", spec.name, spec.description);
  }
  return 0;
}

int run_one(const ScenarioSpec& spec, std::uint64_t seed, bool show_trace) {
  TraceWriter writer;
  if (show_trace) writer = [](std::string_view line) { fmt::print("{}\n", line); };
  const Verdict verdict = run_seed(spec, seed, writer);
  fmt::print("{}\n", verdict.text());
  return verdict.ok() ? 0 : 1;
}

void print_progress(const SwarmProgress& p) {
  const double rate = p.seconds > 0 ? static_cast<double>(p.done) / p.seconds : 0;
  const double eta = rate > 0 ? static_cast<double>(p.total - p.done) / rate : 0;
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  if (p.failure != nullptr) {  // a long run says at once what it has found
    fmt::print(stderr, "{}{}\n", terminal ? "\r\x1b[K" : "", p.failure->text);
    return;
  }
  fmt::print(stderr, "{}{}/{} seeds, {} failed, {:.1f} seeds/s, ETA {:.0f} s{}",
             terminal ? "\r\x1b[K" : "", p.done, p.total, p.failed, rate, eta,
             terminal && p.done < p.total ? "" : "\n");
}

void print_reached(const ScenarioSpec& spec, const SwarmResult& result) {
  auto rows = result.reached;
  for (const std::string_view name : spec.sometimes) rows.try_emplace(std::string{name});
  if (rows.empty()) return;
  fmt::print("{:>8} {:>10}  reached\n", "seeds", "times");
  for (const auto& [name, sum] : rows) {
    fmt::print("{:>8} {:>10}  {}\n", sum.seeds, sum.times, name);
  }
}

void print_recoveries(const std::vector<Recovery>& sorted) {
  if (sorted.empty()) return;
  const auto at = [&sorted](std::size_t percent) {
    const std::size_t index = std::min(sorted.size() * percent / 100, sorted.size() - 1);
    return static_cast<double>(sorted[index].took.ns) / 1e9;
  };
  fmt::print("connected after healing: median {:.1f} s, p99 {:.1f} s, worst {:.1f} s (seed {})\n",
             at(50), at(99), at(100), sorted.back().seed);
}

void print_rate(const SwarmResult& result) {
  const auto a_minute = [&](double seconds) {
    return seconds > 0 ? result.node_hours / seconds * 60 : 0;
  };
  fmt::print(
      "virtual time: {:.1f} node-hours, {:.0f} a minute, {:.0f} a minute of one core's time; "
      "at most {} KiB a node\n",
      result.node_hours, a_minute(result.seconds), a_minute(result.cpu_seconds),
      result.resident_hosts > 0 ? result.resident_kib / result.resident_hosts : 0);
}

int run_many(const ScenarioSpec& spec, const SwarmOptions& options, bool must_reach) {
  const SwarmResult result = run_swarm(spec, options, print_progress);
  for (const SwarmFailure& failure : result.failures) fmt::print("{}\n", failure.text);
  print_reached(spec, result);
  print_recoveries(result.recoveries);
  print_rate(result);
  const auto never = result.never_reached(spec);
  for (const std::string_view name : never) fmt::print("never reached: {}\n", name);
  fmt::print("swarm scenario={} seeds={}..{} passed={} failed={} events={} trace={} time={:.1f}s\n",
             spec.name, options.first, options.last, result.seeds - result.failures.size(),
             result.failures.size(), result.events, hash_text(result.trace), result.seconds);
  return result.failures.empty() && (never.empty() || !must_reach) ? 0 : 1;
}

std::optional<ScenarioSpec> find_scenario(const std::string& name) {
  for (ScenarioSpec& spec : make_scenario_table()) {
    if (spec.name == name) return std::move(spec);
  }
  fmt::print(stderr, "ethnet-sim: no scenario '{}'; `ethnet-sim list` names them\n",
             ethnet::printable(name));
  return std::nullopt;
}

// What --hosts, --faults and --safety-ms said.
struct NarrowFlags {
  HostId hosts = 0;
  std::string faults;
  std::int64_t safety_ms = 0;
  std::string fidelity;
};

void add_narrow_flags(CLI::App& command, NarrowFlags& flags) {
  command
      .add_option("--hosts", flags.hosts, "At most so many hosts, of each kind that the seed draws")
      ->check(CLI::Range(HostId{2}, static_cast<HostId>(kMaxHosts)));
  command.add_option("--faults", flags.faults,
                     "Of the faults that the seed draws, at most these: a,b,c or none");
  command.add_option("--safety-ms", flags.safety_ms, "Length of the phase under faults")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{3'600'000}));
  command
      .add_option("--fidelity", flags.fidelity,
                  "What carries sessions: quic (real TLS) or mem; else what the scenario says")
      ->check(CLI::IsMember({"quic", "mem"}));
}

void add_timeout_flag(CLI::App& command, int& seconds) {
  command.add_option("--seed-timeout", seconds, "Seconds for one run of a seed; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(0, 86'400));
}

// Nothing, and a line that says why, when the faults are not such.
std::optional<Narrowed> narrowed(const NarrowFlags& flags) {
  Narrowed out;
  if (flags.hosts > 0) out.hosts = flags.hosts;
  if (flags.safety_ms > 0) out.safety = ethnet::milliseconds(flags.safety_ms);
  if (!flags.fidelity.empty()) out.fidelity = parse_fidelity(flags.fidelity);
  if (flags.faults.empty()) return out;
  const auto faults = parse_faults(flags.faults);
  if (!faults) {
    const std::string rest = flags.faults.substr(faults.error().offset());
    fmt::print(stderr, "ethnet-sim: --faults: no such fault '{}'; there are {}\n",
               ethnet::printable(rest.substr(0, rest.find(','))), faults_text(kAllFaults));
    return std::nullopt;
  }
  out.faults = *faults;
  return out;
}

int shrink_one(const ScenarioSpec& spec, std::uint64_t seed, int timeout) {
  const auto shrunk = shrink_seed(spec, seed, timeout, [](const std::string& flags) {
    fmt::print(stderr, "still fails:{}\n", flags);
  });
  if (!shrunk) {
    fmt::print(stderr, "ethnet-sim: seed {} of {} passes: there is nothing to shrink\n", seed,
               spec.name);
    return 1;
  }
  fmt::print("{}\nshrunk seed={} kind=\"{}\" runs={}\n  smallest: {}\n", shrunk->text, seed,
             shrunk->kind, shrunk->runs, shrunk->spec.command(seed));
  return 0;
}

// False, and a line that says why, when they are no range.
bool set_range(const std::string& seeds, SwarmOptions& options) {
  const auto range = parse_seed_range(seeds);
  if (!range) {
    fmt::print(stderr, "ethnet-sim: --seeds wants N or A..B with A <= B, not '{}'\n",
               ethnet::printable(seeds));
    return false;
  }
  options.first = range->first;
  options.last = range->last;
  return true;
}

void add_run_command(CLI::App& app, RunFileOptions& options) {
  CLI::App* run = app.add_subcommand("run", "Run a scenario file, YAML (docs/SIM.md)");
  run->add_option("FILE", options.file, "The scenario")->required();
  run->add_option("--seed", options.seed, "Instead of the file's");
  CLI::Option* json = run->add_flag("--json", options.json, "Print JSON");
  run->add_flag("--trace", options.trace, "Print every record of the trace")->excludes(json);
  run->footer("Exit code: 0 when all that the file expects held, 2 when not, 1 for a bad file.");
}

}  // namespace

int main(int argc, char** argv) {
  ethnet::make_out_of_memory_fatal();
  grow_heaps_in_large_steps();
  CLI::App app{
      "Runs seeds of the deterministic simulator.\n"
      "Exit code 0: everything held. 1: something was violated, or the command line is wrong.",
      "ethnet-sim"};
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("ethnet-sim: {} (ethnet-sim --help)\n", error.what());
  });
  std::string scenario{kDefaultScenario};
  std::string seed;
  bool show_trace = false;
  bool must_reach = false;
  std::string seeds = "1..100";
  SwarmOptions options{.jobs = 2};
  NarrowFlags flags;

  CLI::App* one = app.add_subcommand("seed", "Run one seed; ends with one line of verdict");
  one->add_option("N", seed, "The seed")->required();
  one->add_flag("--trace", show_trace, "Print every record of the trace");
  CLI::App* shrink = app.add_subcommand(
      "shrink", "Reduce a seed that fails to fewer hosts, fewer faults and a shorter phase");
  shrink->add_option("N", seed, "The seed")->required();
  add_timeout_flag(*shrink, options.seed_timeout_seconds);
  CLI::App* swarm = app.add_subcommand("swarm", "Run many seeds in parallel and sum up");
  swarm->add_option("--seeds", seeds, "A..B, both included")->capture_default_str();
  swarm->add_option("--jobs", options.jobs, "Worker processes")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'024));
  add_timeout_flag(*swarm, options.seed_timeout_seconds);
  swarm->add_flag("--must-reach", must_reach,
                  "Fail also when no seed came to a rare branch that the scenario names");
  for (CLI::App* command : {one, shrink, swarm}) {
    command->add_option("--scenario", scenario, "Which scenario")->capture_default_str();
    add_narrow_flags(*command, flags);
  }
  CLI::App* list = app.add_subcommand("list", "Name the scenarios");
  RunFileOptions file;
  add_run_command(app, file);
  std::string shell;
  ethnet::app::add_completion_command(app, shell);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;  // --help is 0
  }

  if (list->parsed()) return list_scenarios();
  if (app.got_subcommand("completion")) return 0;  // it is printed
  if (app.got_subcommand("run")) return run_file(file);
  auto spec = find_scenario(scenario);
  const auto less = narrowed(flags);
  if (!spec || !less) return 1;
  spec->narrowed = *less;
  if (one->parsed() || shrink->parsed()) {
    const auto number = parse_seed(seed);
    if (!number) {
      fmt::print(stderr, "ethnet-sim: {} wants a number from 0 to 2^64-1, not '{}'\n",
                 one->parsed() ? "seed" : "shrink", ethnet::printable(seed));
      return 1;
    }
    if (one->parsed()) return run_one(*spec, *number, show_trace);
    return shrink_one(*spec, *number, options.seed_timeout_seconds);
  }
  if (!set_range(seeds, options)) return 1;
  return run_many(*spec, options, must_reach);
}
