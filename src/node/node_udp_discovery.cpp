// What the node does with discv5 and discv4: one record for all that we speak, and dials to whom
// they see alive, where its record names our chain.
#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <discovery/v5/engine/local_record.hpp>
#include <types/enr.hpp>

#include "node.hpp"

namespace ethnet::node {

ForkId Node::own_fork_id() const {
  const chain::BlockRef head = chain_.head();
  const auto header = chain_.pending_header(head.hash);
  CHECK(header.has_value());
  return schedule_->fork_id(head.number, header->timestamp);
}

bool Node::names(const IpAddress& ip) const {
  const auto record = Enr::decode(enr_);
  return record && (record->ip() == ip || record->ip6() == ip);
}

bool Node::names_discovery(const Endpoint& at) const {
  const auto record = Enr::decode(enr_);
  if (!record) return false;
  return (at.ip.is_v4() ? record->endpoint_v4("udp") : record->endpoint_v6("udp")) == at;
}

void Node::start_udp_discovery(Now now) {
  if (const auto restored = udp_discovery_->restore(now); !restored) {
    log_.write(now, LogLevel::warn, "The discv5 nodes of the last run were not read",
               {{"why", restored.error().message()}});
  }
  const std::size_t outside = udp_discovery_->start(now);
  if (outside > 0) {
    log_.write(now, LogLevel::warn, "Boot nodes are in none of the networks that are allowed",
               {{"count", std::uint64_t{outside}}});
  }
  search_at_ = now.mono;
}

// At a fork others look for us under the new id. A record is signed for it, and not for each head.
void Node::refresh_fork_id(Now now) {
  const auto record = Enr::decode(enr_);
  CHECK(record.has_value());
  if (record->fork_id() != own_fork_id()) refresh_record(now, std::nullopt);
}

// Of the two that it may have, one that our record had until now is missing.
bool Node::loses_address(const Enr& record) const {
  const auto current = Enr::decode(enr_);
  return current && ((current->ip() && !record.ip()) || (current->ip6() && !record.ip6()));
}

// Nobody came to it: whoever reads our record shall not try.
void Node::on_address_lost(Now now, const VerifiedEnr& record) {
  log_.write(now, LogLevel::warn, "Nobody reaches us at our address: our record names it no more",
             {});
  const bool named_external = external_ && names(external_->ip);
  enr_ = to_bytes(record.record().encoded());
  if (named_external && !names(external_->ip)) external_given_up_ = true;
  const auto left = kbucket::endpoint_of(record.record(), kbucket::RecordPort::udp);
  if (left) udp_discovery_->set_port(left->port);
  if (discovery_) {
    discovery_->set_local_record(discv5::scope_named(record.record()), record);
    discovery_->handle_local_record_changed(now);
  }
  refresh_local(now);
}

void Node::set_external(Now now, const Endpoint& at, std::optional<std::uint16_t> discovery_port) {
  const bool is_for_the_world = kbucket::scope_of(at.ip) == kbucket::Scope::wan;
  const bool is_told_before = external_ == at && external_discovery_ == discovery_port;
  // What our record has lost to others' votes it gets back; what nobody reaches it does not.
  const bool is_named =
      discovery_port && udp_discovery_ ? names_discovery({at.ip, *discovery_port}) : names(at.ip);
  const bool stands = is_named || external_given_up_ || !is_for_the_world;
  if (is_told_before && stands) return;
  external_ = at;
  external_discovery_ = discovery_port;
  external_given_up_ = false;
  if (!is_for_the_world) {
    log_.write(now, LogLevel::warn, "What was told as our address is none that others could reach",
               {{"address", at.to_string()}});
    return;
  }
  if (udp_discovery_) {
    if (discovery_port) udp_discovery_->set_port(*discovery_port);
    udp_discovery_->host().expect_arrivals(now, {at.ip, udp_discovery_->port()});
  }
  on_own_address(now, {kbucket::scope_of(at.ip), at});
  if (discovery_) discovery_->set_own_address(at);
  route(now);
}

bool Node::route_udp_discovery(Now now) {
  if (!udp_discovery_) return false;
  bool moved = false;
  while (const auto event = udp_discovery_->host().poll_event()) {
    on_udp_event(now, *event);
    moved = true;
  }
  return moved;
}

void Node::on_udp_event(Now now, const discovery::Event& event) {
  if (const auto* const changed = std::get_if<discovery::RecordChanged>(&event)) {
    // They agree on our address and on the port of discovery; that of sessions they do not see.
    const Enr& record = changed->record->record();
    if (record.seq() > enr_seq_) {
      enr_seq_ = record.seq();
      newest_enr_ = to_bytes(record.encoded());
    }
    const auto at = kbucket::endpoint_of(record, kbucket::RecordPort::udp);
    // It is as it shall be: made anew of ours, it would have the lost address again.
    if (!at || loses_address(record)) return on_address_lost(now, *changed->record);
    udp_discovery_->set_port(at->port);
    const std::uint16_t port = external_ ? external_->port : config_.listen.front().port;
    if (external_ && external_->ip == at->ip) external_given_up_ = false;  // it is tried again
    return on_own_address(now, {kbucket::scope_of(at->ip), {at->ip, port}});
  }
  if (const auto* const seen = std::get_if<discovery::SeenByPeers>(&event)) {
    // They see the port of discovery; that of sessions is what we say of it.
    const std::uint16_t port = operators_address()->port;
    return on_seen_at(now, {seen->at.scope, {seen->at.endpoint.ip, port}});
  }
  const auto add = [&](const auto& of_engine) {
    std::visit(
        [&]<class E>(const E& e) {
          if constexpr (requires { e.standing; })
            add_udp_candidate(*e.record, peers::Source::table);
        },
        of_engine);
  };
  if (const auto* const v4 = std::get_if<discv4::Event>(&event)) {
    add(*v4);
    const auto* const suspect = std::get_if<discv4::ClockSuspect>(v4);
    if (suspect != nullptr) on_clock_suspect(now, *suspect);
  }
  if (const auto* const v5 = std::get_if<discv5::Event>(&event)) {
    add(*v5);
    if (const auto* const done = std::get_if<discv5::LookupDone>(v5)) {
      for (const auto& record : done->nearest) add_udp_candidate(*record, peers::Source::lookups);
    }
  }
}

// Said by discv4 once in kClockWarningPause at most.
void Node::on_clock_suspect(Now now, const discv4::ClockSuspect& suspect) {
  ++counters_.clock_suspicions;
  const std::int64_t ahead = suspect.ahead.ns / seconds(1).ns;
  clock_doubt_ = ClockDoubt{now.mono, ahead};
  log_.write(now, LogLevel::warn, "Nodes of discv4 disagree with the clock of this machine",
             {{"ahead_seconds", static_cast<std::uint64_t>(ahead)}});
}

void Node::add_udp_candidate(const kbucket::NodeRecord& record, peers::Source source) {
  const auto enr = Enr::decode(record.encoded());
  CHECK(enr.has_value());
  const IpAddress& at = record.endpoint().ip;
  add_candidate(record.id(), *enr, {kbucket::scope_of(at), at}, source, counters_.udp_nodes);
}

void Node::add_candidate(const NodeId& id, const Enr& record, const RecordSource& had_from,
                         peers::Source source, std::map<Dialable, std::uint64_t>& seen) {
  const chain::BlockRef head = chain_.head();
  const auto header = chain_.pending_header(head.hash);
  CHECK(header.has_value());
  const DialTarget target =
      dial_target(record, had_from, *schedule_, head.number, header->timestamp);
  ++seen[target.verdict];
  if (target.verdict != Dialable::yes || !may_dial(target.endpoint)) return;
  scheduler_.add(source, {id, target.endpoint});
}

}  // namespace ethnet::node
