// A scenario of the fork-choice laboratory: blocks, votes and what is expected, step by step.
// docs/LAB.md describes the file. Threading: values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fault.hpp"

namespace ethnet::lab {

inline constexpr std::size_t kMaxLabBlocks = 4096;  // of one scenario; every rule plays them all
inline constexpr std::size_t kMaxLabSteps = 1024;   // each keeps its heads and scores
inline constexpr std::size_t kMaxLabRules = 16;     // played side by side
inline constexpr std::uint64_t kMaxLabSeconds = 1'000'000'000;  // 30 years after genesis

inline constexpr std::string_view kGenesisName = "genesis";
inline constexpr std::uint64_t kDefaultSlotSeconds = 12;

struct BlockSpec {
  std::string name;
  std::string parent;
  std::string producer;
  std::uint64_t time = 0;  // its timestamp: seconds after genesis
  std::uint64_t difficulty = 1;
  bool withheld = false;  // made, and given to nobody until it is released
};

struct VoteSpec {
  std::string voter;
  std::string block;
  std::uint32_t weight = 1;
};

// What one step should do under one rule, or under each that is played.
struct Expectation {
  enum class What : std::uint8_t { head, reorg_depth };
  What what = What::head;
  std::optional<std::string> rule;  // its label
  std::string head;
  std::uint64_t depth = 0;  // 0: no reorganisation
  Place place;
};

enum class Action : std::uint8_t { blocks, release, votes, wait };

struct Step {
  Action action = Action::wait;
  std::uint64_t at = 0;  // when it happens: seconds after genesis
  std::string from;      // who gave it; may be empty
  std::string note;
  std::vector<BlockSpec> blocks;
  std::vector<std::string> release;  // blocks that were withheld
  std::vector<VoteSpec> votes;
  std::vector<Expectation> expectations;
  Place place;
};

struct Scenario {
  std::string name;
  std::string about;
  std::vector<std::string> rules;        // labels; may be empty
  std::vector<std::string> checkpoints;  // blocks that the rule `checkpoint` never leaves
  std::vector<Step> steps;
};

}  // namespace ethnet::lab
