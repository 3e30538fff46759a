// Endpoint proofs (discv4, "Endpoint Proof"). A node is proven at an IP address when it answered a
// PING that we sent there, by its hash: a PONG from elsewhere, or of another PING, proves nothing.
//
//   Bonds    who is proven where, and where last; and whom we answered: it has a proof of us
//   Proofs   PINGs that we sent to nodes which pinged us first, with the PONG that waits for theirs
//
// A stranger's PING can fill Proofs, which forgets the oldest, and never Bonds.
// One thread. Limits: kMaxBonds, kMaxProofs.
#pragma once

#include <cstdint>
#include <optional>

#include <base/instant.hpp>
#include <base/lru_map.hpp>
#include <base/secure_rng.hpp>
#include <base/sip_hash.hpp>
#include <types/endpoint.hpp>
#include <types/hash.hpp>

#include "../limits.hpp"
#include "../wire/packet.hpp"

namespace ethnet::discv4 {

struct NodeAt {
  NodeId id;
  IpAddress ip;
  friend bool operator==(const NodeAt&, const NodeAt&) = default;
};

// Keyed, since strangers choose what is hashed.
struct PeerHash {
  SipKey key;
  std::size_t operator()(const NodeAt& node) const noexcept;
  std::size_t operator()(const NodeId& id) const noexcept;
  std::size_t operator()(const IpAddress& ip) const noexcept;
  std::size_t operator()(const Hash32& hash) const noexcept;
};

class Bonds {
 public:
  Bonds(SecureRng& rng, std::size_t capacity);

  // It answered our PING from there.
  void on_pong(Now now, const NodeId& id, const Endpoint& at);
  // We answered its PING there. Kept only of the proven.
  void on_ping_answered(Now now, const NodeAt& node);

  // Within `lifetime`.
  [[nodiscard]] bool is_proven(Now now, const NodeAt& node, Duration lifetime = kBondLifetime);
  // It has a proof of ours.
  [[nodiscard]] bool is_known_there(Now now, const NodeAt& node);
  // Where it proved last that it is, if that counts still.
  [[nodiscard]] std::optional<Endpoint> place_of(Now now, const NodeId& id);
  // Somebody is proven there.
  [[nodiscard]] bool is_proven(Now now, const IpAddress& ip);
  [[nodiscard]] std::size_t size() const { return bonds_.size(); }

 private:
  struct Bond {
    std::optional<Instant> proven_at;
    std::optional<Instant> answered_at;
  };
  LruMap<NodeAt, Bond, PeerHash> bonds_;
  LruMap<IpAddress, Instant, PeerHash> addresses_;
  LruMap<NodeId, Endpoint, PeerHash> places_;  // the last one of each
};

class Proofs {
 public:
  struct Held {  // the PONG that its PING gets once it is proven
    Hash32 ping_hash;
    Place to;
    std::uint64_t expiration = 0;  // of its PING
  };
  struct Proof {
    NodeAt node;
    Endpoint at;
    Endpoint local;
    Hash32 ping_hash;  // of our PING
    Instant sent;
    std::optional<Held> held;
    std::optional<std::uint64_t> enr_seq;  // as its PING said
    std::uint16_t tcp = 0;                 // likewise
    bool came_by_itself = false;           // nothing of ours had opened it the way
  };

  Proofs(SecureRng& rng, std::size_t capacity);
  [[nodiscard]] Proof* find(const NodeAt& node) { return proofs_.find(node); }
  // In the place of the one of this node, if there is one.
  void add(const Proof& proof);
  void erase(const NodeAt& node) { proofs_.erase(node); }
  void expire(Now now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t size() const { return proofs_.size(); }
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

 private:
  LruMap<NodeAt, Proof, PeerHash> proofs_;  // the oldest first, as they were sent
  std::uint64_t forgotten_ = 0;
};

}  // namespace ethnet::discv4
