// Do the peers disagree with our clock? A header that is otherwise right and lies too far ahead of
// our time waits; when several authenticated peers give such headers, it is our clock that is wrong
// rather than theirs, and somebody should be told. Two peers, or the one that there is.
// One thread. Limits: kMaxClockWitnesses.
#pragma once

#include <cstddef>
#include <map>
#include <optional>

#include <base/instant.hpp>
#include <types/hash.hpp>

namespace ethnet::node {

inline constexpr std::size_t kMaxClockWitnesses = 64;  // peers whose early headers are remembered
inline constexpr std::size_t kClockWitnesses = 2;      // as many say that our clock is wrong
inline constexpr Duration kClockWindow = seconds(60);  // within this time
inline constexpr Duration kClockWarnEvery = seconds(600);
inline constexpr Duration kClockDoubtHolds = seconds(1'200);  // in what observers are told

class ClockCheck {
 public:
  struct Warning {
    std::uint64_t seconds = 0;  // our clock is behind by at least this much, as all of them say
    std::size_t peers = 0;
  };

  // A header of this peer lies `ahead` of our clock; there are `sessions` at the moment. Gives what
  // to warn of, at most once in kClockWarnEvery.
  [[nodiscard]] std::optional<Warning> on_early_header(Now now, const NodeId& peer, Duration ahead,
                                                       std::size_t sessions);

  [[nodiscard]] std::uint64_t warnings() const { return warnings_; }
  // Early headers of peers that were not remembered, since kMaxClockWitnesses were.
  [[nodiscard]] std::uint64_t ignored() const { return ignored_; }

 private:
  struct Witness {
    Instant at;
    Duration ahead;
  };
  std::map<NodeId, Witness> witnesses_;
  std::optional<Instant> warned_;
  std::uint64_t warnings_ = 0;
  std::uint64_t ignored_ = 0;
};

}  // namespace ethnet::node
