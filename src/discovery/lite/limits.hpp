// The bounds of our own discovery. Each is what a peer could otherwise grow; docs/LIMITS.md lists
// them. When the table is looked after: kbucket/upkeep.hpp.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/instant.hpp>

namespace ethnet::lite {

// Short sessions that we opened for a question, wished for or open.
inline constexpr std::size_t kMaxShortSessions = 16;
// Nodes that we want to ask and have no session with: look-ups, revalidation, boot nodes.
inline constexpr std::size_t kMaxContacts = 64;
inline constexpr std::size_t kMaxQuestionsPerNode = 4;  // two look-ups, a ping, its own record
inline constexpr std::size_t kMaxLookups = 2;           // one to refresh, one that was asked for
inline constexpr std::size_t kMaxBootNodes = 64;        // given by the configuration
// A peer that let so many questions in a row go unanswered is not asked again on that session for
// kSilencePause. Not for ever: when the network was at fault both sides are silent, and a session
// can last for weeks.
inline constexpr std::uint32_t kMaxSilence = 3;
// One input causes a few dozen, and one for each session that is idle.
inline constexpr std::size_t kMaxDiscoveryEvents = 4096;
// Questions of one look-up to one node: what a full answer had no room for is asked for again.
inline constexpr std::uint32_t kMaxRounds = 3;         // as geth
inline constexpr std::size_t kMaxNodesPerAnswer = 16;  // Kademlia's k; as discv5

inline constexpr Duration kSilencePause = seconds(60);
// A link that has lasted so long is a peer's, not one for a question: it is worth asking whose it
// is.
inline constexpr Duration kStrangerAfter = seconds(120);
inline constexpr Duration kContactTimeout = seconds(20);  // for a node that forgets to answer us
inline constexpr Duration kIdle = seconds(10);            // of a session that we opened
inline constexpr Duration kPeerIdle = seconds(20);  // of one that a peer opened, and did not close
// Asking one peer for its own record: so often at once, then once in the interval. At a start it
// has one without an address, and a moment later one with it.
inline constexpr std::int64_t kMaxRecordAsks = 3;
inline constexpr Duration kRecordInterval = seconds(10);

}  // namespace ethnet::lite
