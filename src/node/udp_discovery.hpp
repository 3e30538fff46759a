// A node in Ethereum's own discovery networks: discv5 and discv4 (discovery/host) on sockets of
// their own, never those of QUIC, whose packets a masked discv5 packet cannot be told from.
// Threading: the node's thread. Limits: those of discovery/host; kMaxUdpBootNodes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <discovery/host/host.hpp>
#include <discovery/kbucket/scope.hpp>
#include <types/enr.hpp>
#include <types/fork_id.hpp>

namespace ethnet::node {

inline constexpr std::size_t kMaxUdpBootNodes = 64;  // more is a configuration's error
// Of the nodes of the last run, those seen last: asked at once, and by discv4 like boot nodes.
inline constexpr std::size_t kMaxAskedAtRestart = 32;  // two buckets full: 3 kB in all

struct UdpDiscoveryConfig {
  std::vector<Endpoint> listen;      // as bound; at least one, of another port than any of QUIC
  std::optional<Endpoint> external;  // where others reach our sessions, if the operator says so
  bool v4 = false;
  bool v5 = false;
  std::vector<kbucket::RecordPtr> boot_records;
  std::vector<discv4::V4Node> boot_nodes;  // of whom no record is known; discv4 asks them
  Bytes saved;                             // what saved_nodes() gave an earlier run, or nothing
  NetList nets;                            // nodes of these networks alone are known
};

// What a record says of our port for discovery, beside its address and what else is in it.
void put_udp_port(EnrBuilder& record, const IpAddress& address, std::uint16_t port);

class UdpDiscovery {
 public:
  UdpDiscovery(Now now, UdpDiscoveryConfig config, std::shared_ptr<const crypto::SecretKey> key,
               discovery::EnrPtr record, SecureRng& rng, Prng prng);

  // Turns to the boot nodes. Returns how many are none of its networks, and are not asked.
  [[nodiscard]] std::size_t start(Now now);
  // The nodes of UdpDiscoveryConfig::saved; before start(). Errors: those of decode_saved_nodes,
  // and then nothing was taken. A record that is none is left out.
  [[nodiscard]] Result<void> restore(Now now);
  // Who answered, as a nodes file.
  [[nodiscard]] Bytes saved_nodes() const;
  // Somebody told of it elsewhere (a list in the DNS): a claim, if it names a place of discovery
  // that who is of that scope may name.
  void tell(Now now, const VerifiedEnr& told, kbucket::Scope by);
  // Looks somewhere, for the sake of peers.
  void search(Now now, const NodeId& target);
  // Whether a datagram came in on one of its sockets.
  [[nodiscard]] bool owns(const Datagram& datagram) const;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);

  [[nodiscard]] discovery::Host& host() { return host_; }
  [[nodiscard]] const discovery::Host& host() const { return host_; }
  [[nodiscard]] std::uint16_t local_port() const { return config_.listen.front().port; }
  // Its port as others see it; that of its socket until then.
  [[nodiscard]] std::uint16_t port() const { return port_; }
  void set_port(std::uint16_t port) { port_ = port; }

 private:
  UdpDiscoveryConfig config_;
  std::vector<discv4::V4Node> known_before_;
  std::uint16_t port_;
  discovery::Host host_;
};

// Where we had a record from: which of the addresses that its owner wrote into it are dialled.
struct RecordSource {
  kbucket::Scope scope = kbucket::Scope::wan;  // of the conversation: kbucket::may_relay
  // Where the node answered us, and nowhere else; nothing: nobody has been asked (lists).
  std::optional<IpAddress> seen_at;
};

// Whom such a record says a session can be opened with: it names the chain that `schedule` is of,
// as far as ours has come, and a port for QUIC at an address that RecordSource allows. Else why
// not.
enum class Dialable : std::uint8_t { yes, no_session_port, no_fork_id, other_fork, elsewhere };
struct DialTarget {
  Dialable verdict = Dialable::yes;
  Endpoint endpoint;  // where it is `yes`
};
[[nodiscard]] DialTarget dial_target(const Enr& record, const RecordSource& source,
                                     const ForkSchedule& schedule, std::uint64_t head_number,
                                     std::uint64_t head_time);

}  // namespace ethnet::node
