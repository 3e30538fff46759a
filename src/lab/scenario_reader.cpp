#include "scenario_reader.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <base/result.hpp>
#include <chain/fork_choice/vote_book.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "yaml_values.hpp"

namespace ethnet::lab {
namespace {

using Kind = YamlNode::Kind;

Read<std::string> read_rule(const std::string& text, const Place& place,
                            const chain::RuleBook& known) {
  auto rule = parse_lab_rule(text, known);
  if (!rule) {
    return wrong(ScenarioError::unknown_rule, place,
                 fmt::format("expected a rule ({}), found '{}': {}",
                             fmt::join(lab_rule_names(known), ", "), text, rule.error().what()));
  }
  const bool reads_file = rule->choice.name == "checkpoint" && !rule->choice.parameter.empty();
  if (!reads_file) return std::move(rule->label);
  return wrong(ScenarioError::unknown_rule, place,
               "a scenario names no file: give its blocks under 'checkpoints'");
}

// One scenario under construction: what is known so far.
class Reader {
 public:
  explicit Reader(const chain::RuleBook& known) : rules_{known} {}
  [[nodiscard]] Read<Scenario> read(const YamlNode& root) {
    constexpr std::array<std::string_view, 6> kKeys{"name",         "about",       "rules",
                                                    "slot_seconds", "checkpoints", "steps"};
    TRY(expect_keys(root, "a map with the keys of a scenario", kKeys));
    const YamlNode& name = TRY(required(root, "name"));
    out_.name = TRY(read_name(name, "the scenario"));
    if (const YamlNode* about = root.find("about")) out_.about = TRY(read_text(*about));
    if (const YamlNode* slot = root.find("slot_seconds")) {
      slot_seconds_ = TRY(read_number(*slot, 1, 3600));
    }
    if (const YamlNode* rules = root.find("rules")) TRY(read_rules(*rules));
    const YamlNode& steps = TRY(required(root, "steps"));
    TRY(expect_kind(steps, Kind::list, "a list of steps"));
    if (steps.items.empty()) {
      return wrong(ScenarioError::missing_key, steps.place, "expected at least one step");
    }
    for (const YamlNode& step : steps.items) TRY(read_step(step));
    if (const YamlNode* points = root.find("checkpoints")) TRY(read_checkpoints(*points));
    return std::move(out_);
  }

 private:
  struct Known {
    std::uint64_t number = 0;
    std::uint64_t time = 0;
    bool withheld = false;
  };

  Read<void> read_rules(const YamlNode& list) {
    TRY(expect_kind(list, Kind::list, "a list of rules"));
    for (const YamlNode& item : list.items) {
      TRY(expect_kind(item, Kind::text, "the name of a rule"));
      std::string label = TRY(read_rule(item.text, item.place, rules_));
      if (std::ranges::find(out_.rules, label) != out_.rules.end()) {
        return wrong(ScenarioError::duplicate_name, item.place,
                     fmt::format("the rule '{}' stands twice", label));
      }
      if (out_.rules.size() == kMaxLabRules) {
        return wrong(ScenarioError::too_large, item.place,
                     fmt::format("expected at most {} rules", kMaxLabRules));
      }
      out_.rules.push_back(std::move(label));
    }
    return {};
  }

  Read<void> read_checkpoints(const YamlNode& list) {
    TRY(expect_kind(list, Kind::list, "a list of blocks"));
    std::set<std::uint64_t> numbers;
    for (const YamlNode& item : list.items) {
      std::string block = TRY(read_block_name(item));
      if (!numbers.insert(known_.at(block).number).second) {
        return wrong(
            ScenarioError::duplicate_name, item.place,
            fmt::format("a checkpoint at height {} stands twice", known_.at(block).number));
      }
      if (out_.checkpoints.size() == chain::kMaxCheckpoints) {
        return wrong(ScenarioError::too_large, item.place, "too many checkpoints");
      }
      out_.checkpoints.push_back(std::move(block));
    }
    return {};
  }

  // Of a block that stands above.
  Read<std::string> read_block_name(const YamlNode& node) const {
    std::string name = TRY(read_name(node, "a block"));
    if (known_.contains(name)) return name;
    return wrong(ScenarioError::unknown_block, node.place,
                 fmt::format("expected a block that stands above, found '{}'", name));
  }

