#include "clock.hpp"

#include <base/check.hpp>

namespace ethnet::sim {

HostClock::HostClock(std::int64_t drift_ppm, Duration boot, Duration wall_offset)
    : drift_ppm_{drift_ppm}, boot_{boot}, wall_offset_{wall_offset} {
  CHECK(drift_ppm >= -kMaxDriftPpm && drift_ppm <= kMaxDriftPpm);
  CHECK(boot.ns >= 0);
}

// world_ns * (1 + drift), in two parts so that the product cannot overflow within a world's life.
std::int64_t HostClock::elapsed(std::int64_t world_ns) const {
  constexpr std::int64_t kMillion = 1'000'000;
  return world_ns + world_ns / kMillion * drift_ppm_ + world_ns % kMillion * drift_ppm_ / kMillion;
}

Now HostClock::at(Instant world) const {
  const Duration run{elapsed(world.ns)};
  return {Instant{0} + boot_ + run, kWorldEpoch + run + wall_offset_};
}

Instant HostClock::when(Instant mono) const {
  if (mono.is_never()) return Instant::never();
  const std::int64_t target = mono.ns - boot_.ns;
  if (target <= 0) return Instant{0};
  // elapsed() is monotone with a slope near 1: correct the guess by its error, then step.
  std::int64_t guess = target;
  for (int i = 0; i < 8; ++i) guess += target - elapsed(guess);
  while (elapsed(guess) < target) ++guess;
  while (guess > 0 && elapsed(guess - 1) >= target) --guess;
  return Instant{guess};
}

}  // namespace ethnet::sim
