// The bounds of Node Discovery v4: sizes that the specification gives, and what a node keeps for
// peers that it does not know yet. docs/LIMITS.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/instant.hpp>
#include <types/enr.hpp>

namespace ethnet::discv4 {

// Packets (discv4, "Wire Protocol"): judged before anything else is looked at.
inline constexpr std::size_t kMinDiscv4Packet = 98;
inline constexpr std::size_t kMaxDiscv4Packet = 1280;  // bytes; the specification
// Nodes of one NEIGHBORS packet: of those with addresses 14 fit, and 16 are all that is asked for.
inline constexpr std::size_t kMaxPacketNeighbors = 16;

// As much as a PING of ours that has room for it is padded to: the PING that it may be answered by,
// no longer than it, has then room for a PONG (engine.hpp).
inline constexpr std::size_t kRoomyPing = 180;  // bytes

// How long a packet of ours may be under way.
inline constexpr Duration kPacketLifetime = seconds(20);
// A clock so far from ours is still believed: what has expired since then is taken.
inline constexpr Duration kClockTolerance = seconds(10);

// Nodes that answered a PING of ours, at an address each; 350 bytes. Who was not heard of for
// longest makes way, and is asked for a proof again.
inline constexpr std::size_t kMaxBonds = 8192;
// PINGs sent to those who sent one first, and not answered yet; 300 bytes each. The oldest makes
// way: under a flood of forged addresses an honest peer has the time of so many packets to answer.
inline constexpr std::size_t kMaxProofs = 2048;
// How long a proof counts (as geth; the specification says 12 h), from when on we ask for another
// (the specification), and how long we wait for it.
inline constexpr Duration kBondLifetime = seconds(24 * 3600);
inline constexpr Duration kBondRenewal = seconds(12 * 3600);
inline constexpr Duration kProofTimeout = seconds(5);
// Addresses to which we turned lately: who comes from there comes through a way that we opened, and
// does not show that others can come. Linux keeps it open for three minutes at the most. Look-ups
// without a pause turn to as many in that time; 60 bytes each, the oldest is forgotten.
inline constexpr std::size_t kMaxTurnedTo = 4096;
inline constexpr Duration kWayStaysOpen = seconds(180);
// PONGs that are looked at for one PING of ours: the right hash is no stranger's, but whom we asked
// may send it without end, and each costs a signature check.
inline constexpr std::uint32_t kMaxPongsPerPing = 3;
// A peer that repeats its PING gets another of ours no sooner.
inline constexpr Duration kProofInterval = milliseconds(500);

// Nodes that we are asking something.
inline constexpr std::size_t kMaxDiscv4Contacts = 64;
inline constexpr std::size_t kMaxAsksPerNode = 4;  // two look-ups, a PING, its record
// Where a look-up tries to reach one node: where it proved itself that it is, where its record
// says, and where two others say, of whom one may be wrong, or one be a liar.
inline constexpr std::size_t kMaxPlacesPerNode = 4;
inline constexpr std::size_t kMaxDiscv4Lookups = 2;     // one to refresh, one that was asked for
inline constexpr std::size_t kMaxDiscv4BootNodes = 64;  // given by the configuration
inline constexpr std::size_t kMaxAnswerNodes = 16;      // of a FINDNODE, in all its packets
// NEIGHBORS packets of which the hash is remembered, so that none counts twice: they name no
// request. A look-up of 30 nodes has 60 of them, and they expire.
inline constexpr std::size_t kMaxSeenAnswers = 256;
// Nodes that speak discv4 and are in the table: as many as it holds, with its replacements.
inline constexpr std::size_t kMaxMembers = 442;
// Packets that wait for the socket. A batch of 64 datagrams causes 128 at the most, a look-up a
// few.
inline constexpr std::size_t kMaxDiscv4Outbox = 256;
// One input causes a few dozen.
inline constexpr std::size_t kMaxDiscv4Events = 1024;
inline constexpr std::size_t kMaxProbedPlaces = 4096;  // addresses of which knocks are remembered

inline constexpr Duration kAnswerTimeout = milliseconds(500);  // as geth
// Whoever was pinged needs a moment to ping back, and to take our answer, before it answers us.
inline constexpr Duration kPingBackTimeout = milliseconds(500);

// Upkeep is kbucket/upkeep.hpp's, but while we are new or know nobody: a look-up of discv4 takes
// longer, as each node has to be proven first.
inline constexpr Duration kFirstRefreshMin = seconds(5);
inline constexpr Duration kFirstRefreshMax = seconds(15);
// Answers to PINGs of ours that had expired when they came, in a row: then a clock is wrong. Said
// once in the pause.
inline constexpr std::uint32_t kExpiredAnswersToWarn = 8;
inline constexpr Duration kClockWarningPause = seconds(600);

}  // namespace ethnet::discv4
