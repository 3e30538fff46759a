// A scenario file of the simulator: any text is a fault with a place, or a script whose every name
// is known, whose events are in order and whose reports can be printed.
#include <algorithm>

#include <sim_file/report.hpp>
#include <sim_file/script_reader.hpp>

#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

void check_hosts(const sim::Script& script, const std::vector<sim::HostId>& hosts) {
  for (const sim::HostId host : hosts) CHECK(host < script.nodes.size());
}

void check_nodes(const sim::Script& script) {
  CHECK(!script.nodes.empty() && script.nodes.size() <= sim::kMaxScriptNodes);
  const std::size_t honest = script.honest();
  CHECK(honest > 0);
  for (std::size_t i = 0; i < script.nodes.size(); ++i) {
    const sim::ScriptNode& node = script.nodes[i];
    CHECK(node.role.has_value() == (i >= honest));
    CHECK(chain::make_fork_choice_rule(node.fork_choice).has_value());
    CHECK(node.producer.period >= seconds(1) && node.starts <= script.duration);
    check_hosts(script, node.dials);
  }
  CHECK(script.links.size() <= sim::kMaxScriptLinks);
  for (const sim::ScriptLink& link : script.links) {
    check_hosts(script, link.from);
    check_hosts(script, link.to);
  }
}

void check_events(const sim::Script& script) {
  CHECK(script.events.size() <= sim::kMaxScriptEvents);
  CHECK(std::ranges::is_sorted(script.events, {}, &sim::ScriptEvent::at));
  for (const sim::ScriptEvent& event : script.events) {
    CHECK(event.at >= Duration{} && event.at <= script.duration && !event.text.empty());
    check_hosts(script, event.nodes);
    for (const auto& side : event.sides) check_hosts(script, side);
  }
  CHECK(script.checks.size() <= sim::kMaxScriptChecks);
  for (const sim::ScriptCheck& check : script.checks) {
    CHECK(check.at_least <= check.at_most && check.at <= script.duration && !check.sides.empty());
    for (const auto& side : check.sides) {
      CHECK(!side.empty());
      check_hosts(script, side);
      for (const sim::HostId host : side) CHECK(host < script.honest());
    }
  }
}

// As if nothing had come of it.
void check_reports(const sim::Script& script) {
  sim::ScriptReport report;
  report.name = script.name;
  report.about = script.about;
  for (const sim::ScriptEvent& event : script.events) report.lines.push_back({{}, event.text});
  for (const sim::ScriptCheck& one : script.checks) {
    report.outcomes.push_back({one.line, {}, one.text, "", false});
  }
  for (const std::string& text : {sim_file::text_report(report), sim_file::json_report(report)}) {
    for (const char c : text) CHECK(c == '\n' || (c & 0x80) != 0 || c >= ' ');
  }
}

}  // namespace

void run_sim_scenario(ByteView input) {
  std::string text;
  for (const std::byte b : input) text.push_back(static_cast<char>(b));
  const auto script = sim_file::read_script(text);
  if (!script) {
    CHECK(!script.error().text.empty() && script.error().place.line >= 1);
    return;
  }
  CHECK(script->duration > Duration{} && script->duration <= sim::kMaxScriptDuration);
  check_nodes(*script);
  check_events(*script);
  check_reports(*script);
}

void add_sim_seeds(std::vector<Seed>& out) {
  const auto add = [&](std::string name, std::string_view yaml) {
    out.push_back({"sim_scenario", std::move(name), to_bytes(text_bytes(yaml))});
  };
  add("nodes",
      "name: x\nabout: >\n  two\n  lines\nseed: 3\nduration: 2m\nnodes:\n"
      "- {name: a, count: 2, fork_choice: \"random:7\", max_peers: 3, discovery: true}\n"
      "- {name: m, role: ping-flood, dials: [a1, b], beat: 50ms, starts: 5s}\n"
      "- {name: b, dials: []}\n"
      "links:\n  default: {latency: 20ms, jitter: 5us, loss: 0.25%, bandwidth: 10Mbit, mtu: "
      "1400}\n");
  add("links",
      "name: x\nduration: 1h\nnodes: [{name: a}, {name: b}]\nlinks:\n  between:\n"
      "  - {from: a, to: b, latency: 1s, one_way: true}\n  - {from: all, to: all, loss: 100%}\n"
      "producers: [{nodes: all, every: 3s, forks: true}]\n");
  add("events",
      "name: x\nduration: 100s\nnodes:\n- {name: a, count: 3, das: true}\n- {name: w, role: "
      "withholding}\n"
      "events:\n- {at: 30s, partition: [[a1, w], a2], for: 5s}\n- {at: 50s, heal: true}\n"
      "- {at: 10s, fork: {by: a1, height: 4, depth: 9}}\n- {at: 11s, fork: {by: a2, below: 2}}\n"
      "- {at: 60s, crash: a, for: 2s, every: 10s, times: 2}\n- {at: 90s, crash: a3}\n"
      "- {at: 95s, restart: a3, fork_choice: longest}\n- {at: 96s, pause: w}\n"
      "- {at: 97s, resume: w}\n- {at: 98s, stop: a}\n- {at: 98s, produce: a}\n"
      "- {at: 99s, release: w}\n- {at: 99s, publish: a1}\n");
  add("expect",
      "name: x\nduration: 9s\nnodes: [{name: a}, {name: b}]\nexpect:\n- {at: 1s, heads: equal}\n"
      "- heads: {equal: [a, b]}\n- heads: {differ: [a, b]}\n- height: {exactly: 3}\n"
      "- reorgs: {nodes: a, at_least: 1, at_most: 4}\n- reorg_depth: {at_most: 2}\n"
      "- forks: {at_least: 1}\n- peers: {at_least: 0}\n- banned: {exactly: 0}\n"
      "- sampled: {at_least: 0}\n- missed: {at_most: 9}\n");
}

}  // namespace ethnet::fuzz
