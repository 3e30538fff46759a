// For tests: each fork-choice rule once more, in the most obvious way: over all branches, from
// genesis, without what the chain keeps between two steps. They share no code with the rules.
#pragma once

#include <algorithm>
#include <set>
#include <tuple>

#include "fork_choice/checkpoint.hpp"
#include "header_tree.hpp"
#include "naive_chains.hpp"

namespace ethnet::chain::testing {

using Branch = std::vector<Hash32>;

// The tip of the branch that ranks highest; of equals the one that was known first.
template <class Rank>
Hash32 naive_best(const NaiveChains& chains, Rank rank) {
  const Branch* best = nullptr;
  for (const Branch& branch : chains.branches()) {
    const bool better = best == nullptr || rank(branch) > rank(*best) ||
                        (rank(branch) == rank(*best) &&
                         chains.arrival_of(branch.back()) < chains.arrival_of(best->back()));
    if (better) best = &branch;
  }
  return best->back();
}

// The tree as it is, as a model whose genesis is the tree's root.
inline NaiveChains naive_copy(const HeaderTree& tree) {
  std::map<std::uint64_t, NodeIndex> by_arrival;
  for (const NodeIndex leaf : tree.leaves()) {
    for (NodeIndex at = leaf; at != tree.root(); at = tree.node(at).parent) {
      by_arrival[tree.node(at).arrival] = at;
    }
  }
  NaiveChains model{tree.node(tree.root()).hash};
  for (const auto& [arrival, index] : by_arrival) model.add(*Header::decode(tree.header(index)));
  return model;
}

inline NaiveRule naive_longest() {
  return [](const NaiveChains& chains) {
    const Hash32 best = naive_best(chains, [](const Branch& b) { return b.size(); });
    const bool taller = chains.branch_of(best).size() > chains.branch_of(chains.head()).size();
    return taller ? best : chains.head();
  };
}

inline NaiveRule naive_lexicographic() {
  return [](const NaiveChains& chains) {
    return naive_best(chains, [](const Branch& b) { return b.back(); });
  };
}

inline NaiveRule naive_tiebreak() {
  return [](const NaiveChains& chains) {
    std::set<std::pair<std::uint64_t, Hash32>> order;  // how much lower than the highest, hash
    for (const Branch& branch : chains.branches()) {
      order.insert({UINT64_MAX - branch.size(), branch.back()});
    }
    return order.begin()->second;
  };
}

// Difficulties of headers that a test makes: their sum fits 64 bits.
inline std::uint64_t naive_total(const NaiveChains& chains, const Branch& branch) {
  std::uint64_t total = 0;
  for (const Hash32& hash : branch) {
    const auto header = chains.headers().find(hash);
    if (header != chains.headers().end()) total += *header->second.difficulty.to_u64();
  }
  return total;
}

inline NaiveRule naive_heaviest() {
  return [](const NaiveChains& chains) {
    return naive_best(chains,
                      [&](const Branch& b) { return std::pair{naive_total(chains, b), b.size()}; });
  };
}

// As score.hpp documents it, with its numbers written out.
inline std::int64_t naive_score(const NaiveChains& chains, const Branch& branch,
                                const Header& genesis) {
  std::vector<Header> kept{genesis};
  for (const Hash32& hash : branch) {
    if (chains.headers().contains(hash)) kept.push_back(chains.headers().at(hash));
  }
  kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(chains.floor()));
  std::set<Address> producers;
  std::vector<std::int64_t> gaps;
  for (std::size_t back = 0; back < 32 && back < kept.size(); ++back) {
    const std::size_t i = kept.size() - 1 - back;
    producers.insert(kept[i].beneficiary);
    if (i > 0) gaps.push_back(static_cast<std::int64_t>(kept[i].timestamp - kept[i - 1].timestamp));
  }
  std::int64_t spread = 0;
  if (!gaps.empty()) spread = std::ranges::max(gaps) - std::ranges::min(gaps);
  return 100 * (static_cast<std::int64_t>(branch.size()) - 1) +
         25 * static_cast<std::int64_t>(producers.size()) - std::min<std::int64_t>(spread, 1000);
}

inline NaiveRule naive_score(const Header& genesis) {
  return [genesis](const NaiveChains& chains) {
    return naive_best(chains, [&](const Branch& b) { return naive_score(chains, b, genesis); });
  };
}

inline NaiveRule naive_random(std::uint64_t seed) {
  return [seed](const NaiveChains& chains) {
    return naive_best(chains,
                      [&](const Branch& b) { return sip_hash({seed, 0}, b.back().view()); });
  };
}

// Each branch is cut below its first block that is not the checkpoint's; the longest wins.
inline NaiveRule naive_checkpoint(const std::vector<Checkpoint>& checkpoints) {
  return [checkpoints](const NaiveChains& chains) {
    Branch best = chains.branch_of(chains.head());
    for (Branch branch : chains.branches()) {
      for (std::size_t n = chains.floor(); n < branch.size(); ++n) {
        const bool wrong = std::ranges::any_of(
            checkpoints, [&](const Checkpoint& c) { return c.number == n && c.hash != branch[n]; });
        if (wrong) branch.resize(std::max<std::size_t>(n, chains.floor() + 1));
      }
      const bool earlier = branch.size() == best.size() && best.back() != chains.head() &&
                           chains.arrival_of(branch.back()) < chains.arrival_of(best.back());
      if (branch.size() > best.size() || earlier) best = branch;
    }
    return best.back();
  };
}

// LMD-GHOST: from the bottom up, at each fork to the child with the most votes in its subtree; of
// equals to the one with the greatest hash.
inline NaiveRule naive_ghost() {
  return [](const NaiveChains& chains) {
    Hash32 at = chains.branches().front()[chains.floor()];
    for (;;) {
      std::set<Hash32> children;
      for (const Branch& branch : chains.branches()) {
        const auto here = std::ranges::find(branch, at);
        if (here != branch.end() && here + 1 != branch.end()) children.insert(*(here + 1));
      }
      if (children.empty()) return at;
      std::set<std::pair<std::uint64_t, Hash32>> order;
      for (const Hash32& child : children) {
        std::uint64_t weight = 0;
        for (const auto& [voter, vote] : chains.votes()) {
          const Branch path = chains.branch_of(vote.first);
          if (std::ranges::find(path, child) != path.end()) weight += vote.second;
        }
        order.insert({weight, child});
      }
      at = order.rbegin()->second;
    }
  };
}

}  // namespace ethnet::chain::testing
