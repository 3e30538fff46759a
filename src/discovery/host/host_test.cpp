// Hosts on a virtual wire where every datagram takes 20 ms: which protocol a datagram is of, what
// both share, and what the address of others' agreement does to our record.
#include "host.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <discovery/v4/testing/packets.hpp>
#include <gtest/gtest.h>

#include "testing/hosts.hpp"

namespace ethnet::discovery {
namespace {

using testing::at;
using testing::Hosts;
using testing::key_of;
using testing::kLan;
using testing::Options;
using testing::Station;

TEST_F(Hosts, BothProtocolsAreSpokenOnOneSocket) {
  Station& one = add(1);
  Station& two = add(2);
  one.host.v4()->bootstrap(now_, std::vector{two.v4_node()});
  (void)one.host.v5()->add_boot_node(now_, two.node());
  ASSERT_NE(one.host.v5()->ping(now_, two.node()), 0U);
  ASSERT_NE(one.host.v4()->ping(now_, two.v4_node()), 0U);
  run(seconds(3));
  ASSERT_NE((one.told<discv5::Event, discv5::PongReceived>()), nullptr);
  ASSERT_NE((one.told<discv4::Event, discv4::PingDone>()), nullptr);
  EXPECT_TRUE((one.told<discv4::Event, discv4::PingDone>())->answered);
  EXPECT_EQ((one.told<discv5::Event, discv5::PongReceived>())->we_are_seen_at, at(1));
  EXPECT_EQ(two.host.counters().no_protocol, 0U);
  EXPECT_EQ(one.host.table().size(), 1U) << "one table";
  EXPECT_EQ(two.host.table().size(), 1U);
}

TEST_F(Hosts, ANodeWithoutOneOfThemCountsWhatItCannotRead) {
  Station& both = add(1);
  Station& old = add(2, {.v5 = false});
  ASSERT_NE(both.host.v5()->ping(now_, old.node()), 0U);
  ASSERT_NE(both.host.v4()->ping(now_, old.v4_node()), 0U);
  run(seconds(3));
  EXPECT_EQ((both.told<discv5::Event, discv5::PongReceived>()), nullptr);
  ASSERT_NE((both.told<discv5::Event, discv5::CallFailed>()), nullptr);
  ASSERT_NE((both.told<discv4::Event, discv4::PingDone>()), nullptr);
  EXPECT_TRUE((both.told<discv4::Event, discv4::PingDone>())->answered);
  EXPECT_GT(old.host.counters().no_protocol, 0U);
}

// Votes of both protocols are of one ballot: it takes ten networks that we turned to.
TEST_F(Hosts, OurRecordSaysWhereTenOthersSeeUsAndChangesOnce) {
  Station& us = add(1, {.has_address = false});
  std::vector<Station*> others;
  for (std::uint64_t i = 2; i <= 13; ++i) others.push_back(&add(i));
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (i % 2 == 0) {
      ASSERT_NE(us.host.v4()->ping(now_, others[i]->v4_node()), 0U);
    } else {
      ASSERT_NE(us.host.v5()->ping(now_, others[i]->node()), 0U);
    }
    if (i == 7) {
      run(seconds(2));
      EXPECT_EQ(us.records_changed(), 0U) << "eight are no quorum";
    }
  }
  run(seconds(2));
  EXPECT_EQ(us.records_changed(), 1U);
  EXPECT_EQ(us.host.local_record()->record().seq(), 2U);
  EXPECT_EQ(us.host.local_record()->record().endpoint_v4("udp"), at(1));
  EXPECT_EQ(us.host.v5()->local_record().record().seq(), 2U);
}

// Behind a NAT, whose address we know: a neighbour tells us what everybody else cannot reach.
TEST_F(Hosts, ANeighboursWordDoesNotTakeOurPublicAddressOutOfTheRecord) {
  const Endpoint outside = at(9);
  Station& of_v5 = add(kLan + 1, {.v4 = false, .named = outside});
  Station& of_v4 = add(kLan + 2, {.v5 = false, .named = outside});
  Station& neighbour = add(kLan + 3);
  ASSERT_NE(of_v5.host.v5()->ping(now_, neighbour.node()), 0U);
  ASSERT_NE(of_v4.host.v4()->ping(now_, neighbour.v4_node()), 0U);
  run(seconds(2));
  for (Station* us : {&of_v5, &of_v4}) {
    EXPECT_EQ(us->host.counters().addresses_narrower, 1U) << "it was told";
    EXPECT_EQ(us->records_changed(), 0U);
    EXPECT_EQ(us->host.local_record()->record().endpoint_v4("udp"), outside);
  }
}

// What it says counts as soon as there is nothing wider to name.
TEST_F(Hosts, ANeighboursWordThatWasIgnoredIsTakenOnceOurPublicAddressIsGone) {
  Station& of_v5 = add(kLan + 1, {.v4 = false, .named = at(9)});
  Station& of_v4 = add(kLan + 2, {.v5 = false, .named = at(9)});
  Station& neighbour = add(kLan + 3);
  const auto ask = [&] {
    ASSERT_NE(of_v5.host.v5()->ping(now_, neighbour.node()), 0U);
    ASSERT_NE(of_v4.host.v4()->ping(now_, neighbour.v4_node()), 0U);
    run(seconds(2));
  };
  ask();
  for (Station* us : {&of_v5, &of_v4}) {
    EXPECT_GE(us->host.counters().addresses_narrower, 1U);
    EnrBuilder nameless{2};
    us->host.set_local_record(
        std::make_shared<const VerifiedEnr>(nameless.sign(*key_of(us->number)).value()));
  }
  ask();
  for (Station* us : {&of_v5, &of_v4}) {
    EXPECT_EQ(us->host.local_record()->record().endpoint_v4("udp"), at(us->number));
  }
}

// --nat extip: twelve networks see us elsewhere, and then nobody comes there.
TEST_F(Hosts, TheOperatorsWordIsWorthMoreThanThatOfAnyNumber) {
  Station& us = add(1, {.v4 = false, .named = at(99), .fixed = at(99).ip});
  std::vector<Station*> others;
  for (std::uint64_t i = 2; i <= 13; ++i) others.push_back(&add(i, {.v4 = false}));
  for (Station* other : others) ASSERT_NE(us.host.v5()->ping(now_, other->node()), 0U);
  run(seconds(2));
  EXPECT_EQ(us.host.counters().addresses_overruled, 1U);
  std::vector<kbucket::OwnAddress> told;
  for (const Event& event : us.events) {
    if (const auto* const it = std::get_if<SeenByPeers>(&event)) told.push_back(it->at);
  }
  EXPECT_EQ(told, (std::vector{kbucket::OwnAddress{kbucket::Scope::wan, at(1)}}));
  unplug();
  run(seconds(400));
  EXPECT_EQ(us.records_changed(), 0U);
  EXPECT_EQ(us.host.local_record()->record().endpoint_v4("udp"), at(99));
}

// They see us where the operator says: that is told, for whoever asks what peers say, and nothing
// is overruled by it; nor is the port's being another nothing.
TEST_F(Hosts, PeersThatAgreeWithTheOperatorAreNotOverruled) {
  Station& us = add(1, {.v4 = false, .named = at(1), .fixed = at(1).ip});
  Station& other_port = add(2, {.v4 = false, .named = at(2, 30'304), .fixed = at(2).ip});
  std::vector<Station*> others;
  for (std::uint64_t i = 3; i <= 14; ++i) others.push_back(&add(i, {.v4 = false}));
  for (Station* asking : {&us, &other_port}) {
    for (Station* other : others) ASSERT_NE(asking->host.v5()->ping(now_, other->node()), 0U);
  }
  run(seconds(2));
  const auto told = [](const Station& station) {
    return std::ranges::any_of(station.events, [&](const Event& event) {
      const auto* const it = std::get_if<SeenByPeers>(&event);
      return it != nullptr && it->at.endpoint == at(station.number);
    });
  };
  EXPECT_TRUE(told(us));
  EXPECT_EQ(us.host.counters().addresses_overruled, 0U);
  EXPECT_TRUE(told(other_port));
  EXPECT_GE(other_port.host.counters().addresses_overruled, 1U);
}

TEST_F(Hosts, ANeighboursWordIsEnoughWhereWeHaveNoPublicAddress) {
  Station& nameless = add(kLan + 1, {.has_address = false});
  Station& moved = add(kLan + 2, {.named = at(kLan + 99)});
  Station& neighbour = add(kLan + 3);
  for (Station* us : {&nameless, &moved}) {
    ASSERT_NE(us->host.v5()->ping(now_, neighbour.node()), 0U);
    run(seconds(2));
    EXPECT_EQ(us->host.local_record()->record().endpoint_v4("udp"), at(us->number));
  }
}

TEST_F(Hosts, AToolTellsNobodyWhereItIsSeenForItIsGoneSoon) {
  Station& tool = add(1, {.has_address = false, .keeps_table = false});
  std::vector<Station*> others;
  for (std::uint64_t i = 2; i <= 13; ++i) others.push_back(&add(i));
  for (Station* other : others) ASSERT_NE(tool.host.v5()->ping(now_, other->node()), 0U);
  run(seconds(2));
  EXPECT_EQ(tool.records_changed(), 0U);
  EXPECT_EQ(tool.host.local_record()->record().ip(), std::nullopt);
  for (Station* other : others) {
    EXPECT_EQ(other->host.table().find_any(tool.node()->id()), nullptr);
  }
}

// By one protocol alone, or by both: what others agree on.
TEST_F(Hosts, atk_37_AnAddressToWhichNobodyComesIsNamedNoMore) {
  Station& of_v4 = add(1, {.v5 = false, .has_address = false});
  Station& of_v5 = add(2, {.v4 = false, .has_address = false});
  Station& of_both = add(3, {.has_address = false});
  std::vector<Station*> others;
  for (std::uint64_t i = 4; i <= 15; ++i) others.push_back(&add(i));
  for (Station* other : others) {
    ASSERT_NE(of_v4.host.v4()->ping(now_, other->v4_node()), 0U);
    ASSERT_NE(of_v5.host.v5()->ping(now_, other->node()), 0U);
    ASSERT_NE(of_both.host.v4()->ping(now_, other->v4_node()), 0U);
  }
  run(seconds(2));
  for (const Station* us : {&of_v4, &of_v5, &of_both}) EXPECT_EQ(us->records_changed(), 1U);
  unplug();
  run(kbucket::kArrivalWithin + seconds(60));
  for (const Station* us : {&of_v4, &of_v5, &of_both}) {
    EXPECT_EQ(us->records_changed(), 2U) << us->number;
    EXPECT_EQ(us->host.local_record()->record().ip(), std::nullopt) << us->number;
    EXPECT_EQ(us->host.local_record()->record().seq(), 3U) << us->number;
  }
}

// What a server or a gateway said, which nobody's vote has to do with.
TEST_F(Hosts, atk_37_AnAddressThatSomebodyElseNamedIsGivenUpUnlessSomebodyComes) {
  for (const bool v4 : {false, true}) {
    const std::uint64_t first = v4 ? 50 : 20;
    const testing::Options options{.v4 = v4, .v5 = !v4};
    Station& visited = add(first, options);
    Station& lonely = add(first + 1, options);
    Station& visitor = add(first + 2, options);
    for (Station* us : {&visited, &lonely}) us->host.expect_arrivals(now_, at(us->number));
    run(seconds(30));
    if (v4) {
      ASSERT_NE(visitor.host.v4()->ping(now_, visited.v4_node()), 0U);
    } else {
      ASSERT_NE(visitor.host.v5()->ping(now_, visited.node()), 0U);
    }
    run(kbucket::kArrivalWithin + seconds(10));
    EXPECT_EQ(visited.host.local_record()->record().endpoint_v4("udp"), at(visited.number)) << v4;
    EXPECT_EQ(lonely.host.local_record()->record().ip(), std::nullopt) << v4;
    EXPECT_EQ(lonely.records_changed(), 1U) << v4;
  }
}

TEST_F(Hosts, AnAddressThatWasGivenUpIsTriedAgainAfterSixHours) {
  Station& us = add(1, {.v5 = false});
  us.host.expect_arrivals(now_, at(1));
  run(kbucket::kArrivalWithin + seconds(10));
  EXPECT_EQ(us.host.local_record()->record().ip(), std::nullopt);
  run(kbucket::kTryAgainAfter);
  EXPECT_EQ(us.host.local_record()->record().endpoint_v4("udp"), at(1));
  run(kbucket::kArrivalWithin);
  EXPECT_EQ(us.host.local_record()->record().ip(), std::nullopt) << "and given up again";
  EXPECT_EQ(us.records_changed(), 3U);
}

TEST_F(Hosts, atk_22_AnAddressWithoutBudgetReachesNeitherEngine) {
  Station& us = add(1);
  const Bytes noise(100, std::byte{7});
  for (int i = 0; i < 10'000; ++i) say(us, at(9), noise);
  const auto read = us.host.v5()->counters().datagrams;
  EXPECT_LE(read, static_cast<std::uint64_t>(filter::kAddressRate.burst));
  EXPECT_EQ(us.host.counters().filtered, 10'000 - read);
  Station& honest = add(2);
  ASSERT_NE(honest.host.v5()->ping(now_, us.node()), 0U);
  run(seconds(2));
  EXPECT_NE((honest.told<discv5::Event, discv5::PongReceived>()), nullptr) << "others are served";
}

}  // namespace
}  // namespace ethnet::discovery
