// What a host's work costs in virtual time, so that a flood can hurt: a host has one CPU for its
// machine and one worker for its jobs. What it does keeps the CPU busy for the price below; until
// that is over, reads, deadlines and results wait, what it sends leaves later, and the socket's
// receive buffer fills and overflows (World, kReceiveBuffer).
//
// A machine that knows more than its datagrams says so: `Work work() const`, O(1), counts that only
// grow. No product code knows a price. Prices are integers and the same on every machine; with all
// of them 0, which is the default, a world has the same trace as if nothing were charged.
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>

#include <base/instant.hpp>

namespace ethnet::sim {

// Counted by the machine since it was made.
struct Work {
  std::uint64_t handshakes_begun = 0;      // keys derived for a stranger, or for a dial
  std::uint64_t handshakes_completed = 0;  // the expensive half of them
  std::uint64_t tokens = 0;                // of a Retry: made or judged; resets count too
  std::uint64_t headers_decoded = 0;       // with their hash and the rules
  std::uint64_t lookups = 0;               // headers found, to be served

  auto operator<=>(const Work&) const = default;
};

template <class M>
concept HasWork = requires(const M& machine) {
  { machine.work() } -> std::same_as<Work>;
};

struct Costs {
  Duration datagram_received{};  // the socket's part, the lookup, the AEAD and the frames
  Duration datagram_sent{};
  Duration handshake_begun{};
  Duration handshake_completed{};
  Duration token{};
  Duration header_decoded{};
  Duration lookup{};
  Duration store_op{};  // of the CPU: handing it over; the disk's time is StoreOptions
  Duration job{};       // of the worker: a signature, made or judged

  auto operator<=>(const Costs&) const = default;
  [[nodiscard]] bool any() const { return *this != Costs{}; }
  // Of the machine's own work; datagrams, jobs and store operations the world counts.
  [[nodiscard]] Duration of(const Work& before, const Work& after) const {
    const auto times = [](Duration price, std::uint64_t from, std::uint64_t to) {
      return price.ns * static_cast<std::int64_t>(to - from);
    };
    return nanoseconds(
        times(handshake_begun, before.handshakes_begun, after.handshakes_begun) +
        times(handshake_completed, before.handshakes_completed, after.handshakes_completed) +
        times(token, before.tokens, after.tokens) +
        times(header_decoded, before.headers_decoded, after.headers_decoded) +
        times(lookup, before.lookups, after.lookups));
  }
};

// One core of the machine of docs/PERFORMANCE.md (AMD EPYC, virtual), release build, rounded up:
//   datagram_received 4 us: bulk over TLS takes 4.4 us a datagram of 1452 bytes for both ends
//                     together, acknowledgements included; a system call a datagram adds 2 us
//                     (a flood from many sources is not coalesced by GRO)
//   datagram_sent     4 us: likewise
//   handshake_begun   165 us: an Initial up to our first flight (160 to 189 us over 200 of them)
//   handshake_completed 120 us: half of a whole handshake, both ends (560 to 600 us), less the
//   above token             2 us: an Initial answered by Retry (1.94 to 2.04 us over 200)
//   header_decoded    2 us: decode and hash, 1.8 us of 651 bytes; the rules are little beside that
//   lookup            1 us: one header found by number, and copied
//   store_op          1 us: through a queue to the store's thread
//   job               50 us: a signature on secp256k1 (node record, decode and verify: 45 us)
[[nodiscard]] constexpr Costs measured_costs() {
  return {.datagram_received = microseconds(4),
          .datagram_sent = microseconds(4),
          .handshake_begun = microseconds(165),
          .handshake_completed = microseconds(120),
          .token = microseconds(2),
          .header_decoded = microseconds(2),
          .lookup = microseconds(1),
          .store_op = microseconds(1),
          .job = microseconds(50)};
}

}  // namespace ethnet::sim
