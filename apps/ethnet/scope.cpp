#include "scope.hpp"

#include <cstdio>
#include <ctime>
#include <functional>
#include <string_view>

#include <base/printable.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <observe/grpc_server.hpp>
#include <observe/scope_client.hpp>

namespace ethnet::app {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kShortHash = 10;   // "0x1234abcd"
constexpr std::size_t kShownBlocks = 4;  // of a segment, for people; --json has them all
constexpr double kNsPerMs = 1e6;
constexpr Duration kPatience = seconds(10);  // for an answer
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

// A line that a node had a say in.
void say(const std::string& line) {
  std::puts(printable(line).c_str());
  std::fflush(stdout);  // somebody may read it through a pipe
}

std::string short_hash(const Json& hash) { return hash.get<std::string>().substr(0, kShortHash); }

std::string block(const Json& b) {
  return fmt::format("{} {}", b.at("number").get<std::uint64_t>(), b.at("hash").get<std::string>());
}

std::string clock_of(const Json& unix_ns) {
  const auto seconds = static_cast<std::time_t>(unix_ns.get<std::int64_t>() / kNsPerSecond);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}Z", fmt::gmtime(seconds));
}

std::string age(std::uint64_t ns) {
  const auto s = ns / std::uint64_t{kNsPerSecond};
  if (s < 120) return fmt::format("{}s", s);
  if (s < 7200) return fmt::format("{}m", s / 60);
  return fmt::format("{}h", s / 3600);
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 10'000) return fmt::format("{}", bytes);
  if (bytes < 10'000'000) return fmt::format("{}k", bytes / 1000);
  return fmt::format("{}M", bytes / 1'000'000);
}

// "0xaa 0xbb … (12)": the first blocks of a segment.
std::string segment(const Json& hashes, const Json& count) {
  std::string out;
  for (std::size_t i = 0; i < hashes.size() && i < kShownBlocks; ++i) {
    out += (i == 0 ? "" : " ") + short_hash(hashes[i]);
  }
  const auto all = count.get<std::uint64_t>();
  return all > kShownBlocks ? fmt::format("{} … ({})", out, all) : out;
}

void show_summary(const Json& s) {
  const bool syncing = s.at("syncing");
  say(fmt::format("node      {}", s.value("node_id", "")));
  say(fmt::format("client    {}, chain {}", s.value("client", ""), s.at("chain_id").dump()));
  say(fmt::format("enode     {}", s.value("enode", "")));
  say(fmt::format("record    {}", s.value("enr", "")));
  say(fmt::format("head      {}", block(s.at("canonical_head"))));
  say(fmt::format("sync      {}", syncing ? fmt::format("to {}", s.at("sync_height").dump())
                                          : "as far as its peers"));
  say(fmt::format("kept      from block {}", s.at("earliest_block").dump()));
  say(fmt::format("switches  {} of the canonical chain", s.at("canonical_switches").dump()));
  say(fmt::format("peers     {} active, {} discovered", s.at("active_peers").dump(),
                  s.at("discovered_peers").dump()));
  say(fmt::format("data sets {}", s.at("data_sets").dump()));
  say(fmt::format("since     {}", clock_of(s.at("started_unix_ns"))));
}

void show_peers(const Json& answer) {
  const Json& peers = answer.at("peers");
  if (peers.empty()) return say("no peers");
  say(fmt::format("{:<10} {:<8} {:<24} {:>8} {:>7} {:>7} {:>6} {:>5} {:>9}  {}", "ID", "WAY",
                  "ADDRESS", "RTT", "IN", "OUT", "SCORE", "AGE", "HEAD", "CLIENT, CAPABILITIES"));
  for (const Json& p : peers) {
    std::string capabilities;
    for (const Json& c : p.at("capabilities")) capabilities += " " + c.get<std::string>();
    const std::string way = p.at("direction") == "INBOUND" ? "in" : "out";
    const auto rtt = p.at("rtt_ns").get<double>();
    say(fmt::format("{:<10} {:<8} {:<24} {:>8} {:>7} {:>7} {:>6.1f} {:>5} {:>9}  {}{}",
                    short_hash(p.at("id")), way + (p.at("visit").get<bool>() ? " visit" : ""),
                    p.value("address", ""), rtt > 0 ? fmt::format("{:.2f}ms", rtt / kNsPerMs) : "-",
                    bytes_text(p.at("bytes_in")), bytes_text(p.at("bytes_out")),
                    p.at("score").get<double>(), age(p.at("age_ns")),
                    p.at("head").at("number").dump(), p.value("client", ""), capabilities));
  }
}

