// Prng: deterministic, fast, not secret (xoshiro256**, Blackman and Vigna 2018; seeded by
// splitmix64). For jitter and simulation; never for what an adversary gains by predicting.
// Each component gets a stream of its own by split(name), so that a new draw in one does not move
// the others.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ethnet {

class Prng {
 public:
  explicit Prng(std::uint64_t seed);

  [[nodiscard]] std::uint64_t next();
  // Uniform in [0, bound); bound > 0. Unbiased.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  // Uniform in [low, high], both included.
  [[nodiscard]] std::int64_t between(std::int64_t low, std::int64_t high);
  // True with probability parts_per_million / 1,000,000.
  [[nodiscard]] bool chance_ppm(std::uint64_t parts_per_million);
  // An independent stream; the same name from the same state gives the same stream. Does not draw.
  [[nodiscard]] Prng split(std::string_view name) const;

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace ethnet
