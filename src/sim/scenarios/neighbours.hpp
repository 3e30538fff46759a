// "neighbours": nodes that know one boot node. They find each other by discovery while the network
// does its worst; once it has healed every node knows every other, some became peers, all have one
// head, and a data set that one of them publishes is sampled by all.
#pragma once

#include "../scenario.hpp"
#include "planted_bug.hpp"

namespace ethnet::sim {

[[nodiscard]] ScenarioSpec make_neighbours_spec(PlantedBug bug = PlantedBug::none);

}  // namespace ethnet::sim
