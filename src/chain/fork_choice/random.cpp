#include "random.hpp"

#include <algorithm>

#include <base/sip_hash.hpp>
#include <fmt/format.h>

namespace ethnet::chain {

std::uint64_t RandomHead::rank_of(const Candidate& block) const {
  return sip_hash({seed_, 0}, block.hash.view());
}

Candidate RandomHead::choose(const RuleView& view) const {
  if (view.heads().empty()) return view.present();
  return *std::ranges::max_element(view.heads(), {},
                                   [&](const Candidate& head) { return rank_of(head); });
}

Score RandomHead::explain(const RuleView&, const Candidate& block) const {
  const std::uint64_t rank = rank_of(block);
  return {std::to_string(rank), fmt::format("rank {} by seed {}", rank, seed_)};
}

}  // namespace ethnet::chain
