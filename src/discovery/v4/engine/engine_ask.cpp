// What we ask: contacts from the first PING to their last answer.
#include <algorithm>
#include <utility>

#include <discovery/kbucket/scope.hpp>

#include "engine.hpp"

namespace ethnet::discv4 {

using kbucket::may_relay;
using kbucket::NodeRecord;
using kbucket::RecordPort;
using kbucket::scope_of;

namespace {

bool asks_for_record(const Contact& contact) {
  return std::ranges::any_of(contact.asks,
                             [](const Ask& ask) { return std::holds_alternative<AskRecord>(ask); });
}
// By command, or to see whether a record is right: whoever asked wants to know of that place.
bool is_of_one_place(const Ask& ask) {
  const auto* const ping = std::get_if<AskPing>(&ask);
  if (ping != nullptr && ping->of_this_place) return true;
  return std::visit([](const auto& asked) { return asked.command != 0; }, ask);
}
bool is_of_one_place(const Contact& contact) {
  return std::ranges::any_of(contact.asks, [](const Ask& ask) { return is_of_one_place(ask); });
}
// Takes it to be where it answered this PING of ours. False: it is the answer to none.
bool settle(Contact& contact, const IpAddress& from, const Hash32& ping) {
  const bool is_there =
      contact.phase == Phase::pinging && contact.node.at.ip == from && contact.request == ping;
  const auto other = std::ranges::find_if(contact.elsewhere, [&](const Knock& knock) {
    return knock.at.ip == from && knock.ping == ping;
  });
  if (!is_there && other == contact.elsewhere.end()) return false;
  if (!is_there) {
    contact.node.at = other->at;
    contact.we_chose = other->we_chose;
    contact.was_answered = other->was_answered;
    contact.phase = Phase::pinging;
  }
  contact.is_settled = true;
  contact.elsewhere.clear();
  return true;
}
bool only_pings(const Contact& contact) {
  return std::ranges::all_of(contact.asks,
                             [](const Ask& ask) { return std::holds_alternative<AskPing>(ask); });
}

}  // namespace

std::uint64_t Engine::ping(Now now, const V4Node& node) noexcept {
  const std::uint64_t command = next_command();
  return ask(now, node, AskPing{.command = command, .of_this_place = true}, NamedBy::us) ? command
                                                                                         : 0;
}

std::uint64_t Engine::find_node(Now now, const V4Node& node, const KeyBytes& target) noexcept {
  const std::uint64_t command = next_command();
  return ask(now, node, AskNodes{.command = command, .target = target}, NamedBy::us) ? command : 0;
}

std::uint64_t Engine::request_record(Now now, const V4Node& node) noexcept {
  const std::uint64_t command = next_command();
  return ask(now, node, AskRecord{command}, NamedBy::us) ? command : 0;
}

// A contact is a node at one place: its answer from there would say of another that the node is
// there too. Who does not care where it is is content with the place where it answers.
bool Engine::ask(Now now, const V4Node& node, Ask ask, NamedBy who) {
  if (node.id == self_) return false;
  Contact* contact = contacts_.find(node.id);
  if (contact != nullptr) {
    const bool is_elsewhere = contact->node.at.endpoint() != node.at.endpoint();
    const bool may_differ =
        !is_of_one_place(ask) && (contact->is_settled || !is_of_one_place(*contact));
    const bool is_its_place = !is_elsewhere && (contact->elsewhere.empty() || may_differ);
    if (!(is_its_place || may_differ) || contact->asks.size() >= kMaxAsksPerNode) {
      ++counters_.contacts_refused;
      return false;
    }
    contact->asks.push_back(std::move(ask));
    if (is_elsewhere) knock(now, node, who);
    return true;
  }
  if (contacts_.full()) {
    ++counters_.contacts_refused;
    return false;
  }
  if (!may_turn_to(now, node, who)) return false;
  contact = contacts_.add(node);
  CHECK(contact != nullptr);
  contact->we_chose = who != NamedBy::itself;
  ++counters_.contacts;
  contact->asks.push_back(std::move(ask));
  turn_to(now, *contact);
  return true;
}

// Others may not choose where we knock, but to where it proved itself to be we turn always. Of a
// proven address the other ports are anybody's.
bool Engine::may_turn_to(Now now, const V4Node& node, NamedBy who) {
  const bool is_proven_there = bonds_.place_of(now, node.id) == node.at.endpoint();
  if (who != NamedBy::others || is_proven_there || probes_.take(now, node.at.ip)) return true;
  ++counters_.probes_refused;
  return false;
}

// Looks for a node at one more place than where it is being asked, until it has answered.
bool Engine::knock(Now now, const V4Node& node, NamedBy who) {
  Contact* const contact = contacts_.find(node.id);
  if (contact == nullptr || contact->is_settled || is_of_one_place(*contact)) return false;
  const Endpoint remote = node.at.endpoint();
  const bool is_tried = contact->node.at.endpoint() == remote ||
                        std::ranges::any_of(contact->elsewhere, [&](const Knock& other) {
                          return other.at.endpoint() == remote;
                        });
  if (is_tried) return true;
  if (contact->elsewhere.size() + 1 >= kMaxPlacesPerNode) return false;
  if (!may_turn_to(now, node, who)) return true;
  const auto ping = ping_there(now, remote);
  if (!ping) return true;
  contact->elsewhere.push_back({.at = node.at, .ping = *ping, .we_chose = who != NamedBy::itself});
  contacts_.set_deadline(*contact, now.mono + kAnswerTimeout);
  return true;
}

// A node that has no proof of ours answers nothing but PING.
void Engine::turn_to(Now now, Contact& contact) {
  const NodeAt node{contact.node.id, contact.node.at.ip};
  const bool bonded = bonds_.is_proven(now, node, kBondRenewal) && bonds_.is_known_there(now, node);
  if (bonded) return advance(now, contact);
  ping_contact(now, contact);
}

std::optional<Hash32> Engine::ping_there(Now now, const Endpoint& remote) {
  if (Instant* const before = turned_to_.use(remote.ip)) {
    *before = now.mono;
  } else {
    turned_to_.insert(remote.ip, now.mono);
  }
  filter_.know(remote);
  return send_ping(now, local_for(remote), remote, kMaxDiscv4Packet);
}

void Engine::ping_contact(Now now, Contact& contact) {
  const Endpoint remote = contact.node.at.endpoint();
  contact.phase = Phase::pinging;
  contact.request = ping_there(now, remote).value_or(Hash32{});
  contacts_.set_deadline(contact, now.mono + kAnswerTimeout);
}

// To its next question; there the contact ends when it has none. It may be gone afterwards.
void Engine::advance(Now now, Contact& contact) {
  contact.phase = Phase::asking;
  while (!contact.asks.empty()) {
    if (!std::holds_alternative<AskPing>(contact.asks.front())) return send_ask(now, contact);
    if (!contact.has_ponged) return ping_contact(now, contact);
    finish_ask(now, contact, true, nullptr);
  }
  contacts_.erase(contact.node.id);
}

void Engine::send_ask(Now now, Contact& contact) {
  const Endpoint remote = contact.node.at.endpoint();
  const std::uint64_t expiration = expiration_at(now.wall);
  std::optional<Hash32> hash;
  if (const auto* nodes = std::get_if<AskNodes>(&contact.asks.front())) {
    hash = send(FindNode{nodes->target, expiration}, local_for(remote), remote);
  } else {
    hash = send(EnrRequest{expiration}, local_for(remote), remote);
  }
  contact.request = hash.value_or(Hash32{});
  contacts_.set_deadline(contact, now.mono + kAnswerTimeout);
}

void Engine::finish_ask(Now now, Contact& contact, bool answered, const EnrPtr& record) {
  const Ask ask = std::move(contact.asks.front());
  contact.asks.pop_front();
  const std::vector<V4Node> found = std::exchange(contact.found, {});
  contact.told = 0;
  contact.has_neighbors = false;
  tell(now, contact.node, ask, answered, found, record);
}

// Whoever asked.
void Engine::tell(Now now, const V4Node& node, const Ask& ask, bool answered,
                  const std::vector<V4Node>& found, const EnrPtr& record) {
  if (const auto* ping = std::get_if<AskPing>(&ask)) {
    if (ping->command != 0) emit(PingDone{ping->command, node.id, answered});
  } else if (const auto* nodes = std::get_if<AskNodes>(&ask)) {
    if (nodes->command != 0) emit(NodesDone{nodes->command, node.id, answered, found});
    if (nodes->lookup == 0) return;
    if (answered) return on_nodes(now, nodes->lookup, node, found);
    on_lookup_failure(now, nodes->lookup, node.id);
  } else if (const auto* wanted = std::get_if<AskRecord>(&ask)) {
    if (wanted->command != 0) emit(RecordDone{wanted->command, node.id, record});
  }
}

// --- answers ---

void Engine::on_pong(Now now, const Sender& from, const Pong& pong) {
  const NodeAt node = from.at();
  Contact* const contact = contacts_.find(node.id);
  const bool of_contact = contact != nullptr && settle(*contact, node.ip, pong.ping_hash);
  const Proofs::Proof* const proof = proofs_.find(node);
  const bool of_proof = proof != nullptr && proof->ping_hash == pong.ping_hash;
  if (!of_contact && !of_proof) {
    ++counters_.unsolicited;
    return;
  }
  heard_at_ = now.mono;
  expired_answers_ = 0;
  bonds_.on_pong(now, node.id, from.remote);
  filter_.know(from.remote);
  emit(SeenAs{from.remote, pong.to.endpoint(), of_contact && contact->we_chose});
  if (of_contact) on_contact_pong(now, *contact, pong);
  if (of_proof) on_proof(now, Proofs::Proof{*proof}, from, pong);
}

void Engine::on_contact_pong(Now now, Contact& contact, const Pong& pong) {
  const NodeAt node{contact.node.id, contact.node.at.ip};
  contact.has_ponged = true;
  if (contact.was_answered) bonds_.on_ping_answered(now, node);
  note_alive(now, contact.node, contact.we_chose ? Standing::reached : Standing::met);
  const bool has_room = contact.asks.size() < kMaxAsksPerNode;
  if (has_room && wants_record(contact.node.id, pong.enr_seq) && !asks_for_record(contact)) {
    contact.asks.emplace_back(AskRecord{});
  }
  if (bonds_.is_known_there(now, node) || only_pings(contact)) return advance(now, contact);
  contact.phase = Phase::awaiting_ping;
  contacts_.set_deadline(contact, now.mono + kPingBackTimeout);
}

// A node that came to us is where it says: it gets the PONG that it waits for.
void Engine::on_proof(Now now, const Proofs::Proof& proof, const Sender& from, const Pong& pong) {
  proofs_.erase(proof.node);
  if (proof.came_by_itself) emit(kbucket::Arrival{proof.at});
  if (!proof.held) {
    bonds_.on_ping_answered(now, proof.node);
  } else if (!is_expired(proof.held->expiration, now.wall)) {
    send_pong(now, proof.local, proof.at, proof.node, proof.held->ping_hash, proof.held->to);
  }
  V4Node node = from.node;
  node.at = {proof.at.ip, proof.at.port, proof.tcp};
  note_alive(now, node, Standing::met);
  if (!wants_record(node.id, pong.enr_seq)) return;
  const Contact* const contact = contacts_.find(node.id);
  if (contact != nullptr && asks_for_record(*contact)) return;
  static_cast<void>(ask(now, node, AskRecord{}, NamedBy::itself));
}

void Engine::on_neighbors(Now now, const Sender& from, const Neighbors& neighbors) {
  Contact* const contact = contacts_.find(from.node.id);
  if (contact == nullptr || contact->phase != Phase::asking ||
      contact->node.at.ip != from.remote.ip ||
      !std::holds_alternative<AskNodes>(contact->asks.front())) {
    ++counters_.unsolicited;
    return;
  }
  if (std::ranges::find(seen_answers_, from.hash) != seen_answers_.end()) {
    ++counters_.replayed;
    return;
  }
  seen_answers_.push_back(from.hash);
  if (seen_answers_.size() > kMaxSeenAnswers) seen_answers_.pop_front();
  heard_at_ = now.mono;
  contact->is_settled = true;
  contact->elsewhere.clear();
  contact->has_neighbors = true;
  for (const Neighbor& neighbor : neighbors.nodes.view()) {
    if (contact->told == kMaxAnswerNodes) break;
    ++contact->told;
    take_neighbor(*contact, from.remote.ip, neighbor);
  }
  // No more will come: it has named all that it may, or has nobody to name.
  const bool is_all = contact->told == kMaxAnswerNodes || neighbors.nodes.view().empty();
  if (!is_all) return;
  finish_ask(now, *contact, true, nullptr);
  advance(now, *contact);
}

void Engine::take_neighbor(Contact& contact, const IpAddress& teller, const Neighbor& neighbor) {
  const auto key = crypto::PublicKey::parse(neighbor.key);
  if (!key || neighbor.at.ip.is_unspecified() || neighbor.at.udp == 0) {
    ++counters_.bad_neighbors;
    return;
  }
  if (!may_relay(scope_of(teller), scope_of(neighbor.at.ip))) {
    ++counters_.wrong_scope;
    return;
  }
  if (!table_.admits(neighbor.at.ip)) return;
  const V4Node node = V4Node::of(*key, neighbor.at);
  const bool is_known =
      node.id == self_ ||
      std::ranges::any_of(contact.found, [&](const V4Node& other) { return other.id == node.id; });
  if (!is_known) contact.found.push_back(node);
}

void Engine::on_enr_response(Now now, const Sender& from, const EnrResponse& response) {
  Contact* const contact = contacts_.find(from.node.id);
  if (contact == nullptr || contact->phase != Phase::asking ||
      contact->node.at.ip != from.remote.ip || contact->request != response.request_hash ||
      !std::holds_alternative<AskRecord>(contact->asks.front())) {
    ++counters_.unsolicited;
    return;
  }
  heard_at_ = now.mono;
  contact->is_settled = true;
  contact->elsewhere.clear();
  auto enr = VerifiedEnr::decode(response.record);
  EnrPtr record;
  if (enr && enr->node_id() == from.node.id) {
    record = std::make_shared<const VerifiedEnr>(std::move(*enr));
    take_record(now, *contact, record);
  } else {
    ++counters_.bad_records;
  }
  finish_ask(now, *contact, record != nullptr, record);
  advance(now, *contact);
}

// Where its record says that it is somewhere else than where it answers, that is a claim.
void Engine::take_record(Now now, const Contact& contact, const EnrPtr& enr) {
  const RecordPtr record = NodeRecord::of(enr, RecordPort::udp);
  if (record == nullptr) return;
  const Standing here = contact.we_chose ? Standing::reached : Standing::met;
  if (record->endpoint() == contact.node.at.endpoint()) {
    return note(now, record, contact.node, here);
  }
  if (!may_relay(scope_of(contact.node.at.ip), scope_of(record->endpoint().ip))) {
    ++counters_.wrong_scope;
    return;
  }
  static_cast<void>(table_.add(now, record, Standing::claimed));
}

// --- no answer ---

void Engine::on_timeout(Now now, Contact& contact) {
  contacts_.set_deadline(contact, Instant::never());
  const std::vector<Knock> unanswered = std::exchange(contact.elsewhere, {});
  switch (contact.phase) {
    case Phase::pinging:
      return on_unreachable(now, contact, unanswered);
    case Phase::awaiting_ping:  // it may have had a proof of ours before
      return advance(now, contact);
    case Phase::asking:
      finish_ask(now, contact, contact.has_neighbors, nullptr);
      return advance(now, contact);
  }
}

void Engine::on_unreachable(Now now, Contact& contact, std::span<const Knock> unanswered) {
  ++counters_.contacts_failed;
  const V4Node node = contact.node;
  const std::deque<Ask> asks = std::move(contact.asks);
  contacts_.erase(node.id);
  // Who is in the table by discv5 alone, or at another address by now, is not judged by discv4.
  const kbucket::TableEntry* const entry = table_.find_any(node.id);
  const V4Node* const known = entry == nullptr ? nullptr : member(entry->record);
  const auto was_asked_at = [&](const Endpoint& at) {
    return node.at.endpoint() == at || std::ranges::any_of(unanswered, [&](const Knock& knock) {
             return knock.at.endpoint() == at;
           });
  };
  // Nor who may have answered by what was refused unseen.
  if (known != nullptr && was_asked_at(known->at.endpoint()) &&
      !filter_.is_drowned(now, known->at.endpoint())) {
    const bool its_fault = heard_at_ + kbucket::kAloneAfter >= now.mono;
    if (!table_.failed(now, node.id, its_fault)) members_.erase(node.id);
  }
  for (const Ask& ask : asks) tell(now, node, ask, false, {}, nullptr);
}

}  // namespace ethnet::discv4
