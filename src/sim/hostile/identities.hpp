// Identities: many keys of one attacker, and their ids in order, so that all those at a distance
// from a node are one range. They follow from a fixed number and are the same in every world: what
// a seed draws is where each sits (roster.hpp). Their keys are in a row, one a fixed step from the
// next, so that each costs an addition of points instead of a multiplication; ids are hashes of
// them and show no row. Immutable: any number of threads may read one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <crypto/secp256k1.hpp>
#include <types/hash.hpp>

namespace ethnet::sim {

// Attack 32 gives so many to an attacker, however many hosts he has.
inline constexpr std::size_t kSiegeIdentities = 100'000;

class Identities {
 public:
  explicit Identities(std::size_t count);

  [[nodiscard]] std::size_t size() const { return of_rank_.size(); }
  // By rank: 0 is the least id.
  [[nodiscard]] const NodeId& id(std::size_t rank) const { return of_rank_.at(rank).id; }
  [[nodiscard]] crypto::SecretKey key(std::size_t rank) const;

  // Ranks from `first`, to `last` excluded.
  struct Range {
    std::size_t first = 0;
    std::size_t last = 0;
    [[nodiscard]] std::size_t size() const { return last - first; }
  };
  // All that are at this log distance from `from`, 0 to 256: none at another.
  [[nodiscard]] Range at_distance(const NodeId& from, unsigned distance) const;

 private:
  struct Identity {
    NodeId id;
    std::uint32_t place = 0;  // in the row of keys
  };

  crypto::SecretKey first_;
  std::vector<Identity> of_rank_;
};

// The kSiegeIdentities of every siege.
[[nodiscard]] const Identities& siege_identities();

}  // namespace ethnet::sim
