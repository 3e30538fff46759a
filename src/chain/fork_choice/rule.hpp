// A fork-choice rule: which branch head is canonical.
//
// A new rule is one new pair of files beside this one and one line in rule_table.cpp; nothing else.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <types/hash.hpp>

namespace ethnet::chain {

// The head of a branch: a block without a child.
struct Candidate {
  Hash32 hash;
  std::uint64_t number = 0;
  std::uint64_t arrival = 0;  // order in which it was first known, from 0 for the root

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

class ForkChoiceRule {
 public:
  ForkChoiceRule() = default;
  ForkChoiceRule(const ForkChoiceRule&) = delete;
  ForkChoiceRule& operator=(const ForkChoiceRule&) = delete;
  virtual ~ForkChoiceRule() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;
  // The new head: `present` or one of the candidates. `candidates` are the branch heads in order of
  // arrival: all of them where needs_all() says so, else at least those that are new. `present` may
  // have a child by now, and is then not among them. Must be a pure function of its arguments.
  [[nodiscard]] virtual Candidate choose(const Candidate& present,
                                         std::span<const Candidate> candidates) const = 0;
  // False when the best of the new heads and the present one is always the best of all: imports
  // then cost nothing for branches that they do not touch.
  [[nodiscard]] virtual bool needs_all() const { return true; }
};

}  // namespace ethnet::chain
