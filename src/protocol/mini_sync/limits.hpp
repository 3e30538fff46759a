// The bounds of mini-sync/0.1. Each is what a peer could otherwise grow; docs/LIMITS.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/instant.hpp>

namespace ethnet::mini_sync {

// On the wire (docs/spec/mini-sync.md).
inline constexpr std::size_t kMaxHeadersPerResponse = 1024;
inline constexpr std::size_t kMaxResponseBytes = 2 * 1024 * 1024;
// A Headers payload: what was counted into kMaxResponseBytes, the outer lists, the request id.
inline constexpr std::size_t kMaxResponsePayload = kMaxResponseBytes + 64;
inline constexpr std::size_t kMaxLocatorHashes = 128;  // 16 + 2 * log2(2^56)
inline constexpr std::size_t kMaxAnnouncedHashes = 64;
inline constexpr std::size_t kMaxRequestBytes = 8 * 1024;  // every message but Headers and NewBlock
inline constexpr std::size_t kSignatureBytes = 65;

// Work for one request: questions to the chain, at most (attacks 41 and 42).
inline constexpr std::size_t kMaxServeLookups = 2 * kMaxHeadersPerResponse;

// Per peer.
inline constexpr std::size_t kMaxTargets = 16;         // announced blocks we do not have yet
inline constexpr std::size_t kMaxQueuedRequests = 16;  // theirs, while their responses wait
inline constexpr std::size_t kMaxQueuedResponses = 4;  // built and not yet accepted by the session
inline constexpr std::size_t kMaxQueuedControl = 4;    // our request, and Status when it changed
inline constexpr std::size_t kMaxQueuedAnnouncements = 64;
inline constexpr std::size_t kMaxKnownBlocks = 1024;  // remembered as known to the peer
inline constexpr std::size_t kMaxConsecutiveFailures = 3;
inline constexpr std::size_t kMaxBranchHeaders = 4096;  // walked backwards before giving up
// Headers no higher than our head that one peer may give without one of them becoming canonical:
// two days of a losing branch on mainnet. Each block by which our head grows forgets one.
inline constexpr std::uint64_t kMaxSideHeaders = 16 * kMaxHeadersPerResponse;
// The same while the peer claims a block above our head, which may win yet: 145 days of mainnet.
inline constexpr std::uint64_t kMaxUnprovenHeaders = std::uint64_t{1} << 20;
// Announced headers whose signatures are being judged; a later one is remembered by its hash alone.
inline constexpr std::size_t kMaxJudgingPerPeer = 16;

// Over all peers.
inline constexpr std::size_t kMaxOutstanding = 1024;  // our requests, one a session
inline constexpr std::size_t kMaxPendingImports = 8;  // handed to the chain, not yet acknowledged
inline constexpr std::size_t kMaxBufferedSegments = 16;  // downloaded, waiting for their turn
// Headers that wait for the judgement of their signatures: sixteen full answers, 0.7 s of one core.
inline constexpr std::size_t kMaxJudgingHeaders = 16 * kMaxHeadersPerResponse;
inline constexpr std::size_t kMaxEvents = 1024;

// Under an upload limit: what all answers under way may be, in time; an answer is a share of it,
// one for each peer that asked of late. A peer waits kRequestTimeout, and heads wait behind
// answers.
inline constexpr Duration kServedAhead = seconds(1);
inline constexpr Duration kAskedOfLate = seconds(3);
inline constexpr std::size_t kLeastAnswerBytes = 4 * 1024;  // of such a share
// When the day's upload is used up: how far below the head a peer is still served, in answers of
// what size, and how often. That is what one needs that follows the head.
inline constexpr std::uint64_t kServedNearHead = 128;
inline constexpr std::size_t kNearHeadBytes = 4 * 1024;  // six headers
inline constexpr std::int64_t kNearHeadBurst = 16;       // answers of a peer at once
inline constexpr Duration kNearHeadRefill = seconds(6);  // then one in this time
// Under a download limit: what all answers that we wait for may be, in time, and what a header is
// taken to be. More than fit are not asked for at once, or they would come late.
inline constexpr Duration kAskedAhead = seconds(1);
inline constexpr std::uint64_t kHeaderBytes = 768;  // with its signature

// Download shape.
inline constexpr std::uint64_t kSegmentHeaders = 192;
// Of a segment a peer may give less than was asked for, and is asked for the rest; with fewer
// headers at a time it declines the rest. A limited upload makes answers short, and so might
// somebody who wants to hold us up.
inline constexpr std::size_t kLeastSegmentPart = 16;
inline constexpr std::uint64_t kSkeletonGap = 2 * kSegmentHeaders;  // a longer gap gets a skeleton

// Status is sent again when our lowest block has risen by this much.
inline constexpr std::uint64_t kEarliestStep = 64;

// What answers to GetHeaders may cost: bytes of the answer, and kLookupCost for each header looked
// up. 64 MiB are some 75,000 headers, and a third of a core's time, their packets included.
inline constexpr std::int64_t kServePerSecond = 64 * 1024 * 1024;  // all answers together
inline constexpr std::int64_t kServeBurst = 8 * 1024 * 1024;
inline constexpr std::uint64_t kLookupCost = 256;
// Of a network that asks little, and is then answered at once: some 70 headers a second.
inline constexpr std::int64_t kServeReserve = 64 * 1024;
inline constexpr std::int64_t kServeReservePerSecond = 64 * 1024;
inline constexpr std::int64_t kServeDebt = 4 * 1024 * 1024;  // an answer has 3

inline constexpr Duration kRequestTimeout = seconds(5);
inline constexpr Duration kAnchorCooldown = seconds(30);  // a failed anchor is not asked again

}  // namespace ethnet::mini_sync
