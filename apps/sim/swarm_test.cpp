#include "swarm.hpp"

#include <cstdlib>

#include <gtest/gtest.h>
#include <sim/scenarios/toy.hpp>

namespace ethnet::sim {
namespace {

// Toys that are done at once, but for some seeds.
enum class End : std::uint8_t { good, missing, aborts, hangs };
ScenarioSpec spec_that(std::function<End(std::uint64_t draw)> end_of) {
  class Ends final : public Scenario {
   public:
    explicit Ends(std::function<End(std::uint64_t)> end_of) : end_of_{std::move(end_of)} {}
    void build(World& world, Chaos&) override { end_ = end_of_(world.split("end").next()); }
    std::vector<std::unique_ptr<Checker>> make_checkers() override { return {}; }
    void on_end(const World& world) override {
      reached_.note("the end");
      reached_.note(end_ == End::missing ? "a miss, or two" : "no miss");
      recovery_ = world.now() - Instant{0};
    }
    std::optional<Duration> recovery() const override { return recovery_; }
    std::optional<std::string> missing(const World&) override {
      if (end_ == End::aborts) std::abort();
      while (end_ == End::hangs) {
      }
      if (end_ == End::missing) return "everything";
      return std::nullopt;
    }

   private:
    std::function<End(std::uint64_t)> end_of_;
    End end_ = End::good;
    std::optional<Duration> recovery_;
  };
  return {.name = "ends",
          .description = "",
          .faults = 0,
          .safety = seconds(1),
          .liveness = seconds(1),
          .sometimes = {},
          .make = [end_of] { return std::make_unique<Ends>(end_of); }};
}
std::uint64_t draw_of(std::uint64_t seed) { return World{seed}.split("end").next(); }

TEST(Swarm, RunsEverySeedOnceWhateverTheNumberOfJobs) {
  const ScenarioSpec spec = make_toy_spec();
  const SwarmResult one = run_swarm(spec, {.first = 3, .last = 14, .jobs = 1}, {});
  const SwarmResult three = run_swarm(spec, {.first = 3, .last = 14, .jobs = 3}, {});
  EXPECT_EQ(one.seeds, 12U);
  EXPECT_GT(one.events, 0U);
  EXPECT_EQ(one.events, three.events);
  EXPECT_EQ(one.trace, three.trace);
  EXPECT_TRUE(one.failures.empty());
}

TEST(Swarm, ReportsViolationsAbortsAndHangsWithTheirSeedsAndGoesOn) {
  const ScenarioSpec spec = spec_that([](std::uint64_t draw) {
    if (draw == draw_of(2)) return End::missing;
    if (draw == draw_of(4)) return End::aborts;
    return draw == draw_of(7) ? End::hangs : End::good;
  });
  SwarmProgress last;
  const SwarmResult result =
      run_swarm(spec, {.first = 1, .last = 10, .jobs = 2, .seed_timeout_seconds = 1},
                [&last](const SwarmProgress& p) { last = p; });
  ASSERT_EQ(result.failures.size(), 3U);
  EXPECT_EQ(result.failures[0].seed, 2U);
  EXPECT_EQ(result.failures[0].kind, "liveness");
  EXPECT_EQ(result.failures[1].kind, "killed by signal 6");
  EXPECT_NE(result.failures[0].text.find("liveness=VIOLATED\n"), std::string::npos);
  EXPECT_EQ(result.failures[1].seed, 4U);
  EXPECT_NE(result.failures[1].text.find("killed by signal 6"), std::string::npos);
  EXPECT_EQ(result.failures[2].seed, 7U);
  EXPECT_NE(result.failures[2].text.find("hung for 1 s"), std::string::npos);
  EXPECT_EQ(last.done, 10U);
  EXPECT_EQ(last.failed, 3U);
}

TEST(Swarm, SumsUpWhatItsSeedsReachedAndSaysWhatNoneDid) {
  ScenarioSpec spec =
      spec_that([](std::uint64_t draw) { return draw == draw_of(3) ? End::missing : End::good; });
  spec.sometimes = {"the end", "a miss, or two", "a wonder"};
  const SwarmResult result = run_swarm(spec, {.first = 1, .last = 4, .jobs = 2}, {});
  EXPECT_EQ(result.reached.at("the end").seeds, 4U);
  EXPECT_EQ(result.reached.at("a miss, or two").seeds, 1U);
  EXPECT_EQ(result.reached.at("no miss").times, 3U);
  EXPECT_EQ(result.never_reached(spec), std::vector<std::string_view>{"a wonder"});
  ASSERT_EQ(result.recoveries.size(), 4U);
  EXPECT_EQ(result.recoveries.front().took, seconds(1));
  EXPECT_EQ(result.recoveries.back().took, seconds(2));
  EXPECT_EQ(result.recoveries.back().seed, 3U);
}

TEST(SeedRange, IsTwoNumbersOrOne) {
  EXPECT_EQ(parse_seed_range("1..200")->last, 200U);
  EXPECT_EQ(parse_seed_range("7")->first, 7U);
  EXPECT_EQ(parse_seed_range("7")->last, 7U);
  for (const std::string_view bad :
       {"", "..", "1..", "..2", "2..1", "1...3", "a..b", "1..2x", "-1"}) {
    EXPECT_FALSE(parse_seed_range(bad)) << bad;
    EXPECT_FALSE(parse_seed(bad)) << bad;
  }
  EXPECT_EQ(parse_seed("18446744073709551615"), UINT64_MAX);
  EXPECT_FALSE(parse_seed("18446744073709551616"));
}

}  // namespace
}  // namespace ethnet::sim
