// The bounds of das-lite/0.1. Each is what a peer could otherwise grow or make us spend;
// docs/LIMITS.md lists them. Those of a data set itself are in das/dataset.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/instant.hpp>
#include <das/dataset.hpp>

namespace ethnet::das_lite {

// On the wire (docs/spec/das-lite.md).
inline constexpr std::size_t kMaxBatch = 16;           // chunks asked for by one message
inline constexpr std::size_t kMaxControlBytes = 256;   // of every message but ChunkResponse
inline constexpr std::size_t kResponseOverhead = 64;   // code, list, data_id, index, prefixes
inline constexpr std::size_t kMaxChunkResponseBytes =  // a chunk of the largest size, its proof
    das::kMaxChunkBytes + das::kMaxProofBytes + kResponseOverhead;

// What one peer says.
inline constexpr std::size_t kMaxAnnouncedPerPeer = 64;  // data sets; the oldest is forgotten
inline constexpr std::int64_t kAnnounceBurst = 64;       // announcements at once, then one a second
inline constexpr std::int64_t kAnnouncesPerSecond = 1;

// What peers ask for: a response costs its bytes, or kEmptyResponseCost.
inline constexpr std::size_t kMaxQueuedChunks = 64;   // that a peer may have waiting: 4 batches
inline constexpr std::size_t kMaxBuiltResponses = 2;  // built and not yet taken by the session
inline constexpr std::size_t kEmptyResponseCost = 512;
// All responses together; networks share it (session/serve_queue.hpp).
inline constexpr std::int64_t kServePerSecond = 2 * 1024 * 1024;
inline constexpr std::int64_t kServeBurst = 4 * 1024 * 1024;
// Of a network that asks little: a sampling of 16 chunks of the largest size is answered at once.
inline constexpr std::int64_t kServeReserve = 1024 * 1024;
inline constexpr std::int64_t kServeReservePerSecond = 128 * 1024;
inline constexpr std::int64_t kServeDebt = 256 * 1024;  // a response has 65

// What we ask of one peer.
inline constexpr std::size_t kMaxAskedPerPeer = 16;               // chunks under way
inline constexpr std::size_t kMaxAskedBytesPerPeer = 256 * 1024;  // of these, unless it is one
inline constexpr std::size_t kMaxForgiven = 64;  // expired requests whose late answer is no breach
inline constexpr std::size_t kMaxQueuedNews = 64;      // announcements that wait for the session
inline constexpr Duration kChunkTimeout = seconds(5);  // of one try of one chunk

// Over all peers.
inline constexpr std::size_t kMaxAsked = 1024;  // chunks under way
inline constexpr std::size_t kMaxEvents =
    8192;  // one input ends at most kMaxAsked tries, kMaxRuns runs
// Sampling of what is announced, without anybody's command. A data set is sampled once it has been
// known for kGatherTime: those who announce it later than the first one are asked too.
inline constexpr Duration kGatherTime = seconds(1);
inline constexpr std::size_t kMaxAutoRuns = 8;               // at a time
inline constexpr std::int64_t kAutoBurst = 8 * 1024 * 1024;  // bytes of chunks asked for
inline constexpr std::int64_t kAutoPerSecond = 512 * 1024;

// Of commands: not a stranger's, and bounded all the same.
inline constexpr std::size_t kMaxRuns = 64;  // samplings and gets, those of strangers' news too
inline constexpr std::uint32_t kMaxSamples = 256;  // k
inline constexpr std::size_t kMaxWanted = 256;     // chunks of a get that are looked for at a time
inline constexpr std::size_t kMaxPublishing = 4;   // data sets being hashed

}  // namespace ethnet::das_lite
