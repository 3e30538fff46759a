// The scenario `storm`: 3 to 30 nodes (mostly few), several producers with forks, every fault,
// nodes that offer different capabilities, and up to three hostile peers (hostile/act.hpp) which go
// on after the healing. Liveness is that of the honest: every edge that one of them dials is a
// session, all have one head; then all say goodbye, and no node keeps anything of its sessions.
#pragma once

#include <optional>

#include "../hostile/act.hpp"
#include "../scenario.hpp"
#include "planted_bug.hpp"

namespace ethnet::sim {

struct StormOptions {
  PlantedBug bug = PlantedBug::none;
  std::optional<Act> act = std::nullopt;  // of every hostile peer, and there is one; else drawn
};

[[nodiscard]] ScenarioSpec make_storm_spec(StormOptions options = {});

}  // namespace ethnet::sim
