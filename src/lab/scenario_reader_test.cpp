#include "scenario_reader.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "yaml_values.hpp"

namespace ethnet::lab {
namespace {

using ::testing::HasSubstr;

struct Fault {
  std::string yaml;
  ScenarioError error;
  std::size_t line;
  std::size_t column;
  std::string text;  // a part of what is said
};

void expect_fault(const Fault& fault) {
  const auto read = read_scenario(fault.yaml);
  ASSERT_FALSE(read.has_value()) << fault.yaml;
  EXPECT_EQ(read.error().error, fault.error) << fault.yaml << read.error().message();
  EXPECT_EQ(read.error().place, (Place{fault.line, fault.column}))
      << fault.yaml << read.error().message();
  EXPECT_THAT(read.error().text, HasSubstr(fault.text));
}

// The steps of a scenario of which the first block is a1; the text begins on line 4.
std::string with_steps(const std::string& steps) {
  return "name: x\nsteps:\n  - block: {name: a1, parent: genesis}\n" + steps;
}

TEST(ScenarioReader, ReadsEveryKey) {
  const auto read = read_scenario(R"(# a comment
name: all-keys
about: >
  two
  lines
rules: [longest, "random:7", ghost, checkpoint]
slot_seconds: 10
checkpoints: [a1]
steps:
  - block: {name: a1, parent: genesis, producer: alice, slot: 3, difficulty: 18446744073709551615}
    note: |
      first
    from: alice
    at: 31
    expect: {head: a1, reorg: 0}
  - blocks:
      - name: b1
        parent: genesis
        time: 25
        withheld: true
  - release: [b1]
    expect: {head: {ghost: a1, longest: b1}, reorg: {checkpoint: 2}}
  - votes: [{by: v1, for: b1, weight: 4294967295}, {by: v2, for: genesis}]
  - wait: 12
)");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->about, "two lines");
  EXPECT_EQ(read->rules,
            (std::vector<std::string>{"longest-chain", "random:7", "ghost", "checkpoint"}));
  EXPECT_EQ(read->checkpoints, std::vector<std::string>{"a1"});
  ASSERT_EQ(read->steps.size(), 5U);
  const Step& first = read->steps[0];
  EXPECT_EQ(first.blocks[0].time, 30U);
  EXPECT_EQ(first.blocks[0].difficulty, UINT64_MAX);
  EXPECT_EQ(first.blocks[0].producer, "alice");
  EXPECT_EQ(first.note, "first");
  EXPECT_EQ(first.at, 31U);
  EXPECT_EQ(first.expectations.size(), 2U);
  EXPECT_TRUE(read->steps[1].blocks[0].withheld);
  EXPECT_EQ(read->steps[1].at, 31U) << "nothing is heard of what is withheld";
  EXPECT_EQ(read->steps[2].expectations[1].rule, "longest-chain");
  EXPECT_EQ(read->steps[2].expectations[2].depth, 2U);
  EXPECT_EQ(read->steps[3].votes[0].weight, UINT32_MAX);
  EXPECT_EQ(read->steps[3].votes[1].weight, 1U);
  EXPECT_EQ(read->steps[4].at, 43U);
}

TEST(ScenarioReader, WhatIsNotPlainYamlIsAFaultAtItsPlace) {
  using enum ScenarioError;
  for (const Fault& fault : std::vector<Fault>{
           {"", not_yaml, 1, 1, "empty"},
           {"name: [x", not_yaml, 1, 1, "not YAML"},
           {"name: x\nsteps: }", not_yaml, 2, 8, "not YAML"},
           {"name: x\n\tsteps: y", not_yaml, 2, 1, "not YAML"},
           {"name: &n x", not_plain, 1, 7, "anchor"},
           {"name: *n", not_yaml, 1, 7, "not YAML"},
           {"name: !!str x", not_plain, 1, 7, "tag"},
           {"name: x\n---\nname: y", not_plain, 3, 1, "second document"},
           {"name: x\nname: y", duplicate_key, 2, 1, "'name' stands twice"},
           {"[a]: x", wrong_kind, 1, 1, "word as key"},
           {"~: x", wrong_kind, 1, 1, "word as key"},
           {"[[[[[[[[[x]]]]]]]]]", too_large, 1, 9, "8 lists and maps"},
       }) {
    expect_fault(fault);
  }
}

TEST(ScenarioReader, WhatIsNoScenarioIsAFaultThatSaysWhatWasExpected) {
  using enum ScenarioError;
  for (const Fault& fault : std::vector<Fault>{
           {"x", wrong_kind, 1, 1, "found 'x'"},
           {"- x", wrong_kind, 1, 1, "found a list"},
           {"steps: []", missing_key, 1, 1, "'name'"},
           {"name: x", missing_key, 1, 1, "'steps'"},
           {"name: x\nsteps: []", missing_key, 2, 8, "at least one step"},
           {"name: x\nsteps: 7", wrong_kind, 2, 8, "a list of steps"},
           {"name: x\nstep: []", unknown_key, 2, 1, "name, about, rules"},
           {"name: ../x\nsteps: []", bad_name, 1, 7, "letters, digits"},
           {"name: x\nrules: [longest, longest-chain]\nsteps: []", duplicate_name, 2, 18, "twice"},
           {"name: x\nrules: [none]\nsteps: []", unknown_rule, 2, 9, "longest-chain (longest)"},
           {"name: x\nrules: [random]\nsteps: []", unknown_rule, 2, 9, "random:7"},
           {"name: x\nrules: ['checkpoint:/etc/passwd']\nsteps: []", unknown_rule, 2, 9,
            "names no file"},
           {"name: x\nslot_seconds: 0\nsteps: []", bad_number, 2, 15, "from 1 to 3600"},
       }) {
    expect_fault(fault);
  }
}

// The place is where the ^ stands, which is not part of the text.
TEST(ScenarioReader, AStepThatIsWrongIsAFaultAtItsPlace) {
  using enum ScenarioError;
  for (const auto& [marked, error, text] :
       std::vector<std::tuple<std::string, ScenarioError, std::string>>{
           {"  - ^{}", missing_key, "one of block, blocks"},
           {"  - {block: {name: a2, parent: a1}, ^wait: 3}", unknown_key, "one thing"},
           {"  - {^hight: 3}", unknown_key, "'hight'"},
           {"  - block: {name: ^a1, parent: genesis}", duplicate_name, "already"},
           {"  - block: {name: ^genesis, parent: a1}", duplicate_name, "already"},
           {"  - block: {name: a2, parent: ^a3}", unknown_block, "'a3'"},
           {"  - block: ^{name: a2}", missing_key, "'parent'"},
           {"  - block: ^{parent: a1}", missing_key, "'name'"},
           {"  - block: {name: ^-a, parent: a1}", bad_name, "'-a'"},
           {"  - block: {name: ^\"a\\e[31m\", parent: a1}", bad_name, "letters"},
           {"  - block: {name: a2, parent: a1, time: ^12}", out_of_order, "12 s"},
           {"  - block: {name: a2, parent: a1, slot: ^1}", out_of_order, "12 s"},
           {"  - block: {name: a2, parent: a1, slot: ^2, time: 24}", unknown_key, "'slot'"},
           {"  - block: {name: a2, parent: a1, time: ^1000000001}", bad_number, "1000000000"},
           {"  - block: {name: a2, parent: a1, difficulty: ^0}", bad_number, "from 1"},
           {"  - block: {name: a2, parent: a1, difficulty: ^-1}", bad_number, "'-1'"},
           {"  - block: {name: a2, parent: a1, withheld: ^yes}", wrong_kind, "'yes'"},
           {"  - release: [^a1]", out_of_order, "not withheld"},
           {"  - release: ^a1", wrong_kind, "a list"},
           {"  - votes: [{by: v, for: ^b9}]", unknown_block, "'b9'"},
           {"  - votes: [{by: v, for: a1, weight: ^4294967296}]", bad_number, "4294967295"},
           {"  - votes: [^{for: a1}]", missing_key, "'by'"},
           {"  - {wait: 3, at: ^20}", unknown_key, "no 'at'"},
           {"  - ^{wait: 1000000000}", bad_number, "later than"},
           {"  - {votes: [], at: ^11}", out_of_order, "at 12 s"},
           {"  - {votes: [], from: ^'a b'}", bad_name, "who gave it"},
           {"  - {votes: [], note: ^[x]}", wrong_kind, "a text"},
           {"  - {votes: [], expect: ^a1}", wrong_kind, "what is expected"},
           {"  - {votes: [], expect: {^heads: a1}}", unknown_key, "head, reorg"},
           {"  - {votes: [], expect: {head: ^a7}}", unknown_block, "'a7'"},
           {"  - {votes: [], expect: {head: {^longst: a1}}}", unknown_rule, "'longst'"},
           {"  - {votes: [], expect: {reorg: ^deep}}", bad_number, "'deep'"},
       }) {
    const std::size_t column = marked.find('^') + 1;
    std::string steps = marked;
    std::erase(steps, '^');
    const std::string yaml = with_steps(steps);
    const auto read = read_scenario(yaml);
    ASSERT_FALSE(read.has_value()) << yaml;
    EXPECT_EQ(read.error().error, error) << yaml << "\n" << read.error().message();
    EXPECT_EQ(read.error().place, (Place{4, column})) << yaml << "\n" << read.error().message();
    EXPECT_THAT(read.error().text, HasSubstr(text)) << yaml;
  }
}

TEST(ScenarioReader, CheckpointsAreBlocksOfDifferentHeights) {
  const std::string steps = "steps:\n  - blocks: [{name: a1, parent: genesis}, ";
  const std::string more = "{name: b1, parent: genesis}]\n";
  expect_fault({"name: x\ncheckpoints: [a1, b1]\n" + steps + more, ScenarioError::duplicate_name, 2,
                19, "height 1"});
  expect_fault(
      {"name: x\ncheckpoints: [c1]\n" + steps + more, ScenarioError::unknown_block, 2, 15, "'c1'"});
}

TEST(ScenarioReader, EverythingHasALimit) {
  using enum ScenarioError;
  const auto error_of = [](const std::string& yaml) {
    const auto read = read_scenario(yaml);
    return read ? ScenarioError{} : read.error().error;
  };
  EXPECT_EQ(error_of(std::string(kMaxScenarioBytes + 1, '#')), too_large);
  std::string values = "name: x\nsteps: [";
  for (std::size_t i = 0; i < kMaxYamlNodes; ++i) values += "a,";
  EXPECT_EQ(error_of(values + "]"), too_large);
  std::string keys;
  for (std::size_t i = 0; i <= kMaxYamlKeys; ++i) keys += fmt::format("k{}: v\n", i);
  EXPECT_EQ(error_of(keys), too_large);
  std::string steps = "name: x\nsteps:\n";
  for (std::size_t i = 0; i < kMaxLabSteps; ++i) steps += "- {wait: 0}\n";
  EXPECT_TRUE(read_scenario(steps).has_value());
  EXPECT_EQ(error_of(steps + "- {wait: 0}\n"), too_large);
  std::string blocks = "name: x\nsteps:\n- blocks:\n";
  for (std::size_t i = 0; i < kMaxLabBlocks; ++i) {
    blocks += fmt::format("  - {{name: b{}, parent: genesis}}\n", i);
  }
  EXPECT_TRUE(read_scenario(blocks).has_value());
  EXPECT_EQ(error_of(blocks + "  - {name: last, parent: genesis}\n"), too_large);
  EXPECT_EQ(
      error_of(with_steps("  - {wait: 0, note: " + std::string(kMaxScenarioText + 1, 'x') + "}")),
      too_large);
  EXPECT_EQ(error_of("name: " + std::string(kMaxScenarioName + 1, 'x') + "\nsteps: []"), bad_name);
  std::string rules = "name: x\nrules: [";
  for (std::size_t i = 0; i <= kMaxLabRules; ++i) rules += fmt::format("'random:{}',", i);
  EXPECT_EQ(error_of(rules + "]\nsteps: []"), too_large);
}

}  // namespace
}  // namespace ethnet::lab
