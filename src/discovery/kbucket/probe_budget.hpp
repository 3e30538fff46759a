// How often we may knock at an address of which nobody proved that a node is there. Whoever tells
// us records decides where we knock; this makes it a bad way to reach a victim (attack 38).
// Loopback and LAN are exempt: only who is there itself may name such an address.
// One thread. Limits: kMaxProbesPerAddress, kMaxProbedAddresses, kMaxProvenAddresses.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>

#include <base/instant.hpp>
#include <types/endpoint.hpp>

namespace ethnet::kbucket {

// Knocks at one unproven address (an IPv4 address, an IPv6 /64) in kProbeWindow (attack 38).
inline constexpr std::size_t kMaxProbesPerAddress = 2;
inline constexpr Duration kProbeWindow = seconds(60);
// Addresses of which knocks are remembered, where sessions carry the questions: at 16 sessions at
// once, each 5 s, more than a minute has.
inline constexpr std::size_t kMaxProbedAddresses = 1024;
// Addresses of which we remember that a session was opened there, beside those of the table.
inline constexpr std::size_t kMaxProvenAddresses = 256;

class ProbeBudget {
 public:
  explicit ProbeBudget(std::size_t max_addresses = kMaxProbedAddresses)
      : max_addresses_{max_addresses} {}
  // False, and counted, when the address had its share, or too many addresses are remembered.
  [[nodiscard]] bool take(Now now, const IpAddress& ip);
  // A session that we opened there: to knock there again is no probe, also where the table had no
  // place for the node.
  void prove(const Endpoint& endpoint);
  [[nodiscard]] bool is_proven(const Endpoint& endpoint) const {
    return proven_.contains(endpoint);
  }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  [[nodiscard]] std::size_t addresses() const { return counts_.size(); }

 private:
  struct Knock {
    Instant at;
    IpAddress where;
  };

  std::size_t max_addresses_;
  std::map<IpAddress, std::size_t> counts_;  // of knocks_
  std::deque<Knock> knocks_;                 // of the last kProbeWindow, oldest first
  std::set<Endpoint> proven_;
  std::deque<Endpoint> proven_order_;  // oldest first
  std::uint64_t refused_ = 0;
};

}  // namespace ethnet::kbucket
