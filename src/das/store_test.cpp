#include "store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "testing/test_data.hpp"

namespace ethnet::das {
namespace {

using namespace testing;

Now at(std::int64_t s) { return {Instant{} + seconds(s), {}}; }

// Room for a few chunks of 1,000 bytes: with proof and overhead each takes 1,352 at eight a set.
StoreLimits small(std::size_t chunks, std::size_t pinned_chunks = 0) {
  return {.max_bytes = chunks * 1'352,
          .max_pinned_bytes = pinned_chunks * 1'352,
          .lifetime = seconds(100)};
}

// For every small number of chunks: what is reserved for a data set is enough for it, held whole.
TEST(Store, WhatIsHeldWholeTakesNoMoreThanWasReservedForIt) {
  for (std::uint32_t chunks = 1; chunks <= 40; ++chunks) {
    Store store{small(60, 60)};
    const DataSet data = test_data(chunks, 700);
    ASSERT_TRUE(store.pin(at(0), data.key()));
    const std::size_t reserved = store.bytes();
    ASSERT_TRUE(store.put(at(0), DataSet{data}));
    EXPECT_LE(store.bytes(), reserved) << chunks;
  }
}

TEST(Store, GivesBackChunksWithTheirProofs) {
  Store store{small(10)};
  const DataSet data = test_data(8, 1'000);
  ASSERT_TRUE(store.put(at(0), chunk_of(data, 3)));
  const auto held = store.find(data.key().id, 3);
  ASSERT_TRUE(held);
  EXPECT_TRUE(equal(held->bytes, data.chunk(3)));
  EXPECT_EQ(held->proof, data.proof(3));
  EXPECT_FALSE(store.find(data.key().id, 4));
  EXPECT_FALSE(store.find(data.key().id, 8));
  EXPECT_FALSE(store.find(DataId{}, 3));
  EXPECT_EQ(store.bytes(), 1'352U);
  EXPECT_EQ(store.shape_of(data.key().id), data.shape());
}

TEST(Store, AWholeDataSetGivesAnyChunkAndIsPinned) {
  Store store{small(20, 20)};
  const DataSet data = test_data(8, 1'000);
  ASSERT_TRUE(store.put(at(0), DataSet{data}));
  for (std::uint32_t i = 0; i < 8; ++i) {
    const auto held = store.find(data.key().id, i);
    ASSERT_TRUE(held);
    EXPECT_TRUE(verify_chunk(data.key(), i, to_bytes(held->bytes), held->proof));
  }
  EXPECT_TRUE(store.is_whole(data.key().id));
  EXPECT_TRUE(store.is_pinned(data.key()));
  EXPECT_EQ(store.pinned_bytes(), store.bytes());
}

TEST(Store, WhatWasFilledLongestAgoGoesFirstAndAsAWhole) {
  Store store{small(4)};
  const DataSet a = test_data(8, 1'000, 1);
  const DataSet b = test_data(8, 1'000, 2);
  const DataSet c = test_data(8, 1'000, 3);
  ASSERT_TRUE(store.put(at(0), chunk_of(a, 0)));
  ASSERT_TRUE(store.put(at(0), chunk_of(b, 0)));
  ASSERT_TRUE(store.put(at(0), chunk_of(a, 1)));  // now b is the oldest
  ASSERT_TRUE(store.find(b.key().id, 0));         // which does not help it
  ASSERT_TRUE(store.put(at(0), chunk_of(c, 0)));
  ASSERT_TRUE(store.put(at(0), chunk_of(c, 1)));
  EXPECT_FALSE(store.holds(b.key().id, 0));
  EXPECT_EQ(store.poll_gone(), b.key().id);
  ASSERT_TRUE(store.put(at(0), chunk_of(c, 2)));
  EXPECT_EQ(store.poll_gone(), a.key().id);
  EXPECT_EQ(store.poll_gone(), std::nullopt);
  EXPECT_EQ(store.held_chunks(c.key().id), 3U);
  EXPECT_EQ(store.counters().evicted, 2U);
}

TEST(Store, ADataSetDoesNotMakeRoomForItsOwnChunks) {
  Store store{small(2)};
  const DataSet data = test_data(8, 1'000);
  ASSERT_TRUE(store.put(at(0), chunk_of(data, 0)));
  ASSERT_TRUE(store.put(at(0), chunk_of(data, 1)));
  EXPECT_FALSE(store.put(at(0), chunk_of(data, 2)));
  EXPECT_EQ(store.held_chunks(data.key().id), 2U);
  EXPECT_EQ(store.counters().refused, 1U);
}

TEST(Store, TheOldestIsNotEvictedForAChunkOfItsOwn) {
  Store store{small(2)};
  const DataSet a = test_data(8, 1'000, 1);
  const DataSet b = test_data(8, 1'000, 2);
  ASSERT_TRUE(store.put(at(0), chunk_of(a, 0)));
  ASSERT_TRUE(store.put(at(0), chunk_of(b, 0)));
  ASSERT_TRUE(store.put(at(0), chunk_of(a, 1)));
  EXPECT_EQ(store.held_chunks(a.key().id), 2U);
  EXPECT_EQ(store.poll_gone(), b.key().id);
}

TEST(Store, PinnedDataIsNeverEvictedAndItsShareIsALimit) {
  Store store{small(12, 8)};
  const DataSet own = test_data(8, 1'000, 1);
  const DataSet second = test_data(8, 1'000, 2);
  ASSERT_TRUE(store.pin(at(0), own.key()));
  EXPECT_EQ(store.pinned_bytes(), 8U * 1'352);  // reserved before anything came
  EXPECT_FALSE(store.pin(at(0), second.key()));
  EXPECT_FALSE(store.put(at(0), DataSet{second}));
  for (std::uint64_t seed = 10; seed < 30; ++seed) {
    ASSERT_TRUE(store.put(at(0), chunk_of(test_data(8, 1'000, seed), 0)));
  }
  for (std::uint32_t i = 0; i < 8; ++i) ASSERT_TRUE(store.put(at(0), chunk_of(own, i)));
  EXPECT_TRUE(store.is_whole(own.key().id));
  EXPECT_EQ(store.bytes(), 12U * 1'352);
  EXPECT_EQ(store.counters().evicted, 16U);
}

TEST(Store, WhatIsUnpinnedKeepsWhatCameAndCanBeEvicted) {
  Store store{small(8, 8)};
  const DataSet data = test_data(8, 1'000);
  ASSERT_TRUE(store.pin(at(0), data.key()));
  ASSERT_TRUE(store.put(at(0), chunk_of(data, 2)));
  store.unpin(at(0), data.key());
  EXPECT_EQ(store.pinned_bytes(), 0U);
  EXPECT_EQ(store.bytes(), 1'352U);
  EXPECT_TRUE(store.holds(data.key().id, 2));
  for (std::uint32_t i = 0; i < 8; ++i) {
    ASSERT_TRUE(store.put(at(0), chunk_of(test_data(8, 1'000, 9), i)));
  }
  EXPECT_FALSE(store.holds(data.key().id, 2));
}

TEST(Store, AReservationThatNothingCameForLeavesNothing) {
  Store store{small(8, 8)};
  const DataSet data = test_data(8, 1'000);
  ASSERT_TRUE(store.pin(at(0), data.key()));
  store.unpin(at(0), data.key());
  EXPECT_EQ(store.set_count(), 0U);
  EXPECT_EQ(store.bytes(), 0U);
}

TEST(Store, AReservationForFalseSizesGivesWayToAVerifiedChunk) {
  Store store{small(20, 20)};
  const DataSet data = test_data(8, 1'000);
  const DataKey false_key{data.key().id, split_shape(900, 100).value()};
  ASSERT_TRUE(store.pin(at(0), false_key));
  ASSERT_TRUE(store.put(at(0), chunk_of(data, 3)));
  EXPECT_EQ(store.poll_gone(), data.key().id);
  EXPECT_EQ(store.shape_of(data.key().id), data.shape());
  EXPECT_FALSE(store.is_pinned(data.key()));
  EXPECT_FALSE(store.pin(at(0), false_key));
  EXPECT_EQ(store.bytes(), 1'352U);
}

TEST(Store, EverythingExpiresInVirtualTime) {
  Store store{small(20, 10)};
  const DataSet own = test_data(8, 1'000, 1);
  const DataSet other = test_data(8, 1'000, 2);
  ASSERT_TRUE(store.put(at(0), DataSet{own}));
  ASSERT_TRUE(store.put(at(0), chunk_of(other, 0)));
  ASSERT_TRUE(store.put(at(50), chunk_of(other, 1)));
  EXPECT_EQ(store.next_deadline(), at(100).mono);
  store.expire(at(99));
  EXPECT_EQ(store.set_count(), 2U);
  store.expire(at(100));
  EXPECT_FALSE(store.is_whole(own.key().id));
  EXPECT_TRUE(store.holds(other.key().id, 0));
  EXPECT_EQ(store.next_deadline(), at(150).mono);
  store.expire(at(150));
  EXPECT_EQ(store.set_count(), 0U);
  EXPECT_EQ(store.bytes(), 0U);
  EXPECT_TRUE(store.next_deadline().is_never());
  EXPECT_EQ(store.counters().expired, 2U);
}

TEST(Store, TinyDataSetsAreNoMoreThanItsNumberOfEntries) {
  Store store{StoreLimits{}};
  for (std::uint64_t seed = 0; seed < kMaxStoredSets + 10; ++seed) {
    ASSERT_TRUE(store.put(at(0), chunk_of(test_data(1, 20, seed), 0)));
  }
  EXPECT_EQ(store.set_count(), kMaxStoredSets);
  EXPECT_EQ(store.counters().evicted, 10U);
}

// Whatever is put, pinned and let go in whatever order: no more than the limits, nothing pinned is
// lost before its time, and what is counted is what is there.
RC_GTEST_PROP(StoreProperty, NeverExceedsItsLimitsAndLosesNothingPinned, ()) {
  const auto limits = small(*rc::gen::inRange<std::size_t>(8, 40), 8);
  Store store{limits};
  std::vector<DataSet> sets;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    sets.push_back(test_data(*rc::gen::inRange<std::uint32_t>(1, 9), 700, seed));
  }
  std::map<DataKey, std::set<std::uint32_t>> pinned;
  std::int64_t clock = 0;
  for (int step = 0; step < 120; ++step) {
    const DataSet& data = sets[*rc::gen::inRange<std::size_t>(0, sets.size())];
    const auto index = *rc::gen::inRange<std::uint32_t>(0, data.shape().total_chunks);
    const auto op = *rc::gen::inRange(0, 10);
    if (op < 6) {
      if (store.put(at(clock), chunk_of(data, index)) && store.is_pinned(data.key())) {
        pinned[data.key()].insert(index);
      }
    } else if (op == 6) {
      if (store.pin(at(clock), data.key())) pinned[data.key()];
    } else if (op == 7) {
      store.unpin(at(clock), data.key());
      if (!store.is_pinned(data.key())) pinned.erase(data.key());
    } else if (op == 8) {
      if (store.put(at(clock), DataSet{data})) pinned[data.key()].insert(index);
    } else {
      clock += *rc::gen::inRange(0, 60);
      store.expire(at(clock));
      std::erase_if(pinned, [&](const auto& one) { return !store.is_pinned(one.first); });
    }
    RC_ASSERT(store.bytes() <= limits.max_bytes);
    RC_ASSERT(store.pinned_bytes() <= limits.max_pinned_bytes);
    std::size_t held = 0;
    for (const DataSet& one : sets) held += store.held_chunks(one.key().id) * 700;
    RC_ASSERT(held <= store.bytes());
    for (const auto& [kept, indices] : pinned) {
      for (const std::uint32_t i : indices) RC_ASSERT(store.holds(kept.id, i));
    }
  }
  store.expire(at(clock + 1'000));
  RC_ASSERT(store.bytes() == 0U && store.pinned_bytes() == 0U && store.set_count() == 0U);
}

}  // namespace
}  // namespace ethnet::das
