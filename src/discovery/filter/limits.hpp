// The bounds of the filter of discovery: budgets in packets, and how many budgets are remembered.
// docs/LIMITS.md lists them.
#pragma once

#include <cstddef>
#include <cstdint>

#include <base/instant.hpp>

namespace ethnet::filter {

// So much at once, then so much a second.
struct Rate {
  std::int64_t burst = 1;
  std::int64_t per_second = 1;
};

// Three requests of a look-up, each answered by five packets, twice over; then what a few dozen
// nodes behind one address send.
inline constexpr Rate kAddressRate{.burst = 64, .per_second = 16};
inline constexpr Rate kLanRate{.burst = 512, .per_second = 128};
// Of an IPv6 /48, above that of each /64 in it: who pays for one has 65,536 of these. Eight of
// them.
inline constexpr Rate kNetRate{.burst = 512, .per_second = 128};
// Half of it for one node: many may share an address.
inline constexpr Rate kIdentityRate{.burst = 32, .per_second = 8};

// Signature checks (50 µs) for all strangers of one protocol together: 5 % of a core. A handshake
// counts as several.
inline constexpr Rate kStrangersCurveRate{.burst = 256, .per_second = 1'000};
// The same for those who proved that they are where they say.
inline constexpr Rate kProvenCurveRate{.burst = 1'024, .per_second = 4'000};
// The same for PONGs of discv4 that name a PING of ours: 64 contacts cause 128 a second.
inline constexpr Rate kAnswersCurveRate{.burst = 256, .per_second = 1'000};
inline constexpr std::int64_t kMaxCurveCost = 16;  // of one datagram, in signature checks

// Datagrams from places that we know, whose addresses have nothing left: each is decoded (5 µs) to
// see whether it answers us or is of a session. 10 % of a core for all of them together.
inline constexpr Rate kLookRate{.burst = 4'096, .per_second = 20'000};
// Places that we turned to, or that proved themselves, last; 100 bytes each. A table has a few
// hundred, the sessions of discv5 are 4096.
inline constexpr std::size_t kMaxKnownPlaces = 8'192;
// Who is asked while datagrams from its place are refused unseen is not said to be silent: as long
// as its answer may have been one of them.
inline constexpr Duration kDrownedFor = seconds(2);

// Bytes of NODES and NEIGHBORS for everybody together, in which an answer is up to 43 times its
// question: 240 full answers a second. A node of a network of 10,000 gives a few dozen.
inline constexpr std::int64_t kMaxAnswerBytesPerSecond = 1'000'000;
inline constexpr std::int64_t kMaxAnswerBytesAtOnce = 2'000'000;  // of look-ups that begin together

// Addresses whose budget is remembered; 200 bytes each. Who floods under more addresses than this
// has no budget of an address to fear, and shares that of strangers.
inline constexpr std::size_t kMaxFilteredAddresses = 16'384;
inline constexpr std::size_t kMaxFilteredNets = 4'096;         // the same of IPv6 /48
inline constexpr std::size_t kMaxFilteredIdentities = 16'384;  // the same for nodes; 160 bytes each

}  // namespace ethnet::filter
