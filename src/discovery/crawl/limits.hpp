// The bounds of a crawl: what it keeps, and how much it asks at once. docs/LIMITS.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/instant.hpp>

namespace ethnet::crawl {

// Nodes that answered once; 800 bytes each. All networks that share discv4 have half as many.
inline constexpr std::size_t kMaxCrawlNodes = 100'000;
// Nodes that others told of, and that were not asked yet; 800 bytes each. They are told again.
inline constexpr std::size_t kMaxCrawlClaims = 20'000;
// Nodes that did not answer, and are not asked again there before their time; 260 bytes each.
inline constexpr std::size_t kMaxCrawlSilent = 50'000;
// Places where one of them was silent that are remembered; anybody may tell of others, and a node
// is asked at one of these once in kMovePause at most.
inline constexpr std::size_t kMaxCrawlPlaces = 4;
// Of both at one IPv4 address or in one IPv6 /64: more than any provider's gateway has, and a
// thousandth of the whole. Loopback and LAN are exempt. Who is heard from there (an answer, a
// session of its own) finds a place beside kMaxCrawlClaimsPerSite unproven ones, so that these are
// never in its way: 108 in all.
inline constexpr std::size_t kMaxCrawlPerSite = 100;
// Of them, those that never answered from there, nor were heard from there. Anybody may tell of
// them, so they neither fill a site nor bring it more than a few questions; two a minute are asked
// (kMaxProbesPerAddress).
inline constexpr std::size_t kMaxCrawlClaimsPerSite = 8;
// Both limits again, of all IPv6 /64 of a /48, of which its owner has 65,536: a hundredth of the
// whole, and ten times what one site has waiting. Who is heard from there has its place besides.
inline constexpr std::size_t kMaxCrawlPerNet = 1'000;
inline constexpr std::size_t kMaxCrawlClaimsPerNet = 80;
// Moves of a node in a row, each to the place that its last answer named, without an answer from
// where it says that it is: a node moves once, and a second time while it is being asked.
inline constexpr unsigned kMaxCrawlMoves = 2;
// Nodes that are being asked; beside two look-ups it is what discv4 has contacts for.
inline constexpr std::size_t kMaxCrawlVisits = 48;
// Questions of one visit for the nodes that a node knows. A table of discv5 has 17 buckets, of
// which a real one fills ten.
inline constexpr std::uint32_t kMaxVisitQuestions = 12;
// Addresses at which a crawl knocked in the last minute, without a proof that a node is there; 100
// bytes each. So a crawl turns to 136 of them a second at most, which is fast enough.
inline constexpr std::size_t kMaxCrawlKnocks = 8192;
// Of one input: each visit ends once, and another that took its place.
inline constexpr std::size_t kMaxCrawlEvents = 256;

// discv4 answers with the sixteen nearest to a target, so that a few random ones say little less
// than many.
inline constexpr std::uint32_t kVisitTargets = 4;
// A node is asked again no sooner (as geth).
inline constexpr Duration kRecheck = seconds(10 * 60);
inline constexpr Duration kKnockPause = seconds(30);  // where the address had its share of knocks
inline constexpr Duration kMovePause =
    seconds(30);  // at the place that an answer named, or others do
inline constexpr Duration kBusyPause = seconds(2);  // where the engine had no room
// Walks, while there is nobody to ask. After so many in a row without a first answer, everybody
// who can be found was: then told names that nobody bears do not keep it going. While knocks are
// put off it takes as long as their window.
inline constexpr Duration kWalkPause = seconds(1);
inline constexpr Duration kIdleWalkPause = seconds(20);
inline constexpr std::uint32_t kIdleWalks = 3;

}  // namespace ethnet::crawl
