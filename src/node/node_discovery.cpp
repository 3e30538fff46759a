// What the node does for discovery: sessions for its questions (visits), our own records, and the
// dials to the nodes that it found.
#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <discovery/v5/engine/local_record.hpp>
#include <types/enr.hpp>

#include "agreed.hpp"
#include "behaviour.hpp"
#include "node.hpp"
#include "own_record.hpp"

namespace ethnet::node {
namespace {

using kbucket::Scope;
using session::DisconnectReason;

// Between two look-ups for the sake of finding peers, while there are places.
constexpr Duration kSearchPause = seconds(10);
// Out of lists in the DNS: at three questions a second, hardly more can be had until the next one.
constexpr std::size_t kDnsRecordsOfASearch = 32;

// Why no session came of a contact, in discovery's words.
lite::ContactFailure failure_of(const session::DialFailed& failed) {
  switch (failed.reason) {
    case DisconnectReason::unexpected_identity:
    case DisconnectReason::self_connection:
    case DisconnectReason::bad_proof:
      return lite::ContactFailure::wrong_node;
    case DisconnectReason::no_shared_capability:
    case DisconnectReason::wrong_genesis:
    case DisconnectReason::incompatible_fork:
    case DisconnectReason::incompatible_version:
      return lite::ContactFailure::not_offered;
    default:
      return failed.proven ? lite::ContactFailure::busy : lite::ContactFailure::unreachable;
  }
}

peers::Candidate candidate_of(const kbucket::NodeRecord& record) {
  return {record.id(), record.endpoint()};
}

}  // namespace

void Node::start_discovery(Now now) {
  const DiscoveryConfig& config = *config_.discovery;
  if (const auto record = VerifiedEnr::decode(enr_)) {
    const auto ip = record->record().ip() ? record->record().ip() : record->record().ip6();
    discovery_->set_local_record(ip ? kbucket::scope_of(*ip) : Scope::special, *record);
    if (ip) discovery_->set_own_address({*ip, config_.listen.front().port});
  }
  if (config.external) {
    // Those of its scope, as well as of the one above.
    const auto record = VerifiedEnr::decode(enr_);
    if (names(config.external->ip)) {
      discovery_->set_local_record(kbucket::scope_of(config.external->ip), record.value());
    }
    on_own_address(now, {kbucket::scope_of(config.external->ip), *config.external});
    discovery_->set_own_address(*config.external);
  }
  for (const StaticPeer& peer : config_.peers) {
    if (peer.endpoint) discovery_->add_boot_node(*peer.endpoint);
  }
  if (!config.saved.empty()) {
    const auto restored = discovery_->restore(now, config.saved);
    if (!restored) {
      const std::string why = restored.error().message();
      log_.write(now, LogLevel::warn, "The nodes of the last run were not read", {{"why", why}});
    } else if (const auto saved = kbucket::decode_saved_nodes(config.saved)) {
      // A record is a hint where to dial: the session proves who is there.
      for (const Bytes& anchor : saved->anchors) {
        const auto record = VerifiedEnr::decode(anchor);
        const auto node = record ? kbucket::NodeRecord::of(*record) : nullptr;
        if (node && may_dial(node->endpoint()))
          scheduler_.add(peers::Source::anchors, candidate_of(*node));
      }
    }
  }
  search_at_ = now.mono;
}

Bytes Node::saved_nodes() const { return discovery_ ? discovery_->save() : Bytes{}; }

bool Node::route_discovery(Now now) {
  bool moved = false;
  while (const auto event = discovery_->poll_event()) {
    on_discovery_event(now, *event);
    moved = true;
  }
  return moved;
}

void Node::on_discovery_event(Now now, const discv_lite::Event& event) {
  if (const auto* wanted = std::get_if<discv_lite::ContactWanted>(&event)) {
    on_contact_wanted(now, *wanted);
  } else if (const auto* idle = std::get_if<discv_lite::SessionIdle>(&event)) {
    const session::PeerInfo* peer = sessions_->find(idle->session);
    if (peer != nullptr && peer->visit) {
      sessions_->disconnect(now, idle->session, DisconnectReason::requested);
    }
  } else if (const auto* seen = std::get_if<discv_lite::NodeSeen>(&event)) {
    scheduler_.add(peers::Source::table, candidate_of(*seen->record));
  } else if (const auto* done = std::get_if<discv_lite::LookupDone>(&event)) {
    if (lookup_tap_) lookup_tap_(*done);
    for (const auto& record : done->nearest) {
      scheduler_.add(peers::Source::lookups, candidate_of(*record));
    }
  } else if (const auto* address = std::get_if<discv_lite::OwnAddress>(&event)) {
    on_seen_at(now, *address);
  } else if (const auto* bad = std::get_if<discv_lite::PeerMisbehaved>(&event)) {
    ++counters_.discovery_misbehaved[bad->what];
    log_.write(now, LogLevel::debug, "Peer misbehaved",
               {{"what", discv_lite::describe(bad->what)}});
    judge(now, bad->session, behaviour_of(bad->what), true);
  }
}

void Node::on_contact_wanted(Now now, const discv_lite::ContactWanted& wanted) {
  const bool unwanted = stopping_ || (wanted.node && is_unwanted(now, *wanted.node));
  if (unwanted) {
    return discovery_->handle_contact_failed(now, wanted.contact,
                                             lite::ContactFailure::not_attempted);
  }
  const auto begun = dial(now, wanted.endpoint, wanted.node, session::Purpose::visit);
  if (begun) {
    contacts_.emplace(*begun, wanted);
    return;
  }
  // It is being dialled, to become a peer: the session will do, or its refusal makes room for us.
  if (begun.error().is(session::SessionError::already_dialing)) return put_off(wanted);
  // A peer that speaks discv-lite has a link already; to one that does not there will be none.
  const auto session = wanted.node ? sessions_->find(*wanted.node) : std::nullopt;
  const session::PeerInfo* const peer = session ? sessions_->find(*session) : nullptr;
  auto failure = lite::ContactFailure::not_attempted;
  if (peer != nullptr) failure = lite::ContactFailure::not_offered;
  if (peer != nullptr && agreed(*peer, kDiscvLite) != nullptr) failure = lite::ContactFailure::busy;
  discovery_->handle_contact_failed(now, wanted.contact, failure);
}

void Node::put_off(const discv_lite::ContactWanted& wanted) {
  put_off_.insert_or_assign(wanted.contact, wanted);
  // Discovery has given the oldest up for long.
  if (put_off_.size() > lite::kMaxContacts) put_off_.erase(put_off_.begin());
}

std::vector<discv_lite::ContactWanted> Node::take_put_off(const std::optional<NodeId>& id,
                                                          const std::optional<Endpoint>& endpoint) {
  std::vector<discv_lite::ContactWanted> out;
  std::erase_if(put_off_, [&](const auto& entry) {
    const discv_lite::ContactWanted& wanted = entry.second;
    const bool is_it = (id && wanted.node == id) || (endpoint && wanted.endpoint == *endpoint);
    if (is_it) out.push_back(wanted);
    return is_it;
  });
  return out;
}

void Node::on_contact_failed(Now now, const session::DialFailed& failed) {
  if (!discovery_) return;
  const auto waited = take_put_off(failed.expected, failed.remote);
  if (const auto it = contacts_.find(failed.dial_id); it != contacts_.end()) {
    const discv_lite::ContactWanted wanted = it->second;
    contacts_.erase(it);
    // It dialled us at the same time, and its connection is the one that stays: it is not here yet.
    const bool crossed = failed.reason == DisconnectReason::already_connected && wanted.node &&
                         failed.proven == wanted.node && !sessions_->find(*wanted.node);
    if (crossed) {
      put_off(wanted);
    } else {
      discovery_->handle_contact_failed(now, wanted.contact, failure_of(failed));
    }
  }
  for (const auto& wanted : waited) on_contact_wanted(now, wanted);
}

void Node::on_link_opened(Now now, const session::SessionOpened& opened) {
  const session::PeerInfo& peer = opened.peer;
  const bool is_link = agreed(peer, kDiscvLite) != nullptr;
  if (is_link) {
    discovery_->handle_session_opened(now, opened.session,
                                      {peer.id, peer.remote, peer.inbound, peer.enr});
  }
  const auto dialled = peer.inbound ? std::nullopt : std::optional{peer.remote};
  for (const auto& wanted : take_put_off(peer.id, dialled)) {
    // A link has answered it already, and this says nothing new.
    discovery_->handle_contact_failed(now, wanted.contact, lite::ContactFailure::not_offered);
  }
}

const std::optional<Endpoint>& Node::operators_address() const {
  return udp_discovery_ ? config_.udp_discovery->external : config_.discovery->external;
}

// By peers. An address of our LAN, for who is there, is no contradiction to one for the world.
void Node::on_seen_at(Now now, const discv_lite::OwnAddress& seen) {
  const std::optional<Endpoint>& named = operators_address();
  const bool overrules = named && named->ip.is_v4() == seen.endpoint.ip.is_v4() &&
                         seen.scope >= kbucket::scope_of(named->ip);
  if (!overrules) return on_own_address(now, seen);
  if (observed_ == seen) return;
  observed_ = seen;
  if (seen.endpoint.ip == named->ip) return;
  log_.write(now, LogLevel::warn, "Peers see us at another address than --nat names",
             {{"seen", seen.endpoint.to_string()}, {"named", named->ip.to_string()}});
}

// Somebody has told us where we are seen, or the operator has.
void Node::on_own_address(Now now, const discv_lite::OwnAddress& address) {
  if (!observed_ || observed_->scope <= address.scope) observed_ = address;
  refresh_record(now, address.endpoint);
}

// The clock's seconds, so that a node whose file is lost does not begin below what others know.
std::uint64_t Node::next_record_number(Now now) const {
  return std::max(enr_seq_ + 1, now.wall.whole_seconds());
}

VerifiedEnr Node::record_with(const std::optional<Endpoint>& address, std::uint64_t number) const {
  const Enr current = Enr::decode(enr_).value();
  EnrBuilder builder{number, current};
  if (is_found_by_record()) builder.fork_id(own_fork_id());
  if (address) {
    builder.ip(address->ip);
    address->ip.is_v4() ? builder.quic(address->port) : builder.quic6(address->port);
  }
  if (udp_discovery_) {
    auto ip = current.ip() ? current.ip() : current.ip6();
    if (address) ip = address->ip;
    put_udp_port(builder, ip.value_or(config_.udp_discovery->listen.front().ip),
                 udp_discovery_->port());
  }
  auto record = builder.sign(*key_);
  CHECK(record.has_value());  // two addresses, six ports and a fork id are 250 bytes
  return *std::move(record);
}

// What Hellos and strangers are told is for everybody. Who is found by its record has an address of
// its LAN there rather than none, but in the place of no wider one.
bool Node::is_for_everybody(const std::optional<Endpoint>& address) const {
  if (!address) return true;
  const Scope scope = kbucket::scope_of(address->ip);
  const bool is_the_operators = udp_discovery_ && address == config_.udp_discovery->external;
  return scope == Scope::wan ||
         (is_found_by_record() &&
          (is_the_operators || scope >= discv5::scope_named(Enr::decode(enr_).value())));
}

void Node::settle_record(Now now) {
  std::optional<OwnRecord> before;
  if (!config_.own_record.empty()) {
    auto read = decode_own_record(config_.own_record, id());
    if (read) {
      enr_seq_ = read->newest->seq();
      before = *std::move(read);
    } else {
      log_.write(now, LogLevel::warn, "Our record of the last run was not read",
                 {{"why", read.error().message()}});
    }
  }
  std::optional<Endpoint> address;
  if (udp_discovery_ || discovery_) address = operators_address();
  if (!is_for_everybody(address)) address.reset();
  VerifiedEnr record = record_with(address, next_record_number(now));
  if (before && discv5::says_the_same(record.record(), before->told.record())) {
    record = before->told;
    newest_enr_ = to_bytes(before->newest->encoded());
  } else {
    enr_seq_ = record->seq();
    newest_enr_ = to_bytes(record->encoded());
  }
  enr_ = to_bytes(record->encoded());
  if (udp_discovery_) {
    udp_discovery_->host().set_local_record(std::make_shared<const VerifiedEnr>(record));
  }
  if (address) say_own_address(now, *address);
}

Bytes Node::own_record() const {
  const auto told = VerifiedEnr::decode(enr_);
  const auto newest = VerifiedEnr::decode(newest_enr_);
  CHECK(told.has_value() && newest.has_value());
  return encode_own_record(*told, *newest);
}

void Node::say_own_address(Now now, const Endpoint& address) {
  log_.write(now, LogLevel::info, "Our address, as others reach us",
             {{"address", address.to_string()}});
}

void Node::refresh_record(Now now, const std::optional<Endpoint>& address) {
  const Enr current = Enr::decode(enr_).value();
  const std::uint64_t number = next_record_number(now);
  VerifiedEnr record = record_with(address, number);
  if (discv5::says_the_same(record.record(), current)) return;
  // Nobody has a higher one: those of our LAN may have it since the last run.
  VerifiedEnr newest = VerifiedEnr::decode(newest_enr_).value();
  const bool is_newer = newest->seq() > current.seq();
  if (is_newer && discv5::says_the_same(record.record(), newest.record())) {
    record = std::move(newest);
  } else {
    enr_seq_ = number;
    newest_enr_ = to_bytes(record->encoded());
  }
  auto ip = current.ip() ? current.ip() : current.ip6();
  if (address) ip = address->ip;
  if (discovery_) {
    discovery_->set_local_record(ip ? kbucket::scope_of(*ip) : Scope::special, record);
    discovery_->handle_local_record_changed(now);
  }
  if (!is_for_everybody(address)) return;
  enr_ = to_bytes(record->encoded());
  if (udp_discovery_) {
    udp_discovery_->host().set_local_record(std::make_shared<const VerifiedEnr>(record));
  }
  if (address) say_own_address(now, *address);
  refresh_local(now);
}

bool Node::is_unwanted(Now now, const NodeId& id) const {
  return id == sessions_->local_id() || scores_.is_banned(now, id);
}

bool Node::route_candidates(Now now) {
  if (stopping_ || (!discovery_ && !is_found_by_record())) return false;
  const bool searches = search_at_ <= now.mono;
  if (searches) search(now);
  bool moved = searches && dns_;  // there are questions
  const auto excluded = [&](const NodeId& id) {
    return connected_.contains(id) || dialer_.names(id) || is_unwanted(now, id);
  };
  while (const auto candidate = scheduler_.next(now, excluded)) {
    moved = true;
    const auto begun = dial(now, candidate->endpoint, candidate->id);
    if (begun) scheduler_.on_dialing(*candidate, *begun);
  }
  return moved;
}

void Node::search(Now now) {
  search_at_ = now.mono + kSearchPause;
  // Who has all the peers it may have has no place for whom it would find.
  if (!scheduler_.wants_candidates() || sessions_->peer_count() >= config_.max_peers) return;
  NodeId target;
  for (std::byte& b : target.bytes) b = static_cast<std::byte>(search_prng_.below(256));
  if (udp_discovery_) udp_discovery_->search(now, target);
  if (dns_ && dns_->wanted() < kDnsRecordsOfASearch) {
    dns_->want(now, kDnsRecordsOfASearch - dns_->wanted());
  }
  if (!discovery_) return;
  discovery_->discovery().table().for_each([&](const kbucket::TableEntry& entry) {
    if (entry.relayable()) scheduler_.add(peers::Source::table, candidate_of(*entry.record));
  });
  if (discovery_->start_lookup(now, target) != 0) ++counters_.searches;
}

}  // namespace ethnet::node
