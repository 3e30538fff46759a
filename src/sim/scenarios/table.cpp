#include "table.hpp"

#include <utility>

#include "churn.hpp"
#include "crossed_dials.hpp"
#include "discv5.hpp"
#include "discv5_siege.hpp"
#include "first_light.hpp"
#include "neighbours.hpp"
#include "siege.hpp"
#include "storm.hpp"
#include "town.hpp"
#include "toy.hpp"

namespace ethnet::sim {

std::vector<ScenarioSpec> make_scenario_table() {
  std::vector<ScenarioSpec> table;
  table.push_back(make_first_light_spec());
  table.push_back(make_crossed_dials_spec());
  table.push_back(make_storm_spec());
  table.push_back(make_neighbours_spec());
  table.push_back(make_churn_spec());
  table.push_back(make_eclipse_spec());
  table.push_back(make_poisoned_spec());
  table.push_back(make_poisoned_dns_spec());
  table.push_back(make_discv5_spec());
  table.push_back(make_discv5_churn_spec());
  table.push_back(make_discv5_eclipse_spec());
  table.push_back(make_discv5_poisoned_spec());
  table.push_back(make_town_spec());
  table.push_back(make_city_spec());
  table.push_back(make_toy_spec());
  ScenarioSpec broken = make_toy_spec({.counter = toy::CounterBug::tells_too_early});
  broken.name = "toy-broken";
  broken.description = "toy with a planted bug: what a violation looks like";
  table.push_back(std::move(broken));
  return table;
}

}  // namespace ethnet::sim
