// ScoreRule: a branch is worth more the longer it is, the more producers made it, and the more
// evenly they did so. Of the newest kScoreWindow blocks of a branch (all, where it has fewer):
//
//   score = kHeightPoints * height
//         + kProducerPoints * distinct producers
//         - timestamp spread, at most kSpreadCap
//
// where the spread is the longest minus the shortest time between neighbours, in seconds. The
// greatest score wins, of equal ones the first to arrive. A child may score less than its parent
// (its producer was in the window already, or it comes late), so that a branch can lose by growing:
// a laboratory's rule, that shows what such a formula does.
#pragma once

#include "rule.hpp"

namespace ethnet::chain {

inline constexpr std::uint64_t kScoreWindow = 32;    // blocks that a head's score looks back on
inline constexpr std::int64_t kHeightPoints = 100;   // a block
inline constexpr std::int64_t kProducerPoints = 25;  // a distinct producer
inline constexpr std::uint64_t kSpreadCap = 1000;    // seconds: one pause costs ten blocks at most
// Far above any height, and a score still fits 63 bits.
inline constexpr std::uint64_t kHeightCap = std::uint64_t{1} << 48;

class ScoreRule final : public ForkChoiceRule {
 public:
  [[nodiscard]] std::string_view name() const override { return "score"; }
  [[nodiscard]] RuleNeeds needs() const override {
    return {.all_heads = true, .block_facts = true};
  }
  [[nodiscard]] Candidate choose(const RuleView& view) const override;
  [[nodiscard]] Score explain(const RuleView& view, const Candidate& block) const override;
};

}  // namespace ethnet::chain
