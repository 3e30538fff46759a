// The bounds of lists of nodes in the DNS: what a text, a tree and all trees together may be, and
// how much is asked for. docs/LIMITS.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/instant.hpp>

namespace ethnet::dns {

// Texts (EIP-1459, "DNS Record Structure").
// Bytes of one entry. The specification wants it to fit into a DNS packet of 512; this leaves room
// for who publishes larger branches over EDNS.
inline constexpr std::size_t kMaxEntryText = 1024;
inline constexpr std::size_t kMinHashBytes = 12;  // of an abbreviated hash
inline constexpr std::size_t kMaxHashBytes = 32;  // of Keccak-256
inline constexpr std::size_t kMaxHashText = 52;   // characters of kMaxHashBytes in base32
// Children of one branch: as many as kMaxEntryText holds with the shortest hashes.
inline constexpr std::size_t kMaxBranchChildren = 48;
// Characters of a tree's domain: with the longest hash before it, it is a DNS name of at most 253.
inline constexpr std::size_t kMaxDomain = 200;
inline constexpr std::size_t kMaxDomainLabel = 63;  // characters between two dots; RFC 1035
// TXT records of one answer that are looked at: a name has one entry, and at most a few texts of
// other uses beside it.
inline constexpr std::size_t kMaxTextsPerAnswer = 16;

// Trees that we make: as many children as others make, so that all texts stay below 512 bytes.
inline constexpr std::size_t kBranchChildrenMade = 13;
inline constexpr std::size_t kHashBytesMade = 16;

// Trees that we read. The largest public tree has some thousand entries, five levels deep.
inline constexpr std::size_t kMaxTreeEntries = 16'384;  // hashes seen in one walk; 180 bytes each
inline constexpr std::uint8_t kMaxTreeDepth = 16;  // branches above an entry; 13 a branch: 10^17
inline constexpr std::size_t kMaxTrees = 16;       // given and linked to together; 3 MiB each
inline constexpr std::uint8_t kMaxLinkHops = 4;    // from a tree that a person named
// Trees whose sequence number is known after nobody links to them any more.
inline constexpr std::size_t kMaxRememberedTrees = 256;

// Questions. Three a second, as others ask: a resolver that many share is not to be flooded.
inline constexpr std::uint32_t kQuestionsPerSecond = 3;
inline constexpr std::int64_t kQuestionBurst = 3;
inline constexpr std::size_t kMaxQuestions = 4;  // under way; three a second, seldom 1 s each
inline constexpr Duration kQuestionTimeout = seconds(15);  // the resolver's own tries included
inline constexpr std::uint8_t kMaxQuestionTries = 3;       // of one name in one walk
// Entries of one tree that could not be had before its root is asked for again: it may have
// changed, and its old entries are gone.
inline constexpr std::uint32_t kMaxFailuresBeforeRoot = 5;
// How often a whole walk begins anew for that reason: it has to end.
inline constexpr std::uint32_t kMaxRootRechecks = 3;
inline constexpr Duration kRootRecheck = seconds(1800);
inline constexpr Duration kRootRetry = seconds(10);  // doubled up to kRootRecheck
// Entries that are kept as text, so that a second walk, or a tree that changed in part, asks for
// less; 1 MiB at most.
inline constexpr std::size_t kMaxCachedEntries = 1024;
// Events that wait to be taken. At this many nothing more is asked for until some are; what is
// under way may add a few.
inline constexpr std::size_t kMaxDnsEvents = 64;

}  // namespace ethnet::dns
