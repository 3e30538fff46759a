// What nodes that are crawled may try (docs/THREATS.md).
#include <gtest/gtest.h>

#include "crawler.hpp"
#include "testing/crawl_rig.hpp"

namespace ethnet::crawl::testing {
namespace {

using CrawlAttacks = CrawlNet;

TEST_F(CrawlAttacks, atk_38_RecordsThatNameAVictimHaveItKnockedAtTwiceAMinuteAtMost) {
  start_crawl({.protocol = Protocol::v5, .ends = false});
  const Endpoint victim = place_of(77);
  crawler().begin(now_, {});
  for (std::uint64_t i = 1'000; i < 1'090; ++i) {
    crawler().add(now_, Contact::of(record_of(i, {victim.ip, static_cast<std::uint16_t>(i)})));
  }
  run(seconds(59));
  std::size_t sent = 0;
  for (const auto& [at, count] : crawler_sent_) sent += at.ip == victim.ip ? count : 0;
  // A question is sent twice where nothing comes back.
  EXPECT_EQ(sent, 2 * kbucket::kMaxProbesPerAddress);
  EXPECT_EQ(crawler().book().claims(), kMaxCrawlClaimsPerSite - 2) << "two were silent";
  EXPECT_EQ(crawler().counters().told_crowded, 90 - kMaxCrawlClaimsPerSite);
  EXPECT_GE(crawler().counters().knocks_put_off, kMaxCrawlClaimsPerSite - 2);
}

TEST_F(CrawlAttacks, atk_33_WhatALiarTellsOfASiteLeavesItsPlacesToThoseWhoAnswer) {
  Book book{{.k0 = 1, .k1 = 2}, {}};
  const IpAddress site = place_of(5).ip;
  const auto contact = [&](std::uint64_t i) {
    return Contact::of(record_of(i, {site, static_cast<std::uint16_t>(i)}));
  };
  for (std::uint64_t i = 1'000; i < 1'200; ++i) {
    const bool fits = i < 1'000 + kMaxCrawlClaimsPerSite;
    ASSERT_EQ(book.tell(now_, contact(i)), fits ? Told::fresh : Told::crowded) << i;
  }
  // Those who answer make room for others, up to the places of the site.
  for (std::uint64_t i = 2'000; i < 2'200; ++i) {
    while (const auto next = book.next(now_)) {
      if (next->id == id_of(1'000)) {
        book.postpone(now_, next->id, seconds(3'600));
      } else {
        ASSERT_TRUE(book.on_answer(now_, next->id, next->record).has_value());
      }
    }
    (void)book.tell(now_, contact(i));
  }
  EXPECT_EQ(book.nodes(), kMaxCrawlPerSite - 1) << "the one that is silent has a place";
  EXPECT_EQ(book.claims(), 1U);
}

TEST_F(CrawlAttacks, atk_33_InventedNamesAtAnAddressDoNotKeepOutWhoIsHeardFromThere) {
  Book book{{.k0 = 1, .k1 = 2}, {}};
  const IpAddress site = place_of(5).ip;
  const auto contact = [&](std::uint64_t i) {
    return Contact::of(record_of(i, {site, static_cast<std::uint16_t>(i)}));
  };
  for (std::uint64_t i = 1'000; i < 1'000 + kMaxCrawlClaimsPerSite; ++i) {
    ASSERT_EQ(book.tell(now_, contact(i)), Told::fresh);
    ASSERT_TRUE(book.next(now_).has_value());
    book.postpone(now_, id_of(i), seconds(3'600));
  }
  ASSERT_EQ(book.tell(now_, contact(2'000)), Told::crowded);
  // One that was told of is a claim no more when it is heard, and leaves its place to another.
  ASSERT_EQ(book.hear(now_, contact(1'000)), Told::known);
  EXPECT_TRUE(book.is_proven(id_of(1'000)));
  EXPECT_EQ(book.tell(now_, contact(2'500)), Told::fresh);
  EXPECT_EQ(book.tell(now_, contact(2'501)), Told::crowded);
  // Names of its own do not get a host more than the places of its site.
  std::size_t taken = 1;
  for (std::uint64_t i = 3'000; i < 3'200; ++i) {
    if (book.hear(now_, contact(i)) == Told::fresh) ++taken;
  }
  EXPECT_EQ(taken, kMaxCrawlPerSite);
  EXPECT_EQ(book.claims(), kMaxCrawlPerSite + kMaxCrawlClaimsPerSite);
  while (const auto next = book.next(now_)) (void)book.on_silence(now_, next->id);
  EXPECT_EQ(book.hear(now_, contact(3'000)), Told::silent) << "and not at once again";
  EXPECT_EQ(book.hear(now_, contact(4'000)), Told::fresh);
}

TEST_F(CrawlAttacks, atk_33_WhoIsHeardAndThenToldToHaveMovedTakesNoPlacesBesides) {
  Book book{{.k0 = 1, .k1 = 2}, {}};
  const IpAddress site = place_of(5).ip;
  constexpr std::uint64_t kAll = kMaxCrawlPerSite + kMaxCrawlClaimsPerSite;
  for (std::uint64_t i = 0; i < kMaxCrawlPerSite; ++i) {
    ASSERT_EQ(book.hear(now_, Contact::of(record_of(i, {site, 1'000}))), Told::fresh);
  }
  for (std::uint64_t i = 0; i < kMaxCrawlPerSite; ++i) {
    ASSERT_EQ(book.tell(now_, Contact::of(record_of(i, {site, 1'001}, 2))), Told::known);
    ASSERT_FALSE(book.is_proven(id_of(i))) << "nobody knows whether it is there";
  }
  for (std::uint64_t i = kMaxCrawlPerSite; i < 2 * kMaxCrawlPerSite; ++i) {
    ASSERT_EQ(book.hear(now_, Contact::of(record_of(i, {site, 1'000}))),
              i < kAll ? Told::fresh : Told::crowded)
        << i;
  }
  // Nor does who has a place elsewhere get one here.
  const RecordPtr moved = record_of(500, {site, 1'000}, 2);
  ASSERT_EQ(book.hear(now_, Contact::of(record_of(500))), Told::fresh);
  EXPECT_EQ(book.hear(now_, Contact::of(moved)), Told::known);
  EXPECT_TRUE(book.is_proven(id_of(500))) << "it is where it was";
  EXPECT_EQ(book.claims(), kAll + 1);
}

TEST_F(CrawlAttacks, atk_33_AHonestNewcomerIsFoundThoughItsAddressIsFullOfInventedNames) {
  add_host(1, Protocol::v5);
  start_crawl({.protocol = Protocol::v5, .ends = false});
  crawler().begin(now_, {});
  const Endpoint home = place_of(1);
  std::uint64_t invented = 1'000;
  const auto invent = [&] {
    for (std::size_t i = 0; i < 2 * kMaxCrawlClaimsPerSite; ++i, ++invented) {
      const Endpoint at{home.ip, static_cast<std::uint16_t>(invented)};
      crawler().add(now_, Contact::of(record_of(invented, at)));
    }
  };
  invent();
  introduce(1);
  const auto is_found = [&] { return checked_.contains(id_of(1)); };
  // None of them was silent for long enough to leave its place.
  for (int i = 0; i < 40 && !run(milliseconds(10), is_found); ++i) invent();
  EXPECT_TRUE(is_found());
  EXPECT_EQ(crawler().book().claims(), kMaxCrawlClaimsPerSite);
}

TEST_F(CrawlAttacks, atk_33_AHostWithAllTheNamesItWantsHasAHundredPlacesAndOthersTheRest) {
  Book book{{.k0 = 1, .k1 = 2}, {}};
  const IpAddress host = place_of(5).ip;
  std::size_t taken = 0;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    const RecordPtr record = record_of(i, {host, static_cast<std::uint16_t>(1'000 + i)});
    if (book.tell(now_, Contact::of(record)) != Told::fresh) continue;
    ASSERT_TRUE(book.next(now_).has_value());
    if (book.on_answer(now_, id_of(i), record)) ++taken;
  }
  EXPECT_EQ(taken, kMaxCrawlPerSite);
  EXPECT_EQ(book.tell(now_, Contact::of(record_of(2'000))), Told::fresh);
}

TEST_F(CrawlAttacks, atk_33_RecordsThatMoveDoNotGetAroundThePlacesOfASite) {
  Book book{{.k0 = 1, .k1 = 2}, {.per_site = 3}};
  const IpAddress site = place_of(5).ip;
  for (std::uint64_t i = 100; i < 110; ++i) {
    const bool has_record = i != 109;
    ASSERT_EQ(book.tell(now_, {id_of(i), place_of(i), has_record ? record_of(i) : nullptr,
                               key_of(i)->public_key()}),
              Told::fresh);
    ASSERT_TRUE(book.next(now_).has_value());
    const RecordPtr there = record_of(i, {site, static_cast<std::uint16_t>(i)}, 2);
    const auto node = book.on_answer(now_, id_of(i), there);
    if (i < 103) {
      EXPECT_FALSE(node.has_value()) << "it is asked there, and counts when it answers";
    } else if (has_record) {
      ASSERT_TRUE(node.has_value()) << "there is no room: it is where it answered";
      EXPECT_EQ(node->record->endpoint(), place_of(i));
    } else {
      EXPECT_FALSE(node.has_value()) << "and nothing says that it is where it answered";
      EXPECT_FALSE(book.contains(id_of(i)));
    }
  }
  EXPECT_EQ(book.claims(), 3U);
  EXPECT_EQ(book.nodes(), 6U);
  EXPECT_EQ(book.sites(), 7U);
  ASSERT_EQ(book.tell(now_, Contact::of(record_of(105, {site, 105}, 3))), Told::known);
  EXPECT_EQ(book.claims(), 3U) << "nor by what others tell";
  const Node older{.record = record_of(500, {site, 500}),
                   .score = 1,
                   .first_response = now_.wall,
                   .last_response = now_.wall,
                   .last_check = now_.wall};
  EXPECT_FALSE(book.restore(now_, older)) << "nor by rows of an earlier run";
}

TEST_F(CrawlAttacks, atk_26_ClaimsWithoutEndStayWithinTheirBoundAndGiveNoRow) {
  Book book{{.k0 = 1, .k1 = 2}, {.claims = 20, .silent = 30}};
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    (void)book.tell(now_, Contact::of(record_of(i)));
    if (i % 7 == 0) {
      while (const auto contact = book.next(now_)) (void)book.on_silence(now_, contact->id);
    }
    ASSERT_LE(book.claims(), 20U);
    ASSERT_LE(book.silent(), 30U);
    ASSERT_LE(book.sites(), 20U);
  }
  EXPECT_EQ(book.nodes(), 0U) << "a row has who answered";
}

TEST_F(CrawlAttacks, atk_26_NamesThatNobodyBearsDoNotKeepACrawlGoing) {
  add_hosts(3, Protocol::v5);
  start_crawl({.protocol = Protocol::v5});
  crawler().begin(now_, std::vector{Contact::of(record_of(1))});
  std::uint64_t fake = 10'000;
  for (int i = 0; i < 200 && !ended_; ++i) {
    const Endpoint victim{place_of(77).ip, static_cast<std::uint16_t>(fake)};
    crawler().add(now_, Contact::of(record_of(fake, i % 2 == 0 ? victim : place_of(fake))));
    ++fake;
    run(seconds(1));
  }
  EXPECT_EQ(ended_, CrawlEnd::everybody_was_asked);
  EXPECT_EQ(checked_.size(), 3U);
}

TEST_F(CrawlAttacks, atk_38_ANodeThatAnsweredDoesNotPointUsAtAVictimUnlimited) {
  Book book{{.k0 = 1, .k1 = 2}, {}};
  ASSERT_EQ(book.tell(now_, Contact::of(record_of(1))), Told::fresh);
  ASSERT_TRUE(book.next(now_).has_value());
  ASSERT_TRUE(book.on_answer(now_, id_of(1), record_of(1)).has_value());
  EXPECT_TRUE(book.is_proven(id_of(1)));
  ASSERT_EQ(book.tell(now_, Contact::of(record_of(1, place_of(77), 2))), Told::known);
  EXPECT_FALSE(book.is_proven(id_of(1))) << "it was never seen there: a knock";
}

TEST_F(CrawlAttacks, atk_38_ANodeOutThereDoesNotSendUsToOurLan) {
  Book book{{.k0 = 1, .k1 = 2}, {}};
  ASSERT_EQ(book.tell(now_, {id_of(1), place_of(1), nullptr, key_of(1)->public_key()}),
            Told::fresh);
  ASSERT_TRUE(book.next(now_).has_value());
  const Endpoint lan = Endpoint::parse("192.168.1.1:53").value();
  EXPECT_FALSE(book.on_answer(now_, id_of(1), record_of(1, lan)).has_value());
  EXPECT_EQ(book.nodes(), 0U);
  const Now later{now_.mono + seconds(3'600), now_.wall + seconds(3'600)};
  EXPECT_FALSE(book.next(later).has_value()) << "it is not asked there either";
}

}  // namespace
}  // namespace ethnet::crawl::testing
