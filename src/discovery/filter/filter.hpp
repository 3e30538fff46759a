// The filter of discovery (README.md): budgets by address, by node at an address, and of curve
// work, so that nobody's datagrams cost more than they may.
//
//   if (!filter.allow(now, remote)) return;                     // before any decoding
//   ...sizes, hash or header...
//   if (!filter.allow_curve_work(now, trust)) return;           // before a signature check
//   if (!filter.allow(now, remote, id)) return;                 // before what the node asks for
//
// One thread. Deterministic: the key of the hash changes no verdict. Limits: limits.hpp.
#pragma once

#include <cstdint>

#include <base/cost_bucket.hpp>
#include <base/instant.hpp>
#include <base/lru_map.hpp>
#include <base/secure_rng.hpp>
#include <base/sip_hash.hpp>
#include <types/endpoint.hpp>
#include <types/hash.hpp>

#include "limits.hpp"

namespace ethnet::filter {

// Whether the other end has proven that it is at its address.
enum class Trust : std::uint8_t { stranger, proven };

struct FilterLimits {
  Rate address = kAddressRate;
  Rate net = kNetRate;
  Rate lan = kLanRate;
  Rate identity = kIdentityRate;
  Rate strangers_curve = kStrangersCurveRate;
  Rate proven_curve = kProvenCurveRate;
  std::size_t addresses = kMaxFilteredAddresses;
  std::size_t nets = kMaxFilteredNets;
  std::size_t identities = kMaxFilteredIdentities;
};

struct FilterCounters {
  std::uint64_t allowed = 0;  // by stage 1
  std::uint64_t refused_addresses = 0;
  std::uint64_t refused_nets = 0;
  std::uint64_t refused_identities = 0;
  std::uint64_t refused_strangers_work = 0;
  std::uint64_t refused_proven_work = 0;
  std::uint64_t forgotten_addresses = 0;   // at kMaxFilteredAddresses
  std::uint64_t forgotten_nets = 0;        // at kMaxFilteredNets
  std::uint64_t forgotten_identities = 0;  // at kMaxFilteredIdentities
};

class Filter {
 public:
  explicit Filter(SecureRng& rng, const FilterLimits& limits = {});

  // Stage 1: a datagram came from there.
  [[nodiscard]] bool allow(Now now, const Endpoint& from) noexcept;
  // Stage 2: it is, or says it is, from this node.
  [[nodiscard]] bool allow(Now now, const Endpoint& from, const NodeId& id) noexcept;
  // `cost` in signature checks. CHECK: 1 to kMaxCurveCost.
  [[nodiscard]] bool allow_curve_work(Now now, Trust trust, std::int64_t cost = 1) noexcept;

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

  [[nodiscard]] bool take_of_address(Now now, const Endpoint& from) noexcept;
  [[nodiscard]] bool take_of_net(Now now, const IpAddress& ip) noexcept;

  FilterLimits limits_;
  CostBucket strangers_curve_;
  CostBucket proven_curve_;
  LruMap<Endpoint, CostBucket, Hash> addresses_;
  LruMap<Endpoint, CostBucket, Hash> nets_;  // of IPv6
  LruMap<NodeAt, CostBucket, Hash> identities_;
  FilterCounters counters_;
};

}  // namespace ethnet::filter
