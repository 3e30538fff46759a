#include "dial_scheduler.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace ethnet::peers {
namespace {

NodeId id_of(std::uint64_t n) {
  NodeId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[31 - i] = static_cast<std::byte>(n >> (8 * i));
  return id;
}

// Each in a net of its own.
Candidate candidate(std::uint64_t n) {
  const IpAddress ip = IpAddress::v4(
      {std::byte{44}, static_cast<std::byte>(n >> 8), static_cast<std::byte>(n), std::byte{1}});
  return {id_of(n), {ip, 9000}};
}
Candidate candidate_at(std::uint64_t n, std::string_view ip) {
  return {id_of(n), {IpAddress::parse(ip).value(), static_cast<std::uint16_t>(9000 + n)}};
}

class Dialling : public ::testing::Test {
 protected:
  explicit Dialling(std::size_t places = 16) : scheduler{places, Prng{7}} {}

  std::optional<Candidate> next() {
    return scheduler.next(now, [](const NodeId&) { return false; });
  }
  // Begins all that may be begun, and returns whom.
  std::vector<NodeId> dial_all() {
    std::vector<NodeId> out;
    while (const auto found = next()) {
      out.push_back(found->id);
      scheduler.on_dialing(*found, ++dials);
    }
    return out;
  }
  void pass(Duration time) { now.mono = now.mono + time; }

