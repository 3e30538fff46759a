#include "player.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "scenario_reader.hpp"
#include "testing/oracle.hpp"

namespace ethnet::lab {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

LabReport run(const std::string& yaml, const std::vector<std::string>& rules) {
  const auto scenario = read_scenario(yaml);
  if (!scenario) ADD_FAILURE() << scenario.error().message();
  auto report = play(*scenario, testing::rules_named(rules));
  EXPECT_TRUE(report.has_value());
  return std::move(*report);
}

TEST(Player, TheLedgerSaysWhoDidWhatWhen) {
  const LabReport report = run(R"(
name: ledger
steps:
  - blocks: [{name: a1, parent: genesis}, {name: a2, parent: a1}]
  - blocks: [{name: b1, parent: genesis}, {name: b2, parent: b1}, {name: b3, parent: b2}]
    from: eve
    at: 90
)",
                               {"longest-chain"});
  const Playback& playback = report.playbacks.at(0);
  ASSERT_EQ(playback.reorgs.size(), 1U);
  const LabReorg& reorg = playback.reorgs[0];
  EXPECT_EQ(reorg.step, 1U);
  EXPECT_EQ(reorg.at, 90U);
  EXPECT_EQ(reorg.fork_point, "genesis");
  EXPECT_EQ(reorg.depth(), 2U);
  EXPECT_THAT(reorg.removed, ElementsAre("a1", "a2"));
  EXPECT_THAT(reorg.added, ElementsAre("b1", "b2", "b3"));
  EXPECT_EQ(reorg.cause, "blocks from eve");
  EXPECT_THAT(playback.canonical, ElementsAre("genesis", "b1", "b2", "b3"));
}

TEST(Player, ABlockAheadOfTheClockWaitsForItsTime) {
  const LabReport report = run(R"(
name: early
steps:
  - block: {name: a1, parent: genesis, time: 100}
    at: 10
  - wait: 70
  - wait: 10
)",
                               {"longest-chain"});
  const auto& steps = report.playbacks.at(0).steps;
  EXPECT_EQ(steps[0].head, "genesis");
  EXPECT_THAT(steps[0].notices, ElementsAre("1 too early by the clock, kept"));
  EXPECT_EQ(steps[1].head, "genesis");
  EXPECT_EQ(steps[2].head, "a1");
}

TEST(Player, UnmetExpectationsNameRuleLineAndWhatWasFound) {
  const LabReport report = run(R"(
name: unmet
steps:
  - block: {name: a1, parent: genesis}
    expect:
      head: {longest-chain: genesis, heaviest: a1, score: a1}
      reorg: 1
)",
                               {"longest-chain", "heaviest"});
  EXPECT_EQ(report.met, 1U);
  EXPECT_EQ(report.not_played, 1U);
  ASSERT_EQ(report.unmet.size(), 3U);
  EXPECT_EQ(report.unmet[0].rule, "longest-chain");
  EXPECT_EQ(report.unmet[0].expected, "head genesis");
  EXPECT_EQ(report.unmet[0].found, "a1");
  EXPECT_EQ(report.unmet[0].place.line, 6U);
  EXPECT_THAT(text_report(report),
              HasSubstr("NOT MET  line 7, step 1, heaviest: expected a reorg of depth 1, found 0"));
}

TEST(Player, RulesDisagreeWhereTheirHeadsDiffer) {
  const LabReport report = run(R"(
name: differ
steps:
  - block: {name: a1, parent: genesis, difficulty: 1}
  - block: {name: b1, parent: genesis, difficulty: 2}
  - block: {name: b2, parent: b1}
)",
                               {"longest-chain", "heaviest"});
  ASSERT_EQ(report.disagreements.size(), 1U);
  EXPECT_EQ(report.disagreements[0].step, 1U);
  EXPECT_THAT(report.disagreements[0].rules_of_head.at("a1"), ElementsAre("longest-chain"));
  EXPECT_THAT(report.disagreements[0].rules_of_head.at("b1"), ElementsAre("heaviest"));
}

// The list of heads is cut, and the chosen one is always in it.
TEST(Player, ManyHeadsAreCutToTheNewestAndTheChosenOne) {
  std::string yaml = "name: many\nsteps:\n  - blocks: [{name: a1, parent: genesis}, ";
  yaml += "{name: a2, parent: a1}]\n  - blocks:\n";
  for (int i = 0; i < 40; ++i) yaml += fmt::format("      - {{name: x{}, parent: genesis}}\n", i);
  const LabReport report = run(yaml, {"longest-chain"});
  const StepResult& last = report.playbacks.at(0).steps.back();
  EXPECT_EQ(last.heads.size(), kMaxListedHeads + 1);
  EXPECT_EQ(last.heads.front().block, "a2");
  EXPECT_TRUE(last.heads.front().chosen);
  EXPECT_EQ(last.heads.back().block, "x39");
  EXPECT_EQ(last.heads_left_out, 41 - kMaxListedHeads - 1);
}

// Random trees with random votes, and every rule there is.
RC_GTEST_PROP(Player, EveryRuleIsItsNaiveTwinUnderBlocksAndVotes, ()) {
  Scenario scenario;
  std::vector<std::string> names{std::string{kGenesisName}};
  std::map<std::string, std::uint64_t> times;
  const auto steps = *rc::gen::inRange(1, 14);
  for (int i = 0; i < steps; ++i) {
    Step step;
    step.at = 10'000;
    const bool votes = names.size() > 1 && *rc::gen::inRange(0, 3) == 0;
    step.action = votes ? Action::votes : Action::blocks;
    const auto count = *rc::gen::inRange(1, 4);
    for (int n = 0; n < count; ++n) {
      const auto reach = std::min<std::size_t>(names.size(), 6);
      const std::string& one = names[names.size() - 1 - *rc::gen::inRange<std::size_t>(0, reach)];
      if (votes) {
        step.votes.push_back(
            {std::to_string(*rc::gen::inRange(0, 4)), one, *rc::gen::inRange<std::uint32_t>(0, 4)});
        continue;
      }
      BlockSpec block{.name = std::to_string(names.size()), .parent = one, .producer = ""};
      block.time = times[one] + *rc::gen::element<std::uint64_t>(1, 12, 80);
      block.producer = *rc::gen::element<std::string>("p", "q", "");
      block.difficulty = *rc::gen::inRange<std::uint64_t>(1, 4);
      times[block.name] = block.time;
      names.push_back(block.name);
      step.blocks.push_back(block);
    }
    scenario.steps.push_back(step);
  }
  if (names.size() > 1) scenario.checkpoints = {names[1]};
  testing::Oracle oracle{scenario};
  const auto rules = testing::rules_named({"ghost", "longest", "tiebreak", "heaviest", "score",
                                           "lexicographic", "checkpoint", "random:5"});
  const auto report = play(scenario, rules, oracle.observer());
  RC_ASSERT(report.has_value());
  RC_ASSERT(!::testing::Test::HasFailure());
  RC_ASSERT(oracle.checked() == rules.size() * scenario.steps.size());
}

}  // namespace
}  // namespace ethnet::lab
