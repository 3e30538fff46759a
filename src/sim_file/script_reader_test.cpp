#include "script_reader.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "quantity.hpp"

namespace ethnet::sim_file {
namespace {

using lab::ScenarioError;
using sim::HostId;
using sim::ScriptCheck;
using sim::ScriptEvent;
using ::testing::HasSubstr;

using Hosts = std::vector<HostId>;

// Two groups, of which the second has a hostile role, and a node; the text begins on line 7.
std::string with(const std::string& rest) {
  return "name: x\nduration: 60s\nnodes:\n  - {name: a, count: 2}\n"
         "  - {name: m, count: 2, role: withholding}\n  - {name: b}\n" +
         rest;
}

TEST(ScriptReader, ReadsEveryKey) {
  const auto read = read_script(R"(name: all-keys
about: >
  two
  lines
seed: 18446744073709551615
duration: 2m
nodes:
  - {name: m, role: ping-flood, dials: [a1, b], beat: 50ms, starts: 5s}
  - {name: a, count: 2, fork_choice: "random:7", max_peers: 3, discovery: true, das: true, dials: b}
  - {name: b, dials: []}
links:
  default: {latency: 20ms, jitter: 5ms, loss: 0.25%, bandwidth: 10Mbit, mtu: 1400}
  between:
    - {from: a, to: b, latency: 1s}
    - {from: m, to: all, loss: 100%, one_way: true}
producers:
  - {nodes: [a1, b], every: 3s, forks: true}
events:
  - {at: 30s, partition: [[a1, m], b], for: 5s}
  - {at: 50s, heal: true}
  - {at: 10s, fork: {by: a1, height: 4, depth: 9}}
  - {at: 11s, fork: {by: b, below: 2}}
  - {at: 60s, crash: a, for: 2s, every: 10s, times: 2}
  - {at: 90s, crash: b}
  - {at: 95s, restart: b, fork_choice: longest}
  - {at: 96s, pause: m}
  - {at: 97s, resume: m}
  - {at: 98s, stop: [a1, b]}
  - {at: 99s, produce: a2}
  - {at: 100s, publish: a}
expect:
  - {at: 20s, heads: equal}
  - heads: {equal: [a, b]}
  - heads: {differ: [a, b]}
  - reorgs: {nodes: a, at_least: 1, at_most: 4}
  - peers: {exactly: 2}
)");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->about, "two lines");
  EXPECT_EQ(read->seed, UINT64_MAX);
  EXPECT_EQ(read->duration, seconds(120));
  ASSERT_EQ(read->nodes.size(), 4U);
  EXPECT_EQ(read->honest(), 3U);
  EXPECT_EQ(read->nodes[0].name, "a1") << "honest nodes come first, in the order of the file";
  EXPECT_EQ(read->nodes[0].fork_choice, (chain::RuleChoice{"random", "7"}));
  EXPECT_EQ(read->nodes[1].max_peers, 3U);
  EXPECT_TRUE(read->nodes[1].discovery && read->nodes[1].das);
  EXPECT_EQ(read->nodes[1].dials, Hosts{2});
  EXPECT_EQ(read->nodes[2].dials, Hosts{});
  EXPECT_TRUE(read->nodes[2].producer.forks);
  EXPECT_EQ(read->nodes[2].producer.period, seconds(3));
  EXPECT_FALSE(read->nodes[1].producer.enabled);
  EXPECT_EQ(read->nodes[3].dials, (Hosts{0, 2}));
  EXPECT_EQ(read->nodes[3].beat, milliseconds(50));
  EXPECT_EQ(read->nodes[3].starts, seconds(5));
  EXPECT_EQ(read->nodes[3].role->act, sim::Act::ping_flood);
  EXPECT_EQ(read->link.loss_ppm, 2'500U);
  EXPECT_EQ(read->link.bits_per_second, 10'000'000U);
  EXPECT_EQ(read->link.mtu_bytes, 1'400U);
  ASSERT_EQ(read->links.size(), 3U);
  EXPECT_EQ(read->links[0].from, Hosts{2}) << "both ways";
  EXPECT_EQ(read->links[0].options.latency, seconds(1));
  EXPECT_EQ(read->links[0].options.jitter, milliseconds(5)) << "the rest is the default's";
  EXPECT_EQ(read->links[2].options.loss_ppm, 1'000'000U);
  EXPECT_EQ(read->links[2].to, (Hosts{0, 1, 2}));
}

TEST(ScriptReader, ReadsWhatWorkCostsWhatADiskDoesAndWhatARestartFinds) {
  const auto read = read_script(
      "name: x\nduration: 60s\nnodes:\n  - {name: a, count: 2}\n"
      "  - {name: b, costs: true, disk: {latency: 5ms, jitter: 1ms, errors: 0.5%}}\n"
      "events:\n  - {at: 20s, crash: b}\n"
      "  - {at: 30s, restart: b, disk: 40%, checkpoint: {of: a1, height: 5}}\n");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_TRUE(read->nodes[2].costs);
  EXPECT_EQ(read->nodes[2].disk.latency, milliseconds(5));
  EXPECT_EQ(read->nodes[2].disk.jitter, milliseconds(1));
  EXPECT_EQ(read->nodes[2].disk.eio_ppm, 5'000U);
  EXPECT_FALSE(read->nodes[1].costs);
  EXPECT_EQ(read->nodes[1].disk, sim::StoreOptions{});
  const ScriptEvent& restart = read->events.back();
  EXPECT_EQ(restart.text, "restart b with checkpoint 5 of a1, 40% of the disk");
  EXPECT_EQ(restart.kept_ppm, 400'000U);
  ASSERT_TRUE(restart.checkpoint.has_value());
  EXPECT_EQ(restart.checkpoint->of, 0U);
  EXPECT_EQ(restart.checkpoint->height, 5U);
  EXPECT_FALSE(read->events.front().kept_ppm || read->events.front().checkpoint);
}

TEST(ScriptReader, ReadsEventsByTimeWithTheirRepetitionsAndEnds) {
  const auto read =
      read_script(with("events:\n"
                       "  - {at: 30s, crash: a, for: 2s, every: 10s, times: 2}\n"
                       "  - {at: 1s, partition: [a], for: 3s}\n"
                       "  - {at: 2s, release: m}\n"
                       "  - {at: 5s, fork: {by: b, below: 2}}\n"));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  std::vector<std::string> texts;
  for (const ScriptEvent& event : read->events) {
    texts.push_back(fmt::format("{} {}", duration_text(event.at), event.text));
  }
  EXPECT_EQ(texts,
            (std::vector<std::string>{"1s partition a | the others", "2s release m", "4s heal",
                                      "5s fork by b, 2 below the head", "30s crash a",
                                      "32s restart a", "40s crash a", "42s restart a"}));
  EXPECT_EQ(read->events[0].sides, (std::vector<Hosts>{{0, 1}, {2, 3, 4}}));
  EXPECT_EQ(read->events[3].nodes, Hosts{2});
  EXPECT_FALSE(read->events[3].fork.blocks);
}

TEST(ScriptReader, ReadsWhatIsExpected) {
  const auto read =
      read_script(with("expect:\n"
                       "  - {at: 20s, heads: equal}\n"
                       "  - heads: {differ: [a, b]}\n"
                       "  - reorgs: {nodes: a, at_least: 1, at_most: 4}\n"
                       "  - banned: {exactly: 2}\n"));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  ASSERT_EQ(read->checks.size(), 4U);
  EXPECT_EQ(read->checks[0].at, seconds(20));
  EXPECT_EQ(read->checks[0].sides, (std::vector<Hosts>{{0, 1, 2}}));
  EXPECT_EQ(read->checks[1].what, ScriptCheck::What::heads_differ);
  EXPECT_EQ(read->checks[1].at, seconds(60)) << "at the end";
  EXPECT_EQ(read->checks[1].sides, (std::vector<Hosts>{{0, 1}, {2}}));
  EXPECT_EQ(read->checks[2].at_least, 1U);
  EXPECT_EQ(read->checks[2].at_most, 4U);
  EXPECT_EQ(read->checks[2].line, 10U);
  EXPECT_EQ(read->checks[3].text, "banned of all: exactly 2");
}

TEST(ScriptReader, EverybodyDialsTheHonestNodesBeforeItWhereNothingIsSaid) {
  const auto read = read_script(with(""));
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->nodes[0].dials, Hosts{});
  EXPECT_EQ(read->nodes[2].dials, (Hosts{0, 1}));
  EXPECT_EQ(read->nodes[4].dials, (Hosts{0, 1, 2}));
  EXPECT_EQ(read->seed, 1U);
}

struct Fault {
  std::string yaml;
  ScenarioError error;
  std::size_t line;
  std::string text;  // a part of what is said
};

void expect_fault(const Fault& fault) {
  const auto read = read_script(fault.yaml);
  ASSERT_FALSE(read.has_value()) << fault.yaml;
  EXPECT_EQ(read.error().error, fault.error) << fault.yaml << read.error().message();
  EXPECT_EQ(read.error().place.line, fault.line) << fault.yaml << read.error().message();
  EXPECT_THAT(read.error().text, HasSubstr(fault.text)) << fault.yaml;
}

using enum ScenarioError;

TEST(ScriptReader, SaysWhatIsWrongWithTheWholeAndWhere) {
  const std::string nodes = "nodes: [{name: a}]\n";
  expect_fault({"[]", wrong_kind, 1, "expected a map with the keys of a scenario, found a list"});
  expect_fault({"nmae: x", unknown_key, 1, "expected one of name, about, seed, duration"});
  expect_fault({"name: x\n" + nodes, missing_key, 1, "expected the key 'duration'"});
  expect_fault({"name: x\nduration: 60s\n", missing_key, 1, "expected the key 'nodes'"});
  expect_fault({"name: a b\nduration: 60s\n" + nodes, bad_name, 1, "expected the name of the"});
  expect_fault({"name: x\nduration: 25h\n" + nodes, bad_number, 2,
                "expected a duration from 1ms to 24h (250ms, 20s, 3m), found '25h'"});
  expect_fault({"name: x\nduration: 60\n" + nodes, bad_number, 2, "found '60'"});
  expect_fault({"name: x\nduration: 99999999999999999999s\n" + nodes, bad_number, 2, "24h"});
  expect_fault({"name: x\nseed: -1\nduration: 60s\n" + nodes, bad_number, 2, "found '-1'"});
  expect_fault(
      {"name: x\nduration: 60s\nnodes: []\n", missing_key, 3, "expected at least one honest node"});
  expect_fault({with("name: y\n"), duplicate_key, 7, "'name' stands twice"});
}

TEST(ScriptReader, SaysWhatIsWrongWithANode) {
  const auto fault = [](const std::string& node, ScenarioError error, std::string text) {
    expect_fault({"name: x\nduration: 60s\nnodes:\n  - {name: a}\n  - " + node + "\n", error, 5,
                  std::move(text)});
  };
  fault("{nam: b}", unknown_key, "expected one of name, count, role");
  fault("{count: 2}", missing_key, "expected the key 'name'");
  fault("{name: a}", duplicate_name, "there is a node or group 'a' already");
  fault("{name: all}", duplicate_name, "'all' is every honest node");
  fault("{name: b, count: 0}", bad_number, "expected a number from 1 to 128, found '0'");
  fault("{name: b, count: 128}", too_large, "expected at most 128 nodes");
  fault("{name: b, role: villain}", unknown_role, "expected a role (withholding, squatter, ");
  fault("{name: b, role: silence, max_peers: 3}", unknown_key, "has no 'max_peers'");
  fault("{name: b, beat: 1s}", unknown_key, "only a node with a role has a 'beat'");
  fault("{name: b, role: silence, beat: 1ms}", bad_number, "from 10ms to 1m");
  fault("{name: b, fork_choice: tallest}", unknown_rule, "expected a rule (longest-chain");
  fault("{name: b, fork_choice: stuck}", unknown_rule, "found 'stuck'");
  fault("{name: b, fork_choice: \"random:x\"}", unknown_rule, "found 'random:x'");
  fault("{name: b, fork_choice: \"checkpoint:f\"}", unknown_rule, "a restart takes");
  fault("{name: b, costs: much}", wrong_kind, "expected true or false");
  fault("{name: b, role: silence, costs: true}", unknown_key, "has no 'costs'");
  fault("{name: b, role: silence, disk: {}}", unknown_key, "has no 'disk'");
  fault("{name: b, disk: slow}", wrong_kind, "expected a map with the keys of a disk");
  fault("{name: b, disk: {speed: 1s}}", unknown_key, "expected one of latency, jitter, errors");
  fault("{name: b, disk: {latency: 11s}}", bad_number, "from 0s to 10s");
  fault("{name: b, disk: {errors: 2}}", bad_number, "expected a share from 0% to 100%");
  fault("{name: b, max_peers: 0}", bad_number, "from 1 to 1000");
  fault("{name: b, discovery: maybe}", wrong_kind, "expected true or false");
  fault("{name: b, starts: 61s}", bad_number, "from 0s to 1m");
  fault("{name: b, dials: c}", unknown_node, "expected a node or group, or 'all', found 'c'");
  fault("{name: b, dials: [a, a]}", duplicate_name, "'a' stands twice");
}

TEST(ScriptReader, SaysWhatIsWrongWithALinkOrAProducer) {
  const auto fault = [](const std::string& rest, ScenarioError error, std::string text) {
    expect_fault({with(rest), error, 7, std::move(text)});
  };
  fault("links: []", wrong_kind, "expected a map with 'default' and 'between', found a list");
  fault("links: {default: {delay: 1s}}", unknown_key, "expected one of latency, jitter, loss");
  fault("links: {default: {latency: 11s}}", bad_number, "from 0s to 10s");
  fault("links: {default: {loss: 101%}}", bad_number, "expected a share from 0% to 100%");
  fault("links: {default: {loss: 1.23456%}}", bad_number, "found '1.23456%'");
  fault("links: {default: {loss: 0.1}}", bad_number, "found '0.1'");
  fault("links: {default: {bandwidth: 7kbit}}", bad_number, "from 8kbit to 100Gbit");
  fault("links: {default: {bandwidth: 10}}", bad_number, "found '10'");
  fault("links: {default: {mtu: 99}}", bad_number, "from 100 to 65507");
  fault("links: {between: [{from: a}]}", missing_key, "expected the key 'to'");
  fault("links: {between: [{from: a, to: z}]}", unknown_node, "found 'z'");
  fault("links: {between: [{from: a, to: []}]}", missing_key, "expected at least one node");
  fault("producers: [{every: 2s}]", missing_key, "expected the key 'nodes'");
  fault("producers: [{nodes: a, every: 999ms}]", bad_number, "from 1s to 1h");
  fault("producers: [{nodes: m}]", unknown_node, "expected an honest node, found 'm'");
  fault("producers: [{nodes: a}, {nodes: a2}]", duplicate_name, "'a2' produces already");
}

TEST(ScriptReader, SaysWhatIsWrongWithAnEvent) {
  const auto fault = [](const std::string& event, ScenarioError error, std::string text) {
    expect_fault({with("events:\n  - " + event + "\n"), error, 8, std::move(text)});
  };
  fault("{at: 1s}", missing_key, "expected one of partition, heal, fork, crash");
  fault("{crash: a}", missing_key, "expected the key 'at'");
  fault("{at: 1s, explode: a}", unknown_key, "found 'explode'");
  fault("{at: 1s, crash: a, pause: b}", unknown_key, "an event is one thing: 'crash' and 'pause'");
  fault("{at: 61s, crash: a}", bad_number, "from 0s to 1m");
  fault("{at: 1s, heal: false}", wrong_kind, "expected true");
  fault("{at: 1s, partition: a}", wrong_kind, "expected a list of sides");
  fault("{at: 1s, partition: [a, a1]}", duplicate_name, "'a1' is on two sides");
  fault("{at: 1s, partition: [[a, b, m]]}", missing_key, "expected two sides at least");
  fault("{at: 1s, fork: {by: a, below: 1}}", unknown_node, "expected one node");
  fault("{at: 1s, fork: {by: m1, below: 1}}", unknown_node, "expected an honest node");
  fault("{at: 1s, fork: {by: b}}", missing_key, "expected 'height' or 'below'");
  fault("{at: 1s, fork: {by: b, below: 1, height: 2}}", missing_key, "where the branch begins");
  fault("{at: 1s, fork: {by: b, below: 0}}", bad_number, "from 1 to 1024");
  fault("{at: 1s, fork: {by: b, below: 1, depth: 1025}}", bad_number, "from 1 to 1024");
  fault("{at: 1s, release: b}", unknown_node, "expected a node of the role 'withholding'");
  fault("{at: 1s, publish: b}", unknown_node, "expected a node with 'das: true'");
  fault("{at: 1s, stop: b, for: 1s}", unknown_key, "nothing ends a 'stop': it has no 'for'");
  fault("{at: 1s, crash: b, for: 0s}", bad_number, "from 1ms");
  fault("{at: 1s, crash: b, every: 1s}", missing_key, "expected both 'every' and 'times'");
  fault("{at: 1s, stop: b, every: 1ms, times: 513}", bad_number, "from 1 to 512");
  fault("{at: 1s, pause: b, for: 1ms, every: 2ms, times: 300}", too_large, "at most 512 events");
  fault("{at: 1s, crash: b, for: 60s}", out_of_order,
        "'restart b' at 61s: the scenario ends at 1m");
  fault("{at: 1s, crash: b, fork_choice: longest}", unknown_key, "only a restart");
  fault("{at: 1s, crash: b, for: 1s, disk: 0%}", unknown_key, "of honest nodes has a 'disk'");
  fault("{at: 1s, restart: m, disk: 0%}", unknown_key, "only a restart of honest nodes");
  fault("{at: 1s, stop: b, checkpoint: {of: a1, height: 1}}", unknown_key, "has a 'checkpoint'");
  fault("{at: 1s, restart: b, disk: half}", bad_number, "expected a share from 0% to 100%");
  fault("{at: 1s, restart: b, checkpoint: 5}", wrong_kind, "the keys of a checkpoint");
  fault("{at: 1s, restart: b, checkpoint: {of: a, height: 5}}", unknown_node, "expected one node");
  fault("{at: 1s, restart: b, checkpoint: {of: m1, height: 5}}", unknown_node, "an honest node");
  fault("{at: 1s, restart: b, checkpoint: {of: a1}}", missing_key, "the key 'height'");
  fault("{at: 1s, restart: b, checkpoint: {of: a1, height: 0}}", bad_number, "from 1 to 1000000");
  fault("{at: 1s, restart: b, fork_choice: longest, checkpoint: {of: a1, height: 5}}", unknown_key,
        "a 'checkpoint' is a rule");
}

TEST(ScriptReader, RefusesWhatCannotHappen) {
  const auto fault = [](const std::string& nodes, const std::string& events, std::string text) {
    expect_fault({"name: x\nduration: 60s\nnodes:\n  - {name: a" + nodes + "}\nevents:\n" + events,
                  out_of_order, 6, std::move(text)});
  };
  fault("", "  - {at: 1s, restart: a}\n", "'restart a' at 1s: a is up then");
  fault("", "  - {at: 1s, resume: a}\n", "a is not paused then");
  fault("", "  - {at: 2s, stop: a}\n  - {at: 1s, crash: a}\n", "'stop a' at 2s: a is down then");
  fault("", "  - {at: 2s, pause: a}\n  - {at: 1s, pause: a}\n", "a is paused then");
  fault(", starts: 5s", "  - {at: 1s, crash: a}\n", "a is not started then");
  const auto crash_ends_a_pause = read_script(
      "name: x\nduration: 60s\nnodes:\n  - {name: a}\nevents:\n  - {at: 1s, pause: a}\n"
      "  - {at: 2s, crash: a, for: 1s}\n  - {at: 4s, pause: a, for: 1s}\n");
  EXPECT_TRUE(crash_ends_a_pause.has_value()) << crash_ends_a_pause.error().message();
}

TEST(ScriptReader, SaysWhatIsWrongWithAnExpectation) {
  const auto fault = [](const std::string& check, ScenarioError error, std::string text) {
    expect_fault({with("expect:\n  - " + check + "\n"), error, 8, std::move(text)});
  };
  fault("{at: 1s}", missing_key, "an expectation is one of heads, height, reorgs");
  fault("{heads: equal, height: {exactly: 1}}", missing_key, "an expectation is one of");
  fault("{luck: good}", unknown_key, "found 'luck'");
  fault("{heads: same}", wrong_kind, "expected 'equal', or a map");
  fault("{heads: {}}", missing_key, "expected 'equal' or 'differ'");
  fault("{heads: {differ: [a]}}", missing_key, "expected two sides at least");
  fault("{heads: {equal: m}}", unknown_node, "expected an honest node");
  fault("{height: {nodes: a}}", missing_key, "expected 'exactly', or 'at_least'");
  fault("{height: {exactly: 1, at_least: 1}}", missing_key, "expected 'exactly', or");
  fault("{height: {at_least: 5, at_most: 4}}", bad_number, "from 5 to 1000000, found '4'");
}

TEST(ScriptReader, KeepsItsLimits) {
  std::string links = "links:\n  between:\n";
  for (std::size_t i = 0; i <= sim::kMaxScriptLinks / 2; ++i) links += "    - {from: a, to: b}\n";
  expect_fault({with(links), too_large, 9 + sim::kMaxScriptLinks / 2, "at most 128 links"});
  std::string checks = "expect:\n";
  for (std::size_t i = 0; i <= sim::kMaxScriptChecks; ++i) checks += "  - heads: equal\n";
  expect_fault({with(checks), too_large, 8 + sim::kMaxScriptChecks, "at most 128 expectations"});
  expect_fault({with("# " + std::string(lab::kMaxScenarioBytes, 'x')), too_large, 1, "bytes"});
}

TEST(Quantities, AreSaidInTheGreatestUnitThatIsExact) {
  EXPECT_EQ(duration_text({}), "0s");
  EXPECT_EQ(duration_text(seconds(90)), "90s");
  EXPECT_EQ(duration_text(seconds(120)), "2m");
  EXPECT_EQ(duration_text(microseconds(1'500)), "1500us");
  EXPECT_EQ(duration_text(nanoseconds(7)), "7ns");
}

}  // namespace
}  // namespace ethnet::sim_file
