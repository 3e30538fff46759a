// The scenario `first-light`: two to ten whole nodes on the development chain, with QUIC and TLS as
// in the released node. One to three of them produce, some with forks; static peers by address and
// by name, some with an expected identity, some dialling each other. Faults, then healing.
// Checked: node_checkers.hpp. Liveness: once nobody produces any more and a last
// block has decided between branches of one height, all heads are equal, and
// every pair with a static peer has exactly one session, on which both sides agree.
#pragma once

#include "../scenario.hpp"

namespace ethnet::sim {

struct FirstLightBugs {
  bool forgets_last_record = false;  // at a restart
};

[[nodiscard]] ScenarioSpec make_first_light_spec(FirstLightBugs bugs = {});

}  // namespace ethnet::sim
