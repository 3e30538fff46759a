#include "event_log.hpp"

#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace ethnet::observe {
namespace {

constexpr UnixTime kTime{1'700'000'000'000'000'000};

Hash32 hash_of(std::uint64_t number) {
  Hash32 out;
  for (std::size_t i = 0; i < 8; ++i) out.bytes[i] = static_cast<std::byte>(number >> (8 * i));
  return out;
}

node::HeadMoved head(std::uint64_t number) { return {.hash = hash_of(number), .number = number}; }

node::Reorganised reorg(std::uint64_t removed, std::uint64_t added) {
  node::Reorganised out;
  for (std::uint64_t i = 0; i < removed; ++i) out.removed.push_back(hash_of(i));
  for (std::uint64_t i = 0; i < added; ++i) out.added.push_back(hash_of(1'000'000 + i));
  out.height = added;
  out.cause = "test";
  return out;
}

std::uint64_t number_of(const LoggedEventPtr& event) {
  return std::get<node::HeadMoved>(event->event).number;
}

TEST(EventLog, EventsComeInOrderUnderTheirCursors) {
  EventLog log;
  EXPECT_EQ(log.newest(), 0U);
  EXPECT_EQ(log.after(0).event, nullptr);
  for (std::uint64_t i = 1; i <= 3; ++i) log.append(kTime, head(i));
  std::uint64_t cursor = 0;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    const auto next = log.after(cursor);
    ASSERT_NE(next.event, nullptr);
    EXPECT_EQ(next.missed, 0U);
    EXPECT_EQ(next.event->cursor, i);
    EXPECT_EQ(next.event->time, kTime);
    EXPECT_EQ(number_of(next.event), i);
    cursor = next.event->cursor;
  }
  EXPECT_EQ(log.after(cursor).event, nullptr);
  EXPECT_EQ(log.newest(), 3U);
}

TEST(EventLog, WhatIsNoEventForObserversHasNoCursor) {
  EventLog log;
  log.append(kTime, node::SyncMoved{.imported = 1, .target = 2, .done = false});
  log.append(kTime, node::ResolveWanted{});
  log.append(kTime, node::Fatal{.what = "disk"});
  log.append(kTime, node::DataPublished{});
  log.append(kTime, node::DataFetched{});
  node::DataSampled sampled;
  log.append(kTime, sampled);
  EXPECT_EQ(log.newest(), 0U);
  sampled.done = true;
  log.append(kTime, sampled);
  log.append(kTime, node::SessionUp{});
  log.append(kTime, node::SessionDown{});
  log.append(kTime, node::ForkSeen{});
  EXPECT_EQ(log.newest(), 4U);
}

TEST(EventLog, AReaderThatIsTooLateIsToldHowManyItMissed) {
  EventLog log;
  for (std::uint64_t i = 1; i <= kMaxLoggedEvents + 10; ++i) {
    log.append(kTime, head(i));
    ASSERT_EQ(log.newest(), i);
  }
  EXPECT_EQ(log.size(), kMaxLoggedEvents);
  const auto next = log.after(3);
  ASSERT_NE(next.event, nullptr);
  EXPECT_EQ(next.event->cursor, 11U);
  EXPECT_EQ(next.missed, 7U) << "4 to 10";
}

TEST(EventLog, ACursorOfAnotherRunIsNoReasonToGiveWhatIsOlder) {
  EventLog log;
  log.append(kTime, head(1));
  EXPECT_EQ(log.after(1000).event, nullptr);
}

TEST(EventLog, BytesAreBoundedTooAndTheNewestIsKept) {
  EventLog log;
  node::SessionDown down{.peer = {}, .reason = std::string(1024 * 1024, 'x'), .by_peer = true};
  for (int i = 0; i < 40; ++i) log.append(kTime, down);
  EXPECT_EQ(log.newest(), 40U);
  EXPECT_LE(log.bytes(), kMaxLoggedBytes);
  EXPECT_LT(log.size(), 17U);
  EXPECT_GT(log.size(), 10U);
  down.reason.assign(2 * kMaxLoggedBytes, 'x');
  log.append(kTime, down);
  EXPECT_EQ(log.newest(), 41U);
  EXPECT_EQ(log.size(), 1U);
}

TEST(EventLog, AReorganisationIsWholeInPartsOfABoundedSize) {
  EventLog log;
  log.append(kTime, reorg(kMaxBlocksInEvent + 5, kMaxBlocksInEvent + 7));
  std::vector<Hash32> removed;
  std::vector<Hash32> added;
  std::uint64_t cursor = 0;
  while (const LoggedEventPtr event = log.after(cursor).event) {
    const auto& part = std::get<node::Reorganised>(event->event);
    EXPECT_LE(part.removed.size() + part.added.size(), kMaxBlocksInEvent);
    EXPECT_EQ(event->parts, 3U);
    EXPECT_EQ(event->part, cursor);
    EXPECT_EQ(event->reorg, 1U);
    EXPECT_EQ(event->removed, kMaxBlocksInEvent + 5);
    EXPECT_EQ(event->added, kMaxBlocksInEvent + 7);
    EXPECT_EQ(part.height, kMaxBlocksInEvent + 7);
    removed.insert(removed.end(), part.removed.begin(), part.removed.end());
    added.insert(added.end(), part.added.begin(), part.added.end());
    cursor = event->cursor;
  }
  const node::Reorganised whole = reorg(kMaxBlocksInEvent + 5, kMaxBlocksInEvent + 7);
  EXPECT_EQ(removed, whole.removed);
  EXPECT_EQ(added, whole.added);
}

