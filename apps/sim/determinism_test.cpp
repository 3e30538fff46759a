// A seed is a name: it means the same run whatever ran before it in the process, in a process of
// its own, and in another second of the wall clock.
#include <gtest/gtest.h>
#include <sim/scenarios/crossed_dials.hpp>
#include <sim/scenarios/first_light.hpp>
#include <sim/scenarios/storm.hpp>

#include "process_testing.hpp"

namespace ethnet::sim {
namespace {

void expect_the_same_everywhere(const ScenarioSpec& spec) {
  const Verdict first = run_seed(spec, 1);
  const Verdict other = run_seed(spec, 2);
  EXPECT_NE(first.trace, other.trace);
  EXPECT_EQ(run_seed(spec, 1).text(), first.text());
  const std::string arguments = "seed 1 --scenario " + std::string{spec.name};
  const Outcome alone = run(arguments);
  EXPECT_EQ(alone.output, first.text() + "\n");
  wait_for_another_second();
  EXPECT_EQ(run(arguments).output, alone.output);
  EXPECT_EQ(run_seed(spec, 2).text(), other.text());
}

TEST(Determinism, OfFirstLight) { expect_the_same_everywhere(make_first_light_spec()); }
TEST(Determinism, OfCrossedDials) { expect_the_same_everywhere(make_crossed_dials_spec()); }
TEST(Determinism, OfStorm) { expect_the_same_everywhere(make_storm_spec()); }

}  // namespace
}  // namespace ethnet::sim
