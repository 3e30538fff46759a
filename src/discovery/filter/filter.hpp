// The filter of discovery (README.md): budgets by address, by node at an address, and of curve
// work, so that nobody's datagrams cost more than they may.
//
//   const Admission admission = filter.admit(now, remote);      // before any decoding
//   ...sizes, hash or header...
//   if (!filter.allow(now, remote, id)) return;                 // where it says who it is
//   if (!filter.allow_curve_work(now, trust)) return;           // before a signature check
//   if (!filter.allow(now, remote, id)) return;                 // where only now it shows
//
// Of what is only looked at counts what a stranger elsewhere cannot have made: what a key of a
// session opens, or a secret of a question of ours answers.
//
// One thread. Deterministic: the key of the hash changes no verdict. Limits: limits.hpp.
#pragma once

#include <array>
#include <cstdint>

#include <base/cost_bucket.hpp>
#include <base/instant.hpp>
#include <base/lru_map.hpp>
#include <base/secure_rng.hpp>
#include <base/sip_hash.hpp>
#include <base/sip_key.hpp>
#include <types/endpoint.hpp>
#include <types/hash.hpp>

#include "limits.hpp"

namespace ethnet::filter {

// Whose budget of curve work pays: who has not proven its address, by protocol, since a packet of
// discv4 costs its forger less than one of discv5 does; who has, though the address may be forged;
// and what answers a secret of a question of ours, which no forger knows.
enum class Trust : std::uint8_t { discv4_stranger, discv5_stranger, proven, answer };
inline constexpr std::size_t kTrusts = 4;

// What its address may cost us by a datagram.
enum class Admission : std::uint8_t {
  refused,
  looked_at,  // the address has nothing left, and there is somebody that we know
  paid
};

struct FilterLimits {
  Rate address = kAddressRate;
  Rate net = kNetRate;
  Rate lan = kLanRate;
  Rate identity = kIdentityRate;
  Rate looks = kLookRate;
  Rate answers{.burst = kMaxAnswerBytesAtOnce, .per_second = kMaxAnswerBytesPerSecond};
  Rate strangers_curve = kStrangersCurveRate;
  Rate proven_curve = kProvenCurveRate;
  Rate answers_curve = kAnswersCurveRate;
  std::size_t addresses = kMaxFilteredAddresses;
  std::size_t nets = kMaxFilteredNets;
  std::size_t identities = kMaxFilteredIdentities;
  std::size_t known = kMaxKnownPlaces;
};

struct FilterCounters {
  std::uint64_t allowed = 0;  // by stage 1
  std::uint64_t looked_at = 0;
  std::uint64_t refused_addresses = 0;  // and not looked at
  std::uint64_t refused_nets = 0;       // the same, where the address had something left
  std::uint64_t refused_looks = 0;      // of both, those from places that we know
  std::uint64_t refused_requests = 0;   // authentic, and more than an address may ask
  std::uint64_t refused_identities = 0;
  std::uint64_t refused_strangers_work = 0;
  std::uint64_t refused_answers = 0;
  std::uint64_t refused_proven_work = 0;   // and of answers
  std::uint64_t forgotten_addresses = 0;   // at kMaxFilteredAddresses
  std::uint64_t forgotten_nets = 0;        // at kMaxFilteredNets
  std::uint64_t forgotten_identities = 0;  // at kMaxFilteredIdentities
};

class Filter {
 public:
  explicit Filter(SecureRng& rng, const FilterLimits& limits = {})
      : Filter{draw_sip_key(rng), draw_sip_key(rng), limits} {}

  // Stage 1: a datagram came from there.
  [[nodiscard]] Admission admit(Now now, const Endpoint& from) noexcept;
  // Whether its address pays for it.
  [[nodiscard]] bool allow(Now now, const Endpoint& from) noexcept;
  // What was only looked at turned out to be a request of whom it says: a budget of the address
  // that nobody else can spend.
  [[nodiscard]] bool allow_request(Now now, const Endpoint& from) noexcept;
  // We turned to somebody there, or it proved itself there.
  void know(const Endpoint& at) noexcept;
  // Somebody there may have answered within the last kDrownedFor, and been refused unseen.
  [[nodiscard]] bool is_drowned(Now now, const Endpoint& at) noexcept;
  // Stage 2: it is from this node.
  [[nodiscard]] bool allow(Now now, const Endpoint& from, const NodeId& id) noexcept;
  // It says that it is, as anybody may: a budget apart, which takes nothing of the node's own.
  [[nodiscard]] bool allow_claim(Now now, const Endpoint& from, const NodeId& id) noexcept;
  // `cost` in signature checks. CHECK: 1 to kMaxCurveCost.
  [[nodiscard]] bool allow_curve_work(Now now, Trust trust, std::int64_t cost = 1) noexcept;

  // So many bytes answer a question that is shorter. CHECK: at most what may go at once.
  [[nodiscard]] bool allow_answer(Now now, std::size_t bytes) noexcept;
  // Strangers may have come, and been refused for want of curve work.
  [[nodiscard]] bool refused_strangers(Now now, Duration within) const {
    return strangers_refused_at_ > now.mono - within;
  }

  [[nodiscard]] const FilterCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t addresses() const { return addresses_.size(); }
  [[nodiscard]] std::size_t nets() const { return nets_.size(); }
  [[nodiscard]] std::size_t identities() const { return identities_.size(); }

 private:
  struct NodeAt {
    NodeId id;
    Endpoint site;
    friend bool operator==(const NodeAt&, const NodeAt&) = default;
  };
  struct Hash {
    SipKey key;
    std::size_t operator()(const Endpoint& site) const noexcept;
    std::size_t operator()(const NodeAt& node) const noexcept;
  };

  struct Site {
    CostBucket datagrams;  // of anybody who writes this address
    CostBucket requests;   // of who is there
  };
  struct Node {
    CostBucket claimed;
    CostBucket proven;
  };
  struct Known {
    Instant refused_at{INT64_MIN};  // a datagram from there, unseen
  };
  enum class Payment : std::uint8_t { made, address_has_nothing, net_has_nothing };
  Filter(const SipKey& of_places, const SipKey& of_nodes, const FilterLimits& limits);
  [[nodiscard]] Site& site(const Endpoint& from) noexcept;
  [[nodiscard]] CostBucket& net(const IpAddress& ip) noexcept;
  [[nodiscard]] Payment pay(Now now, const Endpoint& from) noexcept;
  void count_refused(Payment why) noexcept;
  [[nodiscard]] bool take_of_node(Now now, const Endpoint& from, const NodeId& id,
                                  CostBucket Node::* budget) noexcept;

  FilterLimits limits_;
  CostBucket looks_;
  CostBucket answers_;
  std::array<CostBucket, kTrusts> curve_;
  Instant strangers_refused_at_{INT64_MIN};
  LruMap<Endpoint, Site, Hash> addresses_;
  LruMap<Endpoint, CostBucket, Hash> nets_;  // of IPv6
  LruMap<NodeAt, Node, Hash> identities_;
  LruMap<Endpoint, Known, Hash> known_;
  FilterCounters counters_;
};

}  // namespace ethnet::filter
