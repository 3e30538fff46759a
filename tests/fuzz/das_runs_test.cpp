// The das-lite engine under random operations, as many as are asked for (das.cpp): nothing counts
// that was not truly given, and in the end nothing is left.
#include <cstdio>

#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <session/testing/amount.hpp>

#include "das_machine.hpp"

namespace ethnet::fuzz {
namespace {

TEST(DasRuns, RandomOperationsCountNothingFalseAndLeaveNothing) {
  const std::uint64_t wanted = ethnet::testing::amount("ETHNET_DAS_EVENTS", 40'000);
  Prng dice{118};
  DasCounts sum;
  while (sum.operations < wanted) {
    Bytes operations(600 + dice.below(1'400));
    for (std::byte& b : operations) b = static_cast<std::byte>(dice.below(256));
    const DasCounts run = run_das(operations);
    sum.operations += run.operations;
    sum.full_verdicts += run.full_verdicts;
    sum.whole_gets += run.whole_gets;
    for (std::size_t i = 0; i < sum.misbehaved.size(); ++i) {
      sum.misbehaved.at(i) += run.misbehaved.at(i);
    }
    sum.engine.chunks_received += run.engine.chunks_received;
    sum.engine.chunks_missing += run.engine.chunks_missing;
    sum.engine.chunks_late += run.engine.chunks_late;
    sum.engine.chunks_served += run.engine.chunks_served;
    sum.store.evicted += run.store.evicted;
    sum.store.expired += run.store.expired;
    sum.store.refused += run.store.refused;
  }
  // That the runs come to where it matters.
  for (const std::uint64_t times : sum.misbehaved) EXPECT_GT(times, 0U);
  EXPECT_GT(sum.full_verdicts, 0U);
  EXPECT_GT(sum.whole_gets, 0U);
  EXPECT_GT(sum.engine.chunks_missing, 0U);
  EXPECT_GT(sum.engine.chunks_late, 0U);
  EXPECT_GT(sum.engine.chunks_served, 0U);
  EXPECT_GT(sum.store.evicted, 0U);
  EXPECT_GT(sum.store.expired, 0U);
  EXPECT_GT(sum.store.refused, 0U);
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf("events: %llu of das-lite (%llu chunks, %llu full verdicts, %llu gets, %llu wrong)\n",
              number(sum.operations), number(sum.engine.chunks_received), number(sum.full_verdicts),
              number(sum.whole_gets), number(sum.misbehaved[2]));
}

}  // namespace
}  // namespace ethnet::fuzz
