// What this machine can do at most: the figures that ours are put beside. About ten seconds.
#pragma once

#include <cstdint>
#include <string>

namespace ethnet::bench {

[[nodiscard]] std::uint64_t cpu_ns();   // CPU time of this thread
[[nodiscard]] std::uint64_t wall_ns();  // any origin

// Nanoseconds each.
struct Probes {
  double permutation_ns = 0;       // one Keccak state
  double lane_permutation_ns = 0;  // one of a batch, on the widest lanes there are
  double verify_ns = 0;            // secp256k1
  double udp_ns = 0;               // a datagram of 1,200 bytes sent and received over loopback
  double udp_gso_ns = 0;           // the same, 32 a call; 0: the kernel does not offer it
  double sync_ns = 0;              // a write of as much as 1,000 headers, and fdatasync; the clock
};
// `directory`: on the disk to be measured.
[[nodiscard]] Probes measure_probes(const std::string& directory);

}  // namespace ethnet::bench
