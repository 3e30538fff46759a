// The scenario `crossed-dials`: two to four whole nodes that know each other by HOST:PORT only.
// Most pairs dial from both sides at once, some twice (by a second address, by name), some a node
// itself; the nodes start at different moments and restart now and then, also just before the
// healing. Delays are random, datagrams are lost, doubled, reordered and cut off; addresses stay.
// Checked: node_checkers.hpp, so never two sessions at any moment. Liveness: within kCrossedBound
// of virtual time from healing every pair has exactly one session, and keeps it.
#pragma once

#include "../scenario.hpp"
#include "planted_bug.hpp"

namespace ethnet::sim {

// The longest backoff that has built up in the safety phase (16 s and a quarter), a handshake that
// runs into its deadline (5 s), and what is left of a session that nobody answers.
inline constexpr Duration kCrossedBound = seconds(45);

[[nodiscard]] ScenarioSpec make_crossed_dials_spec(PlantedBug bug = PlantedBug::none);

}  // namespace ethnet::sim
