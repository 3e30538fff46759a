// A scenario: hosts, checkers and what the world must come to. run_seed() runs one seed of it, on a
// fresh thread: a safety phase under the faults that the seed draws, healing, and a liveness phase
// with a deadline. The verdict is a line:
//   seed=7 trace=0123456789abcdef events=4711 safety=ok liveness=ok
// or it says what was violated, when, and the command that reproduces it. The same seed gives the
// same trace on every compiler, whatever ran before it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <base/instant.hpp>

#include "chaos.hpp"
#include "fidelity.hpp"
#include "reached.hpp"
#include "trace.hpp"
#include "world.hpp"

namespace ethnet::sim {

// Asserts one property; runs after every event. World::touched() is the host that had it.
class Checker {
 public:
  Checker() = default;
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;
  virtual ~Checker() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  // What is wrong, if anything.
  [[nodiscard]] virtual std::optional<std::string> check(const World& world) = 0;
};

class Scenario {
 public:
  Scenario() = default;
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;
  virtual ~Scenario() = default;

  // Adds hosts, with options from chaos.draw_host(). They are started afterwards, in order.
  virtual void build(World& world, Chaos& chaos) = 0;
  // The scenario starts this host itself.
  [[nodiscard]] virtual bool starts_later(HostId host) const {
    (void)host;
    return false;
  }
  [[nodiscard]] virtual std::vector<std::unique_ptr<Checker>> make_checkers() = 0;
  // Called once, right after healing: stop what would keep the world from coming to rest.
  virtual void on_healed(World& world) { (void)world; }
  // Liveness: what is still missing; nothing when the world has come to where it must.
  [[nodiscard]] virtual std::optional<std::string> missing(const World& world) = 0;
  // Called once, before the verdict: note what can only be read at the end.
  virtual void on_end(const World& world) { (void)world; }
  // From healing until all was well again, where the scenario measures that.
  [[nodiscard]] virtual std::optional<Duration> recovery() const { return std::nullopt; }
  [[nodiscard]] const Reached& reached() const { return reached_; }

  // Before build(): at most so many hosts of what it draws. For `ethnet-sim shrink`.
  void set_most_hosts(HostId most) { most_hosts_ = most; }
  // Before build(), too.
  void set_fidelity(Fidelity fidelity) { fidelity_ = fidelity; }

 protected:
  [[nodiscard]] HostId at_most(std::uint64_t drawn) const {
    return static_cast<HostId>(std::min<std::uint64_t>(drawn, most_hosts_));
  }
  [[nodiscard]] Fidelity fidelity() const { return fidelity_; }
  Reached reached_;

 private:
  HostId most_hosts_ = kMaxHosts;
  Fidelity fidelity_ = Fidelity::quic;
};

// What a seed is held to beyond what it draws: a smaller world that fails as the whole one did.
struct Narrowed {
  std::optional<HostId> hosts;                      // at most, of each kind that the scenario draws
  std::optional<std::uint32_t> faults;              // these at most
  std::optional<Duration> safety;                   // the phase under faults
  std::optional<Fidelity> fidelity = std::nullopt;  // another than the scenario's own
  // " --hosts 2 --faults crash,loss --safety-ms 500": as ethnet-sim takes it.
  [[nodiscard]] std::string flags() const;
};

struct ScenarioSpec {
  std::string_view name;
  std::string_view description;
  std::uint32_t faults = kAllFaults;
  Fidelity fidelity = Fidelity::quic;
  // False: links and hosts are as build() makes them, and healing mends what is cut, no more.
  bool chaos = true;
  Duration safety = seconds(20);
  Duration liveness = seconds(60);  // the deadline, from healing
  // What a swarm of some hundred seeds must have reached, or it tests less than it seems to.
  std::vector<std::string_view> sometimes;
  std::function<std::unique_ptr<Scenario>()> make;
  Narrowed narrowed = {};

  [[nodiscard]] Duration safety_phase() const { return narrowed.safety.value_or(safety); }
  // What repeats a seed.
  [[nodiscard]] std::string command(std::uint64_t seed) const;
};

struct Violation {
  std::string what;
  Instant at;
};

struct Verdict {
  std::uint64_t seed = 0;
  std::string command;  // repeats it
  std::uint32_t faults = 0;
  std::size_t hosts = 0;
  std::uint64_t trace = 0;
  Instant ended;
  WorldStats stats;
  std::optional<Violation> safety;
  std::optional<Violation> liveness;
  Reached reached;
  std::optional<Duration> recovery;

  [[nodiscard]] bool ok() const { return !safety && !liveness; }
  // What was violated, without what differs from seed to seed: "safety: " and the checker's name,
  // or "liveness"; empty when nothing was.
  [[nodiscard]] std::string kind() const;
  // The line above; two lines when something was violated.
  [[nodiscard]] std::string text() const;
};

// Runs on a thread of its own and waits for it.
[[nodiscard]] Verdict run_seed(const ScenarioSpec& spec, std::uint64_t seed,
                               const TraceWriter& writer = {});
// How many hosts the seed draws; nothing runs.
[[nodiscard]] std::size_t count_hosts(const ScenarioSpec& spec, std::uint64_t seed);
// On this thread, which must have run nothing that keeps a generator a thread (GnuTLS).
[[nodiscard]] Verdict run_seed_here(const ScenarioSpec& spec, std::uint64_t seed,
                                    const TraceWriter& writer = {});

}  // namespace ethnet::sim
