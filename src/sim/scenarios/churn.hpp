// churn: 200 nodes, each in a network of its own, that know one boot node. Over ten minutes a fifth
// of them leaves for good and as many others come; for one minute the network is cut in two while
// blocks are sealed on both sides. Then nodes drawn at random look up targets drawn at random. What
// they must find, the k nearest of all nodes that live, is computed over all of them; so is the
// head that every node must have. `mem` fidelity.
#pragma once

#include "../scenario.hpp"
#include "planted_bug.hpp"

namespace ethnet::sim {

inline constexpr HostId kChurnNodes = 200;
inline constexpr Duration kChurnPhase = seconds(600);
inline constexpr std::uint64_t kLookupsRightPercent = 99;  // at least

// `short_lookups`: what a look-up found lacks its nearest node, so that the verdict must see it.
[[nodiscard]] ScenarioSpec make_churn_spec(PlantedBug bug = PlantedBug::none);

}  // namespace ethnet::sim