  Read<void> read_step(const YamlNode& node) {
    constexpr std::array<std::string_view, 9> kKeys{"block", "blocks", "release", "votes", "wait",
                                                    "at",    "from",   "note",    "expect"};
    TRY(expect_keys(node, "a map with the keys of a step", kKeys));
    if (out_.steps.size() == kMaxLabSteps) {
      return wrong(ScenarioError::too_large, node.place,
                   fmt::format("expected at most {} steps", kMaxLabSteps));
    }
    Step step;
    step.place = node.place;
    newest_ = now_;
    TRY(read_action(node, step));
    TRY(read_time(node, step));
    if (const YamlNode* from = node.find("from")) step.from = TRY(read_name(*from, "who gave it"));
    if (const YamlNode* note = node.find("note")) step.note = TRY(read_text(*note));
    if (const YamlNode* expect = node.find("expect")) TRY(read_expectations(*expect, step));
    out_.steps.push_back(std::move(step));
    return {};
  }

  Read<void> read_action(const YamlNode& node, Step& step) {
    constexpr std::array<std::string_view, 5> kActions{"block", "blocks", "release", "votes",
                                                       "wait"};
    const YamlEntry* action = nullptr;
    for (const YamlEntry& entry : node.entries) {
      if (std::ranges::find(kActions, entry.key) == kActions.end()) continue;
      if (action != nullptr) {
        return wrong(ScenarioError::unknown_key, entry.place,
                     fmt::format("a step does one thing: '{}' and '{}'", action->key, entry.key));
      }
      action = &entry;
    }
    if (action == nullptr) {
      return wrong(ScenarioError::missing_key, node.place,
                   fmt::format("expected one of {}", fmt::join(kActions, ", ")));
    }
    if (action->key == "block") return read_block(action->value, step);
    if (action->key == "wait") {
      const std::uint64_t waited = TRY(read_number(action->value, 0, kMaxLabSeconds));
      newest_ += waited;
      return {};
    }
    TRY(expect_kind(action->value, Kind::list, "a list"));
    for (const YamlNode& item : action->value.items) {
      if (action->key == "blocks") TRY(read_block(item, step));
      if (action->key == "release") TRY(read_release(item, step));
      if (action->key == "votes") TRY(read_vote(item, step));
    }
    return {};
  }

  // When the step happens: not before the one above, and where nothing is said, as soon as no clock
  // could call its blocks early.
  Read<void> read_time(const YamlNode& node, Step& step) {
    step.at = newest_;
    if (const YamlNode* at = node.find("at")) {
      if (node.find("wait") != nullptr) {
        return wrong(ScenarioError::unknown_key, at->place, "a step that waits has no 'at'");
      }
      step.at = TRY(read_number(*at, 0, kMaxLabSeconds));
      if (step.at < now_) {
        return wrong(ScenarioError::out_of_order, at->place,
                     fmt::format("the step above is at {} s", now_));
      }
    }
    if (step.at > kMaxLabSeconds) {
      return wrong(ScenarioError::bad_number, node.place,
                   fmt::format("later than {} s", kMaxLabSeconds));
    }
    now_ = step.at;
    return {};
  }

  Read<void> read_block(const YamlNode& node, Step& step) {
    constexpr std::array<std::string_view, 7> kKeys{"name", "parent",     "producer", "time",
                                                    "slot", "difficulty", "withheld"};
    TRY(expect_keys(node, "a map with the keys of a block", kKeys));
    step.action = Action::blocks;
    BlockSpec block;
    const YamlNode& name = TRY(required(node, "name"));
    block.name = TRY(read_name(name, "the block"));
    if (known_.contains(block.name)) {
      return wrong(ScenarioError::duplicate_name, name.place,
                   fmt::format("there is a block '{}' already", block.name));
    }
    if (known_.size() > kMaxLabBlocks) {
      return wrong(ScenarioError::too_large, node.place,
                   fmt::format("expected at most {} blocks", kMaxLabBlocks));
    }
    const YamlNode& parent = TRY(required(node, "parent"));
    block.parent = TRY(read_block_name(parent));
    if (const YamlNode* by = node.find("producer")) {
      block.producer = TRY(read_name(*by, "the producer"));
    }
    if (const YamlNode* difficulty = node.find("difficulty")) {
      block.difficulty = TRY(read_number(*difficulty, 1, UINT64_MAX));
    }
    if (const YamlNode* withheld = node.find("withheld"))
      block.withheld = TRY(read_bool(*withheld));
    TRY(read_block_time(node, block));
    known_[block.name] = {known_.at(block.parent).number + 1, block.time, block.withheld};
    if (!block.withheld) newest_ = std::max(newest_, block.time);
    step.blocks.push_back(std::move(block));
    return {};
  }

