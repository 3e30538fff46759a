// A node in Ethereum's own discovery networks: discv5 and discv4 (discovery/host) on sockets of
// their own, never those of QUIC, whose packets a masked discv5 packet cannot be told from.
// Threading: the node's thread. Limits: those of discovery/host; kMaxUdpBootNodes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <discovery/host/host.hpp>
#include <types/fork_id.hpp>

namespace ethnet::node {

inline constexpr std::size_t kMaxUdpBootNodes = 64;  // more is a configuration's error

struct UdpDiscoveryConfig {
  std::vector<Endpoint> listen;  // as bound; at least one, of another port than any of QUIC
  bool v4 = false;
  bool v5 = false;
  std::vector<kbucket::RecordPtr> boot_records;
  std::vector<discv4::V4Node> boot_nodes;  // of whom no record is known; discv4 asks them
};

// What a record says of our port for discovery, beside its address and what else is in it.
void put_udp_port(EnrBuilder& record, const IpAddress& address, std::uint16_t port);

class UdpDiscovery {
 public:
  UdpDiscovery(Now now, UdpDiscoveryConfig config, std::shared_ptr<const crypto::SecretKey> key,
               discovery::EnrPtr record, SecureRng& rng, Prng prng);

  // Turns to the boot nodes.
  void start(Now now);
  // Looks somewhere, for the sake of peers.
  void search(Now now, const NodeId& target);
  // Whether a datagram came in on one of its sockets.
  [[nodiscard]] bool owns(const Datagram& datagram) const;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);

  [[nodiscard]] discovery::Host& host() { return host_; }
  [[nodiscard]] const discovery::Host& host() const { return host_; }
  // Its port as others see it; that of its socket until then.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  void set_port(std::uint16_t port) { port_ = port; }

 private:
  UdpDiscoveryConfig config_;
  std::uint16_t port_;
  discovery::Host host_;
};

// Whom such a record says a session can be opened with: it names the chain that `schedule` is of,
// as far as ours has come, and a port for QUIC. Else why not.
enum class Dialable : std::uint8_t { yes, no_session_port, no_fork_id, other_fork };
struct DialTarget {
  Dialable verdict = Dialable::yes;
  Endpoint endpoint;  // where it is `yes`
};
[[nodiscard]] DialTarget dial_target(const kbucket::NodeRecord& record,
                                     const ForkSchedule& schedule, std::uint64_t head_number,
                                     std::uint64_t head_time);

}  // namespace ethnet::node
