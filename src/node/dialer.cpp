#include "dialer.hpp"

#include <algorithm>
#include <utility>

namespace ethnet::node {
namespace {

constexpr Duration kFirstBackoff = seconds(1);
constexpr std::uint32_t kMaxDoublings = 5;  // 32 s, capped below
constexpr Duration kLongestBackoff = seconds(30);
constexpr Duration kResolveTimeout = seconds(10);  // then the name is looked up again
// After we met ourselves there. Not for ever: nobody proves that it was us who answered, and an
// address may come to be another's.
constexpr Duration kSelfPause = seconds(3'600);
constexpr Duration kLastingSession = seconds(30);  // one that shows that all is well

}  // namespace

Dialer::Dialer(std::vector<StaticPeer> peers, Prng prng, Instant start) : prng_{prng} {
  CHECK(peers.size() <= kMaxStaticPeers);
  for (StaticPeer& peer : peers) insert(start, std::move(peer));
}

void Dialer::insert(Instant at, StaticPeer peer) {
  due_.reset();
  Target target;
  target.id = peer.expected;
  if (peer.endpoint) target.endpoints = {*peer.endpoint};
  target.peer = std::move(peer);
  target.at = at;
  targets_.emplace(next_target_++, std::move(target));
}

bool Dialer::is_same(const Target& target, const StaticPeer& peer) {
  if (peer.expected) return target.id == peer.expected;
  return target.peer.endpoint == peer.endpoint && target.peer.host == peer.host &&
         target.peer.port == peer.port;
}

Dialer::Added Dialer::add(Now now, StaticPeer peer) {
  due_.reset();
  const auto known = [&](const auto& entry) { return is_same(entry.second, peer); };
  if (std::ranges::any_of(targets_, known)) return Added::known;
  if (targets_.size() >= kMaxStaticPeers) return Added::full;
  insert(now.mono, std::move(peer));
  return Added::fresh;
}

Dialer::Removed Dialer::remove(const StaticPeer& peer) {
  due_.reset();
  Removed out{.found = false, .id = peer.expected};
  for (auto it = targets_.begin(); it != targets_.end();) {
    const Target& target = it->second;
    if (!is_same(target, peer)) {
      ++it;
      continue;
    }
    out.found = true;
    if (target.id) out.id = target.id;
    if (target.state == State::dialing) unwanted_dials_.insert(target.dial_id);
    it = targets_.erase(it);
  }
  return out;
}

void Dialer::back_off(Now now, Target& target) {
  due_.reset();
  const auto doublings = std::min(target.failures, kMaxDoublings);
  const Duration base = std::min(kFirstBackoff * (std::int64_t{1} << doublings), kLongestBackoff);
  const Duration jitter = nanoseconds(prng_.between(-base.ns / 4, base.ns / 4));
  ++target.failures;
  target.state = State::waiting;
  target.at = now.mono + base + jitter;
}

void Dialer::on_connected(Now now, Target& target) {
  due_.reset();
  target.state = State::connected;
  target.since = now.mono;
}

std::optional<Dialer::Wish> Dialer::next(Now now, const std::set<NodeId>& connected) {
  if (next_deadline() > now.mono) return std::nullopt;
  due_.reset();
  for (auto& [i, target] : targets_) {
    if (target.state == State::dialing || target.state == State::connected ||
        target.at > now.mono) {
      continue;
    }
    if (target.id && connected.contains(*target.id)) {
      on_connected(now, target);
      continue;
    }
    if (target.endpoints.empty()) {
      if (target.state == State::resolving) ++counters_.look_ups_failed;
      ++counters_.look_ups;
      target.state = State::resolving;
      target.at = now.mono + kResolveTimeout;
      return Wish{.target = i,
                  .resolve = true,
                  .host = target.peer.host,
                  .port = target.peer.port,
                  .endpoint = {},
                  .expected = target.peer.expected};
    }
    target.state = State::dialing;
    ++counters_.dials;
    const Endpoint endpoint = target.endpoints[target.next_endpoint % target.endpoints.size()];
    return Wish{.target = i,
                .resolve = false,
                .host = {},
                .port = 0,
                .endpoint = endpoint,
                .expected = target.peer.expected};
  }
  return std::nullopt;
}

void Dialer::handle_resolved(Now now, std::size_t index, std::vector<Endpoint> endpoints) {
  due_.reset();
  const auto found = targets_.find(index);
  if (found == targets_.end() || found->second.state != State::resolving) return;
  Target& target = found->second;
  if (endpoints.empty()) {
    ++counters_.look_ups_failed;
    back_off(now, target);
    return;
  }
  target.endpoints = std::move(endpoints);
  target.next_endpoint = 0;
  target.state = State::waiting;
  target.at = now.mono;
}

void Dialer::on_dialing(std::size_t index, std::uint64_t dial_id) {
  due_.reset();
  targets_.at(index).dial_id = dial_id;
}

void Dialer::on_dial_refused(Now now, std::size_t index) {
  due_.reset();
  ++counters_.not_started;
  back_off(now, targets_.at(index));
}

void Dialer::on_dial_failed(Now now, std::uint64_t dial_id, std::optional<NodeId> proven,
                            bool met_ourselves) {
  due_.reset();
  unwanted_dials_.erase(dial_id);
  for (auto& [number, target] : targets_) {
    if (target.state != State::dialing || target.dial_id != dial_id) continue;
    ++counters_.failed;
    if (proven && !target.peer.expected) target.id = proven;
    const std::size_t tried = target.next_endpoint % target.endpoints.size();
    const bool others = target.endpoints.size() > 1;
    if (met_ourselves && others) {
      target.endpoints.erase(target.endpoints.begin() + static_cast<std::ptrdiff_t>(tried));
      target.next_endpoint = tried;
    } else {
      target.next_endpoint = tried + 1;
    }
    // A name may have moved: after every address was tried it is looked up again.
    const bool all_tried = target.next_endpoint % target.endpoints.size() == 0;
    if (!target.peer.endpoint && all_tried) target.endpoints.clear();
    back_off(now, target);
    if (met_ourselves && !others) target.at = now.mono + kSelfPause;
  }
}

void Dialer::on_session_opened(Now now, const NodeId& id, const Endpoint& remote, bool inbound) {
  due_.reset();
  for (auto& [number, target] : targets_) {
    const bool ours = !inbound && target.state == State::dialing &&
                      std::ranges::find(target.endpoints, remote) != target.endpoints.end();
    if (ours && !target.peer.expected) target.id = id;
    if (ours || target.id == id) on_connected(now, target);
  }
}

void Dialer::on_session_closed(Now now, const NodeId& id) {
  due_.reset();
  for (auto& [number, target] : targets_) {
    if (target.state != State::connected || target.id != id) continue;
    if (now.mono - target.since >= kLastingSession) target.failures = 0;
    // Why it ended we cannot know; perhaps because the name leads elsewhere now. To try the old
    // address first would cost a handshake's deadline and a longer backoff.
    if (!target.peer.endpoint) target.endpoints.clear();
    back_off(now, target);
  }
}

bool Dialer::names(const NodeId& id) const {
  return std::ranges::any_of(targets_, [&](const auto& entry) { return entry.second.id == id; });
}

Instant Dialer::next_deadline() const {
  if (due_) return *due_;
  Instant next = Instant::never();
  for (const auto& [number, target] : targets_) {
    if (target.state == State::waiting || target.state == State::resolving) {
      next = std::min(next, target.at);
    }
  }
  due_ = next;
  return next;
}

}  // namespace ethnet::node
