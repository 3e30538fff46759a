// The head that a shipped rule names, from all branches and from scratch: what the checker holds a
// node's head against. It shares no code with the rules. Slow on purpose; pure.
#pragma once

#include <cstddef>

#include <chain/fork_choice/rule_table.hpp>
#include <chain/header_tree.hpp>

namespace ethnet::sim {

// Of the first `count` headers to arrive, of which none was released. CHECK: the rule is one of
// longest-chain, longest-tiebreak, heaviest, score, lexicographic-head, checkpoint, random.
[[nodiscard]] chain::NodeIndex naive_head(const chain::HeaderTree& tree, std::size_t count,
                                          const chain::RuleChoice& rule);

// A head that is told of is never followed by a lower one.
[[nodiscard]] bool never_sinks(std::string_view rule);
// Whether it is one of those above: not so a rule that a program has added (chain::RuleBook).
[[nodiscard]] bool has_naive_head(std::string_view rule);

}  // namespace ethnet::sim
