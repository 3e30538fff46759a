#include "block_why.hpp"

#include <algorithm>
#include <utility>

namespace ethnet::node {

BlockWhy why(const chain::ChainManager& chain, const Hash32& hash) {
  const chain::HeaderTree& tree = chain.tree();
  const auto index_of = [&](const chain::BlockRef& block) {
    const auto index = tree.find(block.hash);
    CHECK(index.has_value());
    return *index;
  };
  const auto ref = [&](chain::NodeIndex index) {
    return chain::BlockRef{tree.node(index).hash, tree.node(index).number};
  };

  BlockWhy out;
  out.rule = chain.rule().name();
  std::vector<chain::RankedHead> ranked = chain.explain_heads(kMaxRankedHeads);
  const auto chosen = std::ranges::find(ranked, true, &chain::RankedHead::chosen);
  CHECK(chosen != ranked.end());
  out.head = *chosen;

  const auto block = tree.find(hash);
  if (!block) return out;
  out.block = ref(*block);
  if (*block != tree.root()) out.parent = tree.node(tree.node(*block).parent).hash;
  const chain::NodeIndex head = index_of(out.head.block);
  const bool canonical = tree.descends(head, *block);
  out.standing = canonical ? Standing::canonical : Standing::side;
  if (!canonical) out.fork_point = ref(tree.common_ancestor(*block, head));

  for (chain::RankedHead& one : ranked) {
    const bool below = tree.descends(index_of(one.block), *block);
    if (!one.chosen && below != canonical) out.rivals.push_back(std::move(one));
  }
  out.cut = tree.leaves().size() > kMaxRankedHeads || out.rivals.size() > kMaxToldHeads;
  if (out.rivals.size() > kMaxToldHeads) {
    const auto first = out.rivals.end() - static_cast<std::ptrdiff_t>(kMaxToldHeads);
    out.rivals.erase(out.rivals.begin(), first);
  }
  return out;
}

}  // namespace ethnet::node
