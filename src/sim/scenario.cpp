#include "scenario.hpp"

#include <algorithm>

#include <base/check.hpp>
#include <fmt/format.h>

namespace ethnet::sim {
namespace {

// How often the liveness phase asks whether it has come to its end, in virtual time.
constexpr Duration kLivenessStep = milliseconds(50);

class SeedRun {
 public:
  SeedRun(const ScenarioSpec& spec, std::uint64_t seed, const TraceWriter& writer)
      : spec_{spec},
        world_{seed},
        chaos_{world_.split("chaos"), spec.faults & spec.narrowed.faults.value_or(kAllFaults)} {
    verdict_.seed = seed;
    verdict_.command = spec.command(seed);
    verdict_.faults = chaos_.enabled();
    world_.trace().set_writer(writer);
  }

  [[nodiscard]] std::size_t build() {
    scenario_ = spec_.make();
    CHECK(scenario_ != nullptr);
    world_.trace().record(world_.now(), "faults", 0, faults_text(verdict_.faults));
    scenario_->set_fidelity(spec_.narrowed.fidelity.value_or(spec_.fidelity));
    if (spec_.narrowed.hosts) scenario_->set_most_hosts(*spec_.narrowed.hosts);
    scenario_->build(world_, chaos_);
    return world_.host_count();
  }

  [[nodiscard]] Verdict run() {
    const VirtualOsScope scope{world_};
    verdict_.hosts = build();
    checkers_ = scenario_->make_checkers();
    if (spec_.chaos) chaos_.begin(world_);
    for (HostId host = 0; host < world_.host_count(); ++host) {
      if (!scenario_->starts_later(host)) world_.start(host);
    }
    run_checked(Instant{0} + spec_.safety_phase());
    if (!verdict_.safety) run_liveness();
    scenario_->on_end(world_);
    verdict_.trace = world_.trace().hash();
    verdict_.ended = world_.now();
    verdict_.stats = world_.stats();
    verdict_.reached = scenario_->reached();
    verdict_.recovery = scenario_->recovery();
    return std::move(verdict_);
  }

 private:
  void run_checked(Instant until) {
    world_.run_until(until, [this] {
      for (const auto& checker : checkers_) {
        if (auto wrong = checker->check(world_)) {
          verdict_.safety = Violation{fmt::format("{}: {}", checker->name(), *wrong), world_.now()};
          return false;
        }
      }
      return true;
    });
  }

  void run_liveness() {
    spec_.chaos ? chaos_.heal(world_) : world_.mend();
    world_.trace().record(world_.now(), "healed", 0, {});
    scenario_->on_healed(world_);
    const Instant deadline = world_.now() + spec_.liveness;
    while (!verdict_.safety) {
      const std::optional<std::string> missing = scenario_->missing(world_);
      if (!missing) return;
      if (world_.now() >= deadline) {
        verdict_.liveness = Violation{*missing, world_.now()};
        return;
      }
      run_checked(std::min(deadline, world_.now() + kLivenessStep));
    }
  }

  const ScenarioSpec& spec_;
  Verdict verdict_;
  std::unique_ptr<Scenario> scenario_;  // before the world: its hosts may refer to it
  World world_;
  Chaos chaos_;
  std::vector<std::unique_ptr<Checker>> checkers_;
};

}  // namespace

std::string Verdict::text() const {
  std::string line = fmt::format("seed={} trace={} events={} safety={} liveness={}", seed,
                                 hash_text(trace), stats.events, safety ? "VIOLATED" : "ok",
                                 liveness ? "VIOLATED" : (safety ? "not reached" : "ok"));
  if (const auto& violation = safety ? safety : liveness) {
    line +=
        fmt::format("\n  at {}: {} (hosts: {}; faults: {})\n  reproduce: {}",
                    time_text(violation->at), violation->what, hosts, faults_text(faults), command);
  }
  return line;
}

std::string Verdict::kind() const {
  if (safety) return "safety: " + safety->what.substr(0, safety->what.find(':'));
  return liveness ? "liveness" : "";
}

std::string Narrowed::flags() const {
  std::string text;
  if (hosts) text += fmt::format(" --hosts {}", *hosts);
  if (faults) text += " --faults " + faults_text(*faults);
  if (safety) text += fmt::format(" --safety-ms {}", safety->ns / milliseconds(1).ns);
  if (fidelity) text += fmt::format(" --fidelity {}", to_string(*fidelity));
  return text;
}

std::string ScenarioSpec::command(std::uint64_t seed) const {
  return fmt::format("ethnet-sim seed {} --scenario {}{}", seed, name, narrowed.flags());
}

std::size_t count_hosts(const ScenarioSpec& spec, std::uint64_t seed) {
  return SeedRun{spec, seed, {}}.build();
}

Verdict run_seed_here(const ScenarioSpec& spec, std::uint64_t seed, const TraceWriter& writer) {
  return SeedRun{spec, seed, writer}.run();
}

}  // namespace ethnet::sim
