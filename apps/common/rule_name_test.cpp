#include "rule_name.hpp"

#include <stdexcept>

#include <chain/fork_choice/checkpoint.hpp>
#include <gmock/gmock.h>

namespace ethnet::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string no_file(const std::string& path) { throw std::runtime_error("no file: " + path); }

std::string refusal(const std::string& text, const std::string& content = "") {
  try {
    (void)read_rule(text, [&](const std::string&) { return content; });
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(RuleName, OnlyACheckpointRuleReadsAFile) {
  EXPECT_EQ(read_rule("longest", no_file).name, "longest-chain");
  EXPECT_EQ(read_rule("random:7", no_file).parameter, "7");
  EXPECT_THROW((void)read_rule("checkpoint:x", no_file), std::runtime_error);
  const std::string line = "5 " + std::string(64, 'a') + "\n";
  std::string asked;
  const auto rule = read_rule("checkpoint:a:b", [&](const std::string& path) {
    asked = path;
    return line;
  });
  EXPECT_EQ(asked, "a:b");
  EXPECT_EQ(rule.parameter, line);
  EXPECT_TRUE(chain::make_fork_choice_rule(rule).has_value());
}

TEST(RuleName, WhatIsWrongIsOneLineThatSaysWhatThereIs) {
  EXPECT_THAT(refusal("none"), StartsWith("no fork-choice rule 'none'; there are longest-chain"));
  EXPECT_THAT(refusal("none"), HasSubstr("checkpoint:FILE, random:SEED"));
  EXPECT_EQ(refusal("random"),
            "fork-choice rule 'random': this rule needs a parameter, as in random:7 or "
            "checkpoint:FILE");
  EXPECT_EQ(refusal("score:1"), "fork-choice rule 'score:1': this rule takes no parameter");
  EXPECT_EQ(refusal("checkpoint:points.txt", "# mine\n\n5 0x12\n"),
            "points.txt:3: a line that is not 'NUMBER HASH'");
}

}  // namespace
}  // namespace ethnet::app
