// What is our own address? Peers say where they see us; we believe many and no few (attack 37).
//
// WAN: a new address needs kVoteQuorum votes from distinct subnets (a /24 or a /48) within
// kVoteWindow, and more than half of all that voted in that time. Each subnet has one vote, its
// newest. Who counts votes should count those of peers that it chose to dial: whoever dials us
// could do so from as many subnets as it rents.
// Loopback and LAN: one vote is enough, since whoever is there shares our machine or our wire; but
// a voter speaks for its own scope only, and a majority is needed against others that voted.
// An address changes at most once in kVoteWindow, so that no two liars make it swing.
// IPv4 and IPv6 are counted apart. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>

#include <base/instant.hpp>

#include "ip_limits.hpp"
#include "scope.hpp"

namespace ethnet::kbucket {

inline constexpr std::size_t kVoteQuorum = 10;
inline constexpr Duration kVoteWindow = seconds(120);
// Voters of one scope and family that are remembered; the oldest vote goes.
inline constexpr std::size_t kMaxVoters = 128;

struct OwnAddress {
  Scope scope = Scope::special;
  Endpoint endpoint;
  friend bool operator==(const OwnAddress&, const OwnAddress&) = default;
};

class IpVote {
 public:
  // A peer at `voter` sees us at `seen`. The new address when that changed it.
  [[nodiscard]] std::optional<OwnAddress> on_vote(Now now, const IpAddress& voter,
                                                  const Endpoint& seen);
  // Whom it told has not taken this address: it may be told again, and another one at any time.
  void refuse(const OwnAddress& own);
  // What is known without a vote, from the configuration or a file.
  void set(const Endpoint& endpoint);
  [[nodiscard]] std::optional<Endpoint> current(Scope scope, bool v6) const;

  // Votes about an address of another scope than the voter's, or of none.
  [[nodiscard]] std::uint64_t ignored() const { return ignored_; }
  [[nodiscard]] std::size_t voters() const;

 private:
  struct Vote {
    Endpoint seen;
    Instant at;
  };
  struct Ballot {
    std::map<IpAddress, Vote> votes;  // by subnet, or by host where all are of one
    std::optional<Endpoint> current;
    Instant changeable_at{INT64_MIN};
  };

  [[nodiscard]] Ballot& ballot(Scope scope, bool v6);
  static void forget_oldest(Ballot& ballot);
  [[nodiscard]] static std::optional<Endpoint> winner(const Ballot& ballot, std::size_t quorum);

  std::array<Ballot, kScopes * 2> ballots_;
  std::uint64_t ignored_ = 0;
};

}  // namespace ethnet::kbucket
