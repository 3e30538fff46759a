#include "longest_tiebreak.hpp"

#include <fmt/format.h>

namespace ethnet::chain {

Candidate LongestTiebreak::choose(const RuleView& view) const {
  Candidate best = view.present();
  for (const Candidate& head : view.heads()) {
    const bool taller = head.number > best.number;
    const bool lower = head.number == best.number && head.hash < best.hash;
    if (taller || lower) best = head;
  }
  return best;
}

Score LongestTiebreak::explain(const RuleView&, const Candidate& block) const {
  return {std::to_string(block.number),
          fmt::format("height {}, hash {}", block.number, block.hash.short_hex())};
}

}  // namespace ethnet::chain
