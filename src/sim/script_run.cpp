#include "script_run.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "script_network.hpp"

namespace ethnet::sim {

bool ScriptReport::ok() const {
  return !violation && std::ranges::all_of(outcomes, &ScriptOutcome::met);
}

ScriptReport run_script_here(const Script& script, std::uint64_t seed, const TraceWriter& writer) {
  ScriptReport report;
  report.name = script.name;
  report.about = script.about;
  report.seed = seed;
  ScriptNetwork network{script, report};  // before the world: its hosts refer to it
  World world{seed};
  world.trace().set_writer(writer);
  const VirtualOsScope scope{world};
  Chaos none{world.split("chaos"), 0};  // draws hosts; no fault but the script's
  network.build(world, none);
  const auto checkers = network.make_checkers();
  network.schedule(world);
  world.run_until(Instant{0} + script.duration, [&] {
    for (const auto& checker : checkers) {
      const auto wrong = checker->check(world);
      if (!wrong) continue;
      report.violation = Violation{fmt::format("{}: {}", checker->name(), *wrong), world.now()};
      return false;
    }
    return true;
  });
  for (const auto& checker : checkers) report.checkers.emplace_back(checker->name());
  report.nodes = network.describe_nodes(world);
  network.on_end(world);
  report.trace = world.trace().hash();
  report.events = world.stats().events;
  report.ended = world.now();
  return report;
}

}  // namespace ethnet::sim
