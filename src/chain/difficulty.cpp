#include "difficulty.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <base/check.hpp>
#include <types/hash_of.hpp>

namespace ethnet::chain {
namespace {

struct Delay {
  Fork fork;
  std::uint64_t blocks;
};
// The newest first: the first that is active holds.
constexpr std::array kDelays{
    Delay{Fork::gray_glacier, 11'400'000},  Delay{Fork::arrow_glacier, 10'700'000},
    Delay{Fork::london, 9'700'000},         Delay{Fork::muir_glacier, 9'000'000},
    Delay{Fork::constantinople, 5'000'000}, Delay{Fork::byzantium, 3'000'000},
};

constexpr std::uint64_t kMostStepsDown = 99;

struct Child {
  const ChainConfig& config;
  std::uint64_t number;
  std::uint64_t time;
  [[nodiscard]] bool active(Fork fork) const { return config.is_active(fork, number, time); }
};

std::optional<std::uint64_t> sum_of(std::uint64_t a, std::uint64_t b) {
  if (a > std::numeric_limits<std::uint64_t>::max() - b) return std::nullopt;
  return a + b;
}

// The parent's, moved by so many steps as the child is fast or slow.
std::optional<std::uint64_t> moved(const Child& child, const HeaderView& parent,
                                   std::uint64_t before) {
  const std::uint64_t step = before / kDifficultyBound;
  const std::uint64_t took = child.time - parent.timestamp;
  std::uint64_t up = 1;
  std::uint64_t down = 0;
  if (child.active(Fork::byzantium)) {
    up = equal(parent.ommers_hash, kEmptyListHash.view()) ? 1 : 2;
    down = took / 9;
  } else if (child.active(Fork::homestead)) {
    down = took / 10;
  } else {
    down = took < 13 ? 0 : 2;  // one up or one down
  }
  if (up >= down) return sum_of(before, step * (up - down));
  return before - step * std::min(down - up, kMostStepsDown);
}

std::uint64_t bomb_delay(const Child& child) {
  for (const Delay& delay : kDelays) {
    if (child.active(delay.fork)) return delay.blocks;
  }
  return 0;
}

}  // namespace

std::optional<std::uint64_t> next_difficulty(const ChainConfig& config, const HeaderView& parent,
                                             std::uint64_t child_number, std::uint64_t child_time) {
  CHECK(child_time > parent.timestamp);
  const Child child{config, child_number, child_time};
  const auto before = parent.difficulty.to_u64();
  if (!before) return std::nullopt;
  auto difficulty = moved(child, parent, *before);
  if (!difficulty) return std::nullopt;
  difficulty = std::max(*difficulty, kMinDifficulty);
  const std::uint64_t delay = bomb_delay(child);
  const std::uint64_t period = (child_number - std::min(child_number, delay)) / kBombPeriod;
  if (period < 2) return difficulty;
  if (period - 2 >= 64) return std::nullopt;
  return sum_of(*difficulty, std::uint64_t{1} << (period - 2));
}

}  // namespace ethnet::chain
