// What we ask: questions out, handshakes where there is no session, answers to whom they belong.
#include <algorithm>
#include <utility>

#include <discovery/kbucket/scope.hpp>

#include "engine.hpp"

namespace ethnet::discv5 {

using kbucket::scope_of;
using kbucket::TableEntry;

// --- commands ---

CallId Engine::ping(Now now, const RecordPtr& node) noexcept {
  return ask_ping(now, node, CallFor::user, true);
}

CallId Engine::find_node(Now now, const RecordPtr& node,
                         std::span<const std::uint16_t> distances) noexcept {
  Question question{.distances = {distances.begin(), distances.end()}, .trusted = true};
  return ask_nodes(now, node, std::move(question));
}

CallId Engine::request_record(Now now, const RecordPtr& node) noexcept {
  return ask_nodes(now, node, Question{.distances = {0}, .trusted = true});
}

CallId Engine::talk_request(Now now, const RecordPtr& node, ByteView protocol,
                            ByteView request) noexcept {
  // Not repeated: it may have an effect over there.
  Question question{.answer = MessageType::talkresp, .max_tries = 1, .trusted = true};
  return ask(now, node, std::move(question), TalkReq{{}, protocol, request});
}

// --- questions ---

CallId Engine::ask_ping(Now now, const RecordPtr& node, CallFor purpose, bool trusted) {
  return ask(now, node, Question{.purpose = purpose, .trusted = trusted},
             Ping{{}, local_record_->record().seq()});
}

CallId Engine::ask_nodes(Now now, const RecordPtr& node, Question question) {
  question.answer = MessageType::nodes;
  FindNode find;
  CHECK(question.distances.size() <= kMaxFindNodeDistances);
  for (const std::uint16_t distance : question.distances) find.distances.push_back(distance);
  return ask(now, node, std::move(question), find);
}

CallId Engine::ask(Now now, const RecordPtr& node, Question question, const Message& message) {
  CHECK(node != nullptr);
  const Peer peer{node->id(), question.at.value_or(node->endpoint())};
  Message numbered = message;
  const RequestId request_id = RequestId::of(rng_.next());
  std::visit([&](auto& m) { m.request_id = request_id; }, numbered);
  const std::size_t size = encoded_size(numbered);
  const bool nowhere = scope_of(peer.at.ip) == kbucket::Scope::special;
  if (nowhere || peer.id == self() || size > kPlainRoom || !calls_.has_room(peer)) {
    ++counters_.calls_refused;
    return 0;
  }
  const bool is_first = calls_.count(peer) == 0;
  if (is_first && !sessions_.has_session(peer) && !may_probe(now, node, question.trusted)) return 0;
  Call call{.to = node, .at = peer.at, .question = std::move(question), .request_id = request_id};
  call.plain.resize(size);
  CHECK(encode_message(numbered, call.plain).has_value());
  const CallId id = calls_.add(std::move(call)).id;
  ++counters_.calls;
  send_waiting(now, peer);
  return id;
}

// What was proven costs nobody anything but us; what was not is the business of who is there.
bool Engine::may_probe(Now now, const RecordPtr& node, bool trusted) {
  const TableEntry* known = table_.find_any(node->id());
  const bool proven = known != nullptr && known->standing != Standing::claimed &&
                      known->record->endpoint() == node->endpoint();
  if (trusted || proven || probes_.is_proven(node->endpoint())) return true;
  return probes_.take(now, node->endpoint().ip);
}

void Engine::send_waiting(Now now, const Peer& peer) {
  while (Call* call = calls_.next_to_send(peer, sessions_.has_session(peer))) send_call(now, *call);
}

void Engine::send_call(Now now, Call& call) {
  const Peer peer = call.peer();
  const bool has_session = sessions_.has_session(peer);
  if (call.tries == 0) {
    const TableEntry* known = table_.find_any(peer.id);
    const bool was_silent = known != nullptr && known->record->endpoint() == peer.at &&
                            known->last_seen + kUnsolicitedAfter <= now.mono;
    call.unsolicited = !has_session || was_silent;
  }
  ++call.tries;
  call.challenged = false;
  std::optional<Sealed> sealed;
  if (has_session) {
    if (const auto made = sessions_.seal(peer, call.plain, out_)) sealed = *made;
  }
  call.leads = !sealed.has_value();
  if (!sealed) sealed = sessions_.make_random(peer, out_);
  send({}, peer.at, sealed->size);
  filter_.know(peer.at);
  calls_.set_sent(call, sealed->nonce, now.mono + kCallTimeout);
}

// Only for a packet of ours, there, and once for each: a peer cannot make us sign without end.
void Engine::on_challenge(Now now, const ChallengeReceived& challenge) {
  Call* const call = calls_.find_by_nonce(challenge.nonce);
  if (call == nullptr || call->at != challenge.from) {
    ++counters_.challenges_unknown;
    return;
  }
  if (call->challenged) {
    ++counters_.challenges_twice;
    return;
  }
  const Peer peer = call->peer();
  upkeep_.on_heard(now);
  const crypto::PublicKey peer_key = call->to->public_key();
  auto sealed = sessions_.answer_challenge(peer, peer_key, challenge, call->plain, out_);
  if (!sealed) {
    // Too long beside our record: a PING makes the session, and the question follows at once.
    PacketBuffer plain{};
    const Message ping = Ping{RequestId::of(rng_.next()), local_record_->record().seq()};
    const auto size = encode_message(ping, plain);
    CHECK(size.has_value());
    sealed =
        sessions_.answer_challenge(peer, peer_key, challenge, ByteView{plain}.first(*size), out_);
    CHECK(sealed.has_value());
    send({}, peer.at, sealed->size);
    sealed = sessions_.seal(peer, call->plain, out_);
    CHECK(sealed.has_value());
  }
  send({}, peer.at, sealed->size);
  sessions_.prove(now, peer);  // our nonce came back from there
  call->leads = true;
  call->challenged = true;
  calls_.set_sent(*call, sealed->nonce, now.mono + kCallTimeout);
  calls_.send_others_again(*call);
}

// --- answers ---

Call* Engine::find_asked(Now now, const Peer& from, const RequestId& id, MessageType answer) {
  Call* const call = calls_.find_asked(from, id, answer);
  if (call == nullptr) {
    ++counters_.unasked;
    return nullptr;
  }
  upkeep_.on_heard(now);
  sessions_.prove(now, from);
  call->leads = false;
  return call;
}

Call Engine::end_call(CallId id) {
  auto call = calls_.take(id);
  CHECK(call.has_value());
  return *std::move(call);
}

void Engine::on_answer(Now now, const Peer& from, const Pong& pong) {
  Call* const found = find_asked(now, from, pong.request_id, MessageType::pong);
  if (found == nullptr) return;
  const Call call = end_call(found->id);
  ++counters_.calls_answered;
  on_alive(now, call);
  const TableEntry* known = table_.find_any(from.id);
  const bool reached = known != nullptr && known->standing == Standing::reached &&
                       known->record->endpoint() == from.at;
  if (reached || scope_of(from.at.ip) != kbucket::Scope::wan) {
    ++counters_.votes;
    if (const auto changed = vote_.on_vote(now, from.at.ip, pong.recipient)) emit(*changed);
  } else {
    ++counters_.votes_of_strangers;
  }
  note_seq(now, from, pong.enr_seq);
  if (call.question.purpose == CallFor::user) {
    emit(PongReceived{.call = call.id,
                      .node = from.id,
                      .enr_seq = pong.enr_seq,
                      .we_are_seen_at = pong.recipient});
  }
  send_waiting(now, from);
}

void Engine::on_answer(Now now, const Peer& from, const Nodes& nodes) {
  Call* const call = find_asked(now, from, nodes.request_id, MessageType::nodes);
  if (call == nullptr) return;
  switch (call->nodes.add(nodes)) {
    case NodesVerdict::more:
      break;
    case NodesVerdict::other_total:
    case NodesVerdict::repeated:
      ++counters_.nodes_ignored;
      break;
    case NodesVerdict::complete:
      judge(now, end_call(call->id));
      break;
  }
  send_waiting(now, from);
}

void Engine::on_answer(Now now, const Peer& from, const TalkResp& response) {
  Call* const found = find_asked(now, from, response.request_id, MessageType::talkresp);
  if (found == nullptr) return;
  const Call call = end_call(found->id);
  ++counters_.calls_answered;
  on_alive(now, call);
  emit(TalkAnswered{.call = call.id, .node = from.id, .response = to_bytes(response.response)});
  send_waiting(now, from);
}

// --- no answer ---

// An answer that is none ends what it answers: to wait for another one, or to ask again, would only
// cost time (attack 31).
void Engine::on_bad_message(Now now, const Peer& from, ByteView plain) {
  const auto heading = decode_heading(plain);
  if (!heading) return;
  const Call* const found = calls_.find_asked(from, heading->request_id, heading->type);
  if (found == nullptr) return;
  const Call call = end_call(found->id);
  if (call.nodes.empty()) {
    fail_call(now, call);
  } else {
    ++counters_.nodes_cut_off;
    judge(now, call);
  }
  send_waiting(now, from);
}

void Engine::handle_overdue(Now now, CallId id) {
  Call* const call = calls_.find(id);
  CHECK(call != nullptr);
  const Peer peer = call->peer();
  if (!call->nodes.empty()) {
    ++counters_.nodes_cut_off;
    judge(now, end_call(id));
    send_waiting(now, peer);
    return;
  }
  const bool again = call->tries < call->question.max_tries;
  if (again && (sessions_.has_session(peer) || may_probe(now, call->to, call->question.trusted))) {
    ++counters_.calls_repeated;
    send_call(now, *call);
    return;
  }
  fail_call(now, end_call(id));
  // Nobody is there: the others would knock at an address that was not proven.
  while (!sessions_.has_session(peer)) {
    Call* const next = calls_.next_to_send(peer, false);
    if (next == nullptr) break;
    fail_call(now, end_call(next->id));
  }
  send_waiting(now, peer);
}

void Engine::fail_call(Now now, const Call& call) {
  ++counters_.calls_failed;
  const TableEntry* known = table_.find_any(call.to->id());
  // Where its answer may be among what was refused unseen, its silence says nothing.
  const bool is_drowned = filter_.is_drowned(now, call.at);
  if (!is_drowned && known != nullptr && known->record->endpoint() == call.at) {
    // Without a session its next message makes a handshake, by which it enters the table again.
    const bool stays = table_.failed(now, call.to->id(), upkeep_.is_its_fault(now));
    if (!stays) sessions_.forget(call.peer());
  }
  switch (call.question.purpose) {
    case CallFor::user:
      emit(CallFailed{.call = call.id, .node = call.to->id()});
      break;
    case CallFor::lookup:
      fail_lookup(now, call);
      break;
    case CallFor::own_record:
      if (Asked* const asked = asked_.find(call.to->id())) asked->seq = 0;
      break;
    case CallFor::liveness:
      break;
  }
}

}  // namespace ethnet::discv5
