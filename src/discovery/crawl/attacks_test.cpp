// What nodes that are crawled may try (docs/THREATS.md).
#include <memory>

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

// Signed as it should be, and reached at its UDP port; but its "tcp" has three bytes.
std::shared_ptr<const VerifiedEnr> enr_with_wide_port(std::uint64_t number, std::uint64_t seq = 1) {
  EnrBuilder builder{seq, enr_of(number, place_of(number))->record()};
  builder.uint("tcp", 65'536);
  return std::make_shared<const VerifiedEnr>(builder.sign(*key_of(number)).value());
}
Contact wide_contact_of(std::uint64_t number, std::uint64_t seq = 1) {
  return Contact::of(
      kbucket::NodeRecord::of(enr_with_wide_port(number, seq), kbucket::RecordPort::udp));
}

TEST_F(CrawlAttacks, atk_25_ANodeWhosePortIsNoneIsAskedForNothingThoughOthersTellOfIt) {
  for (const Protocol protocol : {Protocol::v4, Protocol::v5}) {
    reset();
    add_host(1, protocol);
    add_host(2, protocol, enr_with_wide_port(2));
    start_crawl({.protocol = protocol});
    crawler().begin(now_, std::vector{Contact::of(record_of(1))});
    crawler().add(now_, wide_contact_of(2));
    ASSERT_TRUE(run_to_end(seconds(60)));
    EXPECT_EQ(checked_.size(), 1U);
    EXPECT_TRUE(checked_.contains(id_of(1)));
    EXPECT_FALSE(crawler_sent_.contains(place_of(2)));
    EXPECT_EQ(crawler().counters().odd_ports, 1U);
  }
}

TEST_F(CrawlAttacks, atk_25_ARecordWithAPortThatIsNoneIsNoAnswer) {
  for (const Protocol protocol : {Protocol::v4, Protocol::v5}) {
    reset();
    add_host(1, protocol);
    // Others know it by an older record, which is sound.
    add_host(2, protocol, enr_with_wide_port(2, 2));
    start_crawl({.protocol = protocol, .ends = false});
    crawler().begin(now_, std::vector{Contact::of(record_of(1)), Contact::of(record_of(2))});
    run(seconds(20));
    EXPECT_EQ(checked_.size(), 1U);
    EXPECT_FALSE(checked_.contains(id_of(2))) << "no row, and so nothing that is exported";
    EXPECT_EQ(crawler().book().nodes(), 1U);
    EXPECT_GE(crawler().counters().odd_ports, 1U);
  }
}

TEST_F(CrawlAttacks, atk_25_WhoTurnsToUsWithAPortThatIsNoneIsNotTakenIn) {
  add_host(2, Protocol::v5, enr_with_wide_port(2));
  start_crawl({.protocol = Protocol::v5, .ends = false});
  crawler().begin(now_, {});
  introduce(2);
  run(seconds(20), [&] { return crawler().counters().odd_ports > 0; });
  EXPECT_GE(crawler().counters().odd_ports, 1U);
  EXPECT_EQ(crawler().book().claims() + crawler().book().nodes(), 0U);
}

TEST_F(CrawlAttacks, atk_25_ANodeThatAnsweredBeforeLosesItsScoreAndKeepsItsSoundRecord) {
  add_host(2, Protocol::v5, enr_with_wide_port(2, 2));
  start_crawl({.protocol = Protocol::v5, .ends = false});
  Node known{.record = record_of(2),
             .score = 4,
             .first_response = UnixTime::from_seconds(1'600'000'000),
             .last_response = UnixTime::from_seconds(1'600'000'000),
             .last_check = UnixTime::from_seconds(1'600'000'000)};
  ASSERT_TRUE(crawler().restore(now_, known));
  crawler().begin(now_, {});
  ASSERT_TRUE(run(seconds(60), [&] { return checked_.contains(id_of(2)); }));
  EXPECT_FALSE(checked_.at(id_of(2)).answered);
  EXPECT_EQ(checked_.at(id_of(2)).node.score, 2);
  EXPECT_EQ(checked_.at(id_of(2)).node.record->seq(), 1U);
  // A file of an earlier version may have such a row.
  known.record = wide_contact_of(3).record;
  EXPECT_FALSE(crawler().restore(now_, known));
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
  EXPECT_EQ(book.hear(now_, contact(3'000)), Told::fresh);
  EXPECT_EQ(book.next(now_), std::nullopt) << "and not at once again";
  EXPECT_EQ(book.next_due(), now_.mono + kMovePause);
  EXPECT_EQ(book.hear(now_, contact(4'000)), Told::fresh);
}

TEST_F(CrawlAttacks, atk_26_ALieAboutWhereANodeIsDoesNotHideIt) {
  const auto at = [&](std::int64_t s) { return Now{now_.mono + seconds(s), now_.wall}; };
  const auto unsigned_lie = [](const Endpoint& where) {
    return Contact{id_of(1), where, nullptr, key_of(1)->public_key()};
  };
  const auto is_silent = [&](Book& book, Now when, const Contact& contact) {
    ASSERT_EQ(book.tell(when, contact), Told::fresh);
    ASSERT_TRUE(book.next(when).has_value());
    EXPECT_FALSE(book.on_silence(when, id_of(1)).has_value());
    EXPECT_EQ(book.tell(when, contact), Told::silent) << "there it need not be asked again";
  };
  {
    Book book{{.k0 = 1, .k1 = 2}, {}};
    is_silent(book, at(0), unsigned_lie(place_of(66)));
    EXPECT_EQ(book.tell(at(1), unsigned_lie(place_of(1))), Told::fresh) << "where it is";
    EXPECT_EQ(book.next_due(), at(30).mono);
    ASSERT_TRUE(book.next(at(30)).has_value());
    EXPECT_TRUE(book.on_answer(at(30), id_of(1), record_of(1)).has_value());
    EXPECT_EQ(book.silent(), 0U);
  }
  {
    Book book{{.k0 = 1, .k1 = 2}, {}};
    is_silent(book, at(0), Contact::of(record_of(1, place_of(66), 3)));
    EXPECT_EQ(book.tell(at(1), Contact::of(record_of(1, place_of(66), 2))), Told::silent);
    EXPECT_EQ(book.tell(at(1), Contact::of(record_of(1, place_of(66), 4))), Told::fresh);
    ASSERT_TRUE(book.next(at(30)).has_value());
  }
  Book book{{.k0 = 1, .k1 = 2}, {}};
  is_silent(book, at(0), Contact::of(record_of(1)));
  EXPECT_EQ(book.hear(at(1), Contact::of(record_of(1))), Told::fresh) << "it is there by now";
  EXPECT_TRUE(book.is_proven(id_of(1)));
}

// Made-up places have a node asked twice a minute, not as often as they are told.
TEST_F(CrawlAttacks, atk_26_LiesAboutWhereANodeIsAreNotPassedOnAsQuestions) {
  Book book{{.k0 = 1, .k1 = 2}, {}};
  std::size_t asked = 0;
  for (std::uint64_t s = 0; s < 600; ++s) {
    const Now when{now_.mono + seconds(static_cast<std::int64_t>(s)), now_.wall};
    for (std::uint64_t i = 0; i < 5; ++i) {
      const Endpoint where = place_of(1'000 + 5 * s + i);
      (void)book.tell(when, {id_of(1), where, nullptr, key_of(1)->public_key()});
      while (const auto next = book.next(when)) {
        ++asked;
        (void)book.on_silence(when, next->id);
      }
    }
  }
  EXPECT_EQ(asked, 20U);
}

TEST_F(CrawlAttacks, atk_26_AFewPlacesToldInTurnAreEachAskedOnceInTheirTime) {
  Book book{{.k0 = 1, .k1 = 2}, {}};
  std::size_t asked = 0;
  for (std::uint64_t s = 0; s < 1'000; ++s) {
    const Now when{now_.mono + seconds(static_cast<std::int64_t>(s)), now_.wall};
    const Endpoint where = place_of(10 + s % kMaxCrawlPlaces);
    (void)book.tell(when, {id_of(2), where, nullptr, key_of(2)->public_key()});
    while (const auto next = book.next(when)) {
      ++asked;
      (void)book.on_silence(when, next->id);
    }
  }
  EXPECT_EQ(asked, 2 * kMaxCrawlPlaces);
  EXPECT_EQ(book.silent(), 1U);
  EXPECT_EQ(book.claims(), 0U);
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

// A /64 of its own for each name, of which its owner has 65,536.
TEST_F(CrawlAttacks, atk_33_AHostWithAnIpv6NetworkHasAHundredthOfTheBookAndOthersTheRest) {
  Book book{{.k0 = 1, .k1 = 2}, {.per_net = 50}};
  const auto contact = [&](std::uint64_t i) {
    ByteArray<16> bytes{std::byte{0x2a}, {}, {}, {}, std::byte{3}, std::byte{4}};
    bytes[6] = static_cast<std::byte>(i >> 8);
    bytes[7] = static_cast<std::byte>(i);
    bytes[15] = std::byte{1};
    return Contact::of(record_of(i, {IpAddress::v6(bytes), 30'303}));
  };
  std::size_t claims = 0;
  for (std::uint64_t i = 0; i < 2 * kMaxCrawlClaimsPerNet; ++i) {
    if (book.tell(now_, contact(i)) == Told::fresh) ++claims;
  }
  EXPECT_EQ(claims, 50U) << "of places in all there are fewer";
  EXPECT_EQ(book.tell(now_, Contact::of(record_of(2'000))), Told::fresh);
  Book wide{{.k0 = 1, .k1 = 2}, {}};
  claims = 0;
  for (std::uint64_t i = 0; i < 2 * kMaxCrawlClaimsPerNet; ++i) {
    if (wide.tell(now_, contact(i)) == Told::fresh) ++claims;
  }
  EXPECT_EQ(claims, kMaxCrawlClaimsPerNet);
  // Who is heard from there has a place besides, and those who answer make room.
  EXPECT_EQ(wide.hear(now_, contact(500)), Told::fresh);
  while (const auto next = wide.next(now_)) {
    ASSERT_TRUE(wide.on_answer(now_, next->id, next->record).has_value());
  }
  EXPECT_EQ(wide.tell(now_, contact(600)), Told::fresh);
  EXPECT_EQ(wide.nodes(), kMaxCrawlClaimsPerNet + 1);
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
