#include "book.hpp"

#include <gtest/gtest.h>

#include "testing/crawl_rig.hpp"

namespace ethnet::crawl {
namespace {

using testing::id_of;
using testing::place_of;
using testing::record_of;

constexpr SipKey kKey{.k0 = 1, .k1 = 2};

Now at(std::int64_t s) {
  return {Instant{seconds(1'000 + s).ns},
          UnixTime::from_seconds(1'700'000'000) + seconds(s) + milliseconds(300)};
}
UnixTime wall(std::int64_t s) { return UnixTime::from_seconds(1'700'000'000) + seconds(s); }
Contact claim(std::uint64_t number) { return Contact::of(record_of(number)); }

TEST(CrawlBook, ANodeThatIsToldOfIsAskedOnceAndAgainAfterTheInterval) {
  Book book{kKey, {}};
  EXPECT_EQ(book.tell(at(0), claim(1)), Told::fresh);
  EXPECT_EQ(book.tell(at(0), claim(1)), Told::known);
  EXPECT_EQ(book.claims(), 1U);
  ASSERT_TRUE(book.next(at(0)).has_value());
  EXPECT_FALSE(book.next(at(0)).has_value()) << "it is under way";
  EXPECT_TRUE(book.next_due().is_never());
  const auto node = book.on_answer(at(1), id_of(1), record_of(1));
  ASSERT_TRUE(node.has_value());
  EXPECT_EQ(node->score, 1);
  EXPECT_EQ(node->first_response, wall(1)) << "whole seconds, as geth";
  EXPECT_EQ(book.nodes(), 1U);
  EXPECT_EQ(book.claims(), 0U);
  EXPECT_FALSE(book.next(at(600)).has_value());
  EXPECT_TRUE(book.next(at(601)).has_value());
}

TEST(CrawlBook, TheScoreGrowsByOneAndIsHalvedByASilenceAsGeths) {
  Book book{kKey, {.recheck = seconds(1)}};
  ASSERT_EQ(book.tell(at(0), claim(1)), Told::fresh);
  for (std::int64_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(book.next(at(i)).has_value());
    ASSERT_EQ(book.on_answer(at(i), id_of(1), record_of(1))->score, i + 1);
  }
  for (const std::int64_t left : {2, 1, 0}) {
    ASSERT_TRUE(book.next(at(100 - left)).has_value());
    const auto node = book.on_silence(at(100 - left), id_of(1));
    ASSERT_TRUE(node.has_value());
    EXPECT_EQ(node->score, left);
    EXPECT_EQ(node->first_response, wall(0));
    EXPECT_EQ(node->last_response, wall(4));
    EXPECT_EQ(node->last_check, wall(100 - left));
  }
  EXPECT_EQ(book.nodes(), 0U) << "at 0 it leaves";
  EXPECT_EQ(book.sites(), 0U);
}

TEST(CrawlBook, WhoIsSilentIsNotAskedAgainBeforeItsTimeHoweverOftenItIsTold) {
  Book book{kKey, {}};
  ASSERT_EQ(book.tell(at(0), claim(1)), Told::fresh);
  ASSERT_TRUE(book.next(at(0)).has_value());
  EXPECT_FALSE(book.on_silence(at(2), id_of(1)).has_value()) << "it never answered: no row";
  EXPECT_EQ(book.tell(at(3), claim(1)), Told::silent);
  EXPECT_EQ(book.tell(at(601), claim(1)), Told::silent);
  EXPECT_EQ(book.tell(at(602), claim(1)), Told::fresh);
}

TEST(CrawlBook, TheOldestCheckComesFirstAndNodesOfAnEarlierRunBeforeNewOnes) {
  Book book{kKey, {}};
  ASSERT_EQ(book.tell(at(0), claim(9)), Told::fresh);
  for (const std::int64_t age : {700, 5'000, 30}) {
    const auto number = static_cast<std::uint64_t>(age);
    EXPECT_TRUE(book.restore(at(0), {.record = record_of(number),
                                     .score = 3,
                                     .first_response = wall(-9'000),
                                     .last_response = wall(-age),
                                     .last_check = wall(-age)}));
  }
  std::vector<NodeId> order;
  while (const auto contact = book.next(at(0))) order.push_back(contact->id);
  EXPECT_EQ(order, (std::vector{id_of(5'000), id_of(700), id_of(9)}));
  EXPECT_TRUE(book.next(at(571)).has_value()) << "the one that was checked 30 s ago";
  const auto node = book.on_answer(at(1), id_of(700), record_of(700));
  EXPECT_EQ(node->score, 4);
  EXPECT_EQ(node->first_response, wall(-9'000));
}

TEST(CrawlBook, ALastCheckInTheFutureDelaysNobodyForLonger) {
  Book book{kKey, {}};
  ASSERT_TRUE(book.restore(at(0), {.record = record_of(1),
                                   .score = 1,
                                   .first_response = wall(1),
                                   .last_response = wall(900'000),
                                   .last_check = wall(900'000)}));
  EXPECT_EQ(book.next_due(), at(600).mono);
}

TEST(CrawlBook, ANewerRecordSaysWhereToAskNextAndAnOlderOneDoesNot) {
  Book book{kKey, {.recheck = seconds(1)}};
  ASSERT_EQ(book.tell(at(0), Contact::of(record_of(1, place_of(1), 5))), Told::fresh);
  EXPECT_EQ(book.tell(at(0), Contact::of(record_of(1, place_of(2), 4))), Told::known);
  EXPECT_EQ(book.next(at(0))->at, place_of(1));
  ASSERT_TRUE(book.on_answer(at(0), id_of(1), record_of(1, place_of(1), 5)).has_value());
  EXPECT_EQ(book.tell(at(0), Contact::of(record_of(1, place_of(3), 6))), Told::known);
  EXPECT_EQ(book.next(at(1))->at, place_of(3));
  EXPECT_EQ(book.sites(), 1U);
}

TEST(CrawlBook, ANodeCountsWhereItAnswersFromAndNotWhereItsRecordSays) {
  Book book{kKey, {}};
  ASSERT_EQ(book.tell(at(0), claim(1)), Told::fresh);
  ASSERT_TRUE(book.next(at(0)).has_value());
  const RecordPtr elsewhere = record_of(1, place_of(2), 2);
  EXPECT_FALSE(book.on_answer(at(0), id_of(1), elsewhere).has_value());
  EXPECT_EQ(book.nodes(), 0U);
  EXPECT_EQ(book.claims(), 1U);
  EXPECT_FALSE(book.has_answered(id_of(1)));
  EXPECT_FALSE(book.next(at(29)).has_value())
      << "who names place after place is asked twice a minute";
  const auto contact = book.next(at(30));
  ASSERT_TRUE(contact.has_value());
  EXPECT_EQ(contact->at, place_of(2));
  EXPECT_FALSE(book.is_proven(id_of(1))) << "a knock";
  const auto node = book.on_answer(at(30), id_of(1), elsewhere);
  ASSERT_TRUE(node.has_value());
  EXPECT_EQ(node->score, 1);
  EXPECT_EQ(node->record, elsewhere);
  EXPECT_EQ(book.nodes(), 1U);
}

TEST(CrawlBook, ANodeThatMovesIsAClaimThereWithItsScoreUntilItAnswers) {
  Book book{kKey, {.recheck = seconds(1)}};
  ASSERT_EQ(book.tell(at(0), claim(1)), Told::fresh);
  for (std::int64_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(book.next(at(i)).has_value());
    ASSERT_TRUE(book.on_answer(at(i), id_of(1), record_of(1)).has_value());
  }
  ASSERT_EQ(book.tell(at(4), Contact::of(record_of(1, place_of(2), 2))), Told::known);
  EXPECT_EQ(book.nodes(), 0U);
  EXPECT_EQ(book.claims(), 1U);
  ASSERT_TRUE(book.next(at(4)).has_value());
  EXPECT_EQ(book.on_silence(at(4), id_of(1))->score, 2);
  ASSERT_TRUE(book.next(at(5)).has_value());
  EXPECT_EQ(book.on_answer(at(5), id_of(1), record_of(1, place_of(2), 2))->score, 3);
  EXPECT_EQ(book.nodes(), 1U);
  EXPECT_EQ(book.sites(), 1U);
}

// It would be asked for ever, and the crawl never end.
TEST(CrawlBook, WhoNamesPlaceAfterPlaceIsSilentAfterTwo) {
  Book book{kKey, {}};
  ASSERT_EQ(book.tell(at(0), claim(1)), Told::fresh);
  for (std::uint64_t move = 1; move <= kMaxCrawlMoves; ++move) {
    const auto when = at(30 * static_cast<std::int64_t>(move - 1));
    ASSERT_TRUE(book.next(when).has_value());
    EXPECT_FALSE(book.on_answer(when, id_of(1), record_of(1, place_of(1 + move), 1)).has_value());
    EXPECT_EQ(book.claims(), 1U);
  }
  const auto when = at(30 * std::int64_t{kMaxCrawlMoves});
  ASSERT_TRUE(book.next(when).has_value());
  EXPECT_FALSE(book.on_answer(when, id_of(1), record_of(1, place_of(9), 1)).has_value());
  EXPECT_EQ(book.claims(), 0U);
  EXPECT_EQ(book.tell(when, claim(1)), Told::silent);
}

TEST(CrawlBook, AMoveNeedsRoomAmongTheClaimsToo) {
  Book book{kKey, {.claims = 1}};
  ASSERT_EQ(book.tell(at(0), claim(1)), Told::fresh);
  ASSERT_TRUE(book.next(at(0)).has_value());
  ASSERT_TRUE(book.on_answer(at(0), id_of(1), record_of(1)).has_value());
  ASSERT_EQ(book.tell(at(0), claim(2)), Told::fresh);
  ASSERT_EQ(book.tell(at(0), Contact::of(record_of(1, place_of(3), 2))), Told::known);
  EXPECT_EQ(book.claims(), 1U);
  ASSERT_TRUE(book.next(at(0)).has_value());
  EXPECT_EQ(book.next(at(600))->at, place_of(1));
}

TEST(CrawlBook, AnAnswerWithoutARecordKeepsTheOneThatIsKnownOrIsNone) {
  Book book{kKey, {}};
  ASSERT_EQ(book.tell(at(0), claim(1)), Told::fresh);
  const auto key = testing::key_of(2)->public_key();
  ASSERT_EQ(book.tell(at(0), {id_of(2), place_of(2), nullptr, key}), Told::fresh);
  while (book.next(at(0))) {
  }
  ASSERT_TRUE(book.on_answer(at(0), id_of(1), nullptr).has_value());
  EXPECT_FALSE(book.on_answer(at(0), id_of(2), nullptr).has_value());
  EXPECT_EQ(book.nodes(), 1U);
}

TEST(CrawlBook, PlacesWhereNoNodeCanBeAreNotTaken) {
  Book book{kKey, {}};
  for (const char* const text : {"0.0.0.0:30303", "224.0.0.1:30303", "8.8.8.8:0"}) {
    const Endpoint nowhere = Endpoint::parse(text).value();
    EXPECT_EQ(book.tell(at(0), {id_of(1), nowhere, nullptr, testing::key_of(1)->public_key()}),
              Told::nowhere)
        << text;
  }
}

TEST(CrawlBook, LimitsHoldForClaimsNodesAndTheSilent) {
  Book book{kKey, {.nodes = 3, .claims = 2, .silent = 2}};
  EXPECT_EQ(book.tell(at(0), claim(1)), Told::fresh);
  EXPECT_EQ(book.tell(at(0), claim(2)), Told::fresh);
  EXPECT_EQ(book.tell(at(0), claim(3)), Told::full);
  for (std::uint64_t i = 10; i < 20; ++i) {
    while (const auto contact = book.next(at(0))) (void)book.on_silence(at(0), contact->id);
    EXPECT_EQ(book.tell(at(0), claim(i)), Told::fresh);
  }
  EXPECT_EQ(book.silent(), 2U);
  for (std::uint64_t i = 30; i < 33; ++i) {
    while (const auto contact = book.next(at(0))) (void)book.on_silence(at(0), contact->id);
    ASSERT_EQ(book.tell(at(0), claim(i)), Told::fresh);
    ASSERT_TRUE(book.next(at(0)).has_value());
    ASSERT_TRUE(book.on_answer(at(0), id_of(i), record_of(i)).has_value());
  }
  EXPECT_EQ(book.nodes(), 3U);
  EXPECT_EQ(book.tell(at(0), claim(40)), Told::full);
  EXPECT_FALSE(book.restore(at(0), {.record = record_of(41),
                                    .score = 1,
                                    .first_response = wall(0),
                                    .last_response = wall(0),
                                    .last_check = wall(0)}));
}

TEST(CrawlBook, APostponedNodeComesAgainAndItsClaimStays) {
  Book book{kKey, {}};
  ASSERT_EQ(book.tell(at(0), claim(1)), Told::fresh);
  ASSERT_TRUE(book.next(at(0)).has_value());
  book.postpone(at(0), id_of(1), seconds(30));
  EXPECT_EQ(book.claims(), 1U);
  EXPECT_FALSE(book.next(at(29)).has_value());
  EXPECT_TRUE(book.next(at(30)).has_value());
}

}  // namespace
}  // namespace ethnet::crawl
