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

bool Node::has_address() const {
  const auto record = Enr::decode(enr_);
  return record && (record->ip() || record->ip6());
}

void Node::start_udp_discovery(Now now) {
  refresh_record(now, std::nullopt);
  udp_discovery_->start(now);
  search_at_ = now.mono;
}

// `address`: where sessions with us are opened, as others see it; nothing: as before.
void Node::refresh_record(Now now, const std::optional<Endpoint>& address) {
  const VerifiedEnr current = VerifiedEnr::decode(enr_).value();
  const std::uint64_t seq = std::max(enr_seq_ + 1, now.wall.whole_seconds());
  EnrBuilder builder{seq, current.record()};
  builder.fork_id(own_fork_id());
  if (address) {
    builder.ip(address->ip);
    address->ip.is_v4() ? builder.quic(address->port) : builder.quic6(address->port);
  }
  const auto ip = address         ? std::optional{address->ip}
                  : current->ip() ? current->ip()
                                  : current->ip6();
  const IpAddress family = ip.value_or(config_.udp_discovery->listen.front().ip);
  put_udp_port(builder, family, udp_discovery_->port());
  const auto record = builder.sign(*key_);
  CHECK(record.has_value());  // two addresses, six ports and a fork id are 250 bytes
  if (discv5::says_the_same(record->record(), current.record())) return;
  enr_seq_ = seq;
  enr_ = to_bytes(record->record().encoded());
  udp_discovery_->host().set_local_record(std::make_shared<const VerifiedEnr>(*record));
  if (discovery_) {
    discovery_->set_local_record(ip ? kbucket::scope_of(*ip) : kbucket::Scope::special, *record);
    discovery_->handle_local_record_changed(now);
  }
  if (address) {
    log_.write(now, LogLevel::info, "Our address as peers see it",
               {{"address", address->to_string()}});
  }
  refresh_local(now);
}

// At a fork others look for us under the new id. A record is signed for it, and not for each head.
void Node::refresh_fork_id(Now now) {
  const discovery::EnrPtr& record = udp_discovery_->host().local_record();
  if (record->record().fork_id() != own_fork_id()) refresh_record(now, std::nullopt);
}

// Nobody came to it: whoever reads our record shall not try.
void Node::on_address_lost(Now now, const VerifiedEnr& record) {
  log_.write(now, LogLevel::warn, "Nobody reaches us at our address: our record names it no more",
             {});
  enr_ = to_bytes(record.record().encoded());
  if (discovery_) {
    discovery_->set_local_record(kbucket::Scope::special, record);
    discovery_->handle_local_record_changed(now);
  }
  refresh_local(now);
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
    enr_seq_ = std::max(enr_seq_, changed->record->record().seq());
    const Enr& record = changed->record->record();
    const auto at = kbucket::endpoint_of(record, kbucket::RecordPort::udp);
    if (!at) return on_address_lost(now, *changed->record);
    udp_discovery_->set_port(at->port);
    return refresh_record(now, Endpoint{at->ip, config_.listen.front().port});
  }
  const auto add = [&](const auto& of_engine) {
    std::visit(
        [&]<class E>(const E& e) {
          if constexpr (requires { e.standing; })
            add_udp_candidate(*e.record, peers::Source::table);
        },
        of_engine);
  };
  if (const auto* const v4 = std::get_if<discv4::Event>(&event)) add(*v4);
  if (const auto* const v5 = std::get_if<discv5::Event>(&event)) {
    add(*v5);
    if (const auto* const done = std::get_if<discv5::LookupDone>(v5)) {
      for (const auto& record : done->nearest) add_udp_candidate(*record, peers::Source::lookups);
    }
  }
}

void Node::add_udp_candidate(const kbucket::NodeRecord& record, peers::Source source) {
  const chain::BlockRef head = chain_.head();
  const auto header = chain_.pending_header(head.hash);
  CHECK(header.has_value());
  const DialTarget target = dial_target(record, *schedule_, head.number, header->timestamp);
  ++counters_.udp_nodes[target.verdict];
  if (target.verdict == Dialable::yes) scheduler_.add(source, {record.id(), target.endpoint});
}

}  // namespace ethnet::node
