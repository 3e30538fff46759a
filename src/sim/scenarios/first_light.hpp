// The scenario `first-light`: two to ten whole nodes on the development chain. One to three of them
// produce, some with forks; static peers by address and by name, some with an expected identity,
// some dialling each other, now and then one that dials itself. In some seeds the last node has so
// few slots that not all who dial it find one. Faults, then healing.
// Checked: node_checkers.hpp. Liveness: once nobody produces any more and a last block has decided
// between branches of one height, all heads are equal, and every pair with a static peer has
// exactly one session, on which both sides agree (at the crowded node: as many as it has slots
// for).
#pragma once

#include "../scenario.hpp"
#include "planted_bug.hpp"

namespace ethnet::sim {

[[nodiscard]] ScenarioSpec make_first_light_spec(PlantedBug bug = PlantedBug::none);

}  // namespace ethnet::sim
