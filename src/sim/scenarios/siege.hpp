// eclipse and poisoned: an attacker with few hosts and 100,000 identities (hostile/roster.hpp)
// besieges one node of an honest network, which crashes and comes back with what it knew.
// docs/THREATS.md, 32 and 34.
//
//   eclipse   two hosts, there before the node, which begins with the boot node's record alone. Of
//             the places that it dials for somebody honest always holds half, once it has had time;
//             that there is one at all is a checker's, which no seed may break.
//   poisoned-dns  the same, and a list in the DNS that names the attacker's identities alone.
//   poisoned  28 hosts in as many networks come when the node has its peers, take every inbound
//             place of everybody that is free or becomes so, and fill its table. After its restart
//             it has an honest peer within ten minutes, and no source of candidates has had more
//             than half of its dials.
//
// What a seed came to is noted, so that a swarm adds it up. `mem` fidelity.
#pragma once

#include "../scenario.hpp"
#include "siege_course.hpp"

namespace ethnet::sim {

inline constexpr HostId kSiegeHonest = 24;              // beside the besieged node
inline constexpr Duration kSiegeStartUp = seconds(60);  // until it must have its peers
inline constexpr Duration kSiegeRelief = seconds(600);  // poisoned: until it must have one

[[nodiscard]] ScenarioSpec make_eclipse_spec(SiegeSize size = SiegeSize::whole);
[[nodiscard]] ScenarioSpec make_poisoned_spec(SiegeSize size = SiegeSize::whole);
[[nodiscard]] ScenarioSpec make_poisoned_dns_spec(SiegeSize size = SiegeSize::whole);

}  // namespace ethnet::sim
