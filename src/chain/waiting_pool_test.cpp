#include "waiting_pool.hpp"

#include <gtest/gtest.h>

namespace ethnet::chain {
namespace {

WaitingHeader header_of(std::uint8_t source, std::uint64_t n, std::size_t bytes = 600) {
  WaitingHeader header;
  header.input.header = Bytes(bytes);
  store_be(MutByteView{header.hash.bytes}.first(8), n);
  header.hash.bytes.back() = std::byte{source};
  header.source.peer.bytes.front() = std::byte{source};
  header.timestamp = n;
  return header;
}

std::size_t count_of(const WaitingPool& pool, std::uint8_t source) {
  WaitingPool copy = pool;
  std::size_t count = 0;
  for (const WaitingHeader& header : copy.take_due(UINT64_MAX)) {
    if (header.source.peer.bytes.front() == std::byte{source}) ++count;
  }
  return count;
}

TEST(WaitingPool, ASourceHasItsShareAndNoMore) {
  WaitingPool pool;
  for (std::uint64_t n = 0; n < kMaxWaitingPerSource; ++n) EXPECT_TRUE(pool.add(header_of(1, n)));
  EXPECT_FALSE(pool.add(header_of(1, 1'000)));
  EXPECT_EQ(pool.dropped(), 1U);
  EXPECT_TRUE(pool.add(header_of(1, 5))) << "it waits already";
  EXPECT_EQ(pool.size(), kMaxWaitingPerSource);
}

// Eight sources fill the pool; whoever comes later gets as much as they are left with.
TEST(WaitingPool, AFullPoolIsSharedFairly) {
  WaitingPool pool;
  constexpr std::uint8_t kFloods = kMaxWaiting / kMaxWaitingPerSource;
  for (std::uint64_t n = 0; n < kMaxWaitingPerSource; ++n) {
    for (std::uint8_t source = 1; source <= kFloods; ++source) {
      ASSERT_TRUE(pool.add(header_of(source, n)));
    }
  }
  ASSERT_EQ(pool.size(), kMaxWaiting);
  constexpr std::size_t kFair = kMaxWaiting / (kFloods + 1);
  for (std::uint64_t n = 0; n < kMaxWaitingPerSource; ++n) {
    EXPECT_TRUE(pool.add(header_of(99, n)));
    for (std::uint8_t source = 1; source <= kFloods; ++source) {
      (void)pool.add(header_of(source, 10'000 + n));
    }
    ASSERT_LE(pool.size(), kMaxWaiting);
  }
  for (const std::uint8_t source : {std::uint8_t{1}, kFloods, std::uint8_t{99}}) {
    EXPECT_GE(count_of(pool, source) + 1, kFair) << int{source};
    EXPECT_LE(count_of(pool, source), kFair + 2) << int{source};
  }
}

TEST(WaitingPool, BytesAreSharedToo) {
  WaitingPool pool;
  for (std::uint64_t n = 0; n < 100; ++n) (void)pool.add(header_of(2, n, 100));
  for (std::uint64_t n = 0; n < kMaxWaitingPerSource; ++n) {
    for (std::uint8_t source = 10; source < 16; ++source)
      (void)pool.add(header_of(source, n, 2048));
    ASSERT_LE(pool.bytes(), kMaxWaitingBytes);
  }
  EXPECT_EQ(count_of(pool, 2), 100U);
}

}  // namespace
}  // namespace ethnet::chain
