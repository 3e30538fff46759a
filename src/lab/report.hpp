// What a run of the laboratory came to: plain data, from which every output is written.
// Threading: values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "block_book.hpp"
#include "scenario.hpp"

namespace ethnet::lab {

inline constexpr std::size_t kMaxListedHeads =
    12;  // of one step; the chosen one is always among them

// A branch head as the rule saw it.
struct Contender {
  std::string block;
  std::uint64_t number = 0;
  std::string score;
  std::string why;
  bool chosen = false;
};

struct LabReorg {
  std::size_t step = 0;  // from 0
  std::uint64_t at = 0;
  std::string old_head;
  std::string new_head;
  std::string fork_point;
  std::vector<std::string> removed;  // lowest first
  std::vector<std::string> added;
  std::string cause;
  [[nodiscard]] std::size_t depth() const { return removed.size(); }
};

struct StepResult {
  std::string head;
  std::uint64_t number = 0;
  std::vector<Contender> heads;
  std::size_t heads_left_out = 0;
  std::vector<std::size_t> reorgs;   // in Playback::reorgs
  std::vector<std::string> notices;  // "2 blocks wait for their parent"
};

// One rule's run.
struct Playback {
  std::string rule;
  std::vector<StepResult> steps;
  std::vector<LabReorg> reorgs;
  std::vector<std::string> canonical;  // at the end, genesis first
};

// Heads that differ after a step: which rules have which.
struct Disagreement {
  std::size_t step = 0;
  std::map<std::string, std::vector<std::string>> rules_of_head;
};

struct Unmet {
  std::size_t step = 0;
  std::string rule;
  std::string expected;  // "head a3"
  std::string found;
  Place place;
};

struct LabReport {
  Scenario scenario;
  BlockBook blocks;
  std::vector<Playback> playbacks;
  std::vector<Disagreement> disagreements;
  std::size_t met = 0;  // expectations
  std::vector<Unmet> unmet;
  std::size_t not_played = 0;  // expectations of rules that were not
};

// "blocks a2, b2", "release b1", "votes v1 for a2 (32)", "wait"
[[nodiscard]] std::string describe(const Step& step);

// For terminals, docs/LAB.md; each ends with a newline.
[[nodiscard]] std::string text_report(const LabReport& report);
[[nodiscard]] std::string json_report(const LabReport& report);
// A row for each rule and step.
[[nodiscard]] std::string csv_report(const LabReport& report);
// Graphviz: the fork tree, the reorganisations as dashed edges.
[[nodiscard]] std::string dot_report(const LabReport& report);

}  // namespace ethnet::lab
