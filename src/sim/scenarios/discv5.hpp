// discv5 and discv5-churn: 10,000 nodes of discovery alone (discovery_scenario.hpp), which know
// four boot nodes and come one after the other. When they have had time to find each other, nodes
// drawn at random look up targets drawn at random; what they must find, the k nearest of all that
// live, is computed over all of them.
//
//   discv5        nothing is lost, nobody goes. Of the look-ups kDiscv5RightPercent find exactly
//                 those.
//   discv5-churn  meanwhile kDiscv5ChurnPercent of them an hour leave for good and as many others
//                 come, and one datagram in a thousand is lost. Of the nearest
//                 kDiscv5RightPercent are found. Who came within the last kDiscv5Settled counts
//                 where it is found, and is not missed where it is not.
//
// `--hosts N` makes it smaller. Memory and CPU a node: `ethnet-sim swarm` (docs/SIM.md).
#pragma once

#include "../scenario.hpp"
#include "planted_bug.hpp"

namespace ethnet::sim {

inline constexpr HostId kDiscv5Nodes = 10'000;
inline constexpr std::uint64_t kDiscv5RightPercent = 99;  // at least
inline constexpr std::uint64_t kDiscv5ChurnPercent = 20;  // of all, in an hour
inline constexpr Duration kDiscv5Settled = seconds(60);

// `brief`: fewer minutes, as each test run affords.
enum class Discv5Size : std::uint8_t { whole, brief };
// `short_lookups`: what a look-up found lacks its nearest node, so that the verdict must see it.
[[nodiscard]] ScenarioSpec make_discv5_spec(Discv5Size size = Discv5Size::whole,
                                            PlantedBug bug = PlantedBug::none);
[[nodiscard]] ScenarioSpec make_discv5_churn_spec(Discv5Size size = Discv5Size::whole,
                                                  PlantedBug bug = PlantedBug::none);

}  // namespace ethnet::sim
