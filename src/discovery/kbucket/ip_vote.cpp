#include "ip_vote.hpp"

#include <algorithm>

namespace ethnet::kbucket {

IpVote::Ballot& IpVote::ballot(Scope scope, bool v6) {
  return ballots_[static_cast<std::size_t>(scope) * 2 + (v6 ? 1 : 0)];
}

void IpVote::set(const Endpoint& endpoint) {
  ballot(scope_of(endpoint.ip), !endpoint.ip.is_v4()).current = endpoint;
}

void IpVote::refuse(const OwnAddress& own) {
  Ballot& mine = ballot(own.scope, !own.endpoint.ip.is_v4());
  if (mine.current != own.endpoint) return;
  mine.current.reset();
  mine.changeable_at = Instant{INT64_MIN};
}

std::optional<Endpoint> IpVote::current(Scope scope, bool v6) const {
  return ballots_[static_cast<std::size_t>(scope) * 2 + (v6 ? 1 : 0)].current;
}

std::size_t IpVote::voters() const {
  std::size_t sum = 0;
  for (const Ballot& ballot : ballots_) sum += ballot.votes.size();
  return sum;
}

void IpVote::forget_oldest(Ballot& ballot) {
  const auto oldest =
      std::ranges::min_element(ballot.votes, {}, [](const auto& entry) { return entry.second.at; });
  if (oldest != ballot.votes.end()) ballot.votes.erase(oldest);
}

std::optional<Endpoint> IpVote::winner(const Ballot& ballot, std::size_t quorum) {
  std::map<Endpoint, std::size_t> counts;
  for (const auto& [voter, vote] : ballot.votes) ++counts[vote.seen];
  for (const auto& [endpoint, count] : counts) {
    if (count >= quorum && 2 * count > ballot.votes.size()) return endpoint;
  }
  return std::nullopt;
}

std::optional<OwnAddress> IpVote::on_vote(Now now, const IpAddress& voter, const Endpoint& seen) {
  const Scope scope = scope_of(seen.ip);
  if (scope == Scope::special || scope != scope_of(voter) || seen.port == 0) {
    ++ignored_;
    return std::nullopt;
  }
  Ballot& mine = ballot(scope, !seen.ip.is_v4());
  std::erase_if(mine.votes,
                [&](const auto& entry) { return entry.second.at + kVoteWindow < now.mono; });
  // On a LAN each host votes: its own machines are all of one subnet.
  const IpAddress key = scope == Scope::wan ? subnet_of(voter) : voter;
  mine.votes.insert_or_assign(key, Vote{seen, now.mono});
  if (mine.votes.size() > kMaxVoters) forget_oldest(mine);
  const auto elected = winner(mine, scope == Scope::wan ? kVoteQuorum : 1);
  if (!elected || elected == mine.current || now.mono < mine.changeable_at) return std::nullopt;
  mine.current = elected;
  mine.changeable_at = now.mono + kVoteWindow;
  return OwnAddress{scope, *elected};
}

}  // namespace ethnet::kbucket