TEST(EventLog, ReorganisationsAreKeptThoughPeersComeAndGo) {
  EventLog log;
  log.append(kTime, reorg(1, 2));
  log.append(kTime, reorg(kMaxBlocksInEvent, 3));
  for (std::size_t i = 0; i < kMaxLoggedEvents + 1; ++i) {
    log.append(kTime, node::SessionUp{});
    ASSERT_EQ(log.newest(), i + 4);
  }
  const auto got = log.reorgs(10, SIZE_MAX);
  EXPECT_EQ(got.total, 2U);
  ASSERT_EQ(got.newest_first.size(), 3U);
  EXPECT_EQ(got.newest_first[0]->reorg, 2U);
  EXPECT_EQ(got.newest_first[0]->part, 0U);
  EXPECT_EQ(got.newest_first[1]->part, 1U);
  EXPECT_EQ(got.newest_first[2]->reorg, 1U);
}

TEST(EventLog, ReorganisationsAreGivenWholeUpToANumberAndASize) {
  EventLog log;
  for (std::uint64_t i = 1; i <= 5; ++i) log.append(kTime, reorg(1000, i));
  EXPECT_EQ(log.reorgs(2, SIZE_MAX).newest_first.size(), 2U);
  EXPECT_EQ(log.reorgs(5, 70'000).newest_first.size(), 2U) << "of 32 kB each";
  EXPECT_EQ(log.reorgs(5, 1).newest_first.size(), 1U) << "the first in any case";
  EXPECT_TRUE(log.reorgs(0, SIZE_MAX).newest_first.empty());
}

TEST(EventLog, OfAReorganisationThatLostAPartNothingIsGiven) {
  EventLog log;
  const std::uint64_t most = kMaxLoggedReorgBytes / sizeof(Hash32);
  log.append(kTime, reorg(most, most / 2));
  EXPECT_TRUE(log.reorgs(5, SIZE_MAX).newest_first.empty());
  EXPECT_EQ(log.reorgs(5, SIZE_MAX).total, 1U);
  log.append(kTime, reorg(1, 1));
  EXPECT_EQ(log.reorgs(5, SIZE_MAX).newest_first.size(), 1U);
}

TEST(EventLog, BeyondWhatMayBeUnreadTheNewestIsLostAndAGapIsSeen) {
  EventLog log;
  for (std::uint64_t i = 1; i <= kMaxUnreadEvents + 5; ++i) log.append(kTime, head(i));
  EXPECT_EQ(log.newest(), kMaxUnreadEvents);
  log.append(kTime, head(0));
  const auto next = log.after(kMaxUnreadEvents);
  ASSERT_NE(next.event, nullptr);
  EXPECT_EQ(next.missed, 5U);
  EXPECT_EQ(next.event->cursor, kMaxUnreadEvents + 6);
}

TEST(EventLog, WhoWaitsMissesNothingThatIsAppendedMeanwhile) {
  EventLog log;
  constexpr std::uint64_t kEvents = 3000;
  std::uint64_t seen = 0;
  std::thread reader{[&] {
    while (seen < kEvents) {
      const std::uint64_t version = log.version();
      while (const LoggedEventPtr event = log.after(seen).event) seen = event->cursor;
      if (seen < kEvents) log.wait(version);
    }
  }};
  for (std::uint64_t i = 1; i <= kEvents; ++i) log.append(kTime, head(i));
  reader.join();
  EXPECT_EQ(seen, kEvents);
}

TEST(EventLog, AReaderGoesOnWhereItWasUnlessThatWasInARunBefore) {
  EventLog log;
  EXPECT_EQ(log.resumed(7), 0U);
  for (std::uint64_t i = 1; i <= 3; ++i) log.append(kTime, head(i));
  EXPECT_EQ(log.resumed(0), 0U);
  EXPECT_EQ(log.resumed(2), 2U);
  EXPECT_EQ(log.resumed(3), 3U);
  EXPECT_EQ(log.resumed(4), 0U);
}

TEST(EventLog, WhoIsWokenReturns) {
  EventLog log;
  const std::uint64_t version = log.version();
  std::thread sleeper{[&] { log.wait(version); }};
  log.wake();
  sleeper.join();
  EXPECT_NE(log.version(), version);
  EXPECT_EQ(log.newest(), 0U);
}

}  // namespace
}  // namespace ethnet::observe
