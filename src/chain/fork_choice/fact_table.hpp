// FactTable: what a rule has asked to know of each block (RuleNeeds), beside the header tree and by
// the same index. Of what no rule asked for nothing is kept.
// Threading: one thread. Limits: as many entries as the tree has had slots, bytes_per_header()
// each; the chain takes them out of its memory limit (tree_share).
#pragma once

#include <cstdint>
#include <deque>

#include <types/address.hpp>
#include <types/header_view.hpp>

#include "../header_tree.hpp"
#include "rule_needs.hpp"
#include "total_difficulty.hpp"

namespace ethnet::chain {

struct BlockFacts {
  std::uint64_t timestamp = 0;  // seconds since 1970
  Address producer;
};

class FactTable {
 public:
  explicit FactTable(const RuleNeeds& needs)
      : keeps_totals_{needs.total_difficulty}, keeps_facts_{needs.block_facts} {}

  [[nodiscard]] bool is_wanted() const { return keeps_totals_ || keeps_facts_; }
  [[nodiscard]] std::uint64_t bytes_per_header() const {
    return (keeps_totals_ ? sizeof(TotalDifficulty) : 0) + (keeps_facts_ ? sizeof(BlockFacts) : 0);
  }
  // What remains for the tree of a memory limit that both share; all of it where nothing is kept.
  [[nodiscard]] std::uint64_t tree_share(std::uint64_t limit) const;

  // Of a node that the tree has just placed; `parent` is kNoNode for the first root.
  void add(NodeIndex index, NodeIndex parent, const HeaderView& header);

  // CHECK: the rule has declared it.
  [[nodiscard]] const TotalDifficulty& total_difficulty(NodeIndex index) const;
  [[nodiscard]] const BlockFacts& facts(NodeIndex index) const;

 private:
  bool keeps_totals_;
  bool keeps_facts_;
  // Deques: they grow without a copy, and by little.
  std::deque<TotalDifficulty> totals_;
  std::deque<BlockFacts> facts_;
};

}  // namespace ethnet::chain
