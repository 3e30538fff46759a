// HostClock: what a host's clocks show at a moment of world time. The monotonic clock runs fast or
// slow by a constant drift and never goes back; the wall clock is set off by any amount and jumps.
#pragma once

#include <base/instant.hpp>

namespace ethnet::sim {

// 2026-01-01 00:00:00 UTC: the wall clock of a world at its time 0.
inline constexpr UnixTime kWorldEpoch{1'767'225'600'000'000'000};
inline constexpr std::int64_t kMaxDriftPpm = 100'000;

class HostClock {
 public:
  HostClock() = default;
  // CHECK: |drift_ppm| <= kMaxDriftPpm. `boot` is what the monotonic clock shows at world time 0.
  HostClock(std::int64_t drift_ppm, Duration boot, Duration wall_offset);

  [[nodiscard]] Now at(Instant world) const;
  // The first moment of world time at which the monotonic clock shows `mono` or later.
  [[nodiscard]] Instant when(Instant mono) const;
  void jump_wall(Duration by) { wall_offset_ = wall_offset_ + by; }

 private:
  [[nodiscard]] std::int64_t elapsed(std::int64_t world_ns) const;

  std::int64_t drift_ppm_ = 0;
  Duration boot_;
  Duration wall_offset_;
};

}  // namespace ethnet::sim
