#include "registry.hpp"

#include <algorithm>

namespace ethnet::session {

using Entry = SessionTable::Entry;

IpAddress stranger_prefix(const IpAddress& ip) { return ip.is_v4() ? ip : ip.masked(64); }

IpAddress stranger_net(const IpAddress& ip) { return subnet_of(ip); }

void Entry::take_place_of(const Entry& twin) {
  CHECK(peer_ && twin.peer_ && peer_->id() == twin.peer_->id() && !active_);
  inbound_place_ = inbound_ && twin.inbound_place_;
}

Entry& SessionTable::add(transport::ConnHandle conn, const Endpoint& remote, bool inbound,
                         SessionState state, Instant started) {
  const SessionHandle handle = entries_.emplace();
  Entry& entry = entries_.at(handle);
  entry.handle_ = handle;
  entry.conn_ = conn;
  entry.inbound_ = inbound;
  entry.inbound_place_ = inbound;
  entry.order_ = ++added_;
  entry.state_ = state;
  entry.remote = remote;
  entry.first_remote_ = remote;
  entry.started = started;
  if (by_index_.size() <= handle.index) by_index_.resize(handle.index + 1);
  by_index_[handle.index] = handle;
  const bool fresh = by_conn_.emplace(conn, handle).second;
  CHECK(fresh);
  by_state_[static_cast<std::size_t>(state)].insert(handle);
  return entry;
}

Entry& SessionTable::add_dial(transport::ConnHandle conn, const Endpoint& remote,
                              std::optional<NodeId> expected, Purpose purpose,
                              std::uint64_t dial_id, Instant started) {
  CHECK(!dials_.contains(remote));
  Entry& entry = add(conn, remote, false, SessionState::dialing, started);
  entry.expected = expected;
  entry.purpose_ = purpose;
  entry.dial_id = dial_id;
  dials_.emplace(remote, entry.handle_);
  if (entry.is_visit_of_ours()) visits_of_ours_.insert(entry.handle_);
  return entry;
}

Entry& SessionTable::add_inbound(transport::ConnHandle conn, const Endpoint& remote,
                                 Instant started) {
  Entry& entry = add(conn, remote, true, SessionState::handshaking, started);
  pending_inbound_.insert(entry.handle_);
  Net& net = pending_by_net_[stranger_net(remote.ip)];
  net.prefixes[stranger_prefix(remote.ip)].emplace(entry.order_, entry.handle_);
  ++net.size;
  return entry;
}

void SessionTable::move_to(Entry& entry, SessionState state) {
  by_state_[static_cast<std::size_t>(entry.state_)].erase(entry.handle_);
  entry.state_ = state;
  by_state_[static_cast<std::size_t>(state)].insert(entry.handle_);
}

void SessionTable::on_opened(Entry& entry) {
  CHECK(entry.state_ == SessionState::dialing);
  move_to(entry, SessionState::handshaking);
}

void SessionTable::on_proven(Entry& entry, const AuthenticatedPeer& peer) {
  CHECK(entry.state_ == SessionState::handshaking);
  entry.peer_ = peer;
  move_to(entry, SessionState::proven);
}

ActiveSession& SessionTable::activate(Entry& entry, PeerInfo info, const MuxLimits& limits,
                                      const Activate& token) {
  CHECK(entry.state_ == SessionState::proven && entry.peer_);
  CHECK(info.id == entry.peer_->id());
  const bool only_one = active_.emplace(entry.peer_->id(), entry.handle_).second;
  CHECK(only_one);
  move_to(entry, SessionState::active);
  entry.visit_ = info.visit;
  if (entry.visit_) {
    visits_.insert(entry.handle_);
  } else {
    forget_pending(entry);
    if (entry.inbound_place_) active_inbound_.insert(entry.handle_);
  }
  entry.active_ = std::make_unique<ActiveSession>(ActiveSession::Passkey{}, *entry.peer_,
                                                  std::move(info), limits, token);
  entry.handshake.reset();
  return *entry.active_;
}

void SessionTable::forget_pending(Entry& entry) {
  if (!entry.inbound_) {
    dials_.erase(entry.first_remote_);
    return;
  }
  pending_inbound_.erase(entry.handle_);
  const auto net = pending_by_net_.find(stranger_net(entry.first_remote_.ip));
  CHECK(net != pending_by_net_.end());
  const auto prefix = net->second.prefixes.find(stranger_prefix(entry.first_remote_.ip));
  CHECK(prefix != net->second.prefixes.end());
  prefix->second.erase(entry.order_);
  --net->second.size;
  if (prefix->second.empty()) net->second.prefixes.erase(prefix);
  if (net->second.size == 0) pending_by_net_.erase(net);
}

void SessionTable::release(SessionHandle handle, bool closing) {
  Entry* entry = entries_.find(handle);
  CHECK(entry != nullptr);
  if (entry->state_ == SessionState::active) {
    active_.erase(entry->peer_->id());
    active_inbound_.erase(handle);
    visits_.erase(handle);
  }
  if (entry->state_ != SessionState::active || entry->visit_) forget_pending(*entry);
  visits_of_ours_.erase(handle);
  by_state_[static_cast<std::size_t>(entry->state_)].erase(handle);
  by_conn_.erase(entry->conn_);
  if (closing) closing_.insert(entry->conn_);
  entries_.erase(handle);
}

Entry* SessionTable::find(transport::ConnHandle conn) {
  const auto it = by_conn_.find(conn);
  return it == by_conn_.end() ? nullptr : entries_.find(it->second);
}

Entry* SessionTable::find_index(std::uint32_t index) {
  return index < by_index_.size() ? entries_.find(by_index_[index]) : nullptr;
}

Entry* SessionTable::active_of(const NodeId& id) {
  const auto it = active_.find(id);
  return it == active_.end() ? nullptr : entries_.find(it->second);
}

const Entry* SessionTable::active_of(const NodeId& id) const {
  const auto it = active_.find(id);
  return it == active_.end() ? nullptr : entries_.find(it->second);
}

const Entry* SessionTable::dialled(const Endpoint& remote) const {
  const auto it = dials_.find(remote);
  return it == dials_.end() ? nullptr : entries_.find(it->second);
}

bool SessionTable::is_dialing(const Endpoint& remote) const {
  const Entry* const entry = dialled(remote);
  return entry != nullptr && entry->state_ != SessionState::active;
}

bool SessionTable::is_dialing(const NodeId& expected) const {
  return std::ranges::any_of(dials_, [&](const auto& dial) {
    const Entry* entry = entries_.find(dial.second);
    return entry != nullptr && entry->state_ != SessionState::active && entry->expected == expected;
  });
}

std::size_t SessionTable::pending() const { return dials_.size() + pending_inbound_.size(); }

std::size_t SessionTable::pending_from(const IpAddress& ip) const {
  const auto net = pending_by_net_.find(stranger_net(ip));
  if (net == pending_by_net_.end()) return 0;
  const auto it = net->second.prefixes.find(stranger_prefix(ip));
  return it == net->second.prefixes.end() ? 0 : it->second.size();
}

std::optional<SessionHandle> SessionTable::oldest_visit_from(const IpAddress& ip) const {
  const auto net = pending_by_net_.find(stranger_net(ip));
  if (net == pending_by_net_.end()) return std::nullopt;
  const auto prefix = net->second.prefixes.find(stranger_prefix(ip));
  if (prefix == net->second.prefixes.end()) return std::nullopt;
  for (const auto& [order, handle] : prefix->second) {
    if (visits_.contains(handle)) return handle;
  }
  return std::nullopt;
}

std::size_t SessionTable::pending_from_net(const IpAddress& ip) const {
  const auto net = pending_by_net_.find(stranger_net(ip));
  return net == pending_by_net_.end() ? 0 : net->second.size;
}

const SessionTable::Prefix& SessionTable::most_crowded(const Net& net) {
  CHECK(!net.prefixes.empty());
  const Prefix* most = &net.prefixes.begin()->second;
  for (const auto& [prefix, entries] : net.prefixes) {
    const bool more = entries.size() > most->size();
    const bool older =
        entries.size() == most->size() && entries.begin()->first < most->begin()->first;
    if (more || older) most = &entries;
  }
  return *most;
}

std::optional<SessionHandle> SessionTable::displaced_by(const IpAddress& ip) const {
  const Net* most = nullptr;
  for (const auto& [prefix, net] : pending_by_net_) {
    const bool more = most == nullptr || net.size > most->size;
    const bool older = !more && net.size == most->size &&
                       most_crowded(net).begin()->first < most_crowded(*most).begin()->first;
    if (more || older) most = &net;
  }
  if (most == nullptr) return std::nullopt;
  if (pending_from_net(ip) < most->size) return most_crowded(*most).begin()->second;
  return displaced_in_net_by(ip);
}

std::optional<SessionHandle> SessionTable::displaced_in_net_by(const IpAddress& ip) const {
  const auto net = pending_by_net_.find(stranger_net(ip));
  if (net == pending_by_net_.end()) return std::nullopt;
  const Prefix& most = most_crowded(net->second);
  if (pending_from(ip) >= most.size()) return std::nullopt;
  return most.begin()->second;
}

}  // namespace ethnet::session
