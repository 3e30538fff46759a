// Roster: the identities of one attacker who has few hosts (identities.hpp), each at a port of its
// own on one of the hosts. All are there from the start; the seed draws which sits where, and a
// record is signed when it is first named. One thread, the world's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <base/prng.hpp>
#include <crypto/secp256k1.hpp>
#include <discovery/kbucket/record.hpp>
#include <types/endpoint.hpp>
#include <types/hash.hpp>

#include "identities.hpp"

namespace ethnet::sim {

inline constexpr std::uint16_t kFirstCrowdPort = 10'000;

class Roster {
 public:
  struct Name {
    NodeId id;
    Endpoint at;
    std::shared_ptr<const crypto::SecretKey> key;
    Bytes record;
  };

  // The hosts share the identities evenly. `port`: what their records name, "quic" or "udp".
  Roster(const Prng& prng, std::vector<IpAddress> hosts, const Identities& identities,
         kbucket::RecordPort port = kbucket::RecordPort::quic);

  // One that nobody has heard of yet, on this host, to come to a node: as likely at each distance
  // from it that a table has a bucket for, since of any that come nearly all are for the farthest,
  // which are full. When there is none left, all in turn.
  [[nodiscard]] std::size_t fresh(std::size_t host, const NodeId& comes_to);
  // Who is at this port of a host; nothing: the attacker has no more identities.
  [[nodiscard]] std::optional<std::size_t> find(std::size_t host, std::uint16_t port) const;
  // With its record: it has been named from now on.
  [[nodiscard]] const Name& at(std::size_t name);
  [[nodiscard]] Endpoint endpoint(std::size_t name) const;
  // What one of them answers: names at these distances from it, drawn from all that there are, as
  // many at the first distance as there are places for, then at the next.
  [[nodiscard]] std::vector<Bytes> answer(const NodeId& asked,
                                          std::span<const std::uint16_t> distances);

  [[nodiscard]] std::size_t size() const { return rank_of_.size(); }
  [[nodiscard]] std::size_t named() const { return named_; }
  [[nodiscard]] const std::vector<IpAddress>& hosts() const { return hosts_; }
  [[nodiscard]] bool owns(const IpAddress& ip) const;

 private:
  [[nodiscard]] std::optional<std::size_t> unnamed(std::size_t host, Identities::Range range);

  Prng prng_;
  std::vector<IpAddress> hosts_;
  const Identities& identities_;
  kbucket::RecordPort port_;
  // Names 0, n, 2n ... are at the first ports of the first of n hosts, and so on.
  std::vector<std::uint32_t> rank_of_;        // the identity of a name
  std::vector<std::uint32_t> name_of_;        // the name of an identity
  std::vector<std::unique_ptr<Name>> names_;  // null: not named yet
  std::size_t named_ = 0;
  std::vector<std::size_t> turn_;  // of each host: whose it is
};

}  // namespace ethnet::sim
