// ServeQueue: who is answered next, and when. Answering is the most that a peer can make us do, so
// all answers of a protocol have a budget together, and it is shared by networks (IPv4 /24, IPv6
// /48), not by sessions or identities: ten thousand of these on one network have the share of one
// (attacks 43, 62 and 114). A network that asks little is answered at once, out of a reserve of its
// own; who asks for more waits, and among those that wait the one that has had least is next
// (start-time fair queuing). An idle budget is for whoever wants it.
//
// Costs are in bytes; the protocol says what an answer costs besides its own.
// Threading: one thread. Limits: networks of live sessions, and kMaxServedBefore besides.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <base/cost_bucket.hpp>
#include <base/instant.hpp>
#include <types/endpoint.hpp>

#include "capability.hpp"

namespace ethnet::session {

inline constexpr std::size_t kMaxServedBefore = 256;  // networks without a session that still owe

// Bytes, and bytes a second.
struct ServeLimits {
  std::int64_t burst;  // of all answers together
  std::int64_t per_second;
  std::int64_t reserve;  // of a network that asks little, and is then answered at once
  std::int64_t reserve_per_second;
  std::int64_t debt;  // the most that is owed: of one answer, at least
};

class ServeQueue {
 public:
  using Session = SessionHandle;

  explicit ServeQueue(const ServeLimits& limits)
      : limits_{limits}, budget_{limits.burst, limits.per_second} {}

  // `source`: where the peer is. On loopback and LAN it shares with nobody.
  void join(Session session, const Endpoint& source);
  void leave(Instant now, Session session);

  // It has a request to be answered and room for the answer; known until next() gave it.
  void wait(Session session);
  // Whose turn it is now, one request; nothing while the budget is used up, or when nobody waits.
  [[nodiscard]] std::optional<Session> next(Instant now);
  // What that came to. After each next(), before anything else.
  void charge(Instant now, Session session, std::uint64_t cost);

  // When next() may have somebody again.
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] std::size_t networks() const { return nets_.size(); }
  [[nodiscard]] bool is_waiting(Session session) const { return queued_.contains(session); }

 private:
  struct Net {
    CostBucket reserve;
    std::size_t sessions = 0;
    std::uint64_t tag = 0;  // where its next request begins, in costs of the whole queue
    std::deque<Session> waiting{};
  };

  void forget_idle(Instant now);
  void charge(CostBucket& bucket, Instant now, std::int64_t price) const;
  [[nodiscard]] std::optional<Session> take(std::set<std::pair<std::uint64_t, Endpoint>>::iterator);

  ServeLimits limits_;
  std::map<Endpoint, Net> nets_;
  std::map<Session, Endpoint> sources_;
  std::set<Session> queued_;
  std::set<std::pair<std::uint64_t, Endpoint>> order_;  // networks with somebody waiting, by tag
  std::uint64_t served_to_ = 0;                         // the tag that was served last
  CostBucket budget_;
};

}  // namespace ethnet::session
