// The bounds of Node Discovery v5.1: sizes that the specification gives, and what a node keeps for
// peers that it does not know yet. docs/LIMITS.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/instant.hpp>
#include <types/enr.hpp>

namespace ethnet::discv5 {

// Packets (discv5-wire, "UDP Communication"): judged before anything else is looked at.
inline constexpr std::size_t kMinDiscv5Packet = 63;
inline constexpr std::size_t kMaxDiscv5Packet = 1280;  // bytes; the specification

// Messages (discv5-wire, "Protocol Messages").
inline constexpr std::size_t kMaxRequestId = 8;  // bytes; the specification
// Distances of one FINDNODE: each from 0 to 256 once; what is asked for is sought once each.
inline constexpr std::size_t kMaxFindNodeDistances = 257;
inline constexpr std::uint16_t kMaxLogDistance = 256;  // log2 of the largest distance of two ids
// NODES messages of one answer, ours and theirs: 16 records of 300 bytes, three in a packet, nearly
// always fewer. What a peer sends beyond is left out, as geth does; ChainSafe's sends six for 16.
inline constexpr std::uint8_t kMaxNodesTotal = 5;
// Records of one NODES message. The smallest that verifies has 110 bytes: 10 of them fit.
inline constexpr std::size_t kMaxNodesRecords = 16;

// Sessions with whom there are keys; 250 bytes each.
inline constexpr std::size_t kMaxDiscv5Sessions = 4096;
// Challenges that wait for their handshake; 250 bytes each. As many more may be second ones of
// their peers. At 200,000 packets a second under
// forged addresses an honest peer still has 80 ms to answer.
inline constexpr std::size_t kMaxPendingChallenges = 16'384;
// A handshake that fails leaves the challenge for the honest peer whose address was forged, so
// often; each costs 50 µs and more.
inline constexpr std::uint32_t kMaxHandshakeTries = 3;
// Messages under one key: the first 4 bytes of the nonce count them (discv5-theory, "Session
// Cache").
inline constexpr std::uint64_t kMaxMessagesPerKey = std::uint64_t{1} << 32;

// How long a challenge waits, and is repeated rather than made anew (discv5-wire: 1 s for the
// handshake).
inline constexpr Duration kChallengeLifetime = seconds(1);
// Of two packets of one peer within this time the second gets the challenge of the first: they were
// under way at once, and it needs one handshake (geth's suite: HandshakeResend).
inline constexpr Duration kConcurrentPackets = milliseconds(100);
// How long it counts that the other end of a session is at its address, by a handshake or an answer
// to a question of ours (discv4 has the same for its proofs): whoever has the address next is not
// to be flooded by who had it, under keys that never age.
inline constexpr Duration kSessionProofLifetime = seconds(24 * 3600);
// Random content of a packet that only asks for a challenge: as long as a small message.
inline constexpr std::size_t kRandomMessageBytes = 44;

}  // namespace ethnet::discv5
