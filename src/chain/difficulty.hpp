// What the difficulty of a header before the merge must be, given its parent: Yellow Paper 4.3.4,
// EIP-2 (Homestead), EIP-100 (Byzantium: the parent's uncles count), and the delays of the
// difficulty bomb: EIP-649, 1234, 2384, 3554, 4345, 5133. Pure. Difficulties above 2^64 - 1 are
// refused elsewhere (validation.hpp).
#pragma once

#include <cstdint>
#include <optional>

#include <types/chain_config.hpp>
#include <types/header_view.hpp>

namespace ethnet::chain {

inline constexpr std::uint64_t kMinDifficulty = 131'072;
inline constexpr std::uint64_t kDifficultyBound = 2048;  // a step is the parent's divided by this
inline constexpr std::uint64_t kBombPeriod = 100'000;    // blocks in which the bomb doubles

// Of a child of `parent` at this number and time. CHECK: child_time after the parent's. Nothing
// when the parent's or its own leaves 64 bits.
[[nodiscard]] std::optional<std::uint64_t> next_difficulty(const ChainConfig& config,
                                                           const HeaderView& parent,
                                                           std::uint64_t child_number,
                                                           std::uint64_t child_time);

}  // namespace ethnet::chain
