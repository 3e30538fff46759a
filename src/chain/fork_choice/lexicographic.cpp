#include "lexicographic.hpp"

#include <algorithm>

namespace ethnet::chain {

Candidate LexicographicHead::choose(const RuleView& view) const {
  if (view.heads().empty()) return view.present();
  return *std::ranges::max_element(view.heads(), {}, &Candidate::hash);
}

Score LexicographicHead::explain(const RuleView&, const Candidate& block) const {
  return {block.hash.hex(), "hash " + block.hash.short_hex()};
}

}  // namespace ethnet::chain
