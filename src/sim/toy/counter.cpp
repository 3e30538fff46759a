#include "counter.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <fmt/format.h>

#include "message.hpp"

namespace ethnet::sim::toy {
namespace {

constexpr Duration kCountEvery = milliseconds(150);
constexpr Duration kGossipEvery = milliseconds(100);

}  // namespace

std::string describe(const CounterEvent& event) {
  return fmt::format("counter of {} is {}", event.replica, event.count);
}

CounterReplica::CounterReplica(Now now, Config config, Prng prng, const std::vector<Bytes>& records)
    : config_{std::move(config)}, prng_{prng}, known_(config_.replicas.size()) {
  CHECK(config_.index < config_.replicas.size() && config_.replicas.size() <= kMaxWords);
  for (const Bytes& record : records) {
    issued_ = std::max(issued_, load_be<std::uint64_t>(record));
  }
  acknowledged_ = issued_;  // it was read back: it is durable
  learn(config_.index, issued_);
  timers_.set(kCount, now.mono + nanoseconds(prng_.between(1, kCountEvery.ns)));
  timers_.set(kGossip, now.mono + nanoseconds(prng_.between(1, kGossipEvery.ns)));
}

void CounterReplica::handle_datagrams(Now, std::span<const Datagram> in) noexcept {
  if (stopped_) return;
  for (const Datagram& datagram : in) {
    const auto words = decode_message(datagram.bytes);
    if (!words || words->size() != known_.size()) continue;
    for (std::uint32_t i = 0; i < known_.size(); ++i) {
      if (i != config_.index) learn(i, (*words)[i]);
    }
  }
}

void CounterReplica::handle_deadline(Now now) noexcept {
  while (const auto due = timers_.pop_due(now.mono)) {
    if (due->id == kCount) count_up(now);
    if (due->id == kGossip) gossip(now);
  }
}

// One operation at a time; the next begins when this one is acknowledged.
void CounterReplica::count_up(Now now) {
  if (issued_ >= config_.target || issued_ > acknowledged_) return;
  ++issued_;
  Bytes record;
  append_be(record, issued_);
  new_op_ = StoreOp{.id = issued_, .records = {std::move(record)}};
  if (config_.bug == CounterBug::tells_too_early) {
    learn(config_.index, issued_);
    gossip(now);
  }
}

void CounterReplica::gossip(Now now) {
  gossip_to_ = config_.replicas[prng_.below(config_.replicas.size())];
  timers_.set(kGossip, now.mono + kGossipEvery + nanoseconds(prng_.between(0, kGossipEvery.ns)));
}

void CounterReplica::handle_store_done(Now now, const StoreResult& done) noexcept {
  if (!done.ok) {
    stopped_ = true;
    timers_.cancel(kCount);
    timers_.cancel(kGossip);
    return;
  }
  acknowledged_ = done.id;
  learn(config_.index, acknowledged_);
  timers_.set(kCount, now.mono + nanoseconds(prng_.between(1, 2 * kCountEvery.ns)));
}

void CounterReplica::set_replicas(std::vector<Endpoint> replicas) {
  CHECK(replicas.size() == known_.size());
  config_.replicas = std::move(replicas);
}

void CounterReplica::learn(std::uint32_t replica, std::uint64_t count) {
  if (count <= known_[replica]) return;
  known_[replica] = count;
  events_.push_back({replica, count});
}

std::optional<Transmit> CounterReplica::poll_transmit(Now, MutByteView out) {
  if (!gossip_to_) return std::nullopt;
  const Bytes message = encode_message(known_);
  copy_into(out, message);
  const Endpoint remote = *std::exchange(gossip_to_, std::nullopt);
  return Transmit{.local = config_.local,
                  .remote = remote,
                  .size = message.size(),
                  .segment_size = message.size()};
}

std::optional<CounterEvent> CounterReplica::poll_event() {
  if (events_.empty()) return std::nullopt;
  const CounterEvent event = events_.front();
  events_.pop_front();
  return event;
}

std::optional<StoreOp> CounterReplica::poll_store() { return std::exchange(new_op_, std::nullopt); }

}  // namespace ethnet::sim::toy
