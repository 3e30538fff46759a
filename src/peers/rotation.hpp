// Who leaves when all places are taken: every 3 to 7 minutes one peer, by chance, of those that
// nothing protects, so that silent ones cannot hold a node's places for ever (docs/THREATS.md, row
// 35) and a newcomer need not wait for somebody's end.
//
// Protected are the peers that the operator named, those younger than kRotationMinAge, and of the
// rest the most useful: who was useful in the last kUsefulFor, at most half of all. Useful is what
// the node says it is, such as a header that was new; nobody is useful by what it claims.
// Who left so is told, for kRotationPause, that there is no place: it would otherwise be the first
// to take the one that it left. Threading: one thread. Limits: as many entries as peers;
// kMaxRotatedOut identities.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>

#include <base/instant.hpp>
#include <base/prng.hpp>
#include <types/hash.hpp>

namespace ethnet::peers {

inline constexpr Duration kRotationLeast = seconds(180);
inline constexpr Duration kRotationMost = seconds(420);
inline constexpr Duration kRotationMinAge = seconds(600);
inline constexpr Duration kUsefulFor = seconds(1'800);
inline constexpr Duration kRotationPause = seconds(600);
// Who left and may not come back yet: as many as leave in kRotationPause, and to spare.
inline constexpr std::size_t kMaxRotatedOut = 64;

enum class Taken : std::uint8_t {
  some,
  inbound,  // all places for those who come to us
  all,
};

class Rotation {
 public:
  Rotation(Prng prng, Instant start);

  void on_opened(Now now, const NodeId& id, bool inbound, bool named_by_operator);
  void on_closed(const NodeId& id) { peers_.erase(id); }
  // The operator names it from now on, or does not any more.
  void set_named(const NodeId& id, bool named);
  // It gave something that was of use.
  void on_useful(Now now, const NodeId& id);

  // When it is time: who is to leave, if anybody has to and may. Ask at next_deadline().
  [[nodiscard]] std::optional<NodeId> next(Now now, Taken taken);
  [[nodiscard]] Instant next_deadline() const { return at_; }
  // It left for others not long ago.
  [[nodiscard]] bool has_to_wait(Now now, const NodeId& id) const;

  [[nodiscard]] std::uint64_t rotated() const { return rotated_; }
  [[nodiscard]] std::uint64_t nobody_to_leave() const { return nobody_; }
  [[nodiscard]] std::size_t held() const { return peers_.size(); }

 private:
  struct Peer {
    Instant since;
    bool inbound = false;
    bool named = false;
    std::uint64_t useful = 0;  // times, in this and the last window
    std::uint64_t useful_before = 0;
    Instant window;  // when this window began
  };

  static void move_window(Peer& peer, Instant now);
  void plan(Instant now);
  [[nodiscard]] std::optional<NodeId> choose(Now now, bool inbound_only);
  void remember(Now now, const NodeId& id);

  Prng prng_;
  Instant at_;
  std::map<NodeId, Peer> peers_;
  std::map<NodeId, Instant> rotated_out_;  // until
  std::uint64_t rotated_ = 0;
  std::uint64_t nobody_ = 0;
};

}  // namespace ethnet::peers
