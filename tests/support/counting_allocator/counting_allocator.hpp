// Counts every allocation of a test binary, by thread: malloc and new alike, and so what GnuTLS,
// nettle, ngtcp2 and OpenSSL hold. For tests whose subject is memory, beside what the code
// accounts.
//
// How to use it: name tests_counting_allocator among the DEPS of an ethnet_test (never of a library
// or of a program that is installed), then
//   const AllocationMeter meter;
//   ... what must not grow ...
//   EXPECT_LE(meter.growth(), 1 << 20);     // held now and not before
//   EXPECT_LE(meter.peak_growth(), ...);    // the most that was held meanwhile
//   EXPECT_EQ(meter.allocations(), 0U);     // how many were made
// Everything that the thread allocates counts, the test's own vectors too: reserve them before.
//
// With a sanitizer its hooks count, and sizes are as they were asked for; without one the binary's
// malloc stands before the C library's, and sizes are as that rounds them. Memory that one thread
// frees for another is taken off the one that frees, so growth may be negative. Meters nest; they
// live on one thread and end in reverse order of their beginning.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ethnet::testing {

struct AllocationCounts {
  std::int64_t live_bytes = 0;  // allocated less freed, by this thread
  std::int64_t peak_bytes = 0;  // the most that live_bytes has been
  std::uint64_t allocations = 0;
};
// Of the calling thread since it began.
[[nodiscard]] AllocationCounts thread_allocations();

class AllocationMeter {
 public:
  AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  AllocationMeter& operator=(const AllocationMeter&) = delete;
  ~AllocationMeter();

  [[nodiscard]] std::int64_t growth() const;
  [[nodiscard]] std::int64_t peak_growth() const;
  [[nodiscard]] std::uint64_t allocations() const;

 private:
  AllocationCounts before_;
};

}  // namespace ethnet::testing
