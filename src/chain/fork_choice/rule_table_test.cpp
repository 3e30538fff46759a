#include "rule_table.hpp"

#include <gmock/gmock.h>

#include "checkpoint.hpp"

namespace ethnet::chain {
namespace {

using ::testing::HasSubstr;

TEST(RuleTable, EveryListedRuleIsMadeByItsLongAndItsShortName) {
  const auto names = fork_choice_rule_names();
  EXPECT_EQ(names.size(), 7U);
  for (std::string name : names) {
    const std::size_t cut = name.find_first_of(" :");
    const std::string rule = name.substr(0, cut);
    const bool seeded = parameter_of(rule) == RuleParameter::seed;
    const auto made = make_fork_choice_rule({rule, seeded ? "9" : ""});
    ASSERT_TRUE(made.has_value()) << name;
    EXPECT_EQ((*made)->name(), rule);
    const std::size_t open = name.find('(');
    if (open == std::string::npos) continue;
    const std::string nick = name.substr(open + 1, name.find(')') - open - 1);
    EXPECT_EQ(parse_rule_choice(nick)->name, rule);
  }
}

TEST(RuleTable, ANameWithAParameterIsTakenApart) {
  EXPECT_EQ(parse_rule_choice("longest"), (RuleChoice{"longest-chain", ""}));
  EXPECT_EQ(parse_rule_choice("random:18446744073709551615"),
            (RuleChoice{"random", "18446744073709551615"}));
  EXPECT_EQ(parse_rule_choice("checkpoint:a:b.txt"), (RuleChoice{"checkpoint", "a:b.txt"}));
}

TEST(RuleTable, ANameThatIsNoneOrHasTheWrongParameterIsATypedError) {
  const auto error = [](std::string_view text) { return parse_rule_choice(text).error(); };
  for (const char* unknown : {"", "none", "Longest", ":7", "longest-chai"}) {
    EXPECT_TRUE(error(unknown).is(RuleError::unknown_rule)) << unknown;
  }
  EXPECT_TRUE(error("random").is(RuleError::missing_parameter));
  EXPECT_TRUE(error("random:").is(RuleError::missing_parameter));
  EXPECT_TRUE(error("checkpoint").is(RuleError::missing_parameter));
  EXPECT_TRUE(error("score:1").is(RuleError::unexpected_parameter));
  EXPECT_TRUE(error("longest:").is(RuleError::unexpected_parameter));
  for (const char* seed : {"random:x", "random:-1", "random:1 ", "random:18446744073709551616"}) {
    EXPECT_TRUE(error(seed).is(RuleError::bad_seed)) << seed;
  }
  EXPECT_THAT(std::string{error("random").what()}, HasSubstr("random:7"));
}

TEST(RuleTable, WhatCannotBeMadeIsATypedError) {
  EXPECT_TRUE(make_fork_choice_rule({"none", ""}).error().is(RuleError::unknown_rule));
  EXPECT_TRUE(make_fork_choice_rule({"random", ""}).error().is(RuleError::bad_seed));
  EXPECT_TRUE(make_fork_choice_rule({"score", "1"}).error().is(RuleError::unexpected_parameter));
  EXPECT_TRUE(make_fork_choice_rule({"checkpoint", "1 2"}).error().is(CheckpointError::bad_line));
}

}  // namespace
}  // namespace ethnet::chain
