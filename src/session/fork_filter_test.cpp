// A peer whose fork id says that the chains part gets no session (EIP-2124).
#include <gtest/gtest.h>

#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;

// Forks at 100 and 200, and what a node knows of them.
std::shared_ptr<const ForkSchedule> schedule(std::vector<std::uint64_t> forks) {
  return std::make_shared<const ForkSchedule>(Hash32{}, 0, std::move(forks),
                                              std::vector<std::uint64_t>{});
}

class ForkFilter : public ::testing::Test {
 protected:
  World world;
  std::pair<Key, Key> keys = ordered_keys(1);
  Node& low = world.add_node(keys.first, address(1));
  Node& high = world.add_node(keys.second, address(2));

  static void set(Node& node, Now now, const std::shared_ptr<const ForkSchedule>& forks,
                  std::uint64_t head) {
    node.local.forks = forks;
    node.local.head_number = head;
    node.local.fork_id = forks->fork_id(head, 0);
    node.manager().set_local(now, node.local);
  }

  void meet() {
    ASSERT_TRUE(high.dial(low.address()));
    world.run_for(seconds(1));
  }
};

TEST_F(ForkFilter, PeersOnOneScheduleMeetWhereverTheirHeadsAre) {
  const auto forks = schedule({100, 200});
  for (const auto& [ours, theirs] : {std::pair{0, 0}, {0, 250}, {150, 250}, {250, 150}, {250, 0}}) {
    low.restart();
    high.restart();
    set(low, world.now(), forks, static_cast<std::uint64_t>(ours));
    set(high, world.now(), forks, static_cast<std::uint64_t>(theirs));
    meet();
    EXPECT_EQ(low.manager().session_count(), 1U) << ours << " meets " << theirs;
    EXPECT_EQ(high.manager().session_count(), 1U) << ours << " meets " << theirs;
  }
}

TEST_F(ForkFilter, APeerThatDoesNotKnowAForkThatWePassedIsRefused) {
  set(low, world.now(), schedule({100, 200}), 250);
  set(high, world.now(), schedule({100}), 250);
  meet();
  EXPECT_EQ(low.manager().session_count(), 0U);
  EXPECT_EQ(high.manager().session_count(), 0U);
  const std::size_t refusals = low.refused_with(DisconnectReason::incompatible_fork) +
                               high.refused_with(DisconnectReason::incompatible_fork);
  EXPECT_GE(refusals, 1U);
  ASSERT_EQ(high.events<DialFailed>().size(), 1U);
  EXPECT_EQ(high.events<DialFailed>()[0].reason, DisconnectReason::incompatible_fork);
}

TEST_F(ForkFilter, APeerOfAnotherChainIsRefusedThoughItsGenesisIsOurs) {
  set(low, world.now(), schedule({100}), 150);
  set(high, world.now(), schedule({120}), 150);
  meet();
  EXPECT_EQ(low.manager().session_count(), 0U);
  EXPECT_EQ(high.manager().session_count(), 0U);
  ASSERT_EQ(high.events<DialFailed>().size(), 1U);
  EXPECT_EQ(high.events<DialFailed>()[0].reason, DisconnectReason::incompatible_fork);
}

TEST_F(ForkFilter, AHeadThatPassesAForkChangesTheJudgement) {
  set(low, world.now(), schedule({100, 200}), 150);  // 200 is still ahead of us
  set(high, world.now(), schedule({100}), 150);
  meet();
  EXPECT_EQ(low.manager().session_count(), 1U);
  high.restart();
  world.run_for(seconds(60));
  set(low, world.now(), schedule({100, 200}), 200);
  set(high, world.now(), schedule({100}), 200);
  meet();
  EXPECT_EQ(high.manager().session_count(), 0U);
}

}  // namespace
}  // namespace ethnet::session
