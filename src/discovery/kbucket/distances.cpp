#include "distances.hpp"

#include <algorithm>

namespace ethnet::kbucket {
namespace {

// Below the centre, it included: in the rest of a network of any size hardly a node is.
constexpr unsigned kDistancesBelow = 12;

}  // namespace

std::vector<std::uint16_t> lookup_distances(const NodeId& asked, const NodeId& target) {
  std::vector<std::uint16_t> out;
  const auto centre = static_cast<std::uint16_t>(log_distance(asked, target));
  if (centre == 0) {  // it is the target: its own neighbours, as near as real networks have any
    for (std::size_t d = kMaxDistance - kMaxDistances + 1; d <= kMaxDistance; ++d) {
      out.push_back(static_cast<std::uint16_t>(d));
    }
    return out;
  }
  // Nodes of the centre's bucket are on the target's side, nearer to it than the asked node is;
  // all below are as near as the asked node itself; those above are farther.
  for (unsigned d = centre; d > 0 && centre - d < kDistancesBelow; --d) {
    out.push_back(static_cast<std::uint16_t>(d));
  }
  for (unsigned d = centre + 1U; d <= kMaxDistance && out.size() < kMaxDistances; ++d) {
    out.push_back(static_cast<std::uint16_t>(d));
  }
  return out;
}

std::vector<std::uint16_t> remaining_distances(const std::vector<std::uint16_t>& asked,
                                               unsigned last) {
  auto from = std::ranges::find(asked, last);
  if (from == asked.end()) return {};
  // The answer may have ended amid those of this distance; but a bucket fits into one answer, so
  // whoever filled one with the first distance alone has told it all.
  if (from == asked.begin()) ++from;
  return {from, asked.end()};
}

}  // namespace ethnet::kbucket