  Read<void> read_block_time(const YamlNode& node, BlockSpec& block) const {
    const YamlNode* time = node.find("time");
    const YamlNode* slot = node.find("slot");
    const std::uint64_t before = known_.at(block.parent).time;
    block.time = before + slot_seconds_;
    if (time != nullptr && slot != nullptr) {
      return wrong(ScenarioError::unknown_key, slot->place, "a block has 'time' or 'slot'");
    }
    const Place& place = time != nullptr ? time->place : slot != nullptr ? slot->place : node.place;
    if (time != nullptr) block.time = TRY(read_number(*time, 1, kMaxLabSeconds));
    if (slot != nullptr) {
      const std::uint64_t slots = TRY(read_number(*slot, 1, kMaxLabSeconds / slot_seconds_));
      block.time = slots * slot_seconds_;
    }
    if (block.time <= before || block.time > kMaxLabSeconds) {
      return wrong(ScenarioError::out_of_order, place,
                   fmt::format("expected a time after the parent's {} s and up to {} s, found {} s",
                               before, kMaxLabSeconds, block.time));
    }
    return {};
  }

  Read<void> read_release(const YamlNode& node, Step& step) {
    step.action = Action::release;
    std::string name = TRY(read_block_name(node));
    Known& block = known_.at(name);
    if (!block.withheld) {
      return wrong(ScenarioError::out_of_order, node.place,
                   fmt::format("'{}' is not withheld, or was released", name));
    }
    block.withheld = false;
    newest_ = std::max(newest_, block.time);
    step.release.push_back(std::move(name));
    return {};
  }

  Read<void> read_vote(const YamlNode& node, Step& step) {
    constexpr std::array<std::string_view, 3> kKeys{"by", "for", "weight"};
    TRY(expect_keys(node, "a map with the keys of a vote", kKeys));
    step.action = Action::votes;
    VoteSpec vote;
    const YamlNode& by = TRY(required(node, "by"));
    vote.voter = TRY(read_name(by, "the voter"));
    const YamlNode& block = TRY(required(node, "for"));
    vote.block = TRY(read_block_name(block));
    if (const YamlNode* weight = node.find("weight")) {
      const std::uint64_t value = TRY(read_number(*weight, 0, UINT32_MAX));
      vote.weight = static_cast<std::uint32_t>(value);
    }
    step.votes.push_back(std::move(vote));
    return {};
  }

  Read<void> read_expectations(const YamlNode& node, Step& step) const {
    constexpr std::array<std::string_view, 2> kKeys{"head", "reorg"};
    TRY(expect_keys(node, "a map with what is expected", kKeys));
    for (const YamlEntry& entry : node.entries) {
      const auto what =
          entry.key == "head" ? Expectation::What::head : Expectation::What::reorg_depth;
      if (entry.value.kind != Kind::map) {
        TRY(read_expectation(what, std::nullopt, entry.value, step));
        continue;
      }
      for (const YamlEntry& under : entry.value.entries) {
        std::string rule = TRY(read_rule(under.key, under.place, rules_));
        TRY(read_expectation(what, std::move(rule), under.value, step));
      }
    }
    return {};
  }

  Read<void> read_expectation(Expectation::What what, std::optional<std::string> rule,
                              const YamlNode& value, Step& step) const {
    Expectation out{what, std::move(rule), "", 0, value.place};
    if (what == Expectation::What::head) out.head = TRY(read_block_name(value));
    if (what == Expectation::What::reorg_depth) {
      out.depth = TRY(read_number(value, 0, kMaxLabBlocks));
    }
    step.expectations.push_back(std::move(out));
    return {};
  }

  const chain::RuleBook& rules_;
  Scenario out_;
  std::uint64_t slot_seconds_ = kDefaultSlotSeconds;
  std::uint64_t now_ = 0;     // of the last step
  std::uint64_t newest_ = 0;  // when the step that is read could happen
  std::map<std::string, Known> known_{{std::string{kGenesisName}, Known{}}};
};

}  // namespace

Read<Scenario> read_scenario(const std::string& text, const chain::RuleBook& known) {
  const YamlNode root = TRY(parse_yaml(text));
  return Reader{known}.read(root);
}

}  // namespace ethnet::lab
