// Whom to dial next, of the nodes that discovery found. Static peers are not its business: who is
// named by the operator is dialled by node/dialer.
//
//   add(candidate) ... -> next() -> on_dialing -> on_opened | on_failed -> on_closed
//
// The sources take turns, and one that has had half of the last dials waits for the others for a
// while before it goes on alone: whoever poisons one source does not choose our peers
// (docs/THREATS.md, rows 32 to 34). Of one net (IPv4 /24, IPv6 /48) at most kMaxDialledPerNet are
// dialled or connected at once, loopback and LAN apart. Who fails waits, ever longer.
// Threading: one thread. Limits: kMaxCandidates, kMaxDialing, kMaxDialledPerNet, kMaxBackoffs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include <base/instant.hpp>
#include <base/prng.hpp>
#include <types/endpoint.hpp>
#include <types/hash.hpp>

namespace ethnet::peers {

// Where a candidate came from.
enum class Source : std::uint8_t {
  anchors,  // outbound peers of the run before
  table,    // our own table: who answered us
  lookups,  // whom others told us of
  dns,      // whom a list in the DNS names
};
inline constexpr std::size_t kSources = 4;

struct Candidate {
  NodeId id;
  Endpoint endpoint;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

inline constexpr std::size_t kMaxCandidates = 64;     // waiting, of each source; the oldest goes
inline constexpr std::size_t kMaxDialing = 16;        // dials of ours under way
inline constexpr std::size_t kMaxDialledPerNet = 2;   // as in a bucket of the table
inline constexpr std::size_t kMaxBackoffs = 1024;     // identities that wait; the first due goes
inline constexpr std::size_t kFairWindow = 16;        // dials among which a source has half at most
inline constexpr Duration kLonelyPause = seconds(5);  // then a source goes on alone
inline constexpr Duration kRedialAfter = seconds(35);  // a session that ended well (geth)
inline constexpr Duration kLastedLong = seconds(60);   // what "well" means
inline constexpr std::array kBackoffs{seconds(30), seconds(180), seconds(900), seconds(3'600)};

struct DialCounters {
  std::array<std::uint64_t, kSources> dials{};
  std::uint64_t failed = 0;
  std::uint64_t dropped = 0;  // candidates beyond kMaxCandidates
  std::uint64_t crowded = 0;  // candidates passed over, for kMaxDialledPerNet
};

class DialScheduler {
 public:
  // `places`: how many peers we want to have dialled, static ones not counted.
  DialScheduler(std::size_t places, Prng prng) : places_{places}, prng_{prng} {}

  // One more, or the newest word on where it is.
  void add(Source source, const Candidate& candidate);

  // Who must not be dialled: connected, banned, static, ourselves.
  using Excluded = std::function<bool(const NodeId&)>;
  // The next to dial now, if there is a place for it; call until it gives nothing.
  [[nodiscard]] std::optional<Candidate> next(Now now, const Excluded& excluded);
  // What next() gave was begun. What could not be begun is forgotten: discovery will tell again.
  void on_dialing(const Candidate& candidate, std::uint64_t dial_id);
  // A dial of ours ended. False when it is not one.
  bool on_failed(Now now, std::uint64_t dial_id);
  void on_opened(Now now, const NodeId& id, bool inbound);
  void on_closed(Now now, const NodeId& id);

  // More would be welcome: there are places and not enough candidates.
  [[nodiscard]] bool wants_candidates() const;
  // When next() may have something again, apart from what is added.
  [[nodiscard]] Instant next_deadline() const { return deadline_; }

  [[nodiscard]] std::size_t dialing() const { return dialing_.size(); }
  [[nodiscard]] std::size_t connected() const { return connected_.size(); }
  [[nodiscard]] std::size_t waiting(Source source) const { return pool(source).size(); }
  [[nodiscard]] std::size_t backoffs() const { return backoffs_.size(); }
  [[nodiscard]] const DialCounters& counters() const { return counters_; }
  // Peers that we dialled and that have stayed for longest: anchors for the next run.
  [[nodiscard]] std::vector<Candidate> longest_connected(std::size_t most) const;

 private:
  struct Backoff {
    std::size_t failures = 0;
    Instant until;
  };
  struct Connected {
    Candidate candidate;
    Instant since;
  };
  using Pool = std::deque<Candidate>;

  [[nodiscard]] Pool& pool(Source source) { return pools_.at(static_cast<std::size_t>(source)); }
  [[nodiscard]] const Pool& pool(Source source) const {
    return pools_.at(static_cast<std::size_t>(source));
  }
  [[nodiscard]] bool has_place() const;
  [[nodiscard]] bool is_crowded(const IpAddress& ip) const;
  [[nodiscard]] bool has_had_half(Source source) const;
  [[nodiscard]] std::optional<Candidate> take(Now now, Source source, const Excluded& excluded);
  void back_off(Now now, const NodeId& id, std::size_t failures);
  void forget_backoff(const NodeId& id);
  void leave_net(const Endpoint& endpoint);

  std::size_t places_;
  Prng prng_;
  std::array<Pool, kSources> pools_;
  std::size_t turn_ = 0;
  std::deque<Source> recent_;  // of the last kFairWindow dials
  Instant lonely_until_;
  std::map<std::uint64_t, Candidate> dialing_;
  std::map<NodeId, Connected> connected_;
  std::map<IpAddress, std::size_t> nets_;  // dialled or connected, by net
  std::map<NodeId, Backoff> backoffs_;
  std::set<std::pair<Instant, NodeId>> by_due_;
  Instant deadline_ = Instant::never();
  DialCounters counters_;
};

}  // namespace ethnet::peers
