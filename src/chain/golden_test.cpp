// The lines that users grep for, byte for byte, on the real import path.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_support.hpp"

namespace ethnet::chain {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TestBench;

TEST(Golden, ATieKeepsTheHeadAndTheFourthBlockSwitches) {
  TestBench bench;
  EXPECT_THAT(bench.import_lines(bench.branch("genesis", {"a1", "a2", "a3"})), IsEmpty());
  std::string parent = "genesis";
  for (const std::string name : {"b1", "b2", "b3"}) {
    EXPECT_THAT(bench.import_lines({bench.make(name, parent)}), IsEmpty());
    EXPECT_EQ(bench.head(), "0xa3");
    parent = name;
  }
  EXPECT_THAT(bench.import_lines({bench.make("b4", "b3")}),
              ElementsAre("[FORK] canonical switch 0xa3 → 0xb4 (height=4)",
                          "[REORG] fork_point=0xgenesis depth=3 removed=[0xa1, 0xa2, 0xa3] "
                          "added=[0xb1, 0xb2, 0xb3, 0xb4]"));
  EXPECT_EQ(bench.head(), "0xb4");
}

TEST(Golden, OneBatchGivesTheSameEventOnce) {
  TestBench bench;
  (void)bench.import_lines(bench.branch("genesis", {"a1", "a2", "a3"}));
  EXPECT_THAT(bench.import_lines(bench.branch("genesis", {"b1", "b2", "b3", "b4"})),
              ElementsAre("[FORK] canonical switch 0xa3 → 0xb4 (height=4)",
                          "[REORG] fork_point=0xgenesis depth=3 removed=[0xa1, 0xa2, 0xa3] "
                          "added=[0xb1, 0xb2, 0xb3, 0xb4]"));
}

TEST(Golden, ABatchOfThreeAgainstTwo) {
  TestBench bench;
  (void)bench.import_lines(bench.branch("genesis", {"a1", "a2"}));
  EXPECT_THAT(bench.import_lines(bench.branch("genesis", {"b1", "b2", "b3"})),
              ElementsAre("[FORK] canonical switch 0xa2 → 0xb3 (height=3)",
                          "[REORG] fork_point=0xgenesis depth=2 removed=[0xa1, 0xa2] "
                          "added=[0xb1, 0xb2, 0xb3]"));
}

TEST(Golden, ABatchThatLeadsElsewhereMidwayAndEndsOnTheOldHeadIsSilent) {
  TestBench bench;
  (void)bench.import_lines(bench.branch("genesis", {"a1", "a2"}));
  std::vector<HeaderInput> batch = bench.branch("genesis", {"b1", "b2", "b3"});
  for (HeaderInput& input : bench.branch("a2", {"a3", "a4"})) batch.push_back(std::move(input));
  EXPECT_THAT(bench.import_lines(batch), IsEmpty());
  EXPECT_EQ(bench.head(), "0xa4");
}

TEST(Golden, AForkFromAnOldAncestorDeepBelowTheHeadWinsWithItsExactSegments) {
  TestBench bench;
  std::vector<std::string> trunk;
  std::vector<std::string> old_names;
  std::vector<std::string> new_names;
  for (int i = 1; i <= 10; ++i) trunk.push_back("t" + std::to_string(i));
  for (int i = 1; i <= 200; ++i) old_names.push_back("o" + std::to_string(i));
  for (int i = 1; i <= 201; ++i) new_names.push_back("n" + std::to_string(i));
  (void)bench.import_lines(bench.branch("genesis", trunk));
  (void)bench.import_lines(bench.branch("t10", old_names));
  (void)bench.import(bench.branch("t10", new_names));
  bench.acknowledge();
  (void)bench.manager.poll_event();  // BatchStored
  const auto event = bench.manager.poll_event();
  ASSERT_TRUE(event);
  const auto& reorg = std::get<ReorgEvent>(*event);
  EXPECT_EQ(reorg.fork_point, (BlockRef{bench.hash("t10"), 10}));
  EXPECT_EQ(reorg.depth(), 200U);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(reorg.removed[i], bench.hash(old_names[i]));
  for (std::size_t i = 0; i < 201; ++i) EXPECT_EQ(reorg.added[i], bench.hash(new_names[i]));
  EXPECT_THAT(reorg_line(reorg, bench.label()),
              ::testing::HasSubstr("removed=[0xo1, 0xo2, 0xo3, 0xo4, 0xo5, 0xo6, 0xo7, 0xo8, "
                                   "(184 more), 0xo193, "));
}

TEST(Golden, NothingIsReportedOrServedBeforeTheStoreHasIt) {
  TestBench bench;
  (void)bench.import_lines(bench.branch("genesis", {"a1"}));
  const auto outcome = bench.import(bench.branch("genesis", {"b1", "b2"}));
  EXPECT_EQ(outcome.added, 2U);
  EXPECT_FALSE(bench.manager.poll_event());
  EXPECT_EQ(bench.head(), "0xa1");
  EXPECT_FALSE(bench.manager.find(bench.hash("b1")));
  EXPECT_TRUE(bench.manager.encoded(bench.hash("b2")).empty());
  EXPECT_EQ(bench.lines().size(), 2U);
  EXPECT_EQ(bench.head(), "0xb2");
  EXPECT_TRUE(bench.manager.find(bench.hash("b1"))->canonical);
  EXPECT_FALSE(bench.manager.find(bench.hash("a1"))->canonical);
}

TEST(Golden, AFailedWriteReportsNothingAndStopsTheChain) {
  TestBench bench;
  (void)bench.import_lines(bench.branch("genesis", {"a1"}));
  (void)bench.import(bench.branch("genesis", {"b1", "b2"}));
  (void)bench.import(bench.branch("b2", {"b3"}));
  auto op = bench.manager.poll_store();
  const auto behind = bench.manager.poll_store();
  ASSERT_TRUE(op && behind);
  bench.manager.handle_store_done(bench.now, {op->id, false, 28});
  EXPECT_EQ(bench.manager.poll_event(), ChainEvent{(StoreFailed{op->id, 28})});
  EXPECT_FALSE(bench.manager.poll_event());
  // What was written behind it has no parent in the store.
  bench.manager.handle_store_done(bench.now, {behind->id, true, 0});
  EXPECT_FALSE(bench.manager.poll_event());
  EXPECT_EQ(bench.head(), "0xa1");
  EXPECT_EQ(bench.import(bench.branch("a1", {"a2"})).refused, 1U);
}

TEST(Golden, ABranchThatDoesNotWinIsAFork) {
  TestBench bench;
  (void)bench.import_lines(bench.branch("genesis", {"a1", "a2", "a3"}));
  (void)bench.import(bench.branch("a1", {"c2"}));
  bench.acknowledge();
  (void)bench.manager.poll_event();
  EXPECT_EQ(
      bench.manager.poll_event(),
      ChainEvent{(ForkDetected{{bench.hash("a1"), 1}, {bench.hash("c2"), 2}, {"test", "batch"}})});
}

}  // namespace
}  // namespace ethnet::chain
