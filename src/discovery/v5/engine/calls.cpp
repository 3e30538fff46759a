#include "calls.hpp"

#include <algorithm>

namespace ethnet::discv5 {

const std::vector<CallId>* Calls::of(const Peer& peer) const {
  const auto it = by_peer_.find(key_of(peer));
  return it == by_peer_.end() ? nullptr : &it->second;
}

std::size_t Calls::count(const Peer& peer) const {
  const auto* ids = of(peer);
  return ids == nullptr ? 0 : ids->size();
}

bool Calls::has_room(const Peer& peer) const {
  return calls_.size() < capacity_ && count(peer) < kMaxCallsPerPeer;
}

bool Calls::asks(const Peer& peer, CallFor purpose) const {
  const auto* ids = of(peer);
  if (ids == nullptr) return false;
  return std::ranges::any_of(*ids,
                             [&](CallId id) { return calls_.at(id).question.purpose == purpose; });
}

Call& Calls::add(Call call) {
  const Peer peer = call.peer();
  CHECK(has_room(peer));
  call.id = next_id_++;
  by_peer_[key_of(peer)].push_back(call.id);
  return calls_.emplace(call.id, std::move(call)).first->second;
}

Call* Calls::find(CallId id) {
  const auto it = calls_.find(id);
  return it == calls_.end() ? nullptr : &it->second;
}

Call* Calls::find_asked(const Peer& from, const RequestId& id, MessageType answer) {
  const auto* ids = of(from);
  if (ids == nullptr) return nullptr;
  for (const CallId candidate : *ids) {
    Call& call = calls_.at(candidate);
    if (call.tries == 0 || call.question.answer != answer) continue;
    if (id.answers(call.request_id)) return &call;
  }
  return nullptr;
}

Call* Calls::find_by_nonce(const Nonce& nonce) {
  const auto it = by_nonce_.find(nonce);
  return it == by_nonce_.end() ? nullptr : find(it->second);
}

Call* Calls::next_to_send(const Peer& peer, bool has_session) {
  const auto* ids = of(peer);
  if (ids == nullptr) return nullptr;
  Call* first_waiting = nullptr;
  bool under_way = false;
  bool handshaking = false;
  for (const CallId id : *ids) {
    Call& call = calls_.at(id);
    under_way = under_way || call.sent;
    handshaking = handshaking || (call.sent && call.leads);
    if (!call.sent && first_waiting == nullptr) first_waiting = &call;
  }
  return !under_way || (has_session && !handshaking) ? first_waiting : nullptr;
}

void Calls::unset_sent(Call& call) {
  if (!call.sent) return;
  by_nonce_.erase(call.nonce);
  deadlines_.erase({call.deadline, call.id});
  call.sent = false;
  call.deadline = Instant::never();
}

void Calls::set_sent(Call& call, const Nonce& nonce, Instant deadline) {
  unset_sent(call);
  call.sent = true;
  call.nonce = nonce;
  call.deadline = deadline;
  by_nonce_.insert_or_assign(nonce, call.id);
  deadlines_.emplace(deadline, call.id);
}

void Calls::send_others_again(const Call& leader) {
  const auto* ids = of(leader.peer());
  CHECK(ids != nullptr);
  for (const CallId id : *ids) {
    if (id != leader.id) unset_sent(calls_.at(id));
  }
}

std::optional<Call> Calls::take(CallId id) {
  const auto it = calls_.find(id);
  if (it == calls_.end()) return std::nullopt;
  unset_sent(it->second);
  std::optional<Call> call{std::move(it->second)};
  calls_.erase(it);
  const auto peer = by_peer_.find(key_of(call->peer()));
  CHECK(peer != by_peer_.end());
  std::erase(peer->second, id);
  if (peer->second.empty()) by_peer_.erase(peer);
  return call;
}

std::optional<CallId> Calls::overdue(Now now) const {
  if (deadlines_.empty() || deadlines_.begin()->first > now.mono) return std::nullopt;
  return deadlines_.begin()->second;
}

Instant Calls::next_deadline() const {
  return deadlines_.empty() ? Instant::never() : deadlines_.begin()->first;
}

}  // namespace ethnet::discv5