std::string reorg_text(const Json& r) {
  const std::string part =
      r.at("parts") == 1U
          ? ""
          : fmt::format(", part {} of {}", r.at("part").get<int>() + 1, r.at("parts").get<int>());
  return fmt::format("depth {} at {}, head {} -> {} {}, removed {}, added {}, because {}{}",
                     r.at("depth").dump(), short_hash(r.at("fork_point")),
                     short_hash(r.at("old_head")), r.at("new_head").at("number").dump(),
                     short_hash(r.at("new_head").at("hash")),
                     segment(r.at("removed"), r.at("removed_count")),
                     segment(r.at("added"), r.at("added_count")), r.value("cause", ""), part);
}

void show_reorgs(const Json& answer) {
  say(fmt::format("reorganisations since the start: {}", answer.at("total").dump()));
  for (const Json& entry : answer.at("reorgs")) {
    say(fmt::format("{}  {}", clock_of(entry.at("time_unix_ns")), reorg_text(entry.at("reorg"))));
  }
}

std::string verdict_text(const Json& v) {
  const std::string confidence = v.contains("confidence")
                                     ? fmt::format("{:.3f}", v.at("confidence").get<double>())
                                     : "unknown";
  return fmt::format("received={} requested={} confidence={} fooled={:.3g}",
                     v.at("received").dump(), v.at("requested").dump(), confidence,
                     v.at("fooled_probability").get<double>());
}

std::string event_text(const Json& e) {
  if (e.contains("gap")) return fmt::format("gap      {} events missed", e["gap"]["missed"].dump());
  if (e.contains("canonical_head")) return "head     " + block(e["canonical_head"]["head"]);
  if (e.contains("reorg")) return "reorg    " + reorg_text(e["reorg"]);
  if (e.contains("fork_detected")) {
    const Json& f = e["fork_detected"];
    return fmt::format("fork     at {}, branch {}, because {}", short_hash(f["fork_point"]),
                       block(f["branch_head"]), f.value("cause", ""));
  }
  if (e.contains("peer_joined")) {
    const Json& p = e["peer_joined"];
    return fmt::format("joined   {} {} {} {}", short_hash(p["id"]),
                       p["direction"] == "INBOUND" ? "from" : "to", p.value("address", ""),
                       p.value("client", ""));
  }
  if (e.contains("peer_left")) {
    const Json& p = e["peer_left"];
    return fmt::format("left     {} {}: {}", short_hash(p["id"]),
                       p["by_peer"].get<bool>() ? "by itself" : "by us", p.value("reason", ""));
  }
  if (e.contains("das_verdict")) {
    const Json& v = e["das_verdict"];
    return fmt::format("verdict  {} {}", short_hash(v["data_id"]), verdict_text(v));
  }
  return "unknown";
}

void show_tree(const Json& answer) {
  for (const Json& b : answer.at("nodes")) {
    say(fmt::format("{} {:>9} {}  parent {}", b.at("canonical").get<bool>() ? "*" : " ",
                    b.at("number").dump(), b.at("hash").get<std::string>(),
                    short_hash(b.at("parent"))));
  }
  if (answer.at("cut").get<bool>()) say("there are more blocks of these heights");
}

