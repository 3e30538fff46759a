// What others ask of us: PING, FINDNODE, ENRRequest.
#include <algorithm>
#include <vector>

#include <crypto/keccak.hpp>
#include <discovery/kbucket/scope.hpp>

#include "engine.hpp"

namespace ethnet::discv4 {
namespace {

using kbucket::may_relay;
using kbucket::scope_of;

// Who is there needs no reflector to reach somebody there. On a LAN it may: an address there can be
// forged from elsewhere.
bool needs_no_proof(const IpAddress& ip) { return ip.is_loopback(); }

}  // namespace

void Engine::on_ping(Now now, const Sender& from, const Ping& ping) {
  heard_at_ = now.mono;
  const Place to{from.remote.ip, from.remote.port, ping.from.tcp};
  const NodeAt node = from.at();
  if (bonds_.is_proven(now, node)) {
    send_pong(now, from.local, from.remote, node, from.hash, to);
    const bool is_proof_old =
        !bonds_.is_proven(now, node, kBondRenewal) || bonds_.place_of(now, node.id) != from.remote;
    if (is_proof_old) prove(now, from, ping, false);
    return note_proven_ping(now, from, ping);
  }
  const bool at_once = needs_no_proof(from.remote.ip);
  if (const Hash32* const ours = ping_under_way(node)) {
    const bool has_room = encoded_size(make_pong(now, to, from.hash)) <= from.size;
    if (!at_once && !has_room) return prove(now, from, ping, true, ours);
    return send_pong(now, from.local, from.remote, node, from.hash, to);
  }
  if (at_once) send_pong(now, from.local, from.remote, node, from.hash, to);
  prove(now, from, ping, !at_once);
}

void Engine::note_proven_ping(Now now, const Sender& from, const Ping& ping) {
  const V4Node node{from.node.key, from.node.id, {from.remote.ip, from.remote.port, ping.from.tcp}};
  note_alive(now, node, Standing::met);
  if (table_.find_any(node.id) == nullptr || !wants_record(node.id, ping.enr_seq)) return;
  // Here it is: where its old record says that it is, it may be no longer.
  static_cast<void>(ask(now, node, AskRecord{}, NamedBy::itself));
}

// The hash of the PING by which we have just turned to it there; null where we did not.
const Hash32* Engine::ping_under_way(const NodeAt& node) {
  const Contact* const contact = contacts_.find(node.id);
  if (contact == nullptr) return nullptr;
  if (contact->node.at.ip == node.ip && contact->phase == Phase::pinging) return &contact->request;
  const auto knock = std::ranges::find_if(
      contact->elsewhere, [&](const Knock& other) { return other.at.ip == node.ip; });
  return knock == contact->elsewhere.end() ? nullptr : &knock->ping;
}

// From the WAN, and not through a way that we opened.
bool Engine::comes_by_itself(Now now, const NodeAt& node) {
  if (scope_of(node.ip) != kbucket::Scope::wan || bonds_.is_proven(now, node)) return false;
  const Instant* const turned_to = turned_to_.find(node.ip);
  return turned_to == nullptr || *turned_to + kWayStaysOpen <= now.mono;
}

Pong Engine::make_pong(Now now, const Place& to, const Hash32& ping_hash) const {
  return {.to = to,
          .ping_hash = ping_hash,
          .expiration = expiration_at(now.wall),
          .enr_seq = config_.local_record->record().seq()};
}

void Engine::send_pong(Now now, const Endpoint& local, const Endpoint& remote, const NodeAt& node,
                       const Hash32& ping_hash, const Place& to) {
  if (!send(make_pong(now, to, ping_hash), local, remote)) return;
  bonds_.on_ping_answered(now, node);
  Contact* const contact = contacts_.find(node.id);
  if (contact == nullptr) return;
  for (Knock& knock : contact->elsewhere) knock.was_answered |= knock.at.ip == remote.ip;
  if (contact->node.at.ip != remote.ip) return;
  contact->was_answered = true;
  if (contact->phase == Phase::awaiting_ping) advance(now, *contact);
}

// Asks for a proof by a PING that is no larger than what came, or waits for that which answers the
// one that is under way. The PONG that is held goes when it comes.
void Engine::prove(Now now, const Sender& from, const Ping& ping, bool hold_pong,
                   const Hash32* under_way) {
  const NodeAt node = from.at();
  Proofs::Proof proof{.node = node,
                      .at = from.remote,
                      .local = from.local,
                      .ping_hash = {},
                      .sent = now.mono,
                      .held = std::nullopt,
                      .enr_seq = ping.enr_seq,
                      .tcp = ping.from.tcp,
                      .came_by_itself = comes_by_itself(now, node)};
  if (hold_pong) {
    ++counters_.pongs_held;
    const Place to{from.remote.ip, from.remote.port, ping.from.tcp};
    proof.held = Proofs::Held{.ping_hash = from.hash, .to = to, .expiration = ping.expiration};
  }
  Proofs::Proof* const before = proofs_.find(node);
  if (before != nullptr && before->sent + kProofInterval > now.mono) {
    before->held = proof.held;
    before->at = proof.at;
    return;
  }
  std::optional<Hash32> hash;
  if (under_way != nullptr) {
    hash = *under_way;
  } else {
    const std::size_t max_size = needs_no_proof(from.remote.ip) ? kMaxDiscv4Packet : from.size;
    hash = send_ping(now, from.local, from.remote, max_size);
  }
  if (!hash) return;
  proof.ping_hash = *hash;
  proofs_.add(proof);
}

void Engine::on_findnode(Now now, const Sender& from, const FindNode& findnode) {
  if (!bonds_.is_proven(now, from.at())) {
    ++counters_.unproven;
    return;
  }
  const NodeId target{crypto::keccak256(findnode.target)};
  const kbucket::Scope between = scope_of(from.remote.ip);
  const Neighbors empty{.nodes = {}, .expiration = expiration_at(now.wall)};
  std::vector<Neighbors> answer{empty};
  std::size_t bytes = kEmptyNeighborsBytes;  // of the last one
  std::size_t all_bytes = bytes;
  std::size_t told = 0;
  // Of the whole table, since only some of it may be told to this node.
  for (const RecordPtr& record : table_.closest(target, kMaxMembers, false)) {
    if (told == kMaxAnswerNodes) break;
    const V4Node* const node = member(record);
    if (node == nullptr || node->id == from.node.id) continue;
    if (!may_relay(between, scope_of(node->at.ip))) continue;
    const Neighbor neighbor{node->at, node->key.xy()};
    const std::size_t size = encoded_size(neighbor);
    if (bytes + size > kMaxDiscv4Packet) {
      answer.push_back(empty);
      bytes = kEmptyNeighborsBytes;
      all_bytes += bytes;
    }
    answer.back().nodes.push_back(neighbor);
    bytes += size;
    all_bytes += size;
    ++told;
  }
  if (told > 0 && !filter_.allow_answer(now, all_bytes)) answer = {empty};
  for (const Neighbors& packet : answer) send(packet, from.local, from.remote);
}

void Engine::on_enr_request(Now now, const Sender& from) {
  if (!bonds_.is_proven(now, from.at())) {
    ++counters_.unproven;
    return;
  }
  send(EnrResponse{from.hash, config_.local_record->record().encoded()}, from.local, from.remote);
}

}  // namespace ethnet::discv4
