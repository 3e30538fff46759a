#include "rotation.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace ethnet::peers {
namespace {

NodeId id_of(std::uint64_t n) {
  NodeId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[31 - i] = static_cast<std::byte>(n >> (8 * i));
  return id;
}

Now at(std::int64_t second) { return {Instant{} + seconds(second), UnixTime{}}; }
Now at(Instant mono) { return {mono, UnixTime{}}; }

TEST(Rotation, OneLeavesEveryThreeToSevenMinutesAndOnlyWhenAllPlacesAreTaken) {
  Rotation rotation{Prng{1}, Instant{}};
  for (std::uint64_t n = 0; n < 50; ++n) rotation.on_opened(at(0), id_of(n), true, false);
  Instant last = at(0).mono;
  std::set<NodeId> left;
  for (int i = 0; i < 20; ++i) {
    const Instant due = rotation.next_deadline();
    EXPECT_GE(due - last, kRotationLeast);
    EXPECT_LE(due - last, kRotationMost);
    EXPECT_EQ(rotation.next(at(due - nanoseconds(1)), Taken::all), std::nullopt);
    const bool full = i % 2 == 0;
    const Taken taken = full ? Taken::all : Taken::some;
    const auto leaves = rotation.next(at(due), taken);
    const bool old_enough = due - at(0).mono >= kRotationMinAge;
    EXPECT_EQ(leaves.has_value(), full && old_enough) << i;
    if (leaves) {
      EXPECT_TRUE(left.insert(*leaves).second);
      rotation.on_closed(*leaves);
      EXPECT_TRUE(rotation.has_to_wait(at(due), *leaves));
      EXPECT_FALSE(rotation.has_to_wait(at(due + kRotationPause), *leaves));
    }
    last = due;
  }
  EXPECT_EQ(rotation.rotated(), left.size());
  EXPECT_GE(left.size(), 8U);
}

TEST(Rotation, TheNamedTheYoungAndTheUsefulStay) {
  Rotation rotation{Prng{2}, Instant{}};
  rotation.on_opened(at(0), id_of(1), true, true);
  rotation.on_opened(at(0), id_of(2), true, false);
  rotation.on_opened(at(0), id_of(3), true, false);
  rotation.on_opened(at(0), id_of(4), true, false);
  rotation.on_useful(at(700), id_of(2));
  rotation.on_opened(at(900), id_of(5), true, false);
  for (int i = 0; i < 2; ++i) {
    const auto leaves = rotation.next(at(1'000 + 420 * i), Taken::all);
    ASSERT_TRUE(leaves);
    EXPECT_TRUE(*leaves == id_of(3) || *leaves == id_of(4));
    rotation.on_closed(*leaves);
  }
  EXPECT_EQ(rotation.next(at(1'480), Taken::all), std::nullopt);  // nobody is left who may go
}

// Whoever was useful once and then never again is like the others after half an hour.
TEST(Rotation, UseIsForgotten) {
  Rotation rotation{Prng{3}, Instant{}};
  rotation.on_opened(at(0), id_of(1), true, false);
  rotation.on_opened(at(0), id_of(2), true, true);
  rotation.on_useful(at(10), id_of(1));
  EXPECT_EQ(rotation.next(at(1'000), Taken::all), std::nullopt);
  EXPECT_EQ(rotation.next(at(1'000 + kUsefulFor.ns / seconds(1).ns), Taken::all), id_of(1));
}

TEST(Rotation, WhereOnlyTheInboundPlacesAreTakenOneOfThoseLeaves) {
  Rotation rotation{Prng{5}, Instant{}};
  rotation.on_opened(at(0), id_of(1), false, false);
  EXPECT_EQ(rotation.next(at(1'000), Taken::inbound), std::nullopt);
  EXPECT_EQ(rotation.nobody_to_leave(), 1U);
  rotation.on_opened(at(0), id_of(2), true, false);
  EXPECT_EQ(rotation.next(at(2'000), Taken::inbound), id_of(2));
}

// Half of the places at most are protected by use, so that a crowd of useful ones does not close
// the door either.
TEST(Rotation, UseProtectsHalfOfThePlacesAtMost) {
  Rotation rotation{Prng{4}, Instant{}};
  for (std::uint64_t n = 0; n < 10; ++n) {
    rotation.on_opened(at(0), id_of(n), true, false);
    for (std::uint64_t use = 0; use <= n; ++use) rotation.on_useful(at(1'000), id_of(n));
  }
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto leaves = rotation.next(at(1'200 + 420 * i), Taken::all);
    ASSERT_TRUE(leaves) << i;
    EXPECT_LT(leaves->bytes[31], std::byte{5}) << i;
    rotation.on_closed(*leaves);
    rotation.on_opened(at(1'200), id_of(100 + static_cast<std::uint64_t>(i)), true, true);
    for (std::uint64_t n = 5; n < 10; ++n) rotation.on_useful(at(1'200 + 420 * i), id_of(n));
  }
  EXPECT_EQ(rotation.next(at(1'200 + 420 * 5), Taken::all), std::nullopt);
}

// Forty that say nothing on fifty places, ten that are useful, and a newcomer that asks every 30 s;
// who was sent away asks as often.
TEST(Rotation, atk_35_ANewcomerGetsAPlaceInTime) {
  std::vector<Duration> waits;
  std::size_t useful_lost = 0;
  constexpr std::uint64_t kRuns = 200;
  for (std::uint64_t run = 0; run < kRuns; ++run) {
    Rotation rotation{Prng{run}, Instant{}};
    std::set<NodeId> inside;
    for (std::uint64_t n = 0; n < 50; ++n) {
      rotation.on_opened(at(0), id_of(n), true, false);
      inside.insert(id_of(n));
    }
    Prng dice{1'000 + run};
    const NodeId newcomer = id_of(1'000);
    constexpr std::int64_t kComes = 3'600;
    std::int64_t now = 0;
    for (; now < 4 * 3'600 && !inside.contains(newcomer); now += 30) {
      for (std::uint64_t n = 40; n < 50; ++n) {
        if (dice.below(10) == 0) rotation.on_useful(at(now), id_of(n));  // one in five minutes
      }
      if (rotation.next_deadline() <= at(now).mono) {
        if (const auto leaves =
                rotation.next(at(now), inside.size() == 50 ? Taken::inbound : Taken::some)) {
          rotation.on_closed(*leaves);
          inside.erase(*leaves);
          if (id_of(40) <= *leaves) ++useful_lost;
        }
      }
      // All who are outside ask for the place, the attackers first.
      for (std::uint64_t n = 0; n < 40 && inside.size() < 50; ++n) {
        if (inside.contains(id_of(n)) || rotation.has_to_wait(at(now), id_of(n))) continue;
        inside.insert(id_of(n));
        rotation.on_opened(at(now), id_of(n), true, false);
      }
      if (now >= kComes && inside.size() < 50) inside.insert(newcomer);
    }
    waits.push_back(seconds(now - kComes));
  }
  std::ranges::sort(waits);
  EXPECT_LE(waits[kRuns / 2], seconds(600));
  EXPECT_LT(useful_lost * 100, kRuns * 10);  // of ten useful ones in each run less than 1 %
}

TEST(Rotation, WhomTheOperatorNamesLaterStaysUntilHeTakesItBack) {
  Rotation rotation{Prng{3}, Instant{}};
  rotation.on_opened(at(0), id_of(1), true, false);
  rotation.set_named(id_of(1), true);
  EXPECT_EQ(rotation.next(at(2'000), Taken::all), std::nullopt);
  rotation.set_named(id_of(1), false);
  EXPECT_EQ(rotation.next(at(4'000), Taken::all), id_of(1));
  rotation.set_named(id_of(2), true);  // nobody's
  EXPECT_EQ(rotation.held(), 1U);
}

}  // namespace
}  // namespace ethnet::peers
