#include "serve_queue.hpp"

#include <algorithm>

#include <base/check.hpp>

namespace ethnet::session {
namespace {

// On a LAN every host pays for itself.
Endpoint share_of(const Endpoint& source) {
  const bool near = source.ip.is_loopback() || source.ip.is_lan();
  return near ? source : Endpoint{subnet_of(source.ip), 0};
}

}  // namespace

// What is owed has a bound: whoever gets what nobody else wants does not pay for it for ever.
void ServeQueue::charge(CostBucket& bucket, Instant now, std::int64_t price) const {
  const std::int64_t most = bucket.available(now) + limits_.debt;
  bucket.charge(now, std::clamp<std::int64_t>(price, 0, std::max<std::int64_t>(0, most)));
}

void ServeQueue::join(Session session, const Endpoint& source) {
  const Endpoint share = share_of(source);
  sources_.emplace(session, share);
  const auto [net, is_new] =
      nets_.try_emplace(share, Net{.reserve{limits_.reserve, limits_.reserve_per_second}});
  ++net->second.sessions;
}

void ServeQueue::leave(Instant now, Session session) {
  const auto it = sources_.find(session);
  if (it == sources_.end()) return;
  const Endpoint share = it->second;
  sources_.erase(it);
  Net& net = nets_.at(share);
  if (queued_.erase(session) > 0) {
    std::erase(net.waiting, session);
    if (net.waiting.empty()) order_.erase({net.tag, share});
  }
  --net.sessions;
  forget_idle(now);
}

// Who has gone keeps its debt, or coming back would pay it.
void ServeQueue::forget_idle(Instant now) {
  std::size_t idle = 0;
  auto first = nets_.end();
  for (auto it = nets_.begin(); it != nets_.end();) {
    const Net& net = it->second;
    if (net.sessions > 0) {
      ++it;
    } else if (net.tag <= served_to_ && net.reserve.available(now) >= limits_.reserve) {
      it = nets_.erase(it);
    } else {
      if (first == nets_.end() || net.tag < first->second.tag) first = it;
      ++idle;
      ++it;
    }
  }
  if (idle > kMaxServedBefore) nets_.erase(first);
}

void ServeQueue::wait(Session session) {
  const auto source = sources_.find(session);
  if (source == sources_.end() || !queued_.insert(session).second) return;
  Net& net = nets_.at(source->second);
  net.waiting.push_back(session);
  if (net.waiting.size() > 1) return;
  net.tag = std::max(net.tag, served_to_);
  order_.emplace(net.tag, source->second);
}

std::optional<ServeQueue::Session> ServeQueue::next(Instant now) {
  if (order_.empty()) return std::nullopt;
  for (auto it = order_.begin(); it != order_.end(); ++it) {
    if (nets_.at(it->second).reserve.available(now) > 0) return take(it);
  }
  if (budget_.available(now) > 0) return take(order_.begin());
  return std::nullopt;
}

std::optional<ServeQueue::Session> ServeQueue::take(
    std::set<std::pair<std::uint64_t, Endpoint>>::iterator at) {
  Net& net = nets_.at(at->second);
  served_to_ = std::max(served_to_, net.tag);
  order_.erase(at);
  const Session session = net.waiting.front();
  net.waiting.pop_front();
  queued_.erase(session);
  return session;
}

void ServeQueue::charge(Instant now, Session session, std::uint64_t cost) {
  const auto source = sources_.find(session);
  CHECK(source != sources_.end());
  Net& net = nets_.at(source->second);
  const auto price = static_cast<std::int64_t>(cost);
  charge(net.reserve, now, price);
  charge(budget_, now, price);
  net.tag += cost;
  if (!net.waiting.empty()) order_.emplace(net.tag, source->second);
}

Instant ServeQueue::next_deadline() const {
  if (order_.empty()) return Instant::never();
  Instant next = budget_.next(1);
  for (const auto& [tag, share] : order_) next = std::min(next, nets_.at(share).reserve.next(1));
  return next;
}

}  // namespace ethnet::session
