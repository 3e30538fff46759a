#include "event_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <base/check.hpp>
#include <base/result.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "network_reader.hpp"
#include "quantity.hpp"

namespace ethnet::sim_file {
namespace {

using lab::Read;
using lab::ScenarioError;
using lab::YamlNode;
using sim::HostId;
using sim::ScriptEvent;
using Kind = YamlNode::Kind;
using What = ScriptEvent::What;

struct Action {
  std::string_view key;
  What what = What::heal;
  std::optional<What> ended_by;  // after "for"
};
constexpr std::array kActions{Action{"partition", What::partition, What::heal},
                              Action{"heal", What::heal, {}},
                              Action{"fork", What::fork, {}},
                              Action{"crash", What::crash, What::restart},
                              Action{"restart", What::restart, {}},
                              Action{"pause", What::pause, What::resume},
                              Action{"resume", What::resume, {}},
                              Action{"produce", What::produce, {}},
                              Action{"stop", What::stop, {}},
                              Action{"release", What::release, {}},
                              Action{"publish", What::publish, {}}};

std::string_view word(What what) { return std::ranges::find(kActions, what, &Action::what)->key; }

Who who_can(What what) {
  if (what == What::release) return Who::withholding;
  if (what == What::publish) return Who::with_das;
  const bool honest = what == What::produce || what == What::stop || what == What::fork;
  return honest ? Who::honest : Who::anybody;
}

// What happens, of the one entry that names an action.
Read<std::pair<const Action*, const lab::YamlEntry*>> find_action(const YamlNode& map) {
  std::pair<const Action*, const lab::YamlEntry*> out{nullptr, nullptr};
  for (const lab::YamlEntry& entry : map.entries) {
    const auto action = std::ranges::find(kActions, entry.key, &Action::key);
    if (action == kActions.end()) continue;
    if (out.first != nullptr) {
      return lab::wrong(
          ScenarioError::unknown_key, entry.place,
          fmt::format("an event is one thing: '{}' and '{}'", out.first->key, entry.key));
    }
    out = {&*action, &entry};
  }
  if (out.first != nullptr) return out;
  std::vector<std::string_view> keys;
  for (const Action& action : kActions) keys.push_back(action.key);
  return lab::wrong(ScenarioError::missing_key, map.place,
                    fmt::format("expected one of {}", fmt::join(keys, ", ")));
}

class EventReader {
 public:
  EventReader(const NameTable& names, sim::Script& script) : names_{names}, script_{script} {}

  [[nodiscard]] Read<void> read(const YamlNode& map) {
    constexpr std::array<std::string_view, 18> kKeys{
        "at",    "partition", "heal",    "fork",        "crash",      "restart",
        "pause", "resume",    "produce", "stop",        "release",    "publish",
        "for",   "every",     "times",   "fork_choice", "checkpoint", "disk"};
    TRY(lab::expect_keys(map, "a map with the keys of an event", kKeys));
    const auto found = TRY(find_action(map));
    const auto [action, entry] = found;
    ScriptEvent event;
    event.what = action->what;
    event.line = map.place.line;
    const YamlNode& at = TRY(lab::required(map, "at"));
    event.at = TRY(read_duration(at, {}, script_.duration));
    TRY(read_what(entry->value, event));
    TRY(read_other_life(map, event));
    std::optional<Duration> lasts;
    if (const YamlNode* node = map.find("for")) {
      if (!action->ended_by) {
        return lab::wrong(ScenarioError::unknown_key, node->place,
                          fmt::format("nothing ends a '{}': it has no 'for'", action->key));
      }
      lasts = TRY(read_duration(*node, milliseconds(1), script_.duration));
    }
    return repeat(map, event, *action, lasts);
  }

  // All events, one after the other, on nodes that are up or down.
  [[nodiscard]] Read<void> finish() {
    state_.resize(script_.nodes.size());
    for (const ScriptEvent& event : script_.events) {
      for (const HostId host : event.nodes) TRY(change(event, host));
    }
    return {};
  }

 private:
  struct State {
    bool crashed = false;
    bool paused = false;
  };

  [[nodiscard]] Read<void> read_what(const YamlNode& value, ScriptEvent& event) {
    if (event.what == What::heal) {
      const bool is_true = TRY(lab::read_bool(value));
      event.text = "heal";
      if (is_true) return {};
      return lab::wrong(ScenarioError::wrong_kind, value.place, "expected true");
    }
    if (event.what == What::partition) return read_partition(value, event);
    if (event.what == What::fork) return read_fork(value, event);
    event.nodes = TRY(names_.read(value, who_can(event.what), script_));
    event.text = fmt::format("{} {}", word(event.what), names_text(value));
    return {};
  }

