#include "run.hpp"

#include <map>
#include <stdexcept>

#include <gmock/gmock.h>

#include "testing/stays.hpp"

namespace ethnet::lab {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kOvertaken = R"(name: overtaken
rules: [stays, longest-chain]
steps:
- block: {name: a1, parent: genesis}
- block: {name: b1, parent: genesis}
- block: {name: b2, parent: b1}
  expect: {head: {stays: a1, longest-chain: b2}, reorg: {stays: 0}}
)";

chain::RuleBook with_stays() {
  chain::RuleBook rules = lab_rules();
  EXPECT_TRUE(rules.add<testing::Stays>().has_value());
  return rules;
}

ReadFile files(std::map<std::string, std::string> texts) {
  return [known = std::move(texts)](const std::string& path) { return known.at(path); };
}

std::string refusal(const RunOptions& options, const ReadFile& read_file) {
  const auto ran = run(options, read_file);
  return ran ? "none" : ran.error();
}

TEST(LabRun, ARuleThatTheCallerAddedIsPlayedNamedInTheFileAndExpectedOf) {
  const auto read = files({{"o.yaml", std::string{kOvertaken}}});
  const auto ran = run({.scenario = "o.yaml", .rules = {}, .picture = true}, read, with_stays());
  ASSERT_TRUE(ran.has_value()) << ran.error();
  EXPECT_TRUE(ran->met);
  EXPECT_THAT(ran->report, HasSubstr("\nstays\n"));
  EXPECT_THAT(ran->report, HasSubstr("3 met, 0 not met"));
  EXPECT_THAT(ran->picture, StartsWith("<svg"));
}

TEST(LabRun, WithoutItTheNameIsUnknownInTheFileAndOnTheCommandLine) {
  const auto read = files({{"o.yaml", std::string{kOvertaken}},
                           {"p.yaml", "name: p\nsteps:\n- block: {name: a, parent: genesis}\n"}});
  EXPECT_THAT(refusal({.scenario = "o.yaml", .rules = {}}, read),
              StartsWith("o.yaml:2:9: expected a rule (longest-chain (longest), "));
  EXPECT_THAT(refusal({.scenario = "p.yaml", .rules = {"stays"}}, read),
              StartsWith("no fork-choice rule 'stays'; there are longest-chain"));
  EXPECT_EQ(refusal({.scenario = "p.yaml", .rules = {}}, read),
            "no rule: name one by --rule, or in the scenario");
  EXPECT_EQ(refusal({.scenario = "p.yaml", .rules = std::vector<std::string>(17, "ghost")}, read),
            "more than 16 rules");
  EXPECT_EQ(refusal({.scenario = "p.yaml", .rules = {"random:x"}}, read),
            "fork-choice rule 'random:x': a seed is a number below 2^64");
}

TEST(LabRun, AnExpectationThatIsNotMetIsNotAnErrorAndIsSaid) {
  const auto read = files({{"o.yaml",
                            "name: o\nsteps:\n- block: {name: a, parent: genesis}\n"
                            "  expect: {head: genesis}\n"}});
  const auto ran = run({.scenario = "o.yaml", .rules = {"longest"}}, read);
  ASSERT_TRUE(ran.has_value()) << ran.error();
  EXPECT_FALSE(ran->met);
  EXPECT_TRUE(ran->picture.empty());
}

TEST(LabRun, TheFileOfACheckpointRuleIsReadAndItsFaultHasALine) {
  const std::string scenario = "name: o\nsteps:\n- block: {name: a, parent: genesis}\n";
  const auto read = files({{"o.yaml", scenario}, {"bad", "# points\n1 x\n"}, {"good", "\n"}});
  EXPECT_EQ(refusal({.scenario = "o.yaml", .rules = {"checkpoint:good"}}, read), "none");
  EXPECT_THAT(refusal({.scenario = "o.yaml", .rules = {"checkpoint:bad"}}, read),
              StartsWith("bad:2: "));
  EXPECT_THROW((void)run({.scenario = "no", .rules = {}}, read), std::out_of_range);
}

}  // namespace
}  // namespace ethnet::lab
