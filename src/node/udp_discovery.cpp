#include "udp_discovery.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <discovery/kbucket/nodes_file.hpp>

namespace ethnet::node {

void put_udp_port(EnrBuilder& record, const IpAddress& address, std::uint16_t port) {
  address.is_v4() ? record.udp(port) : record.udp6(port);
}

UdpDiscovery::UdpDiscovery(Now now, UdpDiscoveryConfig config,
                           std::shared_ptr<const crypto::SecretKey> key, discovery::EnrPtr record,
                           SecureRng& rng, Prng prng)
    : config_{std::move(config)},
      port_{config_.listen.front().port},
      host_{now,
            {.key = std::move(key),
             .local_record = std::move(record),
             .local = config_.listen,
             .v4 = config_.v4,
             .v5 = config_.v5,
             .keeps_table = true,
             .nets = config_.nets,
             .fixed = config_.external ? std::optional{config_.external->ip} : std::nullopt},
            rng,
            prng} {
  CHECK(config_.boot_records.size() + config_.boot_nodes.size() <= kMaxUdpBootNodes);
}

std::size_t UdpDiscovery::start(Now now) {
  kbucket::Table& table = host_.table();
  const auto is_outside = [&](const auto& at) { return !table.admits(at.ip); };
  std::size_t outside = std::erase_if(
      config_.boot_records, [&](const auto& record) { return is_outside(record->endpoint()); });
  outside +=
      std::erase_if(config_.boot_nodes, [&](const auto& node) { return is_outside(node.at); });
  if (host_.v5() != nullptr) {
    for (const auto& record : config_.boot_records) (void)host_.v5()->add_boot_node(now, record);
  }
  if (host_.v4() == nullptr) return outside;
  std::vector<discv4::V4Node> nodes = config_.boot_nodes;
  for (const auto& record : config_.boot_records) {
    const Endpoint& at = record->endpoint();
    nodes.push_back(discv4::V4Node::of(record->public_key(), {at.ip, at.port, 0}));
  }
  nodes.insert(nodes.end(), known_before_.begin(), known_before_.end());
  host_.v4()->bootstrap(now, nodes);
  return outside;
}

Result<void> UdpDiscovery::restore(Now now) {
  if (config_.saved.empty()) return {};
  const kbucket::SavedNodes saved = TRY(kbucket::decode_saved_nodes(config_.saved));
  std::size_t asked = 0;
  for (const kbucket::SavedNode& one : saved.nodes) {
    auto enr = VerifiedEnr::decode(one.record);
    if (!enr) continue;
    const auto record = kbucket::NodeRecord::of(
        std::make_shared<const VerifiedEnr>(*std::move(enr)), kbucket::RecordPort::udp);
    if (record == nullptr || !host_.table().admits(record->endpoint().ip)) continue;
    const bool asks = ++asked <= kMaxAskedAtRestart;
    if (host_.v5() != nullptr) host_.v5()->restore_node(now, record, asks);
    if (host_.v5() == nullptr) (void)host_.table().restore(now, record);
    const Endpoint& at = record->endpoint();
    if (asks)
      known_before_.push_back(discv4::V4Node::of(record->public_key(), {at.ip, at.port, 0}));
  }
  return {};
}

Bytes UdpDiscovery::saved_nodes() const {
  kbucket::SavedNodes out;
  for (const kbucket::TableEntry* entry : host_.table().seen_last_first()) {
    out.nodes.push_back({entry->record->encoded(), entry->last_seen_wall.whole_seconds()});
  }
  return kbucket::encode(out);
}

// discv4 begins its look-ups with claims too, and asks those of whom it is not sure.
void UdpDiscovery::tell(Now now, const VerifiedEnr& told, kbucket::Scope by) {
  const auto record =
      kbucket::NodeRecord::of(std::make_shared<const VerifiedEnr>(told), kbucket::RecordPort::udp);
  if (record == nullptr) return;
  if (!kbucket::may_relay(by, kbucket::scope_of(record->endpoint().ip))) return;
  if (host_.v5() != nullptr) {
    host_.v5()->add_node(now, record);
  } else {
    (void)host_.table().add(now, record, kbucket::Standing::claimed);
  }
}

void UdpDiscovery::search(Now now, const NodeId& target) {
  if (host_.v5() != nullptr) (void)host_.v5()->start_lookup(now, target);
  if (host_.v4() != nullptr) (void)host_.v4()->start_random_lookup(now);
}

bool UdpDiscovery::owns(const Datagram& datagram) const {
  return std::ranges::any_of(
      config_.listen, [&](const Endpoint& socket) { return socket.port == datagram.local.port; });
}

// An answer goes out where its question came in; what begins with us has no such place yet.
std::optional<Transmit> UdpDiscovery::poll_transmit(Now now, MutByteView out) {
  auto transmit = host_.poll_transmit(now, out);
  if (transmit && transmit->local.port == 0) transmit->local.port = config_.listen.front().port;
  return transmit;
}

DialTarget dial_target(const Enr& record, const RecordSource& source, const ForkSchedule& schedule,
                       std::uint64_t head_number, std::uint64_t head_time) {
  const auto fork = record.fork_id();
  if (!fork) return {.verdict = Dialable::no_fork_id, .endpoint = {}};
  if (schedule.judge(*fork, head_number, head_time) != ForkIdVerdict::accept) {
    return {.verdict = Dialable::other_fork, .endpoint = {}};
  }
  // What was asked is its port for discovery, which may be of the other family: that it answered
  // there says nothing of a printer that it names beside it.
  Dialable verdict = Dialable::no_session_port;
  for (const auto& endpoint : {record.endpoint_v4("quic"), record.endpoint_v6("quic")}) {
    if (!endpoint) continue;
    const bool may_be_meant = kbucket::may_relay(source.scope, kbucket::scope_of(endpoint->ip));
    const bool is_there = !source.seen_at || *source.seen_at == endpoint->ip;
    if (may_be_meant && is_there) return {.verdict = Dialable::yes, .endpoint = *endpoint};
    verdict = Dialable::elsewhere;
  }
  return {.verdict = verdict, .endpoint = {}};
}

}  // namespace ethnet::node
