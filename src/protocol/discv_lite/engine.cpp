// Sessions and what is sent over them.
#include "engine.hpp"

#include <algorithm>
#include <utility>

#include <discovery/kbucket/nodes_file.hpp>

namespace ethnet::discv_lite {

std::string_view describe(Misbehaviour what) {
  switch (what) {
    case Misbehaviour::malformed_message:
      return "malformed message";
    case Misbehaviour::unsolicited_response:
      return "unsolicited response";
    case Misbehaviour::oversized_response:
      return "more records than allowed";
    case Misbehaviour::bad_record:
      return "record with a wrong signature";
    case Misbehaviour::too_many_requests:
      return "too many requests";
  }
  return "unknown";
}

Engine::Engine(Now now, const NodeId& self, Prng prng, Log& log)
    : log_{log},
      discovery_{now, self, prng},
      requests_{kMaxOpenQuestions, lite::kMaxQuestionsPerNode} {}

void Engine::set_local_record(Scope scope, const VerifiedEnr& record) {
  local_[static_cast<std::size_t>(scope)] = {to_bytes(record.record().encoded()),
                                             record.record().seq()};
}

void Engine::handle_local_record_changed(Now now) noexcept {
  discovery_.handle_local_record_changed(now);
  route(now);
}

const Engine::LocalRecord& Engine::local_for(const Peer& peer) const {
  const Scope scope = kbucket::scope_of(peer.remote.ip);
  for (const Scope candidate : {scope, Scope::wan}) {
    const LocalRecord& record = local_[static_cast<std::size_t>(candidate)];
    if (!record.encoded.empty()) return record;
  }
  return local_[static_cast<std::size_t>(Scope::special)];
}

void Engine::add_boot_node(const VerifiedEnr& record) {
  if (const RecordPtr node = kbucket::NodeRecord::of(record)) discovery_.add_boot_node(node);
}

Engine::Peer* Engine::find(SessionHandle session) {
  const auto it = peers_.find(session);
  return it == peers_.end() ? nullptr : &it->second;
}

Result<void> Engine::restore(Now now, ByteView file) {
  const kbucket::SavedNodes saved = TRY(kbucket::decode_saved_nodes(file));
  const auto fresh = [](bool anchors) {
    Judging judging{.purpose = Purpose::restored, .session = {}, .records = {}, .batch = {}};
    judging.anchors = anchors;
    return judging;
  };
  Judging anchors = fresh(true);
  for (const Bytes& record : saved.anchors) static_cast<void>(collect(anchors, record));
  judge(now, std::move(anchors));
  Judging nodes = fresh(false);
  for (const kbucket::SavedNode& node : saved.nodes) {
    static_cast<void>(collect(nodes, node.record));
    // In parts, so that the first ones need not wait for the last.
    if (nodes.records.size() < lite::kMaxNodesPerAnswer) continue;
    judge(now, std::exchange(nodes, fresh(false)));
  }
  judge(now, std::move(nodes));
  route(now);
  return {};
}

std::uint64_t Engine::start_lookup(Now now, const NodeId& target) noexcept {
  const std::uint64_t id = discovery_.start_lookup(now, target);
  route(now);
  return id;
}

void Engine::handle_session_opened(Now now, SessionHandle session, const PeerLink& peer) noexcept {
  Peer& added = peers_[session];
  added.id = peer.id;
  added.remote = peer.remote;
  // A session may replace another of its identity, which closes a little later.
  by_node_[peer.id] = session;
  discovery_.handle_link_opened(now, peer.id, peer.remote, !peer.inbound);
  if (!peer.enr.empty()) {
    Judging judging{.purpose = Purpose::hello, .session = session, .records = {}, .batch = {}};
    if (collect(judging, peer.enr)) judge(now, std::move(judging));
  }
  route(now);
}

void Engine::handle_session_closed(Now now, SessionHandle session) noexcept {
  const auto it = peers_.find(session);
  if (it == peers_.end()) return;
  const NodeId id = it->second.id;
  const auto newest = by_node_.find(id);
  if (newest != by_node_.end() && newest->second == session) {
    by_node_.erase(newest);
    discovery_.handle_link_closed(now, id);  // first: what it still waits for, it asks again
  }
  drop_judging(now, session);
  drop_requests(now, session);
  if (it->second.is_ready) std::erase(ready_, session);
  peers_.erase(it);
  route(now);
}

void Engine::handle_session_moved(Now now, SessionHandle session, const Endpoint& remote) noexcept {
  Peer* const peer = find(session);
  if (peer == nullptr) return;
  peer->remote = remote;
  const auto newest = by_node_.find(peer->id);
  if (newest == by_node_.end() || newest->second != session) return;
  discovery_.handle_link_moved(now, peer->id, remote);
  route(now);
}

// Said once: what a condemned peer still sends until its session is closed is not looked at.
void Engine::blame(Now now, SessionHandle session, Misbehaviour what) {
  Peer* peer = find(session);
  if (peer == nullptr || peer->condemned) return;
  peer->condemned = true;
  peer->outgoing.clear();
  drop_judging(now, session);
  drop_requests(now, session);
  discovery_.handle_misbehaved(now, peer->id);
  ++counters_.misbehaved;
  emit(PeerMisbehaved{session, what});
}

void Engine::drop_requests(Now now, SessionHandle session) {
  for (const session::PendingRequest& request : requests_.drop(session)) {
    const auto token = tokens_.find(request.id);
    CHECK(token != tokens_.end());
    const std::uint64_t question = token->second;
    tokens_.erase(token);
    discovery_.handle_no_answer(now, question, false);
  }
}

void Engine::send(SessionHandle session, Peer& peer, Bytes payload) {
  peer.outgoing.push_back(std::move(payload));
  if (peer.is_ready || peer.blocked) return;
  peer.is_ready = true;
  ready_.push_back(session);
}

void Engine::handle_send_refused(Now, Outgoing message) noexcept {
  Peer* peer = find(message.session);
  if (peer == nullptr || peer->condemned) return;
  peer->blocked = true;
  peer->outgoing.push_front(std::move(message.payload));
  if (peer->is_ready) std::erase(ready_, message.session);
  peer->is_ready = false;
}

void Engine::handle_writable(Now, SessionHandle session) noexcept {
  Peer* peer = find(session);
  if (peer == nullptr || !peer->blocked) return;
  peer->blocked = false;
  if (peer->outgoing.empty()) return;
  peer->is_ready = true;
  ready_.push_back(session);
}

std::optional<Outgoing> Engine::poll_outgoing() {
  while (!ready_.empty()) {
    const SessionHandle session = ready_.front();
    ready_.pop_front();
    Peer* peer = find(session);
    CHECK(peer != nullptr);
    peer->is_ready = false;
    if (peer->outgoing.empty()) continue;  // condemned meanwhile
    Outgoing out{session, Priority::normal, std::move(peer->outgoing.front())};
    peer->outgoing.pop_front();
    peer->is_ready = !peer->outgoing.empty();
    if (peer->is_ready) ready_.push_back(session);
    return out;
  }
  return std::nullopt;
}

// What discovery wants, until it wants nothing more.
void Engine::route(Now now) {
  while (const auto question = discovery_.poll_question()) send_question(now, *question);
  while (auto event = discovery_.poll_event()) {
    if (const auto* idle = std::get_if<lite::LinkIdle>(&*event)) {
      const auto session = by_node_.find(idle->node);
      if (session != by_node_.end()) emit(SessionIdle{session->second});
    } else if (auto* wanted = std::get_if<ContactWanted>(&*event)) {
      emit(std::move(*wanted));
    } else if (auto* seen = std::get_if<NodeSeen>(&*event)) {
      emit(std::move(*seen));
    } else if (auto* done = std::get_if<LookupDone>(&*event)) {
      emit(std::move(*done));
    } else {
      emit(std::get<OwnAddress>(*event));
    }
  }
}

void Engine::send_question(Now now, const lite::Question& question) {
  const auto link = by_node_.find(question.node);
  Peer* peer = link == by_node_.end() ? nullptr : find(link->second);
  const auto* nodes = std::get_if<lite::AskNodes>(&question.ask);
  const bool has_room =
      peer != nullptr && !peer->condemned && peer->outgoing.size() < kMaxQueuedPerPeer;
  if (!has_room) {
    discovery_.handle_no_answer(now, question.token, false);
    return;
  }
  const auto id = requests_.open(
      now,
      {.session = link->second,
       .response_code = static_cast<std::uint64_t>(nodes != nullptr ? Code::nodes : Code::pong),
       .max_bytes = nodes != nullptr ? kMaxNodesBytes : kMaxQuestionBytes,
       .max_items = lite::kMaxNodesPerAnswer,
       .timeout = kQuestionTimeout});
  if (!id) {  // kMaxOpenQuestions: more sessions than this engine was made for
    discovery_.handle_no_answer(now, question.token, false);
    return;
  }
  tokens_.emplace(*id, question.token);
  ++counters_.requests_sent;
  send(link->second, *peer,
       nodes != nullptr ? encode(FindNodes{*id, nodes->distances})
                        : encode(Ping{*id, local_for(*peer).seq}));
}

void Engine::handle_contact_failed(Now now, std::uint64_t contact,
                                   ContactFailure failure) noexcept {
  discovery_.handle_contact_failed(now, contact, failure);
  route(now);
}

Instant Engine::next_deadline() const {
  return std::min(requests_.next_deadline(), discovery_.next_deadline());
}

void Engine::handle_deadline(Now now) noexcept {
  for (const session::PendingRequest& late : requests_.expire(now)) {
    const auto token = tokens_.find(late.id);
    CHECK(token != tokens_.end());
    const std::uint64_t question = token->second;
    tokens_.erase(token);
    Peer* peer = find(late.session);
    CHECK(peer != nullptr);
    ++counters_.timeouts;
    peer->expired.insert(late.id);
    if (peer->expired.size() > kMaxLateAnswers) peer->expired.erase(peer->expired.begin());
    log_.write(now, LogLevel::debug, "discv-lite request timed out",
               {{"session", std::uint64_t{late.session.index}}, {"id", late.id}});
    discovery_.handle_no_answer(now, question, true);
  }
  discovery_.handle_deadline(now);
  route(now);
}

}  // namespace ethnet::discv_lite
