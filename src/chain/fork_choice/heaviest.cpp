#include "heaviest.hpp"

#include <utility>

#include <fmt/format.h>

namespace ethnet::chain {
namespace {

std::pair<TotalDifficulty, std::uint64_t> weight_of(const RuleView& view, const Candidate& block) {
  return {view.total_difficulty(block), block.number};
}

}  // namespace

Candidate HeaviestChain::choose(const RuleView& view) const {
  Candidate best = view.present();
  for (const Candidate& head : view.heads()) {
    if (weight_of(view, head) > weight_of(view, best)) best = head;
  }
  return best;
}

Score HeaviestChain::explain(const RuleView& view, const Candidate& block) const {
  const std::string total = view.total_difficulty(block).decimal();
  return {total, fmt::format("total difficulty {}, height {}", total, block.number)};
}

}  // namespace ethnet::chain
