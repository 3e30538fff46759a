#include "serve_queue.hpp"

#include <algorithm>

#include <base/check.hpp>

namespace ethnet::mini_sync {
namespace {

// On a LAN every host pays for itself.
Endpoint share_of(const Endpoint& source) {
  const bool near = source.ip.is_loopback() || source.ip.is_lan();
  return near ? source : Endpoint{subnet_of(source.ip), 0};
}

// What has come since `at`, in whole bytes; the rest of the time is kept, or who asks often would
// lose it each time.
void refill_level(std::int64_t& level, Instant& at, Instant now, std::int64_t a_second,
                  std::int64_t most) {
  constexpr Duration kFull = seconds(3'600);
  const Duration since = std::min(now - at, kFull);
  const std::int64_t gained = since.ns / 1'000 * a_second / 1'000'000;
  if (gained <= 0) return;
  if (gained >= most - level) {
    level = most;
    at = now;
    return;
  }
  level += gained;
  at = at + nanoseconds(gained * 1'000'000'000 / a_second);
}

// When a level that is 0 or less is above 0.
Instant above_zero(std::int64_t level, Instant at, std::int64_t a_second) {
  if (level > 0) return at;
  return at + microseconds((1 - level) * 1'000'000 / a_second + 2);
}

}  // namespace

void ServeQueue::join(Session session, const Endpoint& source) {
  const Endpoint share = share_of(source);
  sources_.emplace(session, share);
  ++nets_[share].sessions;
}

void ServeQueue::leave(Session session) {
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
  forget_idle();
}

// Who has gone keeps its debt, or coming back would pay it.
void ServeQueue::forget_idle() {
  std::size_t idle = 0;
  auto first = nets_.end();
  for (auto it = nets_.begin(); it != nets_.end();) {
    const Net& net = it->second;
    if (net.sessions > 0) {
      ++it;
    } else if (net.tag <= served_to_ && net.reserve >= kServeReserve) {
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

void ServeQueue::refill(Instant now) {
  refill_level(budget_, budget_at_, now, kServePerSecond, kServeBurst);
}

void ServeQueue::refill_reserve(Instant now, Net& net) {
  refill_level(net.reserve, net.reserve_at, now, kServeReservePerSecond, kServeReserve);
}

std::optional<ServeQueue::Session> ServeQueue::next(Instant now) {
  if (order_.empty()) return std::nullopt;
  refill(now);
  for (auto it = order_.begin(); it != order_.end(); ++it) {
    Net& net = nets_.at(it->second);
    refill_reserve(now, net);
    if (net.reserve > 0) return take(it);
  }
  if (budget_ > 0) return take(order_.begin());
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
  refill_reserve(now, net);
  net.reserve = std::max(net.reserve - price, -kServeDebt);
  budget_ = std::max(budget_ - price, -kServeDebt);
  net.tag += cost;
  if (!net.waiting.empty()) order_.emplace(net.tag, source->second);
}

Instant ServeQueue::next_deadline() const {
  if (order_.empty()) return Instant::never();
  Instant next = above_zero(budget_, budget_at_, kServePerSecond);
  for (const auto& [tag, share] : order_) {
    const Net& net = nets_.at(share);
    next = std::min(next, above_zero(net.reserve, net.reserve_at, kServeReservePerSecond));
  }
  return next;
}

}  // namespace ethnet::mini_sync
