// What each identity has done to us: points that misbehaviour costs and time gives back, and who is
// banned for it. One source: whoever is asked whether a peer may come asks here.
//
// Only what a proven identity did on its own session is counted, so nobody can be blamed for
// another, whatever address they share. Points halve every kScoreHalfLife. What each behaviour
// costs: kPrices, in docs/LIMITS.md with the reasons. A trusted peer may lose its session but is
// never banned.
// Threading: one thread. Limits: kMaxScores identities; beyond it the one that has the least to
// forget is forgotten, the banned last.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <base/instant.hpp>
#include <types/hash.hpp>

namespace ethnet::peers {

enum class Behaviour : std::uint8_t {
  breach,          // a message that no implementation of the protocol sends
  invalid_data,    // a header, signature or chunk that is wrong, and was checked to be
  unsolicited,     // an answer that nobody asked for, or not the one that was asked for
  excess,          // more requests than are allowed
  unresponsive,    // several requests in a row without an answer
  broken_promise,  // what it announced, it does not give
  bad_record,      // a node record that is not what was asked for
  useless,         // gives much of what nobody needs
};
inline constexpr std::size_t kBehaviours = 8;
[[nodiscard]] std::string_view describe(Behaviour what);

struct Price {
  Behaviour what;
  std::int64_t points;
  std::string_view why;
};
inline constexpr std::int64_t kDisconnectAt = 20;  // points: its session ends
inline constexpr std::int64_t kBanAt = 50;         // points: it is banned
inline constexpr std::array<Price, kBehaviours> kPrices{{
    {Behaviour::breach, 50, "no honest program sends it: at once"},
    {Behaviour::invalid_data, 50, "it was signed or sent by this very identity: at once"},
    {Behaviour::unsolicited, 25, "a race can cause one in an honest program, not two"},
    {Behaviour::excess, 10, "a careless program does it; it costs work, no harm"},
    {Behaviour::unresponsive, 20, "a slow line does it too: it may come back"},
    {Behaviour::broken_promise, 4, "data expires, restarts lose it"},
    {Behaviour::bad_record, 8, "tables are stale now and then"},
    {Behaviour::useless, 20, "the honest side of a partition does it too"},
}};

inline constexpr Duration kScoreHalfLife = seconds(600);
inline constexpr Duration kBanTime = seconds(3'600);
// Identities whose points are remembered. An identity costs nothing to make, but to have points it
// must have held a session.
inline constexpr std::size_t kMaxScores = 4096;

enum class Verdict : std::uint8_t { none, disconnect, ban };

class ScoreBook {
 public:
  // What follows from this behaviour for its session.
  [[nodiscard]] Verdict report(Now now, const NodeId& id, Behaviour what, bool trusted);
  [[nodiscard]] bool is_banned(Now now, const NodeId& id) const;
  // Points against it, rounded down.
  [[nodiscard]] std::int64_t points(Now now, const NodeId& id) const;

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  // Those that are banned, or were and are remembered for it.
  [[nodiscard]] std::vector<NodeId> banned() const;
  [[nodiscard]] std::uint64_t reports(Behaviour what) const {
    return reports_.at(static_cast<std::size_t>(what));
  }
  [[nodiscard]] std::uint64_t bans() const { return bans_; }
  [[nodiscard]] std::uint64_t forgotten() const { return forgotten_; }

 private:
  struct Entry {
    std::int64_t millipoints = 0;
    Instant at;  // when they were as many
    std::optional<Instant> banned_until;
    Instant clean_at;  // when nothing is left to remember
  };

  [[nodiscard]] static std::int64_t decayed(const Entry& entry, Instant now);
  void reindex(const NodeId& id, Entry& entry);
  void forget_clean(Instant now);

  std::map<NodeId, Entry> entries_;
  std::set<std::pair<Instant, NodeId>> by_clean_;
  std::array<std::uint64_t, kBehaviours> reports_{};
  std::uint64_t bans_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace ethnet::peers
