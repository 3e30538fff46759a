#include "network_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <base/check.hpp>
#include <base/result.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "quantity.hpp"

namespace ethnet::sim_file {
namespace {

using lab::Read;
using lab::ScenarioError;
using lab::YamlNode;
using sim::HostId;
using Kind = YamlNode::Kind;

constexpr std::uint64_t kMostPeers = 1'000;
constexpr Duration kLongestPeriod = seconds(3'600);
constexpr Duration kLongestBeat = seconds(60);
constexpr Duration kLongestLatency = seconds(10);
constexpr std::uint64_t kLeastMtu = 100;  // a black hole to QUIC, which needs 1,200
constexpr std::uint64_t kGreatestMtu = 65'507;

// One entry of `nodes`.
struct Group {
  std::string name;
  std::optional<std::uint64_t> count;  // nothing: one node of this name
  sim::ScriptNode node;
};

Read<sim::HostileRole> read_role(const YamlNode& node) {
  std::vector<std::string_view> names;
  for (const sim::HostileRole& role : sim::kRoles) {
    if (node.kind == Kind::text && node.text == role.name) return role;
    names.push_back(role.name);
  }
  return lab::wrong(
      ScenarioError::unknown_role, node.place,
      fmt::format("expected a role ({}), found {}", fmt::join(names, ", "), lab::found(node)));
}

// What honest nodes and hostile ones do not share.
Read<void> expect_keys_of_kind(const YamlNode& map, bool hostile) {
  constexpr std::array<std::string_view, 6> kHonest{"fork_choice", "max_peers", "discovery",
                                                    "das",         "costs",     "disk"};
  for (const lab::YamlEntry& entry : map.entries) {
    const bool only_honest = std::ranges::find(kHonest, entry.key) != kHonest.end();
    if (hostile && only_honest) {
      return lab::wrong(ScenarioError::unknown_key, entry.place,
                        fmt::format("a node with a role has no '{}'", entry.key));
    }
    if (!hostile && entry.key == "beat") {
      return lab::wrong(ScenarioError::unknown_key, entry.place,
                        "only a node with a role has a 'beat'");
    }
  }
  return {};
}

Read<sim::StoreOptions> read_disk(const YamlNode& map) {
  constexpr std::array<std::string_view, 3> kKeys{"latency", "jitter", "errors"};
  TRY(lab::expect_keys(map, "a map with the keys of a disk", kKeys));
  sim::StoreOptions out;
  if (const YamlNode* node = map.find("latency")) {
    out.latency = TRY(read_duration(*node, {}, kLongestLatency));
  }
  if (const YamlNode* node = map.find("jitter")) {
    out.jitter = TRY(read_duration(*node, {}, kLongestLatency));
  }
  if (const YamlNode* node = map.find("errors")) out.eio_ppm = TRY(read_share(*node));
  return out;
}

Read<Group> read_group(const YamlNode& map, const sim::Script& script) {
  constexpr std::array<std::string_view, 12> kKeys{
      "name", "count", "role", "fork_choice", "max_peers", "discovery",
      "das",  "costs", "disk", "dials",       "starts",    "beat"};
  TRY(lab::expect_keys(map, "a map with the keys of a node", kKeys));
  TRY(expect_keys_of_kind(map, map.find("role") != nullptr));
  Group group;
  const YamlNode& name = TRY(lab::required(map, "name"));
  group.name = TRY(lab::read_name(name, "the node or group"));
  if (const YamlNode* count = map.find("count")) {
    group.count = TRY(lab::read_number(*count, 1, sim::kMaxScriptNodes));
  }
  group.node.beat = milliseconds(200);
  if (const YamlNode* role = map.find("role")) group.node.role = TRY(read_role(*role));
  if (const YamlNode* rule = map.find("fork_choice")) {
    group.node.fork_choice = TRY(read_rule(*rule, script.rules));
  }
  if (const YamlNode* most = map.find("max_peers")) {
    group.node.max_peers = TRY(lab::read_number(*most, 1, kMostPeers));
  }
  if (const YamlNode* on = map.find("discovery")) group.node.discovery = TRY(lab::read_bool(*on));
  if (const YamlNode* on = map.find("das")) group.node.das = TRY(lab::read_bool(*on));
  if (const YamlNode* on = map.find("costs")) group.node.costs = TRY(lab::read_bool(*on));
  if (const YamlNode* disk = map.find("disk")) group.node.disk = TRY(read_disk(*disk));
  if (const YamlNode* at = map.find("starts")) {
    group.node.starts = TRY(read_duration(*at, {}, script.duration));
  }
  if (const YamlNode* beat = map.find("beat")) {
    group.node.beat = TRY(read_duration(*beat, milliseconds(10), kLongestBeat));
  }
  return group;
}

// The nodes of one entry, under its name and their own.
Read<void> add_group(const Group& group, const lab::Place& place, sim::Script& script,
                     NameTable& names) {
  std::vector<HostId> members;
  const std::uint64_t count = group.count.value_or(1);
  for (std::uint64_t i = 1; i <= count; ++i) {
    sim::ScriptNode node = group.node;
    node.name = group.count ? fmt::format("{}{}", group.name, i) : group.name;
    if (names.contains(node.name)) {
      return lab::wrong(ScenarioError::duplicate_name, place,
                        fmt::format("there is a node or group '{}' already", node.name));
    }
    if (script.nodes.size() == sim::kMaxScriptNodes) {
      return lab::wrong(ScenarioError::too_large, place,
                        fmt::format("expected at most {} nodes", sim::kMaxScriptNodes));
    }
    members.push_back(static_cast<HostId>(script.nodes.size()));
    names.add(node.name, {members.back()});
    script.nodes.push_back(std::move(node));
  }
  if (!group.count) return {};
  if (names.contains(group.name)) {
    return lab::wrong(ScenarioError::duplicate_name, place,
                      fmt::format("there is a node or group '{}' already", group.name));
  }
  names.add(group.name, std::move(members));
  return {};
}

Read<void> read_link_options(const YamlNode& map, sim::LinkOptions& out) {
  if (const YamlNode* node = map.find("latency")) {
    out.latency = TRY(read_duration(*node, {}, kLongestLatency));
  }
  if (const YamlNode* node = map.find("jitter")) {
    out.jitter = TRY(read_duration(*node, {}, kLongestLatency));
  }
  if (const YamlNode* node = map.find("loss")) out.loss_ppm = TRY(read_share(*node));
  if (const YamlNode* node = map.find("bandwidth")) {
    out.bits_per_second = TRY(read_bandwidth(*node));
  }
  if (const YamlNode* node = map.find("mtu")) {
    out.mtu_bytes = TRY(lab::read_number(*node, kLeastMtu, kGreatestMtu));
  }
  return {};
}

Read<void> read_link(const YamlNode& map, const NameTable& names, sim::Script& script) {
  constexpr std::array<std::string_view, 8> kKeys{"from",   "to",   "one_way",   "latency",
                                                  "jitter", "loss", "bandwidth", "mtu"};
  TRY(lab::expect_keys(map, "a map with the keys of a link", kKeys));
  if (script.links.size() + 2 > sim::kMaxScriptLinks) {
    return lab::wrong(ScenarioError::too_large, map.place,
                      fmt::format("expected at most {} links", sim::kMaxScriptLinks / 2));
  }
  sim::ScriptLink link;
  const YamlNode& from = TRY(lab::required(map, "from"));
  link.from = TRY(names.read(from, Who::anybody, script));
  const YamlNode& to = TRY(lab::required(map, "to"));
  link.to = TRY(names.read(to, Who::anybody, script));
  link.options = script.link;
  TRY(read_link_options(map, link.options));
  bool one_way = false;
  if (const YamlNode* node = map.find("one_way")) one_way = TRY(lab::read_bool(*node));
  if (!one_way) script.links.push_back({link.to, link.from, link.options});
  script.links.push_back(std::move(link));
  return {};
}

}  // namespace

Read<chain::RuleChoice> read_rule(const YamlNode& node, const chain::RuleBook& known) {
  TRY(lab::expect_kind(node, Kind::text, "the name of a fork-choice rule"));
  auto choice = known.parse(node.text);
  if (choice && choice->name == "checkpoint") {
    return lab::wrong(
        ScenarioError::unknown_rule, node.place,
        "no block has a hash before the simulation runs: a restart takes a 'checkpoint'");
  }
  if (choice) {
    const auto made = known.make(*choice);
    if (made) return *std::move(choice);
    return lab::wrong(
        ScenarioError::unknown_rule, node.place,
        fmt::format("expected a rule, found {}: {}", lab::found(node), made.error().what()));
  }
  return lab::wrong(
      ScenarioError::unknown_rule, node.place,
      fmt::format("expected a rule ({}), found {}: {}", fmt::join(known.names(), ", "),
                  lab::found(node), choice.error().what()));
}

Read<NameTable> read_nodes(const YamlNode& list, sim::Script& script) {
  TRY(lab::expect_kind(list, Kind::list, "a list of nodes"));
  NameTable names;
  std::vector<std::pair<Group, lab::Place>> groups;
  for (const YamlNode& item : list.items) {
    Group group = TRY(read_group(item, script));
    if (group.name == kEverybody) {
      return lab::wrong(ScenarioError::duplicate_name, item.place,
                        fmt::format("'{}' is every honest node", kEverybody));
    }
    groups.emplace_back(std::move(group), item.place);
  }
  // In the order of the file, honest ones first.
  for (const bool hostile : {false, true}) {
    for (const auto& [group, place] : groups) {
      if (group.node.role.has_value() == hostile) TRY(add_group(group, place, script, names));
    }
  }
  std::vector<HostId> honest;
  for (HostId host = 0; host < script.honest(); ++host) honest.push_back(host);
  if (honest.empty()) {
    return lab::wrong(ScenarioError::missing_key, list.place, "expected at least one honest node");
  }
  names.add(std::string{kEverybody}, std::move(honest));
  return names;
}

Read<void> read_dials(const YamlNode& list, const NameTable& names, sim::Script& script) {
  const auto honest = static_cast<HostId>(script.honest());
  for (HostId host = 0; host < script.nodes.size(); ++host) {
    for (HostId to = 0; to < std::min(host, honest); ++to) script.nodes[host].dials.push_back(to);
  }
  for (const YamlNode& item : list.items) {
    const YamlNode* dials = item.find("dials");
    const YamlNode* name = item.find("name");
    CHECK(name != nullptr);
    if (dials == nullptr) continue;
    const bool nobody = dials->kind == Kind::list && dials->items.empty();
    const bool hostile = item.find("role") != nullptr;
    std::vector<HostId> to;
    if (!nobody) to = TRY(names.read(*dials, hostile ? Who::honest : Who::anybody, script));
    const auto members = TRY(names.read(*name, Who::anybody, script));
    for (const HostId host : members) {
      script.nodes[host].dials = to;
      std::erase(script.nodes[host].dials, host);
    }
  }
  return {};
}

Read<void> read_links(const YamlNode& map, const NameTable& names, sim::Script& script) {
  constexpr std::array<std::string_view, 2> kKeys{"default", "between"};
  constexpr std::array<std::string_view, 5> kOptions{"latency", "jitter", "loss", "bandwidth",
                                                     "mtu"};
  TRY(lab::expect_keys(map, "a map with 'default' and 'between'", kKeys));
  if (const YamlNode* all = map.find("default")) {
    TRY(lab::expect_keys(*all, "a map with the keys of a link", kOptions));
    TRY(read_link_options(*all, script.link));
  }
  const YamlNode* between = map.find("between");
  if (between == nullptr) return {};
  TRY(lab::expect_kind(*between, Kind::list, "a list of links"));
  for (const YamlNode& item : between->items) TRY(read_link(item, names, script));
  return {};
}

Read<void> read_producers(const YamlNode& list, const NameTable& names, sim::Script& script) {
  constexpr std::array<std::string_view, 3> kKeys{"nodes", "every", "forks"};
  TRY(lab::expect_kind(list, Kind::list, "a list of producers"));
  for (const YamlNode& item : list.items) {
    TRY(lab::expect_keys(item, "a map with the keys of a producer", kKeys));
    node::ProducerConfig producer{.enabled = true};
    if (const YamlNode* every = item.find("every")) {
      producer.period = TRY(read_duration(*every, seconds(1), kLongestPeriod));
    }
    if (const YamlNode* forks = item.find("forks")) producer.forks = TRY(lab::read_bool(*forks));
    const YamlNode& nodes = TRY(lab::required(item, "nodes"));
    const auto who = TRY(names.read(nodes, Who::honest, script));
    for (const HostId host : who) {
      if (script.nodes[host].producer.enabled) {
        return lab::wrong(ScenarioError::duplicate_name, nodes.place,
                          fmt::format("'{}' produces already", script.nodes[host].name));
      }
      script.nodes[host].producer = producer;
    }
  }
  return {};
}

}  // namespace ethnet::sim_file
