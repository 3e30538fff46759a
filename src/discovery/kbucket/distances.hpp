// Which log-distances to ask a node for, so that what it answers is near a target. As in discv5 a
// question names distances and no target, so that nobody can make up an answer to fit.
// Pure; any thread. Limit: kMaxDistances.
#pragma once

#include <cstdint>
#include <vector>

#include <types/node_id.hpp>

namespace ethnet::kbucket {

// Distances in one question: the nearest of what a node knows about a target is among so many.
inline constexpr std::size_t kMaxDistances = 16;
inline constexpr std::uint16_t kMaxDistance = 256;  // of two ids of 256 bits

// At least one, at most kMaxDistances, the most promising first, each once, none 0: first the
// distance of the target, where the nodes nearest to it are, then those around it.
[[nodiscard]] std::vector<std::uint16_t> lookup_distances(const NodeId& asked,
                                                          const NodeId& target);

// Of a full answer to `asked`, which ended with a node of distance `last`: what it had no room for.
[[nodiscard]] std::vector<std::uint16_t> remaining_distances(
    const std::vector<std::uint16_t>& asked, unsigned last);

}  // namespace ethnet::kbucket
