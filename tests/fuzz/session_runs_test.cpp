// The machine of the sessions under random operations, as many as are asked for: every count is
// that of what is there, after each of them, and in the end nothing is left (session_machine.cpp).
#include <cstdio>

#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <session/testing/amount.hpp>

#include "session_machine.hpp"

namespace ethnet::fuzz {
namespace {

TEST(SessionRuns, atk_59_60_RandomOperationsKeepEveryCountAndLeaveNothing) {
  const std::uint64_t wanted = ethnet::testing::amount("ETHNET_SESSION_EVENTS", 60'000);
  Prng dice{60};
  SessionRun sum;
  while (sum.operations < wanted) {
    Bytes operations(1'000 + dice.below(7'000));
    for (std::byte& b : operations) b = static_cast<std::byte>(dice.below(256));
    const SessionRun run = run_sessions(operations);
    sum.operations += run.operations;
    sum.opened += run.opened;
    sum.closed += run.closed;
    sum.refused += run.refused;
    sum.dials_failed += run.dials_failed;
    sum.messages += run.messages;
    sum.shed += run.shed;
  }
  EXPECT_EQ(sum.opened, sum.closed);
  // That the runs come to where it matters.
  EXPECT_GE(sum.opened, wanted / 100);
  EXPECT_GE(sum.refused, wanted / 100);
  EXPECT_GE(sum.messages, wanted / 200);
  EXPECT_GT(sum.dials_failed, 0U);
  EXPECT_GT(sum.shed, 0U);
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf(
      "events: %llu of the sessions (%llu opened, %llu refused, %llu messages, %llu shed)\n",
      number(sum.operations), number(sum.opened), number(sum.refused), number(sum.messages),
      number(sum.shed));
}

}  // namespace
}  // namespace ethnet::fuzz
