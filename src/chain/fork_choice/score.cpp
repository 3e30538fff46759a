#include "score.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace ethnet::chain {
namespace {

struct Parts {
  std::size_t producers = 0;
  std::uint64_t spread = 0;  // seconds, within kSpreadCap
  std::int64_t score = 0;
};

Parts parts_of(const RuleView& view, const Candidate& head) {
  std::set<Address> producers;
  std::uint64_t shortest = UINT64_MAX;
  std::uint64_t longest = 0;
  std::optional<Candidate> block = head;
  for (std::uint64_t i = 0; i < kScoreWindow && block; ++i) {
    const BlockFacts& facts = view.facts(*block);
    producers.insert(facts.producer);
    const auto parent = view.parent(*block);
    if (parent) {
      const std::uint64_t gap = facts.timestamp - view.facts(*parent).timestamp;
      shortest = std::min(shortest, gap);
      longest = std::max(longest, gap);
    }
    block = parent;
  }
  Parts parts{.producers = producers.size()};
  if (shortest <= longest) parts.spread = std::min(longest - shortest, kSpreadCap);
  const auto height = static_cast<std::int64_t>(std::min(head.number, kHeightCap));
  parts.score = kHeightPoints * height +
                kProducerPoints * static_cast<std::int64_t>(parts.producers) -
                static_cast<std::int64_t>(parts.spread);
  return parts;
}

}  // namespace

Candidate ScoreRule::choose(const RuleView& view) const {
  if (view.heads().empty()) return view.present();
  return *std::ranges::max_element(
      view.heads(), {}, [&](const Candidate& head) { return parts_of(view, head).score; });
}

Score ScoreRule::explain(const RuleView& view, const Candidate& block) const {
  const Parts parts = parts_of(view, block);
  return {std::to_string(parts.score),
          fmt::format("{} = {} x height {} + {} x {} producers - {} s of spread", parts.score,
                      kHeightPoints, block.number, kProducerPoints, parts.producers, parts.spread)};
}

}  // namespace ethnet::chain