  // Each entry is a side; who is in none is on one more.
  [[nodiscard]] Read<void> read_partition(const YamlNode& value, ScriptEvent& event) {
    TRY(lab::expect_kind(value, Kind::list, "a list of sides, each a name or a list of names"));
    std::vector<HostId> rest;
    for (HostId host = 0; host < script_.nodes.size(); ++host) rest.push_back(host);
    event.text = "partition";
    for (const YamlNode& side : value.items) {
      auto hosts = TRY(names_.read(side, Who::anybody, script_));
      event.sides.push_back(std::move(hosts));
      for (const HostId host : event.sides.back()) {
        if (std::erase(rest, host) == 1) continue;
        return lab::wrong(ScenarioError::duplicate_name, side.place,
                          fmt::format("'{}' is on two sides", script_.nodes[host].name));
      }
      const bool first = event.sides.size() == 1;
      event.text += fmt::format("{} {}", first ? "" : " |", names_text(side));
    }
    if (!rest.empty()) {
      event.sides.push_back(std::move(rest));
      event.text += " | the others";
    }
    if (event.sides.size() > 1) return {};
    return lab::wrong(ScenarioError::missing_key, value.place, "expected two sides at least");
  }

  [[nodiscard]] Read<void> read_fork(const YamlNode& map, ScriptEvent& event) {
    constexpr std::array<std::string_view, 4> kKeys{"by", "height", "below", "depth"};
    TRY(lab::expect_keys(map, "a map with the keys of a fork", kKeys));
    const YamlNode& by = TRY(lab::required(map, "by"));
    event.nodes = TRY(names_.read(by, Who::honest, script_));
    if (event.nodes.size() != 1) {
      return lab::wrong(ScenarioError::unknown_node, by.place, "expected one node");
    }
    const YamlNode* height = map.find("height");
    const YamlNode* below = map.find("below");
    if ((height == nullptr) == (below == nullptr)) {
      return lab::wrong(ScenarioError::missing_key, map.place,
                        "expected 'height' or 'below': where the branch begins");
    }
    event.text = fmt::format("fork by {}", names_text(by));
    if (height != nullptr) {
      event.fork.height = TRY(lab::read_number(*height, 0, sim::kMaxScriptHeight));
      event.text += fmt::format(", on block {}", *event.fork.height);
    } else {
      event.fork.below = TRY(lab::read_number(*below, 1, sim::kMaxScriptForkBlocks));
      event.text += fmt::format(", {} below the head", event.fork.below);
    }
    if (const YamlNode* depth = map.find("depth")) {
      event.fork.blocks = TRY(lab::read_number(*depth, 1, sim::kMaxScriptForkBlocks));
      event.text += fmt::format(", {} blocks", *event.fork.blocks);
    }
    return {};
  }

  // What a restart may change.
  [[nodiscard]] Read<void> read_other_life(const YamlNode& map, ScriptEvent& event) const {
    constexpr std::array<std::string_view, 3> kOfRestart{"fork_choice", "checkpoint", "disk"};
    const bool honest = std::ranges::none_of(
        event.nodes, [&](HostId host) { return script_.nodes[host].role.has_value(); });
    for (const std::string_view key : kOfRestart) {
      const YamlNode* const node = map.find(key);
      if (node == nullptr || (event.what == What::restart && honest)) continue;
      return lab::wrong(ScenarioError::unknown_key, node->place,
                        fmt::format("only a restart of honest nodes has a '{}'", key));
    }
    if (const YamlNode* rule = map.find("fork_choice")) {
      event.fork_choice = TRY(read_rule(*rule, script_.rules));
      event.text += fmt::format(" with {}", rule->text);
    }
    if (const YamlNode* point = map.find("checkpoint")) TRY(read_checkpoint(*point, event));
    if (const YamlNode* disk = map.find("disk")) {
      event.kept_ppm = TRY(read_share(*disk));
      event.text += fmt::format(", {} of the disk", disk->text);
    }
    return {};
  }