  DialScheduler scheduler;
  Now now{Instant{} + seconds(1'000), UnixTime{}};
  std::uint64_t dials = 0;
};

class DiallingForMany : public Dialling {
 protected:
  DiallingForMany() : Dialling{1'000} {}
};

TEST_F(Dialling, NoMoreThanThereArePlaces) {
  for (std::uint64_t n = 0; n < 30; ++n) scheduler.add(Source::table, candidate(n));
  for (std::uint64_t n = 30; n < 60; ++n) scheduler.add(Source::lookups, candidate(n));
  EXPECT_EQ(dial_all().size(), 16U);
  EXPECT_FALSE(scheduler.wants_candidates());
  EXPECT_TRUE(scheduler.on_failed(now, 1));
  EXPECT_EQ(dial_all().size(), 1U);
  EXPECT_FALSE(scheduler.on_failed(now, 1));  // it is over
}

// Table poisoned, lookups scarce: the rich source does not fill the places while the other lasts.
TEST_F(DiallingForMany, NoSourceHasMoreThanHalfWhileAnotherHasSome) {
  for (std::uint64_t n = 0; n < kMaxCandidates; ++n) scheduler.add(Source::table, candidate(n));
  for (std::uint64_t n = 100; n < 105; ++n) scheduler.add(Source::lookups, candidate(n));
  const auto begun = dial_all();
  const auto& by_source = scheduler.counters().dials;
  EXPECT_EQ(by_source[static_cast<std::size_t>(Source::lookups)], 5U);
  EXPECT_LE(by_source[static_cast<std::size_t>(Source::table)], 6U);
  EXPECT_EQ(begun.size(), dials);
}

TEST_F(DiallingForMany, OneSourceAloneGoesOnSlowly) {
  for (std::uint64_t n = 0; n < 10; ++n) scheduler.add(Source::table, candidate(n));
  EXPECT_EQ(dial_all().size(), 1U);
  for (int i = 0; i < 5; ++i) {
    const Instant due = scheduler.next_deadline();
    ASSERT_EQ(due - now.mono, kLonelyPause);
    now.mono = due;
    EXPECT_EQ(dial_all().size(), 1U);
  }
}

TEST_F(Dialling, OfOneNetAtMostTwo) {
  for (std::uint64_t n = 0; n < 10; ++n) {
    scheduler.add(n % 2 == 0 ? Source::table : Source::lookups, candidate_at(n, "44.1.2.3"));
  }
  std::size_t begun = 0;
  for (int i = 0; i < 20; ++i) {
    begun += dial_all().size();
    pass(kLonelyPause);
  }
  EXPECT_EQ(begun, kMaxDialledPerNet);
  EXPECT_EQ(scheduler.counters().crowded, 10 - kMaxDialledPerNet);
  // A place is free again when one has gone.
  EXPECT_TRUE(scheduler.on_failed(now, 1));
  scheduler.add(Source::table, candidate_at(20, "44.1.2.99"));
  pass(kLonelyPause);
  EXPECT_EQ(dial_all().size(), 1U);
}

TEST_F(Dialling, OfOneMachineOrHouseAsManyAsThereAre) {
  for (std::uint64_t n = 0; n < 6; ++n) {
    scheduler.add(Source::table, candidate_at(n, "127.0.0.1"));
    scheduler.add(Source::lookups, candidate_at(10 + n, "192.168.0.7"));
  }
  EXPECT_EQ(dial_all().size(), 12U);
}

TEST_F(Dialling, WhoFailsWaitsEverLonger) {
  for (std::size_t failures = 0; failures < 6; ++failures) {
    scheduler.add(Source::table, candidate(1));
    ASSERT_EQ(dial_all().size(), 1U);
    EXPECT_TRUE(scheduler.on_failed(now, dials));
    const Duration wait = kBackoffs.at(std::min(failures, kBackoffs.size() - 1));
    scheduler.add(Source::table, candidate(1));
    pass(wait - seconds(1));
    EXPECT_TRUE(dial_all().empty()) << failures;
    pass(wait / 4 + seconds(2));
  }
}

TEST_F(Dialling, ASessionThatLastedBringsNoBackoff) {
  scheduler.add(Source::table, candidate(1));
  ASSERT_EQ(dial_all().size(), 1U);
  scheduler.on_opened(now, id_of(1), false);
  EXPECT_EQ(scheduler.connected(), 1U);
  EXPECT_EQ(scheduler.longest_connected(4), std::vector{candidate(1)});
  pass(kLastedLong);
  scheduler.on_closed(now, id_of(1));
  pass(kRedialAfter + kRedialAfter / 4);
  scheduler.add(Source::table, candidate(1));
  EXPECT_EQ(dial_all().size(), 1U);
}

TEST_F(Dialling, WhoIsConnectedBannedOrDialledIsPassedOver) {
  for (std::uint64_t n = 0; n < 4; ++n) scheduler.add(Source::table, candidate(n));
  scheduler.add(Source::lookups, candidate(0));
  const auto excluded = [](const NodeId& id) { return id != id_of(0); };
  const auto first = scheduler.next(now, excluded);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->id, id_of(0));
  scheduler.on_dialing(*first, 1);
  pass(kLonelyPause);
  EXPECT_EQ(scheduler.next(now, excluded), std::nullopt);
}

TEST_F(Dialling, KeepsABoundedCrowdAndTheNewestAddress) {
  for (std::uint64_t n = 0; n < 10 * kMaxCandidates; ++n) {
    scheduler.add(Source::lookups, candidate(n));
    ASSERT_LE(scheduler.waiting(Source::lookups), kMaxCandidates);
  }
  EXPECT_EQ(scheduler.counters().dropped, 9 * kMaxCandidates);
  scheduler.add(Source::anchors, candidate_at(1, "44.1.1.1"));
  scheduler.add(Source::anchors, candidate_at(1, "44.1.1.2"));
  EXPECT_EQ(scheduler.waiting(Source::anchors), 1U);
  EXPECT_EQ(next()->endpoint.ip, IpAddress::parse("44.1.1.2").value());
}

TEST_F(Dialling, RemembersABoundedCrowdOfThoseWhoWait) {
  for (std::uint64_t n = 0; n < 3 * kMaxBackoffs; ++n) {
    scheduler.add(n % 2 == 0 ? Source::table : Source::lookups, candidate(n));
    for (const NodeId& id : dial_all()) {
      (void)id;
      ASSERT_TRUE(scheduler.on_failed(now, dials));
    }
    ASSERT_LE(scheduler.backoffs(), kMaxBackoffs);
  }
  EXPECT_EQ(scheduler.backoffs(), kMaxBackoffs);
}

// Two hosts with 100,000 identities fill both of our sources; ten honest nodes are in them too.
TEST_F(Dialling, atk_32_TwoHostsDoNotFillOurPlaces) {
  Prng dice{5};
  std::uint64_t attackers = 0;
  for (int round = 0; round < 2'000; ++round) {
    for (int i = 0; i < 50; ++i) {
      const Source source = dice.below(2) == 0 ? Source::table : Source::lookups;
      const std::uint64_t n = 1'000 + attackers++;
      scheduler.add(source, candidate_at(n, n % 2 == 0 ? "44.200.0.1" : "44.201.0.1"));
    }
    if (round % 10 == 0) {
      const std::uint64_t honest = dice.below(20);
      scheduler.add(Source::lookups, candidate(honest));
    }
    for (const NodeId& id : dial_all()) scheduler.on_opened(now, id, false);
    pass(seconds(1));
  }
  ASSERT_EQ(attackers, 100'000U);
  std::size_t hostile = 0;
  for (const Candidate& peer : scheduler.longest_connected(100)) {
    const ByteView ip = peer.endpoint.ip.bytes();
    if (ip[0] == std::byte{44} && ip[1] >= std::byte{200}) ++hostile;
  }
  EXPECT_LE(hostile, 2 * kMaxDialledPerNet);
  EXPECT_GE(scheduler.connected() - hostile, 8U);  // half of the places
}

TEST_F(Dialling, atk_32_OneHostWithAnIpv6NetworkHasTwoOfOurPlaces) {
  for (std::uint64_t n = 1; n <= 2'000; ++n) {
    ByteArray<16> bytes{std::byte{0x2a}, {}, {}, {}, std::byte{3}, std::byte{4}};
    bytes[6] = static_cast<std::byte>(n >> 8);
    bytes[7] = static_cast<std::byte>(n);
    bytes[15] = std::byte{1};
    scheduler.add(Source::table, {id_of(n), {IpAddress::v6(bytes), 9'000}});
    for (const NodeId& id : dial_all()) scheduler.on_opened(now, id, false);
    pass(seconds(1));
  }
  EXPECT_EQ(scheduler.connected(), kMaxDialledPerNet);
  EXPECT_GT(scheduler.counters().crowded, 1'000U);
}

}  // namespace
}  // namespace ethnet::peers
