#include "sampler.hpp"

#include <algorithm>
#include <set>

#include <base/check.hpp>

namespace ethnet::das {

// Words at or above the largest multiple of `bound` are drawn again, so that no remainder is
// likelier than another.
std::uint32_t SecureIndexSource::below(std::uint32_t bound) noexcept {
  CHECK(bound > 0);
  const std::uint64_t unfair = (UINT64_MAX % bound + 1) % bound;  // 2^64 mod bound
  std::uint64_t word = rng_.next();
  while (word > UINT64_MAX - unfair) word = rng_.next();
  return static_cast<std::uint32_t>(word % bound);
}

std::vector<std::uint32_t> draw_indices(IndexSource& source, std::uint32_t total, std::uint32_t k) {
  const std::uint32_t wanted = std::min(k, total);
  std::vector<std::uint32_t> drawn;
  drawn.reserve(wanted);
  std::set<std::uint32_t> taken;
  for (std::uint32_t last = total - wanted; last < total; ++last) {
    const std::uint32_t index = source.below(last + 1);
    CHECK(index <= last);
    drawn.push_back(taken.insert(index).second ? index : last);
    taken.insert(drawn.back());
  }
  return drawn;
}

}  // namespace ethnet::das
