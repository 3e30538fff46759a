#include "score.hpp"

#include <gtest/gtest.h>

namespace ethnet::peers {
namespace {

NodeId id_of(std::uint64_t n) {
  NodeId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[31 - i] = static_cast<std::byte>(n >> (8 * i));
  return id;
}

Now at(std::int64_t second) { return {Instant{} + seconds(1'000 + second), UnixTime{}}; }

TEST(ScoreBook, ABreachBansAtOnceAndForAnHour) {
  ScoreBook book;
  EXPECT_EQ(book.report(at(0), id_of(1), Behaviour::breach, false), Verdict::ban);
  EXPECT_TRUE(book.is_banned(at(0), id_of(1)));
  EXPECT_TRUE(book.is_banned(at(3'599), id_of(1)));
  EXPECT_FALSE(book.is_banned(at(3'600), id_of(1)));
  EXPECT_EQ(book.bans(), 1U);
}

TEST(ScoreBook, SmallThingsAddUpFirstToADisconnectThenToABan) {
  ScoreBook book;
  const auto excess = [&] { return book.report(at(0), id_of(1), Behaviour::excess, false); };
  EXPECT_EQ(excess(), Verdict::none);
  EXPECT_EQ(excess(), Verdict::disconnect);
  EXPECT_EQ(excess(), Verdict::disconnect);
  EXPECT_EQ(excess(), Verdict::disconnect);
  EXPECT_EQ(excess(), Verdict::ban);
  EXPECT_EQ(book.reports(Behaviour::excess), 5U);
}

TEST(ScoreBook, PointsHalveInTenMinutesAndAreForgottenInTheEnd) {
  ScoreBook book;
  (void)book.report(at(0), id_of(1), Behaviour::unresponsive, false);
  EXPECT_EQ(book.points(at(0), id_of(1)), 20);
  EXPECT_EQ(book.points(at(300), id_of(1)), 15);  // along a line within a half-life
  EXPECT_EQ(book.points(at(600), id_of(1)), 10);
  EXPECT_EQ(book.points(at(1'200), id_of(1)), 5);
  EXPECT_EQ(book.points(at(100'000), id_of(1)), 0);
  (void)book.report(at(100'000), id_of(2), Behaviour::excess, false);
  EXPECT_EQ(book.size(), 1U);
}

// A careless peer that is slow about it is never thrown out.
TEST(ScoreBook, OneSmallThingEveryTenMinutesHasNoConsequence) {
  ScoreBook book;
  for (std::int64_t i = 0; i < 1'000; ++i) {
    ASSERT_EQ(book.report(at(600 * i), id_of(1), Behaviour::bad_record, false), Verdict::none);
  }
}

TEST(ScoreBook, atk_61_NobodyIsBlamedForAnother) {
  ScoreBook book;
  for (std::uint64_t n = 1; n <= 1'000; ++n) {
    (void)book.report(at(0), id_of(n), Behaviour::breach, false);
  }
  EXPECT_FALSE(book.is_banned(at(0), id_of(5'000)));
  EXPECT_EQ(book.points(at(0), id_of(5'000)), 0);
  EXPECT_EQ(book.report(at(0), id_of(5'000), Behaviour::excess, false), Verdict::none);
}

TEST(ScoreBook, ATrustedPeerLosesItsSessionButIsNeverBanned) {
  ScoreBook book;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(book.report(at(i), id_of(1), Behaviour::breach, true), Verdict::disconnect);
  }
  EXPECT_FALSE(book.is_banned(at(100), id_of(1)));
  // Nor does what it had count for more when it is trusted no longer.
  EXPECT_LT(book.points(at(100), id_of(1)), kBanAt);
}

TEST(ScoreBook, RemembersABoundedCrowdAndTheBannedForLongest) {
  ScoreBook book;
  for (std::uint64_t n = 0; n < 100; ++n) {
    (void)book.report(at(0), id_of(n), Behaviour::breach, false);
  }
  for (std::uint64_t n = 1'000; n < 1'000 + 3 * kMaxScores; ++n) {
    (void)book.report(at(1), id_of(n), Behaviour::excess, false);
    ASSERT_LE(book.size(), kMaxScores);
  }
  EXPECT_GT(book.forgotten(), 0U);
  EXPECT_EQ(book.banned().size(), 100U);
  EXPECT_TRUE(book.is_banned(at(1), id_of(99)));
}

}  // namespace
}  // namespace ethnet::peers
