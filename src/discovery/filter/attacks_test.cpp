// Attacks on the port of discovery that the filter stops (docs/THREATS.md), at a scale that ASan
// affords; at that of the attack with ETHNET_FULL_ATTACKS=1.
#include <cstdlib>

#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <tests/support/counting_allocator/counting_allocator.hpp>

#include "filter.hpp"

namespace ethnet::filter {
namespace {

using ethnet::testing::AllocationMeter;

class TestRng final : public SecureRng {
 public:
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next());
  }

 private:
  Prng prng_{7};
};

std::uint64_t count(std::uint64_t share, std::uint64_t full) {
  return std::getenv("ETHNET_FULL_ATTACKS") != nullptr ? full : share;
}

Now at(std::uint64_t microseconds_in) {
  const Duration since = microseconds(static_cast<std::int64_t>(microseconds_in));
  return {Instant{0} + since, UnixTime::from_seconds(1'700'000'000) + since};
}
Endpoint address(std::uint64_t number) {
  ByteArray<4> bytes{std::byte{8}};
  store_be<std::uint32_t>(bytes, 0x08000000U + static_cast<std::uint32_t>(number));
  return {IpAddress::v4(bytes), 30303};
}

// 200,000 packets a second from one address, beside 100 honest ones that ping once a second.
TEST(FilterAttacks, atk_22_AFloodFromOneAddressIsCappedAndOtherAddressesStayServed) {
  TestRng rng;
  Filter filter{rng};
  const std::uint64_t packets = count(400'000, 12'000'000);
  const std::uint64_t run_us = packets * 5;
  std::uint64_t flood_passed = 0;
  std::uint64_t honest = 0;
  std::uint64_t served = 0;
  for (std::uint64_t i = 0; i < packets; ++i) {
    const Now now = at(i * 5);
    const bool passed = filter.allow(now, address(0));
    flood_passed += passed && filter.allow_curve_work(now, Trust::discv4_stranger) ? 1U : 0U;
    if (i % 2'000 != 0) continue;
    ++honest;
    served += filter.allow(now, address(1 + honest % 100)) &&
                      filter.allow_curve_work(now, Trust::discv4_stranger)
                  ? 1U
                  : 0U;
  }
  const auto share = static_cast<std::uint64_t>(kAddressRate.burst) +
                     static_cast<std::uint64_t>(kAddressRate.per_second) * run_us / 1'000'000;
  EXPECT_LE(flood_passed, share);
  EXPECT_GE(flood_passed, share - 1);
  EXPECT_EQ(served, honest);
  EXPECT_GT(honest, 100U);
}

// From as many addresses as one who pays for an IPv6 network has, each within its own budget.
TEST(FilterAttacks, atk_22_AFloodFromOneIpv6NetworkIsCappedAndOthersStayServed) {
  TestRng rng;
  Filter filter{rng};
  const auto of_net = [](std::uint8_t net, std::uint64_t subnet) {
    ByteArray<16> bytes{std::byte{0x2a}, {}, {}, {}, {}, std::byte{net}};
    bytes[6] = static_cast<std::byte>(subnet >> 8);
    bytes[7] = static_cast<std::byte>(subnet);
    return Endpoint{IpAddress::v6(bytes), 30303};
  };
  const std::uint64_t packets = count(200'000, 1'000'000);
  std::uint64_t passed = 0;
  std::uint64_t honest = 0;
  std::uint64_t served = 0;
  for (std::uint64_t i = 0; i < packets; ++i) {
    passed += filter.allow(at(i * 10), of_net(1, i & 0xffff)) ? 1U : 0U;
    if (i % 1'000 != 0) continue;
    ++honest;
    served += filter.allow(at(i * 10), of_net(2, honest % 50)) ? 1U : 0U;
  }
  const auto share = static_cast<std::uint64_t>(kNetRate.burst) +
                     static_cast<std::uint64_t>(kNetRate.per_second) * packets * 10 / 1'000'000;
  EXPECT_LE(passed, share);
  EXPECT_GE(passed, share - 1);
  EXPECT_EQ(served, honest);
  EXPECT_EQ(filter.counters().refused_nets, packets - passed);
}

// From as many addresses as can be forged, all different: what is remembered is bounded, nothing
// is allocated, signature checks are, and those who proved their address are served.
TEST(FilterAttacks, atk_22_AFloodUnderForgedAddressesIsBoundedAndTheProvenStayServed) {
  TestRng rng;
  FilterLimits limits;
  limits.addresses = count(500, kMaxFilteredAddresses);
  Filter filter{rng, limits};
  for (std::uint64_t i = 0; i < 2 * limits.addresses; ++i) {
    EXPECT_TRUE(filter.allow(at(0), address(i)));
  }
  const std::uint64_t packets = count(200'000, 12'000'000);
  std::uint64_t worked = 0;
  std::uint64_t honest = 0;
  std::uint64_t served = 0;
  const AllocationMeter meter;
  for (std::uint64_t i = 0; i < packets; ++i) {
    const Now now = at(i * 5);
    const bool passed = filter.allow(now, address(100'000 + i));
    worked += passed && filter.allow_curve_work(now, Trust::discv4_stranger) ? 1U : 0U;
    if (i % 2'000 != 0) continue;
    ++honest;
    served += filter.allow(now, address(1'000 + honest % 100)) &&
                      filter.allow_curve_work(now, Trust::proven)
                  ? 1U
                  : 0U;
  }
  EXPECT_EQ(meter.allocations(), 0U);
  EXPECT_EQ(filter.addresses(), limits.addresses);
  const auto most =
      static_cast<std::uint64_t>(kStrangersCurveRate.burst) +
      static_cast<std::uint64_t>(kStrangersCurveRate.per_second) * packets * 5 / 1'000'000;
  EXPECT_LE(worked, most);
  EXPECT_GE(worked, most - 1);
  EXPECT_EQ(served, honest);
}

}  // namespace
}  // namespace ethnet::filter
