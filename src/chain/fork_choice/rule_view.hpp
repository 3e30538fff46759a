// RuleView: all that a rule sees when it chooses. It reads the header tree and what the rule has
// declared (RuleNeeds); there is no clock, no randomness and nothing to change in it.
// A value for the length of one call. Threading: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <types/hash.hpp>

#include "../header_tree.hpp"
#include "fact_table.hpp"
#include "rule_needs.hpp"
#include "vote_book.hpp"

namespace ethnet::chain {

// A block that may become the head.
struct Candidate {
  Hash32 hash;
  std::uint64_t number = 0;
  std::uint64_t arrival = 0;  // order in which it was first known, from 0 for the first root
  NodeIndex node = kNoNode;   // where RuleView finds it; means nothing to a rule

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

struct WeightedBlock {
  Candidate block;
  std::uint64_t weight = 0;
};

class RuleView {
 public:
  // What the chain has; all of it outlives the view.
  struct Sources {
    const HeaderTree& tree;
    const FactTable& facts;
    const VoteBook& votes;
  };
  RuleView(const Sources& sources, const RuleNeeds& needs, const Candidate& present,
           std::span<const Candidate> heads)
      : sources_{sources}, needs_{needs}, present_{present}, heads_{heads} {}

  // The head until now. It may have a child by now, and is then not among the heads.
  [[nodiscard]] const Candidate& present() const { return present_; }
  // Blocks without a child, in order of arrival: all where the rule needs all_heads, else at least
  // those that are new.
  [[nodiscard]] std::span<const Candidate> heads() const { return heads_; }

  // The lowest block that is kept.
  [[nodiscard]] Candidate root() const { return at(sources_.tree.root()); }
  // The ancestor (or the block itself) at `number`, in O(log n). CHECK: between root and block.
  [[nodiscard]] Candidate ancestor(const Candidate& block, std::uint64_t number) const;
  [[nodiscard]] std::optional<Candidate> parent(const Candidate& block) const;
  // True when `ancestor` is on the way from `block` to the root, both included.
  [[nodiscard]] bool descends(const Candidate& block, const Candidate& ancestor) const;

  // CHECK, each: the rule has declared the need.
  [[nodiscard]] const TotalDifficulty& total_difficulty(const Candidate& block) const {
    return sources_.facts.total_difficulty(block.node);
  }
  [[nodiscard]] const BlockFacts& facts(const Candidate& block) const {
    return sources_.facts.facts(block.node);
  }
  // Those for blocks that are kept, in the order of their hashes.
  [[nodiscard]] std::vector<WeightedBlock> votes() const;

 private:
  [[nodiscard]] Candidate at(NodeIndex index) const;

  Sources sources_;
  RuleNeeds needs_;
  Candidate present_;
  std::span<const Candidate> heads_;
};

// A node of the tree as a rule sees it.
[[nodiscard]] Candidate candidate_of(const HeaderTree& tree, NodeIndex index);

}  // namespace ethnet::chain
