// town and city: what performance of the simulator is measured with (docs/PERFORMANCE.md). Nodes
// that each have kTownPeers peers; every kTownBlockEvery one of them seals a block. One node of
// kTownBusyOf is busy: it seals, looks nodes up and publishes data, which all its peers sample.
// Every node has das besides mini-sync, and the busy ones discovery; nothing goes wrong. town: 100
// nodes. city: 1,000, all with discovery: the whole stack. `mem` fidelity, or `quic` where asked.
#pragma once

#include "../scenario.hpp"

namespace ethnet::sim {

inline constexpr HostId kTownNodes = 100;
inline constexpr HostId kCityNodes = 1'000;
inline constexpr HostId kTownPeers = 25;
inline constexpr HostId kTownBusyOf = 10;
inline constexpr Duration kTownBlockEvery = seconds(12);

[[nodiscard]] ScenarioSpec make_town_spec();
[[nodiscard]] ScenarioSpec make_city_spec();

}  // namespace ethnet::sim
