#include "shrink.hpp"

#include <array>
#include <utility>

#include "swarm.hpp"

namespace ethnet::sim {
namespace {

// Worlds are rarely drawn larger; above, smaller steps would cost more runs than they are worth.
constexpr std::array<HostId, 12> kHostCounts{2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 28};
constexpr Duration kShortestSafety = milliseconds(250);

std::string_view describe(std::uint16_t code) {
  switch (static_cast<ShrinkError>(code)) {
    case ShrinkError::seed_passes:
      return "the seed passes: there is nothing to shrink";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"shrink", describe};

class Shrinker {
 public:
  Shrinker(const ScenarioSpec& spec, std::uint64_t seed, int timeout,
           const std::function<void(const std::string&)>& progress)
      : seed_{seed},
        timeout_{timeout},
        progress_{progress},
        best_{.spec = spec, .kind = {}, .text = {}} {}

  [[nodiscard]] Result<Shrunk> run() {
    auto failure = fails(best_.spec);
    if (!failure) return fail(ShrinkError::seed_passes);
    best_.kind = failure->kind;
    best_.text = failure->text;
    // What the seed has drawn, and not what the scenario allows.
    const Chaos chaos{World{seed_}.split("chaos"), best_.spec.faults};
    const std::uint32_t drawn = chaos.enabled() & best_.spec.narrowed.faults.value_or(kAllFaults);
    for (std::string before = "?"; before != best_.spec.narrowed.flags();) {
      before = best_.spec.narrowed.flags();
      fewer_hosts();  // some may have been there for a fault that is gone
      fewer_faults(drawn & best_.spec.narrowed.faults.value_or(kAllFaults));
    }
    shorter();
    return std::move(best_);
  }

 private:
  [[nodiscard]] std::optional<SwarmFailure> fails(const ScenarioSpec& spec) {
    ++best_.runs;
    SwarmResult result = run_swarm(
        spec, {.first = seed_, .last = seed_, .jobs = 1, .seed_timeout_seconds = timeout_}, {});
    if (result.failures.empty()) return std::nullopt;
    return std::move(result.failures.front());
  }

  // Whether it still fails in the same way when narrowed like that; then that is the best.
  [[nodiscard]] bool accept(const Narrowed& narrowed) {
    ScenarioSpec candidate = best_.spec;
    candidate.narrowed = narrowed;
    const auto failure = fails(candidate);
    if (!failure || failure->kind != best_.kind) return false;
    best_.spec = std::move(candidate);
    best_.text = failure->text;
    progress_(narrowed.flags());
    return true;
  }

  void fewer_hosts() {
    for (const HostId count : kHostCounts) {
      ScenarioSpec fewer = best_.spec;
      fewer.narrowed.hosts = count;
      if (count_hosts(fewer, seed_) >= count_hosts(best_.spec, seed_)) return;
      if (accept(fewer.narrowed)) return;
    }
  }

  void fewer_faults(std::uint32_t drawn) {
    Narrowed narrowed = best_.spec.narrowed;
    narrowed.faults = 0;
    if (drawn == 0 || accept(narrowed)) return;
    bool smaller = true;
    while (std::exchange(smaller, false)) {
      for (std::uint32_t bit = 1; bit <= kAllFaults; bit <<= 1) {
        if ((drawn & bit) == 0) continue;
        narrowed.faults = drawn & ~bit;
        if (!accept(narrowed)) continue;
        drawn &= ~bit;
        smaller = true;
      }
    }
  }

  void shorter() {
    Narrowed narrowed = best_.spec.narrowed;
    for (Duration half = best_.spec.safety_phase() / 2; half >= kShortestSafety; half = half / 2) {
      narrowed.safety = milliseconds(half.ns / milliseconds(1).ns);
      if (!accept(narrowed)) return;
    }
  }

  std::uint64_t seed_;
  int timeout_;
  const std::function<void(const std::string&)>& progress_;
  Shrunk best_;
};

}  // namespace

const ErrorDomain& error_domain(ShrinkError) { return kDomain; }

Result<Shrunk> shrink_seed(const ScenarioSpec& spec, std::uint64_t seed, int seed_timeout_seconds,
                           const std::function<void(const std::string&)>& progress) {
  return Shrinker{spec, seed, seed_timeout_seconds, progress}.run();
}

}  // namespace ethnet::sim
