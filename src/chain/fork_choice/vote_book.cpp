#include "vote_book.hpp"

#include <base/check.hpp>

namespace ethnet::chain {

bool VoteBook::add(const Vote& vote) {
  const auto before = latest_.find(vote.voter);
  if (before != latest_.end()) {
    const auto at = weights_.find(before->second.block);
    if (before->second.weight > 0) {
      CHECK(at != weights_.end() && at->second >= before->second.weight);
      at->second -= before->second.weight;
      if (at->second == 0) weights_.erase(at);
    }
    latest_.erase(before);
  }
  if (latest_.size() >= kMaxBookVoters) return false;
  if (vote.weight == 0) return true;
  latest_.emplace(vote.voter, vote);
  weights_[vote.block] += vote.weight;
  return true;
}

}  // namespace ethnet::chain
