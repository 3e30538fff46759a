#include "lexicographic.hpp"

#include <algorithm>

namespace ethnet::chain {

Candidate LexicographicHead::choose(const Candidate& present,
                                    std::span<const Candidate> candidates) const {
  if (candidates.empty()) return present;
  return *std::ranges::max_element(candidates, {}, &Candidate::hash);
}

}  // namespace ethnet::chain
