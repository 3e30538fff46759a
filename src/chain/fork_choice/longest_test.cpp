#include "longest.hpp"

#include <gmock/gmock.h>

#include "../test_support.hpp"

namespace ethnet::chain {
namespace {

using ::testing::ElementsAre;

TEST(LongestChain, ATieKeepsThePresentHead) {
  testing::TestBench bench;
  (void)bench.import(bench.branch("genesis", {"a1", "a2"}));
  (void)bench.import(bench.branch("genesis", {"b1", "b2"}));
  EXPECT_THAT(bench.why(), ElementsAre("a2*: height 2, arrival 2", "b2: height 2, arrival 4"));
  (void)bench.import({bench.make("b3", "b2")});
  EXPECT_THAT(bench.why(), ElementsAre("a2: height 2, arrival 2", "b3*: height 3, arrival 5"));
}

TEST(LongestChain, OfNewHeadsOfOneHeightTheFirstToArriveWins) {
  testing::TestBench bench;
  (void)bench.import({bench.make("b1", "genesis"), bench.make("a1", "genesis")});
  EXPECT_THAT(bench.why(), ElementsAre("b1*: height 1, arrival 1", "a1: height 1, arrival 2"));
}

}  // namespace
}  // namespace ethnet::chain
