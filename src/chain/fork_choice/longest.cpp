#include "longest.hpp"

namespace ethnet::chain {

Candidate LongestChain::choose(const Candidate& present,
                               std::span<const Candidate> candidates) const {
  Candidate best = present;
  for (const Candidate& candidate : candidates) {
    const bool taller = candidate.number > best.number;
    const bool earlier =
        candidate.number == best.number && best != present && candidate.arrival < best.arrival;
    if (taller || earlier) best = candidate;
  }
  return best;
}

}  // namespace ethnet::chain
