#include "report.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace ethnet::sim_file {
namespace {

sim::ScriptReport report() {
  sim::ScriptReport out;
  out.name = "two-nodes";
  out.about = "What it shows.";
  out.seed = 7;
  out.trace = 0xabc;
  out.events = 1234;
  out.ended = Instant{0} + seconds(60);
  out.lines = {{Instant{1'500'000'000}, "partition a | b"}, {Instant{20'000'000'000}, "heal"}};
  out.lines_left_out = 3;
  sim::ScriptNodeReport a{.name = "a", .rule = "longest-chain", .up = true};
  a.head.number = 12;
  a.reorgs = 2;
  a.deepest = 5;
  a.forks = 1;
  a.peers = 1;
  a.banned = 1;
  out.nodes = {a, {.name = "b", .rule = "score"}, {.name = "mal", .rule = "mute", .honest = false}};
  out.outcomes = {{9, out.ended, "heads equal: all", "b is down", false},
                  {10, out.ended, "height of a: exactly 12", "12", true}};
  out.checkers = {"events replay", "queues within limits"};
  return out;
}

TEST(ScriptReports, AreForPeople) {
  EXPECT_EQ(
      text_report(report()),
      "two-nodes, seed 7\n"
      "What it shows.\n"
      "\n"
      "     1.500s  partition a | b\n"
      "    20.000s  heal\n"
      "             and 3 lines more\n"
      "\n"
      "nodes at 60.000s\n"
      "  a     longest-chain      head 12 0x0000…      1 peers, 2 reorgs (deepest 5), 1 forks, "
      "1 banned\n"
      "  b     score              down                 0 peers, 0 reorgs, 0 forks\n"
      "  mal   role mute, down\n"
      "\n"
      "  NOT MET  line 9, 60.000s: heads equal: all (found b is down)\n"
      "  met      line 10, 60.000s: height of a: exactly 12 (found 12)\n"
      "1 met, 1 not met; after every one of 1234 events there held: events replay, queues "
      "within limits\n"
      "seed=7 trace=0000000000000abc FAILED\n");
}

TEST(ScriptReports, AreForPrograms) {
  const auto json = nlohmann::json::parse(json_report(report()));
  EXPECT_EQ(json["seed"], 7);
  EXPECT_EQ(json["trace"], "0000000000000abc");
  EXPECT_EQ(json["ok"], false);
  EXPECT_EQ(json["happened"][1]["what"], "heal");
  EXPECT_EQ(json["happened"][1]["at_ns"], 20'000'000'000);
  EXPECT_EQ(json["lines_left_out"], 3);
  EXPECT_EQ(json["nodes"][0]["head"]["number"], 12);
  EXPECT_EQ(json["nodes"][0]["reorg_depth"], 5);
  EXPECT_FALSE(json["nodes"][1].contains("head"));
  EXPECT_EQ(json["nodes"][2]["role"], "mute");
  EXPECT_EQ(json["expected"][0]["found"], "b is down");
  EXPECT_EQ(json["violation"], nullptr);
}

TEST(ScriptReports, AViolationFailsWhateverElseHeld) {
  sim::ScriptReport violated = report();
  violated.outcomes.erase(violated.outcomes.begin());
  EXPECT_TRUE(violated.ok());
  violated.violation = sim::Violation{"events replay: node 1: wrong", violated.ended};
  EXPECT_FALSE(violated.ok());
  EXPECT_THAT(text_report(violated),
              ::testing::HasSubstr("VIOLATED 60.000s: events replay: node 1: wrong\n"));
  const auto json = nlohmann::json::parse(json_report(violated));
  EXPECT_EQ(json["violation"]["what"], "events replay: node 1: wrong");
}

}  // namespace
}  // namespace ethnet::sim_file
