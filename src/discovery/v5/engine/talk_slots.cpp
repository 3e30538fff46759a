#include "talk_slots.hpp"

namespace ethnet::discv5 {

std::optional<std::uint64_t> TalkSlots::take(Now now, const Peer& from, const Endpoint& local,
                                             const RequestId& request_id) {
  expire(now);
  ++counters_.requests;
  const auto held = of_peer_.find(from.id);
  const std::size_t of_this_peer = held == of_peer_.end() ? 0 : held->second;
  if (slots_.size() >= capacity_ || of_this_peer >= kMaxTalkSlotsPerPeer) {
    ++counters_.dropped;
    return std::nullopt;
  }
  ++of_peer_[from.id];
  slots_.emplace(next_, TalkSlot{from, local, request_id, now.mono + kTalkLifetime});
  return next_++;
}

const TalkSlot* TalkSlots::find(std::uint64_t talk) const {
  const auto it = slots_.find(talk);
  return it == slots_.end() ? nullptr : &it->second;
}

void TalkSlots::serve(std::uint64_t talk) {
  CHECK(find(talk) != nullptr);
  ++counters_.served;
  release(talk);
}

void TalkSlots::expire(Now now) {
  while (!slots_.empty() && slots_.begin()->second.ends <= now.mono) {
    ++counters_.unanswered;
    release(slots_.begin()->first);
  }
}

Instant TalkSlots::next_deadline() const {
  return slots_.empty() ? Instant::never() : slots_.begin()->second.ends;
}

void TalkSlots::release(std::uint64_t talk) {
  const auto it = slots_.find(talk);
  CHECK(it != slots_.end());
  const auto held = of_peer_.find(it->second.from.id);
  CHECK(held != of_peer_.end());
  if (--held->second == 0) of_peer_.erase(held);
  slots_.erase(it);
}

}  // namespace ethnet::discv5
