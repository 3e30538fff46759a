#include "score.hpp"

#include <algorithm>

#include <base/check.hpp>

namespace ethnet::peers {
namespace {

constexpr std::int64_t kMilli = 1'000;
constexpr std::int64_t kMostMillipoints = 4 * kBanAt * kMilli;  // what is worse is no worse
constexpr std::int64_t kLeastMillipoints = kMilli;              // below it all is forgotten
// A trusted peer's points end where a ban would begin.
constexpr std::int64_t kMostOfTrusted = kBanAt * kMilli - 1;

constexpr bool prices_are_in_order() {
  for (std::size_t i = 0; i < kPrices.size(); ++i) {
    if (static_cast<std::size_t>(kPrices[i].what) != i) return false;
  }
  return true;
}
static_assert(prices_are_in_order());

}  // namespace

std::string_view describe(Behaviour what) {
  switch (what) {
    case Behaviour::breach:
      return "breach";
    case Behaviour::invalid_data:
      return "invalid data";
    case Behaviour::unsolicited:
      return "unsolicited";
    case Behaviour::excess:
      return "excess";
    case Behaviour::unresponsive:
      return "unresponsive";
    case Behaviour::broken_promise:
      return "broken promise";
    case Behaviour::bad_record:
      return "bad record";
    case Behaviour::useless:
      return "useless";
  }
  return "unknown";
}

// Halved once for each whole half-life, and along a straight line within the last one: integers
// alone, so that every machine agrees.
std::int64_t ScoreBook::decayed(const Entry& entry, Instant now) {
  const std::int64_t elapsed = std::max<std::int64_t>(0, (now - entry.at).ns);
  const std::int64_t halvings = elapsed / kScoreHalfLife.ns;
  if (halvings >= 62) return 0;
  const std::int64_t whole = entry.millipoints >> halvings;
  const std::int64_t rest_ms = (elapsed % kScoreHalfLife.ns) / 1'000'000;
  const std::int64_t half_life_ms = kScoreHalfLife.ns / 1'000'000;
  return whole - whole * rest_ms / (2 * half_life_ms);
}

Verdict ScoreBook::report(Now now, const NodeId& id, Behaviour what, bool trusted) {
  ++reports_.at(static_cast<std::size_t>(what));
  forget_clean(now.mono);
  Entry& entry = entries_[id];
  const std::int64_t price = kPrices.at(static_cast<std::size_t>(what)).points * kMilli;
  const std::int64_t most = trusted ? kMostOfTrusted : kMostMillipoints;
  const std::int64_t before = decayed(entry, now.mono);
  // Who became trusted meanwhile keeps what it had, and gets no more.
  entry.millipoints = std::max(before, std::min(before + price, most));
  entry.at = now.mono;
  const bool banned = !trusted && entry.millipoints >= kBanAt * kMilli;
  if (banned) {
    entry.banned_until = now.mono + kBanTime;
    ++bans_;
  }
  const std::int64_t points = entry.millipoints;
  reindex(id, entry);
  if (entries_.size() > kMaxScores) {
    const NodeId least = by_clean_.begin()->second;
    by_clean_.erase(by_clean_.begin());
    entries_.erase(least);
    ++forgotten_;
  }
  if (banned) return Verdict::ban;
  return points >= kDisconnectAt * kMilli ? Verdict::disconnect : Verdict::none;
}

void ScoreBook::reindex(const NodeId& id, Entry& entry) {
  by_clean_.erase({entry.clean_at, id});
  std::int64_t halvings = 0;
  while (entry.millipoints >> halvings >= kLeastMillipoints) ++halvings;
  entry.clean_at = entry.at + kScoreHalfLife * halvings;
  if (entry.banned_until) entry.clean_at = std::max(entry.clean_at, *entry.banned_until);
  by_clean_.emplace(entry.clean_at, id);
}

void ScoreBook::forget_clean(Instant now) {
  while (!by_clean_.empty() && by_clean_.begin()->first <= now) {
    entries_.erase(by_clean_.begin()->second);
    by_clean_.erase(by_clean_.begin());
  }
}

bool ScoreBook::is_banned(Now now, const NodeId& id) const {
  const auto it = entries_.find(id);
  return it != entries_.end() && it->second.banned_until > now.mono;  // nothing is less
}

std::int64_t ScoreBook::points(Now now, const NodeId& id) const {
  const auto it = entries_.find(id);
  return it == entries_.end() ? 0 : decayed(it->second, now.mono) / kMilli;
}

std::vector<NodeId> ScoreBook::banned() const {
  std::vector<NodeId> out;
  for (const auto& [id, entry] : entries_) {
    if (entry.banned_until) out.push_back(id);
  }
  return out;
}

}  // namespace ethnet::peers
