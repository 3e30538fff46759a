// The bounds of the engine of Node Discovery v5.1: what it asks, serves and keeps. docs/LIMITS.md
// lists them. Those of packets, messages and sessions: ../limits.hpp; when a table is looked after:
// kbucket/upkeep.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/instant.hpp>

namespace ethnet::discv5 {

// Questions that wait for an answer, or for their turn. Each costs 1 KiB at most, and with five
// NODES messages of it 5 KiB more.
inline constexpr std::size_t kMaxCalls = 1024;
// Of one node: two look-ups, a ping, its record, and a user's. Also what waits for a handshake.
inline constexpr std::size_t kMaxCallsPerPeer = 8;
// How often a question is sent that nothing depends on at once; a look-up asks somebody else.
inline constexpr std::uint32_t kMaxCallTries = 2;
inline constexpr std::size_t kMaxDiscv5Lookups = 8;  // of a crawler; a node needs two
// Questions of one look-up to one node: what a full answer had no room for is asked for again.
inline constexpr std::uint32_t kMaxLookupRounds = 3;
inline constexpr std::size_t kMaxDiscv5BootNodes = 64;  // given by the configuration
// Records of one answer, theirs and ours (discv5-wire, FINDNODE).
inline constexpr std::size_t kMaxAnswerRecords = 16;
// Records whose signatures are being judged; 300 bytes each.
inline constexpr std::size_t kMaxDiscv5Judging = 512;

// Datagrams that wait for the socket. A batch of 64 FINDNODE makes 320; each has 1280 bytes at
// most.
inline constexpr std::size_t kMaxOutgoing = 1024;
// One batch of datagrams causes a few hundred, one deadline one for each call.
inline constexpr std::size_t kMaxDiscv5Events = 4096;

// TALKREQ that its handler has not answered yet; a few dozen bytes each, as geth.
inline constexpr std::size_t kMaxTalkSlots = 1024;
inline constexpr std::size_t kMaxTalkSlotsPerPeer = 64;    // so that nobody has all of them
inline constexpr std::size_t kMaxTalkProtocols = 32;       // that the node registers
inline constexpr std::size_t kMaxTalkProtocolBytes = 128;  // of a name that we register

// Nodes of whom we remember that their record was asked for because they named a higher number.
inline constexpr std::size_t kMaxRecordAskers = 1024;
// Asking one node for its own record: so often at once, then once in the interval.
inline constexpr std::int64_t kMaxOwnRecordAsks = 3;
inline constexpr Duration kOwnRecordInterval = seconds(10);
// Addresses at which we knocked in the last minute, without a proof that a node is there; 100 bytes
// each. Two look-ups at full speed reach half of it.
inline constexpr std::size_t kMaxKnockedAddresses = 4096;

// Of the filter's budget of curve work, in signature checks.
inline constexpr std::int64_t kHandshakeCost = 4;
inline constexpr std::int64_t kSecondTryCost = 2;  // with the other challenge of its peer

// As geth. Nothing that a peer sends makes it longer, but the handshake, once.
inline constexpr Duration kCallTimeout = milliseconds(700);
inline constexpr Duration kTalkLifetime = milliseconds(700);  // nobody waits for longer
// A node that said nothing for so long and answers is there for everybody: no NAT keeps the way
// open for that long.
inline constexpr Duration kUnsolicitedAfter = seconds(60);
// That a node is alive is noted in the table no more often.
inline constexpr Duration kNoteInterval = seconds(5);

// Nodes that came to us and are asked soon whether they are there; the oldest is forgotten, and
// waits for its turn of revalidation.
inline constexpr std::size_t kMaxNewcomers = 64;
inline constexpr Duration kNewcomerMin = seconds(1);
inline constexpr Duration kNewcomerMax = seconds(2);

}  // namespace ethnet::discv5
