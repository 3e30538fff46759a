#include <algorithm>
#include <array>
#include <utility>

#include <base/check.hpp>
#include <base/result.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "event_reader.hpp"
#include "quantity.hpp"

namespace ethnet::sim_file {
namespace {

using lab::Read;
using lab::ScenarioError;
using lab::YamlNode;
using sim::ScriptCheck;
using Kind = YamlNode::Kind;
using What = ScriptCheck::What;

struct Number {
  std::string_view key;
  What what = What::height;
};
constexpr std::array kNumbers{Number{"height", What::height},
                              Number{"reorgs", What::reorgs},
                              Number{"reorg_depth", What::reorg_depth},
                              Number{"forks", What::forks},
                              Number{"peers", What::peers},
                              Number{"banned", What::banned},
                              Number{"sampled", What::sampled},
                              Number{"missed", What::missed}};
constexpr std::uint64_t kGreatest = sim::kMaxScriptHeight;

Read<void> read_heads(const YamlNode& value, const NameTable& names, const sim::Script& script,
                      ScriptCheck& check) {
  constexpr std::array<std::string_view, 2> kKeys{"equal", "differ"};
  if (value.kind == Kind::text && value.text == "equal") {
    YamlNode all = value;
    all.text = kEverybody;
    auto side = TRY(names.read(all, Who::honest, script));
    check.sides.push_back(std::move(side));
    check.text = fmt::format("heads equal: {}", kEverybody);
    return {};
  }
  TRY(lab::expect_keys(value, "'equal', or a map with 'equal' or 'differ'", kKeys));
  if (value.entries.size() != 1) {
    return lab::wrong(ScenarioError::missing_key, value.place, "expected 'equal' or 'differ'");
  }
  const YamlNode& who = value.entries.front().value;
  if (value.entries.front().key == "equal") {
    auto side = TRY(names.read(who, Who::honest, script));
    check.sides.push_back(std::move(side));
    check.text = fmt::format("heads equal: {}", names_text(who));
    return {};
  }
  check.what = What::heads_differ;
  check.text = "heads differ:";
  TRY(lab::expect_kind(who, Kind::list, "a list of sides, each a name or a list of names"));
  for (const YamlNode& side : who.items) {
    auto nodes = TRY(names.read(side, Who::honest, script));
    check.sides.push_back(std::move(nodes));
    const bool first = check.sides.size() == 1;
    check.text += fmt::format("{} {}", first ? "" : " |", names_text(side));
  }
  if (check.sides.size() > 1) return {};
  return lab::wrong(ScenarioError::missing_key, who.place, "expected two sides at least");
}

Read<void> read_number_check(const YamlNode& map, const Number& number, const NameTable& names,
                             const sim::Script& script, ScriptCheck& check) {
  constexpr std::array<std::string_view, 4> kKeys{"nodes", "at_least", "at_most", "exactly"};
  TRY(lab::expect_keys(map, "a map with 'nodes', 'at_least', 'at_most' or 'exactly'", kKeys));
  const YamlNode* least = map.find("at_least");
  const YamlNode* most = map.find("at_most");
  const YamlNode* exactly = map.find("exactly");
  const bool range = least != nullptr || most != nullptr;
  if (range == (exactly != nullptr)) {
    return lab::wrong(ScenarioError::missing_key, map.place,
                      "expected 'exactly', or 'at_least', 'at_most' or both");
  }
  check.what = number.what;
  if (least != nullptr) check.at_least = TRY(lab::read_number(*least, 0, kGreatest));
  if (most != nullptr) check.at_most = TRY(lab::read_number(*most, check.at_least, kGreatest));
  if (exactly != nullptr) {
    check.at_least = TRY(lab::read_number(*exactly, 0, kGreatest));
    check.at_most = check.at_least;
  }
  YamlNode all = map;
  all.kind = Kind::text;
  all.text = kEverybody;
  const YamlNode* nodes = map.find("nodes");
  const YamlNode& who = nodes != nullptr ? *nodes : all;
  auto side = TRY(names.read(who, Who::honest, script));
  check.sides.push_back(std::move(side));
  check.text = fmt::format("{} of {}:", number.key, names_text(who));
  if (exactly != nullptr) check.text += fmt::format(" exactly {}", check.at_least);
  if (least != nullptr) check.text += fmt::format(" at least {}", check.at_least);
  if (most != nullptr) check.text += fmt::format(" at most {}", check.at_most);
  return {};
}

Read<ScriptCheck> read_check(const YamlNode& map, const NameTable& names,
                             const sim::Script& script) {
  constexpr std::array<std::string_view, 10> kKeys{"at",          "heads", "height", "reorgs",
                                                   "reorg_depth", "forks", "peers",  "banned",
                                                   "sampled",     "missed"};
  TRY(lab::expect_keys(map, "a map with what is expected", kKeys));
  ScriptCheck check;
  check.line = map.place.line;
  check.at = script.duration;
  std::size_t things = 0;
  for (const lab::YamlEntry& entry : map.entries) {
    if (entry.key == "at") {
      check.at = TRY(read_duration(entry.value, {}, script.duration));
      continue;
    }
    if (++things > 1) break;
    if (entry.key == "heads") {
      TRY(read_heads(entry.value, names, script, check));
      continue;
    }
    const auto number = std::ranges::find(kNumbers, entry.key, &Number::key);
    CHECK(number != kNumbers.end());
    TRY(read_number_check(entry.value, *number, names, script, check));
  }
  if (things == 1) return check;
  return lab::wrong(
      ScenarioError::missing_key, map.place,
      fmt::format("an expectation is one of {}", fmt::join(std::span{kKeys}.subspan(1), ", ")));
}

}  // namespace

Read<void> read_checks(const YamlNode& list, const NameTable& names, sim::Script& script) {
  TRY(lab::expect_kind(list, Kind::list, "a list of expectations"));
  for (const YamlNode& item : list.items) {
    if (script.checks.size() == sim::kMaxScriptChecks) {
      return lab::wrong(ScenarioError::too_large, item.place,
                        fmt::format("expected at most {} expectations", sim::kMaxScriptChecks));
    }
    ScriptCheck check = TRY(read_check(item, names, script));
    script.checks.push_back(std::move(check));
  }
  return {};
}

}  // namespace ethnet::sim_file
