// What the engine knows and owes about one peer, and about one data set.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include <base/bytes.hpp>
#include <base/cost_bucket.hpp>
#include <base/fifo.hpp>
#include <base/instant.hpp>
#include <das/confidence.hpp>
#include <das/fetch.hpp>

#include "events.hpp"
#include "limits.hpp"
#include "messages.hpp"

namespace ethnet::das_lite {

// How a data set's Fetch names a peer.
[[nodiscard]] constexpr das::SourceId source_of(SessionHandle session) {
  return (das::SourceId{session.index} << 32U) | session.generation;
}
[[nodiscard]] constexpr SessionHandle session_of(das::SourceId source) {
  return {static_cast<std::uint32_t>(source >> 32U), static_cast<std::uint32_t>(source)};
}

// A data set that waits to be sampled by itself.
struct ToSample {
  Instant at;
  das::DataKey key;
};

struct Peer {
  // What it says.
  Fifo<das::DataKey> announced;  // oldest first; at most kMaxAnnouncedPerPeer
  CostBucket announce_budget{kAnnounceBurst, kAnnouncesPerSecond};
  Fifo<ToSample> to_sample;       // some of `announced`, in order of `at`
  std::set<das::DataKey> lapsed;  // some of `announced`, of which it owed a chunk
  Fifo<ChunkName> forgiven;       // a late answer to one of these is no breach

  // What it asks for.
  Fifo<ChunkName> asked;  // at most kMaxQueuedChunks

  // What it is owed, in the order in which it is sent.
  Fifo<Bytes> refused;  // by the session, for want of room
  Fifo<das::DataKey> news;
  Fifo<ChunkName> to_ask;
  Fifo<Bytes> responses;  // at most kMaxBuiltResponses

  bool favoured = false;   // served and told whatever the day has used up
  bool condemned = false;  // misbehaved; its session is about to be closed
  bool blocked = false;    // the session refused; wait for handle_writable
};

struct Sampling {
  std::uint64_t run = 0;
  bool automatic = false;
  std::set<std::uint32_t> pending;  // drawn, neither come nor given up
  das::Tally tally;
  bool changed = true;  // since it was told last
};

struct Getting {
  std::uint64_t run = 0;
  std::uint32_t next = 0;  // chunks below it were looked for
  bool lost = false;       // one cannot be had, and so the data cannot
  bool changed = true;
};

// A data set that a peer announced, that is held, or that a command is about.
struct Known {
  das::Fetch fetch;
  std::set<std::uint32_t> missing;  // looked for and given up
  std::vector<Sampling> samplings;  // under way
  std::optional<Getting> get;
  std::optional<DasVerdict> verdict;  // of the last sampling that ended
  bool judged = false;                // sampled by itself already, or about to be
};

}  // namespace ethnet::das_lite
