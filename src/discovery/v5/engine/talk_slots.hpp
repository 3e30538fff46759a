// TALKREQ that somebody here is to answer: a place for each, until it is answered or nobody waits
// for it any more (attack 40). Every request is served, dropped for want of a place, or left
// unanswered, and counted as one of these.
// One thread. Limits: the capacity, kMaxTalkSlotsPerPeer.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include <base/instant.hpp>

#include "../session/sessions.hpp"
#include "../wire/message.hpp"
#include "limits.hpp"

namespace ethnet::discv5 {

struct TalkSlot {
  Peer from;
  Endpoint local;
  RequestId request_id;
  Instant ends;
};

struct TalkCounters {
  std::uint64_t requests = 0;    // for a protocol that is registered
  std::uint64_t served = 0;      // by an answer of its handler
  std::uint64_t dropped = 0;     // for want of a place
  std::uint64_t unanswered = 0;  // in kTalkLifetime
};

class TalkSlots {
 public:
  explicit TalkSlots(std::size_t capacity) : capacity_{capacity} {}

  // A number for answer(); nothing where there is no place.
  [[nodiscard]] std::optional<std::uint64_t> take(Now now, const Peer& from, const Endpoint& local,
                                                  const RequestId& request_id);
  // Null when it is over.
  [[nodiscard]] const TalkSlot* find(std::uint64_t talk) const;
  void serve(std::uint64_t talk);
  void expire(Now now);
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  [[nodiscard]] const TalkCounters& counters() const { return counters_; }

 private:
  void release(std::uint64_t talk);

  std::size_t capacity_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, TalkSlot> slots_;  // the oldest first
  std::map<NodeId, std::size_t> of_peer_;
  TalkCounters counters_;
};

}  // namespace ethnet::discv5
