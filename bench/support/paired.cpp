#include "paired.hpp"

#include <algorithm>
#include <chrono>

#include <base/check.hpp>
#include <base/prng.hpp>

namespace ethnet::bench {
namespace {

constexpr double kOutside = 0.025;  // on either side of the interval

double per_item(const Side& side, std::uint64_t items) {
  return static_cast<double>(side.run(items)) / static_cast<double>(items);
}

// How many items fill a block. Doubles until a run is long enough to be scaled from; the runs
// before it warm caches and branch predictors.
std::uint64_t items_for(const Side& side, std::uint64_t block_ns) {
  std::uint64_t items = 1;
  std::uint64_t taken = side.run(items);
  while (taken < block_ns / 8 && items < (std::uint64_t{1} << 40U)) {
    items *= 2;
    taken = side.run(items);
  }
  const double scale =
      static_cast<double>(block_ns) / static_cast<double>(std::max<std::uint64_t>(taken, 1));
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(static_cast<double>(items) * scale));
}

}  // namespace

Clock steady_clock() {
  return [] {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
  };
}

Side timed(std::string name, Clock clock, std::function<void(std::uint64_t)> work) {
  auto run = [read = std::move(clock), act = std::move(work)](std::uint64_t items) {
    const std::uint64_t start = read();
    act(items);
    return read() - start;
  };
  return {std::move(name), std::move(run)};
}

Comparison compare(const Side& ours, const Side& theirs, const Options& options) {
  CHECK(options.pairs > 0);
  const std::uint64_t our_items = items_for(ours, options.block_ns);
  const std::uint64_t their_items = items_for(theirs, options.block_ns);
  std::vector<double> mine;
  std::vector<double> others;
  for (std::size_t pair = 0; pair < options.pairs; ++pair) {
    double a = 0;
    double b = 0;
    if (pair % 2 == 0) {
      a = per_item(ours, our_items);
      b = per_item(theirs, their_items);
    } else {
      b = per_item(theirs, their_items);
      a = per_item(ours, our_items);
    }
    mine.push_back(a);
    others.push_back(b);
  }
  return compare_values(mine, others, options.resamples);
}

Comparison compare_values(const std::vector<double>& ours, const std::vector<double>& theirs,
                          std::size_t resamples) {
  CHECK(!ours.empty() && ours.size() == theirs.size());
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(theirs[i] / ours[i]);
  const Interval interval = bootstrap_median(ratios, resamples);
  return {median(ours), median(theirs), median(ratios), interval.low, interval.high};
}

double measure(const Side& side, const Options& options) {
  const std::uint64_t items = items_for(side, options.block_ns);
  std::vector<double> blocks;
  for (std::size_t i = 0; i < options.pairs; ++i) blocks.push_back(per_item(side, items));
  return median(blocks);
}

Verdict judge(const Comparison& comparison, double goal) {
  if (comparison.low >= goal) return Verdict::met;
  return comparison.high < goal ? Verdict::missed : Verdict::none;
}

const char* text(Verdict verdict) {
  switch (verdict) {
    case Verdict::met:
      return "met";
    case Verdict::missed:
      return "missed";
    case Verdict::none:
      break;
  }
  return "no verdict";
}

double median(std::vector<double> values) {
  CHECK(!values.empty());
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Interval bootstrap_median(const std::vector<double>& values, std::size_t resamples) {
  CHECK(!values.empty() && resamples > 0);
  Prng prng{1};
  std::vector<double> medians;
  std::vector<double> sample(values.size());
  for (std::size_t i = 0; i < resamples; ++i) {
    for (double& value : sample) value = values[prng.below(values.size())];
    medians.push_back(median(sample));
  }
  std::ranges::sort(medians);
  const auto at = [&](double share) {
    return medians[static_cast<std::size_t>(share * static_cast<double>(medians.size() - 1))];
  };
  return {at(kOutside), at(1 - kOutside)};
}

}  // namespace ethnet::bench
