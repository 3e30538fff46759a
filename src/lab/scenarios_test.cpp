// The scenarios of scenarios/lab: their expectations, the naive rules after every step, and what is
// printed, letter by letter.
#include <filesystem>

#include <gmock/gmock.h>

#include "scenario_reader.hpp"
#include "svg.hpp"
#include "testing/oracle.hpp"
#include "testing/scenario_files.hpp"

namespace ethnet::lab {
namespace {

using testing::scenario_names;
using testing::text_of;

const std::filesystem::path kFolder = std::filesystem::path{ETHNET_SOURCE_DIR} / "scenarios/lab";

Scenario scenario_named(const std::string& name) {
  auto scenario = read_scenario(text_of(kFolder / (name + ".yaml")));
  if (!scenario) ADD_FAILURE() << name << ":" << scenario.error().message();
  return scenario ? std::move(*scenario) : Scenario{};
}

class LabScenarios : public ::testing::TestWithParam<std::string> {};

TEST_P(LabScenarios, MeetItsExpectationsAndTheNaiveRulesAfterEveryStep) {
  const Scenario scenario = scenario_named(GetParam());
  EXPECT_EQ(scenario.name, GetParam());
  testing::Oracle oracle{scenario};
  const auto report = play(scenario, testing::rules_named(scenario.rules), oracle.observer());
  ASSERT_TRUE(report.has_value());
  for (const Unmet& one : report->unmet) {
    ADD_FAILURE() << one.rule << " at line " << one.place.line << ": expected " << one.expected
                  << ", found " << one.found;
  }
  EXPECT_GT(report->met, scenario.rules.size());
  EXPECT_EQ(report->not_played, 0U);
  EXPECT_EQ(oracle.checked(), scenario.rules.size() * scenario.steps.size());
}

TEST_P(LabScenarios, ArePrintedAsTheyWere) {
  const Scenario scenario = scenario_named(GetParam());
  const auto report = play(scenario, testing::rules_named(scenario.rules));
  ASSERT_TRUE(report.has_value());
  const auto expected = [&](const std::string& ending, const std::string& text) {
    const auto path = kFolder / "expected" / (GetParam() + ending);
    EXPECT_EQ(text_of(path), text) << "ethnet lab run writes " << path;
  };
  expected(".txt", text_report(*report));
  expected(".json", json_report(*report));
  expected(".csv", csv_report(*report));
  expected(".dot", dot_report(*report));
  const auto picture = svg_report(*report);
  ASSERT_TRUE(picture.has_value());
  expected(".svg", *picture);
}

INSTANTIATE_TEST_SUITE_P(Scenario, LabScenarios, ::testing::ValuesIn(scenario_names(kFolder)),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(LabScenarioFiles, AreThere) {
  EXPECT_THAT(scenario_names(kFolder),
              ::testing::IsSupersetOf(
                  {"balancing-votes", "deep-fork", "two-rules-disagree", "withheld-branch"}));
}

// Attack 58, and what each rule makes of it.
TEST(ForkChoiceAttacks, atk_58_BalancingVotesFlipGhostAndNotTheLongestChain) {
  const Scenario scenario = scenario_named("balancing-votes");
  testing::Oracle oracle{scenario};
  const auto report =
      play(scenario, testing::rules_named({"ghost", "longest-chain"}), oracle.observer());
  ASSERT_TRUE(report.has_value());
  EXPECT_GE(report->playbacks[0].reorgs.size(), 3U);
  EXPECT_EQ(report->playbacks[1].reorgs.size(), 1U);
  EXPECT_EQ(oracle.checked(), 2 * scenario.steps.size());
}

TEST(ForkChoiceAttacks, atk_58_ABranchWithheldAndShownTipFirstNeverPassesACheckpoint) {
  const Scenario scenario = scenario_named("withheld-branch");
  testing::Oracle oracle{scenario};
  const auto report =
      play(scenario, testing::rules_named({"checkpoint", "longest-chain"}), oracle.observer());
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->playbacks[0].reorgs.empty());
  ASSERT_EQ(report->playbacks[1].reorgs.size(), 1U);
  EXPECT_EQ(report->playbacks[1].reorgs[0].cause, "release from mallory");
}

}  // namespace
}  // namespace ethnet::lab
