#include "skeleton.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <base/check.hpp>

#include "limits.hpp"

namespace ethnet::mini_sync {

SkeletonDownload::SkeletonDownload(SessionHandle anchor, const chain::BlockRef& origin,
                                   const std::vector<chain::BlockRef>& marks)
    : anchor_{anchor} {
  CHECK(!marks.empty());
  chain::BlockRef lower = origin;
  for (const chain::BlockRef& mark : marks) {
    Segment segment;
    segment.upper = mark;
    segment.lower = lower.hash;
    segment.lower_number = lower.number;
    segments_.push_back(std::move(segment));
    lower = mark;
  }
}

std::optional<SkeletonDownload::Ask> SkeletonDownload::assign(SessionHandle peer,
                                                              std::uint64_t earliest) {
  const std::size_t end = std::min(segments_.size(), next_import_ + kMaxBufferedSegments);
  for (std::size_t i = next_import_; i < end; ++i) {
    Segment& segment = segments_[i];
    if (segment.complete || segment.server || segment.declined.contains(peer)) continue;
    if (segment.lower_number + 1 < earliest) {
      segment.declined.insert(peer);
      continue;
    }
    segment.server = peer;
    if (segment.descending.empty()) {
      return Ask{i, segment.upper.hash, segment.upper.number - segment.lower_number};
    }
    const CheckedHeader& lowest = segment.descending.back();
    return Ask{i, lowest.parent, lowest.block.number - 1 - segment.lower_number};
  }
  return std::nullopt;
}

SkeletonDownload::Verdict SkeletonDownload::judge(const Segment& segment,
                                                  const std::vector<CheckedHeader>& descending) {
  Hash32 expected_hash = segment.upper.hash;
  std::uint64_t expected_number = segment.upper.number;
  if (!segment.descending.empty()) {
    expected_hash = segment.descending.back().parent;
    expected_number = segment.descending.back().block.number - 1;
  }
  for (const CheckedHeader& header : descending) {
    if (header.block.hash != expected_hash || expected_number <= segment.lower_number) {
      return Verdict::peer_lied;
    }
    if (header.block.number != expected_number) return Verdict::anchor_lied;
    expected_hash = header.parent;
    --expected_number;
  }
  if (expected_number == segment.lower_number && expected_hash != segment.lower) {
    return Verdict::anchor_lied;
  }
  return Verdict::ok;
}

SkeletonDownload::Verdict SkeletonDownload::complete(std::size_t segment_index, SessionHandle peer,
                                                     std::vector<CheckedHeader> descending) {
  Segment& segment = segments_.at(segment_index);
  segment.server.reset();
  const Verdict verdict = judge(segment, descending);
  if (verdict != Verdict::ok) return verdict;
  const bool declines = descending.size() < kLeastSegmentPart;
  std::ranges::move(descending, std::back_inserter(segment.descending));
  segment.complete = !segment.descending.empty() &&
                     segment.descending.back().block.number == segment.lower_number + 1;
  if (!segment.complete && declines) segment.declined.insert(peer);
  return Verdict::ok;
}

void SkeletonDownload::release(std::size_t segment_index, SessionHandle peer, bool declines) {
  Segment& segment = segments_.at(segment_index);
  if (segment.server == peer) segment.server.reset();
  if (declines) segment.declined.insert(peer);
}

std::optional<std::vector<CheckedHeader>> SkeletonDownload::pop_ready() {
  if (all_handed_over() || !segments_[next_import_].complete) return std::nullopt;
  std::vector<CheckedHeader> ascending = std::move(segments_[next_import_].descending);
  std::ranges::reverse(ascending);
  ++next_import_;
  return ascending;
}

bool SkeletonDownload::stuck(std::span<const SessionHandle> peers) const {
  const std::size_t end = std::min(segments_.size(), next_import_ + kMaxBufferedSegments);
  bool open = false;
  for (std::size_t i = next_import_; i < end; ++i) {
    const Segment& segment = segments_[i];
    if (segment.complete) continue;
    open = true;
    const bool hope = segment.server || std::ranges::any_of(peers, [&](SessionHandle peer) {
                        return !segment.declined.contains(peer);
                      });
    if (hope) return false;
  }
  return open;
}

}  // namespace ethnet::mini_sync
