// What the engine knows and owes about one peer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <variant>
#include <vector>

#include <base/fifo.hpp>
#include <base/instant.hpp>
#include <base/token_bucket.hpp>
#include <chain/chain_view.hpp>
#include <session/capability.hpp>

#include "checked_header.hpp"
#include "limits.hpp"
#include "messages.hpp"

namespace ethnet::mini_sync {

// A set that forgets its oldest members at a limit. Sorted in one block of memory: every peer has
// one, and most of what is asked of it is not there.
class KnownBlocks {
 public:
  // False when it was there already.
  bool add(const Hash32& hash);
  [[nodiscard]] bool contains(const Hash32& hash) const {
    return std::ranges::binary_search(members_, hash);
  }

 private:
  std::vector<Hash32> members_;
  Fifo<Hash32> order_;
};

// Why a request is out: what its answer is checked against.
struct BranchRequest {  // reverse, from `expected`
  Hash32 expected;
};
struct ForwardRequest {  // from the newest common block of `locator`
  std::vector<chain::BlockRef> locator;
};
struct SkeletonRequest {
  std::vector<chain::BlockRef> locator;
};
struct SegmentRequest {
  std::uint64_t download = 0;  // which download: a later one has other segments
  std::size_t segment = 0;
};
using RequestKind = std::variant<BranchRequest, ForwardRequest, SkeletonRequest, SegmentRequest>;

struct Outstanding {
  std::uint64_t id = 0;  // in the RequestTracker, which holds its limits and its deadline
  RequestKind kind;
};

// What a peer gave and what may not be looked at yet: a signature in it, or before it, is judged.
struct Judging {
  std::uint64_t job = 0;  // 0: nothing in it to judge
  bool judged = false;
  bool answer = false;  // to Peer::request; else an announced block
  std::vector<CheckedHeader> headers;
};

struct Peer {
  chain::BlockRef head;
  std::uint64_t earliest = 0;                   // the lowest block that it serves, as it said last
  std::uint64_t told_earliest = 0;              // the lowest block that we serve, as we said last
  Fifo<chain::BlockRef> targets;                // announced, not known to us; at most kMaxTargets
  std::vector<CheckedHeader> branch;            // walked back from targets.front(), descending
  bool forward = false;                         // targets.front() is too deep to be walked back
  std::optional<chain::BlockRef> forward_from;  // how far that has come, on the peer's chain
  // Where the last skeleton of targets.front() ended, on the peer's chain.
  std::optional<chain::BlockRef> skeleton_from;
  std::optional<Outstanding> request;  // ours
  Fifo<Judging> judging;               // in order of arrival; at most one is an answer
  std::set<std::uint64_t> expired;     // a late answer to one of these is not hostile
  std::size_t imports = 0;             // of this peer's headers, not yet acknowledged
  std::size_t failures = 0;            // consecutive
  std::uint64_t side_headers = 0;      // at most our head's height, none of them canonical
  std::uint64_t side_seen_at = 0;      // our head's height when they were counted last
  Instant anchor_after;                // not an anchor before
  KnownBlocks known;

  Fifo<GetHeaders> asked;                                  // theirs, not yet answered
  Instant asked_at{INT64_MIN / 2};                         // when they asked last
  bool favoured = false;                                   // served whatever the day has used up
  TokenBucket near_head{kNearHeadBurst, kNearHeadRefill};  // answers, when that is much
  Fifo<Bytes> control;                                     // our requests and Status, to be sent
  Fifo<Bytes> responses;
  Fifo<std::pair<chain::BlockRef, bool>> announcements;  // block, with its header
  bool condemned = false;  // misbehaved; its session is about to be closed
  bool blocked = false;    // the session refused; wait for handle_writable
};

}  // namespace ethnet::mini_sync
