// Chaos: the faults of one seed. From the kinds that a scenario allows, the seed draws which are on
// (each with probability one half, so that some seeds have few faults and some have nearly all) and
// how hard they hit; then it disturbs the world at drawn moments until it is told to stop, and
// heals it: nothing is cut, every host runs, links and disks are good. Clocks keep their drift, and
// wall clocks an error of seconds; one that is off by more is set right.
// Every value is drawn whether its fault is on or not: to take one kind away (`ethnet-sim shrink`)
// leaves the others as they were.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <base/prng.hpp>
#include <base/result.hpp>

#include "world.hpp"

namespace ethnet::sim {

enum class Fault : std::uint32_t {
  loss = 1U << 0,
  burst_loss = 1U << 1,
  duplicate = 1U << 2,
  reorder = 1U << 3,
  corrupt = 1U << 4,
  slow_line = 1U << 5,  // little bandwidth, short queues
  far = 1U << 6,        // long latency with jitter and a tail
  partition = 1U << 7,  // in two, one host alone; both ways or one
  crash = 1U << 8,
  pause = 1U << 9,
  clocks = 1U << 10,  // drift, wrong and jumping wall clocks, now and then an hour back
  slow_jobs = 1U << 11,
  slow_disk = 1U << 12,
  disk_errors = 1U << 13,
  full_socket = 1U << 14,
  rebind = 1U << 15,
  relink = 1U << 16,     // links change while the world runs
  mtu = 1U << 17,        // down to what QUIC needs, and for a while below: a black hole
  lost_disk = 1U << 18,  // a host restarts with an empty disk, or with an old copy of it
};
inline constexpr std::uint32_t kFaultKinds = 19;
inline constexpr std::uint32_t kAllFaults = (1U << kFaultKinds) - 1;
[[nodiscard]] constexpr std::uint32_t operator|(Fault a, Fault b) {
  return static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b);
}
[[nodiscard]] constexpr std::uint32_t operator|(std::uint32_t a, Fault b) {
  return a | static_cast<std::uint32_t>(b);
}
[[nodiscard]] constexpr std::uint32_t without(std::uint32_t faults, Fault fault) {
  return faults & ~static_cast<std::uint32_t>(fault);
}

enum class FaultsError : std::uint16_t { unknown_fault = 1 };
[[nodiscard]] const ErrorDomain& error_domain(FaultsError);
// "loss,crash,pause", or "none". Error: unknown_fault, at the offset of the word.
[[nodiscard]] Result<std::uint32_t> parse_faults(std::string_view text);
// The same text, back.
[[nodiscard]] std::string faults_text(std::uint32_t faults);

class Chaos {
 public:
  Chaos(Prng prng, std::uint32_t allowed);

  [[nodiscard]] bool has(Fault fault) const {
    return (enabled_ & static_cast<std::uint32_t>(fault)) != 0;
  }
  // Those that are on.
  [[nodiscard]] std::uint32_t enabled() const { return enabled_; }
  [[nodiscard]] LinkOptions draw_link();
  [[nodiscard]] HostOptions draw_host();

  // Draws every link and disturbs the world until heal(). The world must not outlive this.
  void begin(World& world);
  void heal(World& world);

 private:
  void plan_next(World& world);
  void disturb(World& world, Prng& prng);
  void restart_poisoned(World& world);
  void crash_and_restart(World& world, Prng& prng, HostId host);
  void crash_now_or_in_a_write(World& world, Prng& prng, HostId host);
  static void cut_something(World& world, Prng& prng);
  void jump(World& world, Prng& prng, HostId host);
  void make_black_hole(World& world, Prng& prng, HostId from);
  [[nodiscard]] LinkOptions draw_link(Prng& prng) const;

  Prng prng_;
  std::uint32_t enabled_ = 0;
  Duration gap_max_;
  bool active_ = false;
  std::map<HostId, Duration> jumped_;  // wall clocks: the sum of the jumps of each
};

}  // namespace ethnet::sim
