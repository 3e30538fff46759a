// Roster: the identities of one attacker who has few hosts, made when they are first named. Each
// has a key, a record and a port of its own on one of the hosts. One thread, the world's.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <base/prng.hpp>
#include <crypto/secp256k1.hpp>
#include <discovery/kbucket/record.hpp>
#include <types/endpoint.hpp>
#include <types/hash.hpp>

namespace ethnet::sim {

inline constexpr std::uint16_t kFirstCrowdPort = 10'000;
// Of one host: as many as it has ports left.
inline constexpr std::size_t kNamesPerHost = 50'000;

class Roster {
 public:
  struct Name {
    NodeId id;
    Endpoint at;
    std::shared_ptr<const crypto::SecretKey> key;
    Bytes record;
  };

  // `port`: what their records name, "quic" or "udp".
  Roster(Prng prng, std::vector<IpAddress> hosts,
         kbucket::RecordPort port = kbucket::RecordPort::quic)
      : prng_{prng}, hosts_{std::move(hosts)}, port_{port}, of_host_(hosts_.size()) {}

  // One that nobody has heard of yet, on this host; at its limit the last that it had.
  [[nodiscard]] std::size_t fresh(std::size_t host);
  // Who is at this port of a host; nothing: nobody was named there.
  [[nodiscard]] std::optional<std::size_t> find(std::size_t host, std::uint16_t port) const;
  [[nodiscard]] const Name& at(std::size_t name) const { return names_.at(name); }
  [[nodiscard]] Endpoint endpoint(std::size_t name) const { return names_.at(name).at; }
  // What one of them answers: names at these distances from it, some of them new, on all hosts.
  [[nodiscard]] std::vector<Bytes> answer(const NodeId& asked,
                                          std::span<const std::uint16_t> distances);

  [[nodiscard]] std::size_t size() const { return names_.size(); }
  [[nodiscard]] const std::vector<IpAddress>& hosts() const { return hosts_; }
  [[nodiscard]] bool owns(const IpAddress& ip) const;

 private:
  void add(std::size_t host);

  Prng prng_;
  std::vector<IpAddress> hosts_;
  kbucket::RecordPort port_;
  std::vector<Name> names_;
  std::vector<std::vector<std::size_t>> of_host_;  // the names at its ports, one after the other
  std::size_t next_host_ = 0;                      // of those that are new in an answer
};

}  // namespace ethnet::sim
