// For tests of the chain: what it must do, in the most obvious way.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <types/hash.hpp>
#include <types/header.hpp>

namespace ethnet::chain::testing {

class NaiveChains;
// The head that a rule names, from all branches, from scratch (naive_rules.hpp).
using NaiveRule = std::function<Hash32(const NaiveChains&)>;

// The model: every branch is a list of its own, copied whole; the rule is computed from scratch.
class NaiveChains {
 public:
  explicit NaiveChains(const Hash32& genesis) : branches_{{genesis}}, head_{genesis} {}

  struct Change {
    std::vector<Hash32> removed;
    std::vector<Hash32> added;
    bool reorg = false;
  };

  // Whether a header on `parent` is taken; what end_batch() and raise_floor() change counts from
  // the next batch on.
  [[nodiscard]] bool takes(const Hash32& parent, std::uint64_t retention) const {
    const auto number = number_of(parent);
    const std::uint64_t height = branch_of(head_).size() - 1;
    return number && (height <= *number || height - *number <= retention);
  }
  void add(const Header& header) {
    headers_[header.hash()] = header;
    add(header.hash(), header.parent_hash);
  }
  void vote(std::uint64_t voter, const Hash32& block, std::uint64_t weight) {
    votes_[voter] = {block, weight};
  }
  void add(const Hash32& hash, const Hash32& parent) {
    arrival_.emplace(hash, arrival_.size() + 1);
    for (auto& branch : branches_) {
      if (branch.back() == parent) {
        branch.push_back(hash);
        return;
      }
    }
    for (const auto& branch : branches_) {
      const auto at = std::ranges::find(branch, parent);
      if (at == branch.end()) continue;
      std::vector<Hash32> copy(branch.begin(), at + 1);
      copy.push_back(hash);
      branches_.push_back(std::move(copy));
      return;
    }
  }

  Change end_batch(const NaiveRule& rule) {
    const std::vector<Hash32> before = branch_of(head_);
    head_ = rule(*this);
    const std::vector<Hash32> after = branch_of(head_);
    std::size_t common = 0;
    while (common < before.size() && common < after.size() && before[common] == after[common]) {
      ++common;
    }
    Change change;
    change.removed.assign(before.begin() + static_cast<std::ptrdiff_t>(common), before.end());
    change.added.assign(after.begin() + static_cast<std::ptrdiff_t>(common), after.end());
    change.reorg = !change.removed.empty();
    return change;
  }

  // Nothing below the block that lies `retention` under the head, and nothing beside it.
  void raise_floor(std::uint64_t retention) {
    const std::vector<Hash32> canonical = branch_of(head_);
    const std::uint64_t height = canonical.size() - 1;
    if (height <= retention || height - retention <= floor_) return;
    floor_ = height - retention;
    std::erase_if(branches_, [&](const std::vector<Hash32>& branch) {
      return branch.size() <= floor_ || branch[floor_] != canonical[floor_];
    });
  }

  // The number of a block that is kept.
  [[nodiscard]] std::optional<std::uint64_t> number_of(const Hash32& hash) const {
    for (const auto& branch : branches_) {
      const auto at = std::ranges::find(branch, hash);
      const auto number = static_cast<std::uint64_t>(at - branch.begin());
      if (at != branch.end() && number >= floor_) return number;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t floor() const { return floor_; }
  [[nodiscard]] const std::vector<std::vector<Hash32>>& branches() const { return branches_; }
  [[nodiscard]] std::set<Hash32> kept() const {
    std::set<Hash32> out;
    for (const auto& branch : branches_) {
      out.insert(branch.begin() + static_cast<std::ptrdiff_t>(floor_), branch.end());
    }
    return out;
  }
  [[nodiscard]] const Hash32& head() const { return head_; }
  [[nodiscard]] std::set<Hash32> heads() const {
    std::set<Hash32> out;
    for (const auto& branch : branches_) out.insert(branch.back());
    return out;
  }

  // 0 for genesis.
  [[nodiscard]] std::size_t arrival_of(const Hash32& hash) const {
    const auto it = arrival_.find(hash);
    return it == arrival_.end() ? 0 : it->second;
  }
  // From genesis to the block, both included.
  [[nodiscard]] std::vector<Hash32> branch_of(const Hash32& hash) const {
    for (const auto& branch : branches_) {
      const auto at = std::ranges::find(branch, hash);
      if (at != branch.end()) return {branch.begin(), at + 1};
    }
    return {};
  }
  // Nothing of genesis, and of what was added without its header.
  [[nodiscard]] const std::map<Hash32, Header>& headers() const { return headers_; }
  // The latest of each voter: block, weight.
  [[nodiscard]] const std::map<std::uint64_t, std::pair<Hash32, std::uint64_t>>& votes() const {
    return votes_;
  }

 private:
  std::vector<std::vector<Hash32>> branches_;
  std::map<Hash32, Header> headers_;
  std::map<std::uint64_t, std::pair<Hash32, std::uint64_t>> votes_;
  std::map<Hash32, std::size_t> arrival_;
  Hash32 head_;
  std::uint64_t floor_ = 0;
};

}  // namespace ethnet::chain::testing
