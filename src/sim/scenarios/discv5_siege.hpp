// discv5-eclipse and discv5-poisoned: an attacker with few hosts and 100,000 identities
// (hostile/discv5_crowd.hpp) besieges one node of an honest network of discv5 alone, which crashes
// and comes back. docs/THREATS.md, 32 to 34; whole nodes, with the places of their peers:
// siege.hpp.
//
//   discv5-eclipse   two hosts, there before the node, which knows the boot nodes alone, in both of
//                    its lives. Of the nodes that it holds for alive half are honest, always, once
//                    it has had time; and in no table of the network the two hosts have more than
//                    twenty places.
//   discv5-poisoned  28 hosts in as many networks come when the node knows its own, and fill its
//                    table; it comes back with what it had there, as claims. Within ten minutes
//                    somebody honest is known to be alive, and from then on always somebody is.
#pragma once

#include "../scenario.hpp"
#include "siege_course.hpp"

namespace ethnet::sim {

inline constexpr HostId kDiscv5SiegeHonest = 48;              // beside the besieged node
inline constexpr Duration kDiscv5SiegeStartUp = seconds(60);  // until it must know its network
inline constexpr Duration kDiscv5SiegeRelief = seconds(600);  // poisoned: until it knows one

[[nodiscard]] ScenarioSpec make_discv5_eclipse_spec(SiegeSize size = SiegeSize::whole);
[[nodiscard]] ScenarioSpec make_discv5_poisoned_spec(SiegeSize size = SiegeSize::whole);

}  // namespace ethnet::sim
