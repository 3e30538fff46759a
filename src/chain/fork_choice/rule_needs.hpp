// What a fork-choice rule asks for. The chain keeps, computes and hands over what its rule declared
// and nothing else: a rule that declares nothing costs nothing.
#pragma once

namespace ethnet::chain {

struct RuleNeeds {
  // Every branch head each time. False when the best of the new heads and the present one is always
  // the best of all: imports then cost nothing for branches that they do not touch.
  bool all_heads = false;
  bool total_difficulty = false;  // of each block, from the first root on
  bool block_facts = false;       // timestamp and producer of each block
  bool votes = false;             // who voted for which block, with which weight

  friend bool operator==(const RuleNeeds&, const RuleNeeds&) = default;
};

}  // namespace ethnet::chain
