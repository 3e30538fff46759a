// Chaos: the faults of one seed. From the kinds that a scenario allows, the seed draws which are on
// (each with probability one half, so that some seeds have few faults and some have nearly all) and
// how hard they hit; then it disturbs the world at drawn moments until it is told to stop, and
// heals it: nothing is cut, every host runs, links and disks are good. Clocks keep their drift.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <base/prng.hpp>

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
  partition = 1U << 7,  // in two, one host alone, one way
  crash = 1U << 8,
  pause = 1U << 9,
  clocks = 1U << 10,  // drift, wrong and jumping wall clocks
  slow_jobs = 1U << 11,
  slow_disk = 1U << 12,
  disk_errors = 1U << 13,
  full_socket = 1U << 14,
  rebind = 1U << 15,
  relink = 1U << 16,  // links change while the world runs
};
inline constexpr std::uint32_t kAllFaults = (1U << 17) - 1;
[[nodiscard]] constexpr std::uint32_t operator|(Fault a, Fault b) {
  return static_cast<std::uint32_t>(a) | static_cast<std::uint32_t>(b);
}
[[nodiscard]] constexpr std::uint32_t operator|(std::uint32_t a, Fault b) {
  return a | static_cast<std::uint32_t>(b);
}
[[nodiscard]] constexpr std::uint32_t without(std::uint32_t faults, Fault fault) {
  return faults & ~static_cast<std::uint32_t>(fault);
}

class Chaos {
 public:
  Chaos(Prng prng, std::uint32_t allowed);

  [[nodiscard]] bool has(Fault fault) const {
    return (enabled_ & static_cast<std::uint32_t>(fault)) != 0;
  }
  // "loss crash pause": for the trace.
  [[nodiscard]] std::string description() const;
  [[nodiscard]] LinkOptions draw_link();
  [[nodiscard]] HostOptions draw_host();

  // Draws every link and disturbs the world until heal(). The world must not outlive this.
  void begin(World& world);
  void heal(World& world);

 private:
  void plan_next(World& world);
  void disturb(World& world);
  void restart_poisoned(World& world);
  void crash_and_restart(World& world, HostId host);
  void crash_now_or_in_a_write(World& world, HostId host);
  void cut_something(World& world);
  [[nodiscard]] HostId any_host(const World& world);
  [[nodiscard]] Duration between(Duration low, Duration high);

  Prng prng_;
  std::uint32_t enabled_ = 0;
  Duration gap_max_;
  bool active_ = false;
};

}  // namespace ethnet::sim
