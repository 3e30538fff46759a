#include "longest.hpp"

#include <fmt/format.h>

namespace ethnet::chain {

Candidate LongestChain::choose(const RuleView& view) const {
  const Candidate& present = view.present();
  Candidate best = present;
  for (const Candidate& candidate : view.heads()) {
    const bool taller = candidate.number > best.number;
    const bool earlier =
        candidate.number == best.number && best != present && candidate.arrival < best.arrival;
    if (taller || earlier) best = candidate;
  }
  return best;
}

Score LongestChain::explain(const RuleView&, const Candidate& block) const {
  return {std::to_string(block.number),
          fmt::format("height {}, arrival {}", block.number, block.arrival)};
}

}  // namespace ethnet::chain
