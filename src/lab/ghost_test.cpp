#include "ghost.hpp"

#include <chain/test_support.hpp>
#include <gmock/gmock.h>

namespace ethnet::lab {
namespace {

using chain::testing::TestBench;
using ::testing::ElementsAre;

std::unique_ptr<TestBench> fork_of_two() {
  auto bench = std::make_unique<TestBench>(std::make_unique<Ghost>());
  (void)bench->import(bench->branch("genesis", {"a1", "a2", "a3"}));
  (void)bench->import(bench->branch("genesis", {"b1", "b2"}));
  (void)bench->import(bench->branch("b1", {"c2"}));
  return bench;
}

void vote(TestBench& bench, const std::vector<chain::Vote>& votes) {
  EXPECT_EQ(bench.manager.handle_votes(bench.now, votes, {"test", "votes"}).refused, 0U);
}

// What tells it from a rule that counts the votes of a head alone.
TEST(Ghost, ASubtreeWinsOfWhichNoSingleHeadHasTheMostVotes) {
  const auto bench = fork_of_two();
  vote(*bench, {{1, bench->hash("a3"), 5}, {2, bench->hash("b2"), 4}, {3, bench->hash("c2"), 3}});
  EXPECT_THAT(bench->why(),
              ElementsAre("a3: votes at each fork: 5 of 12 at height 1",
                          "b2*: votes at each fork: 7 of 12 at height 1, 4 of 7 at height 2",
                          "c2: votes at each fork: 7 of 12 at height 1, 3 of 7 at height 2"));
}

TEST(Ghost, AVoteForABlockBelowTheForkAboveItFavoursNeitherSide) {
  const auto bench = fork_of_two();
  vote(*bench, {{1, bench->hash("b1"), 5}, {2, bench->hash("c2"), 1}});
  EXPECT_EQ(bench->manager.pending_head().hash, bench->hash("c2"));
  vote(*bench, {{3, bench->hash("b2"), 2}});
  EXPECT_EQ(bench->manager.pending_head().hash, bench->hash("b2"));
}

TEST(Ghost, HeightMeansNothingAndTheGreatestHashBreaksATie) {
  const auto bench = fork_of_two();
  const bool a_first = bench->hash("a1") > bench->hash("b1");
  const bool b2_first = bench->hash("b2") > bench->hash("c2");
  EXPECT_EQ(bench->manager.pending_head().hash, bench->hash(a_first    ? "a3"
                                                            : b2_first ? "b2"
                                                                       : "c2"));
  vote(*bench, {{1, bench->hash(a_first ? "b1" : "a1"), 1}});
  EXPECT_EQ(bench->manager.pending_head().hash, bench->hash(!a_first   ? "a3"
                                                            : b2_first ? "b2"
                                                                       : "c2"));
}

}  // namespace
}  // namespace ethnet::lab
