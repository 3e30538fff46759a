#include "udp_discovery.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <types/enr.hpp>

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
             .keeps_table = true},
            rng,
            prng} {
  CHECK(config_.boot_records.size() + config_.boot_nodes.size() <= kMaxUdpBootNodes);
}

void UdpDiscovery::start(Now now) {
  if (host_.v5() != nullptr) {
    for (const auto& record : config_.boot_records) (void)host_.v5()->add_boot_node(now, record);
  }
  if (host_.v4() == nullptr) return;
  std::vector<discv4::V4Node> nodes = config_.boot_nodes;
  for (const auto& record : config_.boot_records) {
    const Endpoint& at = record->endpoint();
    nodes.push_back(discv4::V4Node::of(record->public_key(), {at.ip, at.port, 0}));
  }
  host_.v4()->bootstrap(now, nodes);
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

DialTarget dial_target(const kbucket::NodeRecord& record, const ForkSchedule& schedule,
                       std::uint64_t head_number, std::uint64_t head_time) {
  const auto enr = Enr::decode(record.encoded());
  CHECK(enr.has_value());
  const auto fork = enr->fork_id();
  if (!fork) return {.verdict = Dialable::no_fork_id, .endpoint = {}};
  if (schedule.judge(*fork, head_number, head_time) != ForkIdVerdict::accept) {
    return {.verdict = Dialable::other_fork, .endpoint = {}};
  }
  const auto endpoint = kbucket::endpoint_of(*enr, kbucket::RecordPort::quic);
  if (!endpoint) return {.verdict = Dialable::no_session_port, .endpoint = {}};
  return {.verdict = Dialable::yes, .endpoint = *endpoint};
}

}  // namespace ethnet::node