  [[nodiscard]] Read<void> read_checkpoint(const YamlNode& map, ScriptEvent& event) const {
    constexpr std::array<std::string_view, 2> kKeys{"of", "height"};
    if (event.fork_choice) {
      return lab::wrong(ScenarioError::unknown_key, map.place,
                        "a 'checkpoint' is a rule: it has no 'fork_choice' beside it");
    }
    TRY(lab::expect_keys(map, "a map with the keys of a checkpoint", kKeys));
    const YamlNode& of = TRY(lab::required(map, "of"));
    const auto whose = TRY(names_.read(of, Who::honest, script_));
    if (whose.size() != 1) {
      return lab::wrong(ScenarioError::unknown_node, of.place, "expected one node");
    }
    const YamlNode& height = TRY(lab::required(map, "height"));
    const std::uint64_t number = TRY(lab::read_number(height, 1, sim::kMaxScriptHeight));
    event.checkpoint = {whose.front(), number};
    event.text += fmt::format(" with checkpoint {} of {}", number, names_text(of));
    return {};
  }

  [[nodiscard]] Read<void> repeat(const YamlNode& map, const ScriptEvent& event,
                                  const Action& action, std::optional<Duration> lasts) {
    const YamlNode* every = map.find("every");
    const YamlNode* times = map.find("times");
    if ((every == nullptr) != (times == nullptr)) {
      return lab::wrong(ScenarioError::missing_key, map.place,
                        "expected both 'every' and 'times', or neither");
    }
    Duration period;
    std::uint64_t count = 1;
    if (every != nullptr) period = TRY(read_duration(*every, milliseconds(1), script_.duration));
    if (times != nullptr) count = TRY(lab::read_number(*times, 1, sim::kMaxScriptEvents));
    for (std::uint64_t i = 0; i < count; ++i) {
      ScriptEvent one = event;
      one.at = event.at + period * static_cast<std::int64_t>(i);
      TRY(add(map, one));
      if (!lasts) continue;
      ScriptEvent end = one;
      end.what = *action.ended_by;
      end.at = one.at + *lasts;
      end.sides.clear();
      end.text = word(end.what);
      if (end.what != What::heal) end.text += one.text.substr(action.key.size());
      TRY(add(map, end));
    }
    return {};
  }

  [[nodiscard]] Read<void> add(const YamlNode& map, const ScriptEvent& event) {
    if (event.at > script_.duration) {
      return lab::wrong(ScenarioError::out_of_order, map.place,
                        fmt::format("'{}' at {}: the scenario ends at {}", event.text,
                                    duration_text(event.at), duration_text(script_.duration)));
    }
    if (script_.events.size() == sim::kMaxScriptEvents) {
      return lab::wrong(ScenarioError::too_large, map.place,
                        fmt::format("expected at most {} events", sim::kMaxScriptEvents));
    }
    // By time; those of one time as they stand in the file.
    script_.events.insert(std::ranges::upper_bound(script_.events, event.at, {}, &ScriptEvent::at),
                          event);
    return {};
  }

  [[nodiscard]] Read<void> change(const ScriptEvent& event, HostId host) {
    State& state = state_[host];
    const bool started = script_.nodes[host].starts <= event.at;
    const bool up = started && !state.crashed;
    std::string_view wrong;
    if (event.what == What::restart) {
      if (up) wrong = "up";
      if (!started) wrong = "not started";
    } else if (event.what == What::resume) {
      if (!state.paused) wrong = "not paused";
    } else {
      const bool works = event.what != What::crash;
      if (works && state.paused) wrong = "paused";
      if (!up) wrong = started ? "down" : "not started";
    }
    if (!wrong.empty()) {
      return lab::wrong(ScenarioError::out_of_order, {event.line, 1},
                        fmt::format("'{}' at {}: {} is {} then", event.text,
                                    duration_text(event.at), script_.nodes[host].name, wrong));
    }
    if (event.what == What::crash) state = {.crashed = true};
    if (event.what == What::restart) state.crashed = false;
    if (event.what == What::pause) state.paused = true;
    if (event.what == What::resume) state.paused = false;
    return {};
  }

  const NameTable& names_;
  sim::Script& script_;
  std::vector<State> state_;
};

}  // namespace

Read<void> read_events(const YamlNode& list, const NameTable& names, sim::Script& script) {
  TRY(lab::expect_kind(list, Kind::list, "a list of events"));
  EventReader reader{names, script};
  for (const YamlNode& item : list.items) TRY(reader.read(item));
  return reader.finish();
}

}  // namespace ethnet::sim_file
