#include "dial_scheduler.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>

namespace ethnet::peers {
namespace {

constexpr std::array kAllSources{Source::anchors, Source::table, Source::lookups, Source::dns};
static_assert(kAllSources.size() == kSources);

// Hosts of one machine, or of one house, are as many as they say.
bool is_near(const IpAddress& ip) { return ip.is_loopback() || ip.is_lan(); }

}  // namespace

void DialScheduler::add(Source source, const Candidate& candidate) {
  Pool& candidates = pool(source);
  const auto it = std::ranges::find(candidates, candidate.id, &Candidate::id);
  if (it != candidates.end()) {
    it->endpoint = candidate.endpoint;
    return;
  }
  if (candidates.size() >= kMaxCandidates) {
    candidates.pop_front();
    ++counters_.dropped;
  }
  candidates.push_back(candidate);
}

bool DialScheduler::has_place() const {
  return dialing_.size() < kMaxDialing && dialing_.size() + connected_.size() < places_;
}

bool DialScheduler::wants_candidates() const {
  std::size_t waiting = 0;
  for (const Pool& candidates : pools_) waiting += candidates.size();
  return has_place() && waiting < places_ - dialing_.size() - connected_.size();
}

bool DialScheduler::is_crowded(const IpAddress& ip) const {
  if (is_near(ip)) return false;
  const auto it = nets_.find(subnet_of(ip));
  return it != nets_.end() && it->second >= kMaxDialledPerNet;
}

// One more dial would make it more than half of the window.
bool DialScheduler::has_had_half(Source source) const {
  const std::size_t skipped = recent_.size() < kFairWindow ? 0 : 1;  // the oldest leaves
  const auto had =
      std::count(recent_.begin() + static_cast<std::ptrdiff_t>(skipped), recent_.end(), source);
  const std::size_t dials = recent_.size() - skipped + 1;
  return 2 * (static_cast<std::size_t>(had) + 1) > dials + 1;
}

std::optional<Candidate> DialScheduler::next(Now now, const Excluded& excluded) {
  deadline_ = Instant::never();
  if (!has_place()) return std::nullopt;
  const std::size_t first = turn_;
  for (std::size_t i = 0; i < kSources; ++i) {
    const std::size_t at = (first + i) % kSources;
    const Source source = kAllSources.at(at);
    if (pool(source).empty()) continue;
    if (has_had_half(source) && lonely_until_ > now.mono) {
      deadline_ = lonely_until_;
      continue;
    }
    if (auto candidate = take(now, source, excluded)) {
      turn_ = (at + 1) % kSources;
      deadline_ = now.mono;  // there may be more
      return candidate;
    }
  }
  return std::nullopt;
}

std::optional<Candidate> DialScheduler::take(Now now, Source source, const Excluded& excluded) {
  Pool& candidates = pool(source);
  while (!candidates.empty()) {
    const auto at = static_cast<std::ptrdiff_t>(prng_.below(candidates.size()));
    const Candidate candidate = candidates[static_cast<std::size_t>(at)];
    candidates.erase(candidates.begin() + at);
    const auto backoff = backoffs_.find(candidate.id);
    const bool waits = backoff != backoffs_.end() && backoff->second.until > now.mono;
    const bool under_way =
        std::ranges::any_of(dialing_, [&](const auto& d) { return d.second.id == candidate.id; });
    if (waits || under_way || connected_.contains(candidate.id) || excluded(candidate.id)) continue;
    if (is_crowded(candidate.endpoint.ip)) {
      ++counters_.crowded;
      continue;
    }
    recent_.push_back(source);
    if (recent_.size() > kFairWindow) recent_.pop_front();
    ++counters_.dials.at(static_cast<std::size_t>(source));
    lonely_until_ = now.mono + kLonelyPause;
    return candidate;
  }
  return std::nullopt;
}

void DialScheduler::on_dialing(const Candidate& candidate, std::uint64_t dial_id) {
  const bool fresh = dialing_.emplace(dial_id, candidate).second;
  CHECK(fresh);
  if (!is_near(candidate.endpoint.ip)) ++nets_[subnet_of(candidate.endpoint.ip)];
}

bool DialScheduler::on_failed(Now now, std::uint64_t dial_id) {
  const auto it = dialing_.find(dial_id);
  if (it == dialing_.end()) return false;
  const Candidate candidate = it->second;
  dialing_.erase(it);
  leave_net(candidate.endpoint);
  ++counters_.failed;
  const auto before = backoffs_.find(candidate.id);
  back_off(now, candidate.id, before == backoffs_.end() ? 1 : before->second.failures + 1);
  return true;
}

void DialScheduler::on_opened(Now now, const NodeId& id, bool inbound) {
  if (inbound) return;
  const auto it =
      std::ranges::find_if(dialing_, [&](const auto& dial) { return dial.second.id == id; });
  if (it == dialing_.end()) return;
  connected_.emplace(id, Connected{it->second, now.mono});
  dialing_.erase(it);
}

void DialScheduler::on_closed(Now now, const NodeId& id) {
  const auto it = connected_.find(id);
  if (it == connected_.end()) return;
  const bool lasted = now.mono - it->second.since >= kLastedLong;
  leave_net(it->second.candidate.endpoint);
  connected_.erase(it);
  const auto before = backoffs_.find(id);
  const std::size_t failures = before == backoffs_.end() ? 0 : before->second.failures;
  back_off(now, id, lasted ? 0 : failures + 1);
}

void DialScheduler::leave_net(const Endpoint& endpoint) {
  if (is_near(endpoint.ip)) return;
  const auto it = nets_.find(subnet_of(endpoint.ip));
  CHECK(it != nets_.end());
  if (--it->second == 0) nets_.erase(it);
}

void DialScheduler::back_off(Now now, const NodeId& id, std::size_t failures) {
  forget_backoff(id);
  const Duration base =
      failures == 0 ? kRedialAfter : kBackoffs.at(std::min(failures, kBackoffs.size()) - 1);
  const Duration jitter = nanoseconds(prng_.between(0, base.ns / 4));
  const Instant until = now.mono + base + jitter;
  backoffs_.emplace(id, Backoff{failures, until});
  by_due_.emplace(until, id);
  if (backoffs_.size() > kMaxBackoffs) forget_backoff(by_due_.begin()->second);
}

void DialScheduler::forget_backoff(const NodeId& id) {
  const auto it = backoffs_.find(id);
  if (it == backoffs_.end()) return;
  by_due_.erase({it->second.until, id});
  backoffs_.erase(it);
}

std::vector<Candidate> DialScheduler::longest_connected(std::size_t most) const {
  std::vector<Connected> all;
  for (const auto& [id, peer] : connected_) all.push_back(peer);
  std::ranges::sort(all, {},
                    [](const Connected& peer) { return std::pair{peer.since, peer.candidate.id}; });
  if (all.size() > most) all.resize(most);
  std::vector<Candidate> out;
  for (const Connected& peer : all) out.push_back(peer.candidate);
  return out;
}

}  // namespace ethnet::peers
