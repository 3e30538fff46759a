// Every way to allocate is counted, by the thread that does it.
#include "counting_allocator.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <transport/quic/test_pair.hpp>

namespace ethnet::testing {
namespace {

constexpr std::int64_t kRounding = 64;  // of the C library, for an allocation

// The optimiser may drop an allocation that nobody looks at.
void keep(const void* data) { asm volatile("" : : "r"(data) : "memory"); }

TEST(CountingAllocator, CountsWhatNewHoldsAndThatItIsGone) {
  const AllocationMeter meter;
  {
    const std::vector<char> held(100'000);
    keep(held.data());
    EXPECT_GE(meter.growth(), 100'000);
    EXPECT_LE(meter.growth(), 100'000 + kRounding);
    EXPECT_EQ(meter.allocations(), 1U);
  }
  EXPECT_EQ(meter.growth(), 0);
  EXPECT_GE(meter.peak_growth(), 100'000);
}

TEST(CountingAllocator, CountsTheCLibrarysWays) {
  const AllocationMeter meter;
  void* block = std::malloc(1'000);
  keep(block);
  EXPECT_GE(meter.growth(), 1'000);
  block = std::realloc(block, 50'000);
  keep(block);
  EXPECT_GE(meter.growth(), 50'000);
  EXPECT_LE(meter.growth(), 50'000 + kRounding);
  block = std::realloc(block, 500);
  keep(block);
  EXPECT_LE(meter.growth(), 500 + kRounding);
  std::free(block);
  EXPECT_EQ(meter.growth(), 0);
  block = std::calloc(10, 1'000);
  keep(block);
  EXPECT_GE(meter.growth(), 10'000);
  std::free(block);
  block = std::aligned_alloc(64, 6'400);
  keep(block);
  EXPECT_GE(meter.growth(), 6'400);
  std::free(block);
  EXPECT_EQ(posix_memalign(&block, 64, 6'400), 0);
  keep(block);
  EXPECT_GE(meter.growth(), 6'400);
  std::free(block);
  block = strdup("allocated inside the C library");
  keep(block);
  EXPECT_GE(meter.growth(), 31);
  std::free(block);
  std::free(nullptr);
  EXPECT_EQ(meter.growth(), 0);
  EXPECT_GE(meter.allocations(), 6U);
}

struct alignas(128) Wide {
  std::byte bytes[256];
};

TEST(CountingAllocator, CountsAlignedObjects) {
  const AllocationMeter meter;
  auto wide = std::make_unique<Wide>();
  keep(wide.get());
  EXPECT_GE(meter.growth(), 256);
  wide.reset();
  EXPECT_EQ(meter.growth(), 0);
}

TEST(CountingAllocator, ThePeakIsOfTheMetersOwnTime) {
  const AllocationMeter outer;
  {
    const std::vector<char> big(200'000);
    keep(big.data());
  }
  const AllocationMeter inner;
  {
    const std::vector<char> small(1'000);
    keep(small.data());
  }
  EXPECT_LE(inner.peak_growth(), 1'000 + kRounding);
  EXPECT_GE(outer.peak_growth(), 0);
  {
    const AllocationMeter third;
    EXPECT_EQ(third.peak_growth(), 0);
  }
  EXPECT_LE(inner.peak_growth(), 1'000 + kRounding);
}

TEST(CountingAllocator, AnOuterMeterSeesThePeakThatWasBeforeAnInnerOne) {
  const AllocationMeter outer;
  {
    const std::vector<char> big(200'000);
    keep(big.data());
  }
  {
    const AllocationMeter inner;
  }
  EXPECT_GE(outer.peak_growth(), 200'000);
}

TEST(CountingAllocator, EachThreadHasItsOwn) {
  std::vector<char> from_there;
  std::int64_t there = 0;
  std::thread{[&] {
    const AllocationMeter own;
    from_there = std::vector<char>(100'000);
    there = own.growth();
  }}.join();
  EXPECT_GE(there, 100'000);
  const AllocationMeter meter;
  {
    const std::vector<char> gone = std::move(from_there);
  }
  EXPECT_LE(meter.growth(), -100'000);  // freed here, allocated there
}

// A connection holds ngtcp2's state and a TLS session: both are the work of C libraries.
TEST(CountingAllocator, CountsAConnectionWithItsTlsAndThatItIsGone) {
  quic::testing::Pair pair;
  (void)pair.connect();  // what libraries keep from their first use
  pair.advance(pair.now.mono + seconds(60));
  pair.client->endpoint->handle_deadline(pair.now);
  pair.server->endpoint->handle_deadline(pair.now);
  pair.run(seconds(10));
  pair.client->events.clear();
  pair.server->events.clear();
  ASSERT_EQ(pair.server->endpoint->connection_count(), 0U);

  const AllocationMeter meter;
  const auto conn = pair.connect();
  const auto accounted = static_cast<std::int64_t>(pair.client->endpoint->memory_bytes(conn));
  EXPECT_GT(accounted, 5'000);
  // Both ends. What TLS holds is accounted by estimate, so this also judges the estimate.
  EXPECT_NEAR(static_cast<double>(meter.growth()), static_cast<double>(2 * accounted),
              static_cast<double>(accounted) / 4);
  pair.client->endpoint->close(pair.now, conn, 0, "");
  pair.run(seconds(10));
  pair.client->events.clear();
  pair.server->events.clear();
  ASSERT_EQ(pair.server->endpoint->connection_count(), 0U);
  EXPECT_LT(meter.growth(), 4'096);
}

}  // namespace
}  // namespace ethnet::testing
