// When look-ups and revalidations are due, and about whom.
#include "upkeep.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "testing/records.hpp"

namespace ethnet::kbucket {
namespace {

using namespace testing;

class UpkeepTest : public ::testing::Test {
 protected:
  [[nodiscard]] Now now() const { return at(time_); }
  // The node with this number, which answered us.
  void meet(std::uint64_t number, Standing standing = Standing::reached) {
    (void)table_.add(now(), record_of(number, own_subnet(number)), standing);
  }
  // Waits for the next refresh and makes it; how long it took.
  Duration refresh() {
    const Instant before = now().mono;
    while (!upkeep_.refresh_is_due(now())) time_ = time_ + milliseconds(1);
    upkeep_.refresh(
        now(), table_, prng_, [&] { ++boots_; },
        [&](const NodeId& target) {
          targets_.push_back(target);
          return begins_;
        });
    return now().mono - before;
  }

  Duration time_;
  Table table_{id_of(0)};
  Prng prng_{7};
  Upkeep upkeep_{at({})};
  std::size_t boots_ = 0;
  std::vector<NodeId> targets_;
  bool begins_ = true;
};

TEST_F(UpkeepTest, WhoKnowsNobodyAsksBootNodesLessAndLessOften) {
  EXPECT_EQ(refresh(), Duration{}) << "at once";
  for (unsigned tries = 0; tries < 8; ++tries) {
    const auto times = static_cast<std::int64_t>(1U << std::min(tries, kBootDoublings));
    const Duration took = refresh();
    EXPECT_GE(took, kBootMin * times) << tries;
    EXPECT_LE(took, kBootMax * times + milliseconds(1)) << tries;
  }
  EXPECT_EQ(boots_, 9U);
  EXPECT_TRUE(targets_.empty()) << "there is nobody to ask";
}

TEST_F(UpkeepTest, TheFirstWhoIsAliveOpensTheWayAtOnceAndTheNextDoesNot) {
  (void)refresh();
  upkeep_.on_alive(now());
  meet(1);
  EXPECT_TRUE(upkeep_.refresh_is_due(now()));
  (void)refresh();
  EXPECT_EQ(boots_, 1U);
  EXPECT_EQ(targets_.size(), 1U);
  upkeep_.on_alive(now());
  EXPECT_FALSE(upkeep_.refresh_is_due(now()));
  upkeep_.on_boot_node(now());
  EXPECT_FALSE(upkeep_.refresh_is_due(now())) << "who knows somebody needs no boot node";
}

TEST_F(UpkeepTest, ABootNodeThatIsAddedIsAskedAtOnceWhileNobodyIsKnown) {
  (void)refresh();
  ASSERT_FALSE(upkeep_.refresh_is_due(now()));
  upkeep_.on_boot_node(now());
  EXPECT_TRUE(upkeep_.refresh_is_due(now()));
}

TEST_F(UpkeepTest, OurPlaceAndARandomOneByTurnsFastFourTimesAndThenSlowly) {
  meet(1);
  for (std::uint64_t i = 0; i < 12; ++i) {
    const Duration took = refresh();
    if (i == 0) continue;
    const bool early = i < kEarlyRefreshes;
    EXPECT_GE(took, early ? kEarlyRefreshMin : kRefreshMin) << i;
    EXPECT_LE(took, (early ? kEarlyRefreshMax : kRefreshMax) + milliseconds(1)) << i;
  }
  ASSERT_EQ(targets_.size(), 12U);
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    EXPECT_EQ(targets_[i] == table_.self(), i % 2 == 0) << i;
  }
  EXPECT_NE(targets_[1], targets_[3]);
}

TEST_F(UpkeepTest, ALookUpThatCouldNotBeginIsTriedAgain) {
  meet(1);
  begins_ = false;
  for (int i = 0; i < 6; ++i) {
    const Duration took = refresh();
    EXPECT_LE(took, kEarlyRefreshMax + milliseconds(1)) << i;
  }
  EXPECT_EQ(std::ranges::count(targets_, table_.self()), 6);
}

TEST_F(UpkeepTest, WhenNobodyWasHeardForAWhileItIsNobodysFault) {
  EXPECT_TRUE(upkeep_.is_its_fault(now()));
  time_ = time_ + kAloneAfter;
  EXPECT_TRUE(upkeep_.is_its_fault(now()));
  time_ = time_ + milliseconds(1);
  EXPECT_FALSE(upkeep_.is_its_fault(now()));
  upkeep_.on_heard(now());
  EXPECT_TRUE(upkeep_.is_its_fault(now()));
}

TEST_F(UpkeepTest, RevalidationIsDueWhenItWasSetToAndSoonerWhereSomebodyNewCame) {
  EXPECT_FALSE(upkeep_.revalidation_is_due(now()));
  upkeep_.set_revalidation(now().mono + seconds(5));
  upkeep_.revalidate_by(now().mono + seconds(9));
  time_ = time_ + seconds(5);
  EXPECT_TRUE(upkeep_.revalidation_is_due(now()));
  upkeep_.set_revalidation(now().mono + seconds(5));
  upkeep_.revalidate_by(now().mono + seconds(1));
  time_ = time_ + seconds(1);
  EXPECT_TRUE(upkeep_.revalidation_is_due(now()));
}

TEST_F(UpkeepTest, HalfOfTheRevalidationsAreOfThoseOfWhomWeAreNotSure) {
  EXPECT_EQ(pick_for_revalidation(table_, prng_), nullptr);
  for (std::uint64_t i = 1; i <= 8; ++i) meet(i);
  time_ = time_ + seconds(60);
  for (std::uint64_t i = 1; i <= 4; ++i) meet(i);
  meet(20, Standing::claimed);
  std::size_t unsure = 0;
  std::size_t old = 0;
  constexpr std::size_t kPicks = 2'000;
  for (std::size_t i = 0; i < kPicks; ++i) {
    const RecordPtr picked = pick_for_revalidation(table_, prng_);
    ASSERT_NE(picked, nullptr);
    if (picked->id() == id_of(20)) ++unsure;
    for (std::uint64_t n = 5; n <= 8; ++n) old += picked->id() == id_of(n) ? 1U : 0U;
  }
  EXPECT_NEAR(static_cast<double>(unsure), kPicks / 2.0, 150) << "one time in two";
  EXPECT_NEAR(static_cast<double>(old), kPicks / 2.0 * 0.75, 150) << "the older of two drawn";
}

TEST_F(UpkeepTest, SomebodyIsKnownWhoWasSeenAndHasNotFailedSince) {
  meet(1, Standing::claimed);
  EXPECT_FALSE(knows_somebody(table_));
  meet(1);
  EXPECT_TRUE(knows_somebody(table_));
  (void)table_.failed(now(), id_of(1));
  EXPECT_FALSE(knows_somebody(table_));
}

}  // namespace
}  // namespace ethnet::kbucket
