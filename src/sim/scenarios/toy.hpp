// The scenario `toy`: echo peers and counter replicas in one world, under every fault. It tests the
// simulator itself; with a bug switched on, the simulator must find it.
// Checked: an answer is counted once and is right; what was acknowledged survives; no replica knows
// more of another than that one may tell. Liveness: all questions are answered, all counters equal.
#pragma once

#include "../scenario.hpp"
#include "../toy/counter.hpp"
#include "../toy/echo.hpp"

namespace ethnet::sim {

struct ToyBugs {
  toy::EchoBug echo = toy::EchoBug::none;
  toy::CounterBug counter = toy::CounterBug::none;
};

[[nodiscard]] ScenarioSpec make_toy_spec(ToyBugs bugs = {});

}  // namespace ethnet::sim
