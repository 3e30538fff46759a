// A long download, split into segments that any peer can fill.
//
// The anchor gave every kSegmentHeaders-th header above an origin that we have. A segment is asked
// for backwards from its upper end, so that each header is checked against a hash that we hold:
// - headers that do not link downwards from the upper end: the serving peer lied;
// - headers that link and miss the lower end, or whose numbers do not count down: the anchor lied,
//   since the hashes that it gave fix both.
// Only the next kMaxBufferedSegments are handed out, which bounds memory.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include <session/capability.hpp>

#include "checked_header.hpp"

namespace ethnet::mini_sync {

using session::SessionHandle;

class SkeletonDownload {
 public:
  enum class Verdict : std::uint8_t { ok, peer_lied, anchor_lied };

  struct Ask {
    std::size_t segment = 0;
    Hash32 from;               // reverse, this one first
    std::uint64_t amount = 0;  // down to, not including, the lower end
  };

  // `marks` ascending, each kSegmentHeaders above the one before, the first above `origin`.
  SkeletonDownload(SessionHandle anchor, const chain::BlockRef& origin,
                   const std::vector<chain::BlockRef>& marks);

  // Work for this peer, marked as given to it; nothing when there is none that it has not declined.
  // `earliest`: the lowest block that it keeps; a segment that goes below it counts as declined.
  [[nodiscard]] std::optional<Ask> assign(SessionHandle peer, std::uint64_t earliest = 0);
  // The answer to Ask, descending. Shorter than kLeastSegmentPart and not the
  // end of it: the peer declines the rest of that segment.
  [[nodiscard]] Verdict complete(std::size_t segment, SessionHandle peer,
                                 std::vector<CheckedHeader> descending);
  // The peer is gone or did not answer in time: others may try; so may it, unless it declines.
  void release(std::size_t segment, SessionHandle peer, bool declines);

  // The next segment in order, when complete; ascending.
  [[nodiscard]] std::optional<std::vector<CheckedHeader>> pop_ready();

  [[nodiscard]] bool all_handed_over() const { return next_import_ == segments_.size(); }
  [[nodiscard]] SessionHandle anchor() const { return anchor_; }
  [[nodiscard]] const chain::BlockRef& target() const { return segments_.back().upper; }
  // Nobody among these can bring it further: each declined every segment that is open now.
  [[nodiscard]] bool stuck(std::span<const SessionHandle> peers) const;

 private:
  struct Segment {
    chain::BlockRef upper;
    Hash32 lower;  // the block under the segment
    std::uint64_t lower_number = 0;
    std::vector<CheckedHeader> descending;  // what has arrived, upper first
    std::optional<SessionHandle> server;
    std::set<SessionHandle> declined;
    bool complete = false;
  };

  [[nodiscard]] static Verdict judge(const Segment& segment,
                                     const std::vector<CheckedHeader>& descending);

  SessionHandle anchor_;
  std::vector<Segment> segments_;
  std::size_t next_import_ = 0;
};

}  // namespace ethnet::mini_sync
