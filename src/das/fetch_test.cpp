#include "fetch.hpp"

#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace ethnet::das {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const auto kAnyone = [](SourceId) { return true; };

std::map<SourceId, std::vector<std::uint32_t>> ask_all(Fetch& fetch) {
  std::map<SourceId, std::vector<std::uint32_t>> asked;
  while (const auto ask = fetch.next(kAnyone)) asked[ask->source].push_back(ask->index);
  return asked;
}

TEST(Fetch, IsSpreadOverAllSources) {
  Fetch fetch;
  for (SourceId s = 1; s <= 4; ++s) fetch.add_source(s);
  for (const std::uint32_t i : {3U, 11U, 27U, 40U, 52U, 7U, 19U, 61U}) fetch.want(i);
  EXPECT_THAT(ask_all(fetch),
              ElementsAre(Pair(1, ElementsAre(3, 27)), Pair(2, ElementsAre(7, 40)),
                          Pair(3, ElementsAre(11, 52)), Pair(4, ElementsAre(19, 61))));
}

TEST(Fetch, AFailedChunkIsAskedOfEachOtherSourceOnceThenGivenUp) {
  Fetch fetch;
  for (SourceId s = 1; s <= 3; ++s) fetch.add_source(s);
  fetch.want(5);
  std::set<SourceId> asked;
  while (const auto ask = fetch.next(kAnyone)) {
    EXPECT_TRUE(asked.insert(ask->source).second);
    EXPECT_THAT(fetch.take_hopeless(), IsEmpty());
    fetch.failed(5, ask->source);
  }
  EXPECT_EQ(asked.size(), 3U);
  EXPECT_THAT(fetch.take_hopeless(), ElementsAre(5));
  EXPECT_EQ(fetch.open(), 0U);
}

TEST(Fetch, NoMoreSourcesThanTheLimitAreTried) {
  Fetch fetch;
  for (SourceId s = 1; s <= kMaxTries + 5; ++s) fetch.add_source(s);
  fetch.want(5);
  std::size_t tries = 0;
  while (const auto ask = fetch.next(kAnyone)) {
    ++tries;
    fetch.failed(5, ask->source);
  }
  EXPECT_EQ(tries, kMaxTries);
  EXPECT_THAT(fetch.take_hopeless(), ElementsAre(5));
}

TEST(Fetch, ABusySourceIsWaitedForAndNotGivenUp) {
  Fetch fetch;
  fetch.add_source(1);
  fetch.want(5);
  EXPECT_FALSE(fetch.next([](SourceId) { return false; }));
  EXPECT_THAT(fetch.take_hopeless(), IsEmpty());
  EXPECT_EQ(fetch.next(kAnyone), (Ask{5, 1}));
}

TEST(Fetch, WhatALeavingSourceWasAskedForIsAskedOfAnother) {
  Fetch fetch;
  fetch.add_source(1);
  fetch.want(5);
  ASSERT_EQ(fetch.next(kAnyone), (Ask{5, 1}));
  fetch.add_source(2);
  EXPECT_FALSE(fetch.next(kAnyone));  // one at a time
  EXPECT_TRUE(fetch.remove_source(1));
  EXPECT_EQ(fetch.next(kAnyone), (Ask{5, 2}));
  EXPECT_TRUE(fetch.remove_source(2));
  EXPECT_THAT(fetch.take_hopeless(), ElementsAre(5));
}

TEST(Fetch, ALateFailureOfAnEarlierSourceChangesNothing) {
  Fetch fetch;
  fetch.add_source(1);
  fetch.add_source(2);
  fetch.want(5);
  ASSERT_EQ(fetch.next(kAnyone), (Ask{5, 1}));
  fetch.failed(5, 1);
  ASSERT_EQ(fetch.next(kAnyone), (Ask{5, 2}));
  fetch.failed(5, 1);
  EXPECT_TRUE(fetch.is_asked(5));
}

TEST(Fetch, WhatHasComeIsNotAskedAgainAndCanBeWantedAnew) {
  Fetch fetch;
  fetch.add_source(1);
  EXPECT_TRUE(fetch.want(5));
  EXPECT_FALSE(fetch.want(5));
  ASSERT_TRUE(fetch.next(kAnyone));
  EXPECT_EQ(fetch.drop(5), 1U);  // the one that is still asked for it
  EXPECT_EQ(fetch.drop(5), std::nullopt);
  EXPECT_FALSE(fetch.next(kAnyone));
  EXPECT_TRUE(fetch.want(5));
  EXPECT_EQ(fetch.next(kAnyone), (Ask{5, 1}));
}

// Whatever happens in whatever order: no chunk is asked of a source twice, everything is settled in
// the end, and never more than one source is asked for a chunk.
RC_GTEST_PROP(FetchProperty, EveryChunkIsSettledAndNobodyIsAskedTwice, ()) {
  Fetch fetch;
  std::set<std::uint32_t> unsettled;
  std::set<std::pair<std::uint32_t, SourceId>> asked;
  std::map<std::uint32_t, SourceId> under_way;
  for (SourceId s = 0; s < *rc::gen::inRange<SourceId>(0, 6); ++s) fetch.add_source(s);
  for (std::uint32_t i = 0; i < 12; ++i) {
    fetch.want(i);
    unsettled.insert(i);
  }
  for (int step = 0; step < 400 && !unsettled.empty(); ++step) {
    if (const auto ask = fetch.next(kAnyone)) {
      RC_ASSERT(asked.emplace(ask->index, ask->source).second);
      RC_ASSERT(under_way.emplace(ask->index, ask->source).second);
    } else if (!under_way.empty()) {
      const auto [index, source] = *under_way.begin();
      under_way.erase(under_way.begin());
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          fetch.drop(index);
          unsettled.erase(index);
          break;
        case 1:
          fetch.remove_source(source);
          std::erase_if(under_way, [&](const auto& one) { return one.second == source; });
          break;
        default:
          fetch.failed(index, source);
      }
    }
    for (const std::uint32_t index : fetch.take_hopeless()) {
      RC_ASSERT(!under_way.contains(index));
      RC_ASSERT(unsettled.erase(index) == 1);
    }
  }
  RC_ASSERT(unsettled.empty());
  RC_ASSERT(fetch.open() == 0U);
}

}  // namespace
}  // namespace ethnet::das