void show_refusals(const Json& answer) {
  if (answer.at("refusals").empty()) return say("nobody was refused");
  say(fmt::format("{:<4} {:>10} {:>10}  {}", "WAY", "10 MIN", "IN ALL", "REASON"));
  for (const Json& r : answer.at("refusals")) {
    say(fmt::format("{:<4} {:>10} {:>10}  {}", r.at("direction") == "INBOUND" ? "in" : "out",
                    r.at("recent").dump(), r.at("total").dump(), r.value("reason", "")));
  }
}

void show_data_sets(const Json& answer) {
  if (answer.at("data_sets").empty()) return say("no data sets");
  for (const Json& d : answer.at("data_sets")) {
    say(fmt::format("{}  {} of {} chunks, {} bytes, {} announce it{}{}",
                    d.at("data_id").get<std::string>(), d.at("held").dump(),
                    d.at("total_chunks").dump(), d.at("total_bytes").dump(),
                    d.at("announcers").dump(), d.contains("verdict") ? ", " : "",
                    d.contains("verdict") ? verdict_text(d["verdict"]) : ""));
  }
}

observe::ScopeClient client_of(const ScopeOptions& o) {
  return observe::ScopeClient{o.node, kPatience};
}

void show(const ScopeOptions& o, const std::string& answer, void (*print)(const Json&)) {
  if (o.json) {
    std::puts(answer.c_str());
  } else {
    print(Json::parse(answer));
  }
}

void follow(const ScopeOptions& o) {
  std::uint64_t left = o.count;
  client_of(o).events({.after = o.after, .only_new = o.after == 0 && !o.from_start},
                      [&](const std::string& line) {
                        if (o.json) {
                          std::puts(line.c_str());
                          std::fflush(stdout);
                        } else {
                          const Json event = Json::parse(line);
                          say(fmt::format("{} {:>6} {}", clock_of(event.at("time_unix_ns")),
                                          event.at("cursor").dump(), event_text(event)));
                        }
                        return o.count == 0 || --left > 0;
                      });
}

}  // namespace

void add_scope(CLI::App& app, ScopeOptions& o, int& status) {
  CLI::App* scope = app.add_subcommand("scope", "What a running node sees, over gRPC");
  scope->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& help,
                       const std::function<void()>& run) {
    CLI::App* command = scope->add_subcommand(name, help);
    command
        ->add_option("--node", o.node,
                     fmt::format("Where its gRPC is, port + 1000 (default {})", o.node))
        ->option_text("HOST:PORT");
    command->add_flag("--json", o.json, "Print JSON, one line an answer, nothing shortened");
    command->callback([run, &status] {
      run();
      status = 0;
    });
    return command;
  };
  add("summary", "Who it is, its head, its peers in number",
      [&o] { show(o, client_of(o).summary(), show_summary); });
  add("peers", "Its peers: address, round trip, bytes, score, capabilities",
      [&o] { show(o, client_of(o).peers(), show_peers); });
  add("reorgs", "Its newest reorganisations",
      [&o] { show(o, client_of(o).reorgs(o.limit), show_reorgs); })
      ->add_option("--limit", o.limit, "How many at most")
      ->check(CLI::Range(std::size_t{1}, observe::kMaxReorgsAsked))
      ->capture_default_str();
  add("tree", "The newest part of its fork tree; * is canonical",
      [&o] { show(o, client_of(o).fork_tree(0), show_tree); });
  add("data", "Data sets that it holds or that were announced to it",
      [&o] { show(o, client_of(o).data_sets(), show_data_sets); });
  add("refusals", "Why sessions were refused, in the last ten minutes and in all",
      [&o] { show(o, client_of(o).refusals(), show_refusals); });
  CLI::App* events = add("events", "Each event as it comes", [&o] { follow(o); });
  events->add_option("--after", o.after, "Begin after the event of this cursor")->option_text("N");
  events->add_flag("--all", o.from_start, "Begin with the oldest that the node still has");
  events->add_option("--count", o.count, "End after so many")->option_text("N");
}

}  // namespace ethnet::app
