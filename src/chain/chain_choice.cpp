// Who is the head: what the rule is shown, votes, and why the head won.
#include <algorithm>
#include <utility>

#include "chain_manager.hpp"

namespace ethnet::chain {

Candidate ChainManager::candidate(NodeIndex index) const { return candidate_of(tree_, index); }

RuleView ChainManager::view_of(std::span<const Candidate> heads) const {
  return {{tree_, facts_, votes_}, needs_, candidate(head_), heads};
}

std::vector<Candidate> ChainManager::all_heads() const {
  std::vector<Candidate> heads;
  for (const NodeIndex leaf : tree_.leaves()) heads.push_back(candidate(leaf));
  std::ranges::sort(heads, {}, &Candidate::arrival);
  return heads;
}

NodeIndex ChainManager::choose_from(std::span<const Candidate> heads) const {
  const Candidate chosen = rule_->choose(view_of(heads));
  const auto index = tree_.find(chosen.hash);
  CHECK(index.has_value());
  return *index;
}

NodeIndex ChainManager::choose_head(std::span<const Arrived> added) const {
  if (needs_.all_heads) return choose_from(all_heads());
  std::vector<Candidate> heads;
  for (const Arrived& node : added) {
    if (tree_.is_leaf(node.index)) heads.push_back(candidate(node.index));
  }
  return choose_from(heads);
}

VoteOutcome ChainManager::handle_votes(Now, std::span<const Vote> votes, const Cause& cause) {
  VoteOutcome outcome;
  if (!needs_.votes || stopped_) {
    outcome.refused = votes.size();
    counters_.votes_refused += votes.size();
    return outcome;
  }
  if (!restored_) finish_restore();
  for (const Vote& vote : votes) ++(votes_.add(vote) ? outcome.counted : outcome.refused);
  counters_.votes += outcome.counted;
  counters_.votes_refused += outcome.refused;
  const NodeIndex before = std::exchange(head_, choose_from(all_heads()));
  std::vector<ChainEvent> events;
  add_head_change(before, cause, events);
  if (events.empty()) return outcome;
  // The head may be a block that the store has not acknowledged yet: it is told with the last
  // batch.
  if (pending_.empty()) {
    tell(head_, std::move(events));
  } else {
    PendingBatch& last = pending_.back();
    last.head_after = head_;
    std::ranges::move(events, std::back_inserter(last.events));
  }
  return outcome;
}

std::vector<RankedHead> ChainManager::explain_heads(std::size_t most) const {
  std::vector<Candidate> heads = all_heads();
  const RuleView view = view_of(heads);
  const auto rank = [&](const Candidate& one) {
    return RankedHead{
        {one.hash, one.number}, one.arrival, rule_->explain(view, one), one.node == head_};
  };
  const std::span<const Candidate> newest =
      std::span<const Candidate>{heads}.last(std::min(most, heads.size()));
  std::vector<RankedHead> out;
  const bool listed =
      std::ranges::any_of(newest, [&](const Candidate& one) { return one.node == head_; });
  if (!listed) out.push_back(rank(candidate(head_)));
  for (const Candidate& one : newest) out.push_back(rank(one));
  return out;
}

}  // namespace ethnet::chain
