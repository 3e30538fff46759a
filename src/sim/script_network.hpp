// ScriptNetwork: the nodes of a Script, what happens to them, and what they told. It schedules the
// script's events and expectations in a world and fills the report as they come.
// One thread, the world's.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "scenarios/node_scenario.hpp"
#include "script.hpp"
#include "script_run.hpp"

namespace ethnet::sim {

class ScriptNetwork final : public NodeScenario {
 public:
  ScriptNetwork(const Script& script, ScriptReport& report);

  void build(World& world, Chaos& chaos) override;
  // Links, starts, events and expectations, all by time. After build().
  void schedule(World& world);
  [[nodiscard]] std::optional<std::string> missing(const World&) override { return std::nullopt; }
  // The nodes as they are now.
  [[nodiscard]] std::vector<ScriptNodeReport> describe_nodes(const World& world) const;

 private:
  // What a node told, over all its lives.
  struct Told {
    std::uint64_t reorgs = 0;
    std::uint64_t deepest = 0;
    std::set<Hash32> fork_points;
    std::uint64_t sampled = 0;
    std::uint64_t missed = 0;
  };

  void on_told(HostId host, const node::NodeEvent& event) override;
  void say(std::string what);
  [[nodiscard]] std::unique_ptr<Host> make_hostile(const World& world, const HostEnv& env) const;

  void happen(World& world, const ScriptEvent& event);
  void happen_to(World& world, const ScriptEvent& event, HostId host);
  void restart(World& world, const ScriptEvent& event, HostId host);
  // Its rule is from now on that of the checkpoint; as it was, and not met, where there is no
  // block.
  void set_checkpoint(const World& world, const ScriptEvent& event, HostId host);
  void publish(World& world, const ScriptEvent& event, HostId host);
  void inject_fork(World& world, const ScriptEvent& event, HostId host);
  // Why it could not be done; nothing when it was.
  [[nodiscard]] std::optional<std::string> seal_fork(SimNode& machine, Now now,
                                                     const ScriptEvent& event, HostId host);

  void judge(const World& world, const ScriptCheck& check);
  void judge_heads(const World& world, const ScriptCheck& check, ScriptOutcome& outcome) const;
  void judge_numbers(const World& world, const ScriptCheck& check, ScriptOutcome& outcome) const;
  [[nodiscard]] std::uint64_t number(const World& world, ScriptCheck::What what, HostId host) const;
  [[nodiscard]] const std::string& name(HostId host) const { return script_.nodes[host].name; }

  const Script& script_;
  ScriptReport& report_;
  World* world_ = nullptr;
  std::vector<std::shared_ptr<const crypto::SecretKey>> hostile_keys_;  // by host, honest() first
  std::vector<Told> told_;
  std::uint64_t forks_injected_ = 0;
  std::uint64_t data_published_ = 0;
};

}  // namespace ethnet::sim
