// What a sampling says, in two numbers that mean different things:
//
//   confidence          received / requested, as it stands. Nothing requested: unknown.
//   fooled probability  how likely so good a result is although the data cannot be had.
//
// Closed form. Of n chunks w are withheld, k distinct ones are drawn: the chance that all k arrive
// is C(n−w, k) / C(n, k). Where only r of k arrived, it is the chance of r or more (the tail of the
// hypergeometric distribution, whose last term is that closed form). w is the smallest number that
// hides the data: min_withheld(). Sums of logarithms, no gamma function: the same with every
// compiler to 1e-9. Pure. Limits: kMaxChunks terms of kMaxChunks factors, at most.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dataset.hpp"

namespace ethnet::das {

// Of one sampling. `requested`: the distinct indices drawn; `received`: those of them that arrived
// and were verified before their deadline. A second try of a chunk counts in neither.
struct Tally {
  std::uint32_t received = 0;
  std::uint32_t requested = 0;
  friend bool operator==(const Tally&, const Tally&) = default;
};

[[nodiscard]] std::optional<double> confidence(const Tally& tally);
// "received=7 requested=8 confidence=0.875"; of nothing: "received=0 requested=0
// confidence=unknown".
[[nodiscard]] std::string to_text(const Tally& tally);

// How many chunks at least must be withheld so that the data cannot be had. Without erasure coding
// every chunk is needed: 1. (A code of rate 1/2 raises it to total_chunks / 2 + 1.)
[[nodiscard]] std::uint32_t min_withheld(const Shape& shape);

// The natural logarithm of the binomial coefficient C(n, k). CHECK: k <= n.
[[nodiscard]] double log_choose(std::uint64_t n, std::uint64_t k);

// The chance that `tally`, or a better one, is seen when `withheld` of `total` chunks are not
// there. CHECK: received <= requested <= total, withheld <= total.
[[nodiscard]] double fooled_probability(std::uint32_t total, std::uint32_t withheld,
                                        const Tally& tally);

// log10 of the bound of EIP-7594 on the chance that one publisher fools `fooled` of `nodes` that
// each draw `samples` of `columns` columns, half of which and one are withheld:
// C(nodes, fooled) · C(columns, columns/2 − 1) · 2^(−samples · fooled). A bound above 1 says
// nothing and is given as 0.
[[nodiscard]] double log10_withholding_bound(std::uint64_t nodes, std::uint64_t fooled,
                                             std::uint64_t columns, std::uint64_t samples);

}  // namespace ethnet::das
