// Ours beside a peer in one run. Absolute figures of a shared machine drift by more than what is
// compared, so blocks of both alternate (A B B A …) and only the ratio within a pair counts: its
// median, with a 95 % interval by bootstrap. A noisy run says "no verdict" and fails nothing.
//
// Threading: everything on the calling thread. The clock is a parameter, so that a test needs none.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ethnet::bench {

// Nanoseconds from any origin, never backwards.
using Clock = std::function<std::uint64_t()>;
[[nodiscard]] Clock steady_clock();

struct Side {
  std::string name;
  // Does `items` units of work. Nanoseconds that they took, by whichever clock fits: a peer in a
  // process of its own measures itself, so that the pipe to it does not count.
  std::function<std::uint64_t(std::uint64_t items)> run;
};
// A side that runs here: `work(items)`, timed by `clock`.
[[nodiscard]] Side timed(std::string name, Clock clock, std::function<void(std::uint64_t)> work);

struct Options {
  std::size_t pairs = 16;                // even, so that either order comes equally often
  std::uint64_t block_ns = 200'000'000;  // a block is about this long
  std::size_t resamples = 2000;          // of the bootstrap
};

struct Comparison {
  double ours_ns = 0;    // an item, median over the blocks
  double theirs_ns = 0;  // likewise
  // theirs / ours by pair: above 1 we are faster.
  double ratio = 0;
  double low = 0;
  double high = 0;
};
// CHECK: pairs > 0.
[[nodiscard]] Comparison compare(const Side& ours, const Side& theirs, const Options& options);

// The same from figures that were taken already, pair by pair. CHECK: equally many, and some.
[[nodiscard]] Comparison compare_values(const std::vector<double>& ours,
                                        const std::vector<double>& theirs, std::size_t resamples);

// The median of one side alone, in nanoseconds an item: where there is no peer.
[[nodiscard]] double measure(const Side& side, const Options& options);

enum class Verdict : std::uint8_t { met, missed, none };
// Met when the whole interval reaches the goal, missed when none of it does.
[[nodiscard]] Verdict judge(const Comparison& comparison, double goal);
[[nodiscard]] const char* text(Verdict verdict);

// CHECK: not empty.
[[nodiscard]] double median(std::vector<double> values);
struct Interval {
  double low = 0;
  double high = 0;
};
// 95 % interval of the median. The same values give the same interval.
[[nodiscard]] Interval bootstrap_median(const std::vector<double>& values, std::size_t resamples);

}  // namespace ethnet::bench
