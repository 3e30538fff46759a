#include "filter.hpp"

#include <base/prng.hpp>
#include <gtest/gtest.h>

namespace ethnet::filter {
namespace {

class TestRng final : public SecureRng {
 public:
  explicit TestRng(std::uint64_t seed) : prng_{seed} {}
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next());
  }

 private:
  Prng prng_;
};

Now at(Duration since_start) {
  return {Instant{0} + since_start, UnixTime::from_seconds(1'700'000'000) + since_start};
}
Endpoint place(std::string_view text) { return Endpoint::parse(text).value(); }
NodeId node(std::uint8_t number) {
  NodeId id;
  id.bytes[0] = std::byte{number};
  return id;
}

// How many of `tries` at one instant pass.
template <class F>
int passes(int tries, F&& one) {
  int passed = 0;
  for (int i = 0; i < tries; ++i) passed += one() ? 1 : 0;
  return passed;
}

struct Fixture : testing::Test {
  TestRng rng{1};
  Filter filter{rng};
};
using FilterOfAddresses = Fixture;
using FilterOfIdentities = Fixture;
using FilterOfWork = Fixture;

TEST_F(FilterOfAddresses, ABurstPassesThenSoManyASecond) {
  const Endpoint one = place("8.1.1.1:30303");
  EXPECT_EQ(passes(1000, [&] { return filter.allow(at(seconds(0)), one); }), kAddressRate.burst);
  EXPECT_EQ(passes(1000, [&] { return filter.allow(at(seconds(1)), one); }),
            kAddressRate.per_second);
  EXPECT_EQ(passes(1000, [&] { return filter.allow(at(seconds(60)), one); }), kAddressRate.burst);
  EXPECT_EQ(filter.counters().allowed,
            static_cast<std::uint64_t>(2 * kAddressRate.burst + kAddressRate.per_second));
  EXPECT_EQ(filter.counters().refused_addresses, 3000 - filter.counters().allowed);
}

TEST_F(FilterOfAddresses, PortsOfOneAddressShareItsBudgetAndAnotherAddressHasItsOwn) {
  const Now now = at(seconds(0));
  std::uint16_t port = 1;
  EXPECT_EQ(passes(1000, [&] { return filter.allow(now, {place("8.1.1.1:0").ip, ++port}); }),
            kAddressRate.burst);
  EXPECT_TRUE(filter.allow(now, place("8.1.1.2:1")));
}

TEST_F(FilterOfAddresses, AnIpv6SubnetOf64BitsSharesABudget) {
  const Now now = at(seconds(0));
  IpAddress ip = place("[2001:4860:1:2::]:1").ip;
  std::uint64_t host = 0;
  const auto another_host = [&] {
    ByteArray<16> bytes{};
    copy_into(bytes, ip.bytes());
    store_be<std::uint64_t>(MutByteView{bytes}.last(8), ++host * 0x9e3779b97f4a7c15);
    return filter.allow(now, {IpAddress::v6(bytes), 30303});
  };
  EXPECT_EQ(passes(1000, another_host), kAddressRate.burst);
  EXPECT_EQ(filter.addresses(), 1U);
  ip = place("[2001:4860:1:3::]:1").ip;
  EXPECT_TRUE(another_host());
}

TEST_F(FilterOfAddresses, OneSubnetThatFloodsTakesOfItsNetworkNoMoreThanItsOwnBudget) {
  const Now now = at(seconds(0));
  const auto of_subnet = [&](const char* text) {
    return passes(1'000, [&] { return filter.allow(now, place(text)); });
  };
  EXPECT_EQ(of_subnet("[2001:4860:1:2::]:1"), kAddressRate.burst);
  for (const char* text : {"[2001:4860:1:3::]:1", "[2001:4860:1:4::]:1", "[2001:4860:1:5::]:1"}) {
    EXPECT_EQ(of_subnet(text), kAddressRate.burst) << text;
  }
  EXPECT_EQ(filter.nets(), 1U);
  EXPECT_EQ(filter.counters().refused_nets, 0U);
  EXPECT_EQ(of_subnet("[fd00:1:1:2::]:1"), kLanRate.burst);
  EXPECT_EQ(filter.nets(), 1U) << "a LAN is no network of somebody's";
}

TEST_F(FilterOfAddresses, ADevnetOnLoopbackHasNoLimit) {
  EXPECT_EQ(passes(100'000, [&] { return filter.allow(at(seconds(0)), place("127.0.0.1:1")); }),
            100'000);
  EXPECT_TRUE(filter.allow(at(seconds(0)), place("[::1]:1"), node(1)));
  EXPECT_EQ(filter.addresses() + filter.identities(), 0U);
}

TEST_F(FilterOfAddresses, OnALanEachAddressAndPortHasALargerBudgetOfItsOwn) {
  for (const char* text : {"192.168.1.5:1", "192.168.1.5:2", "10.0.0.1:1", "[fc00::1]:1"}) {
    EXPECT_EQ(passes(1000, [&] { return filter.allow(at(seconds(0)), place(text)); }),
              kLanRate.burst)
        << text;
  }
}

TEST_F(FilterOfAddresses, ATimeThatStandsStillOrJumpsBreaksNothing) {
  const Endpoint one = place("8.1.1.1:30303");
  for (const Now now : {at(seconds(0)), at(seconds(1'000'000'000)), at(seconds(1))}) {
    EXPECT_LE(passes(1000, [&] { return filter.allow(now, one); }), kAddressRate.burst);
  }
}

TEST_F(FilterOfAddresses, WhomWeKnowIsLookedAtWhereItsAddressHasNothingLeft) {
  const Now now = at(seconds(0));
  const Endpoint known = place("8.1.1.1:30303");
  const Endpoint neighbour = place("8.1.1.1:30304");  // of the same address, and nobody
  filter.know(known);
  for (std::int64_t i = 0; i < kAddressRate.burst; ++i) {
    EXPECT_EQ(filter.admit(now, neighbour), Admission::paid);
  }
  EXPECT_EQ(filter.admit(now, neighbour), Admission::refused);
  EXPECT_EQ(filter.admit(now, known), Admission::looked_at);
  EXPECT_FALSE(filter.is_drowned(now, known));
  EXPECT_EQ(passes(10'000, [&] { return filter.admit(now, known) == Admission::looked_at; }),
            kLookRate.burst - 1)
      << "one budget for all looks";
  EXPECT_EQ(filter.admit(now, known), Admission::refused);
  EXPECT_TRUE(filter.is_drowned(now, known));
  EXPECT_FALSE(filter.is_drowned(now, neighbour));
  EXPECT_FALSE(filter.is_drowned(at(kDrownedFor), known));
  EXPECT_EQ(filter.counters().looked_at, static_cast<std::uint64_t>(kLookRate.burst));
}

TEST_F(FilterOfAddresses, WhoIsThereHasABudgetOfRequestsThatNobodyElseSpends) {
  const Now now = at(seconds(0));
  const Endpoint one = place("8.1.1.1:30303");
  while (filter.allow(now, one)) {
  }
  EXPECT_EQ(passes(1'000, [&] { return filter.allow_request(now, one); }), kAddressRate.burst);
  EXPECT_EQ(filter.counters().refused_requests,
            static_cast<std::uint64_t>(1'000 - kAddressRate.burst));
}

TEST_F(FilterOfIdentities, ANodeHasABudgetAtEachAddress) {
  const Now now = at(seconds(0));
  const Endpoint here = place("8.1.1.1:30303");
  EXPECT_EQ(passes(100, [&] { return filter.allow(now, here, node(1)); }), kIdentityRate.burst);
  EXPECT_TRUE(filter.allow(now, here, node(2)));
  EXPECT_EQ(filter.counters().refused_identities,
            static_cast<std::uint64_t>(100 - kIdentityRate.burst));
}

// Somebody else's packets in its name, from elsewhere, do not silence a node.
TEST_F(FilterOfIdentities, AForgedIdentitySpendsNothingOfTheHonestNode) {
  const Now now = at(seconds(0));
  while (filter.allow(now, place("8.6.6.6:30303"), node(1))) {
  }
  EXPECT_EQ(passes(100, [&] { return filter.allow(now, place("8.1.1.1:30303"), node(1)); }),
            kIdentityRate.burst);
}

// Nor from its own address: what only says that it is that node has a budget apart.
TEST_F(FilterOfIdentities, WhoeverSaysToBeANodeSpendsNothingOfWhatItProvesToBe) {
  const Now now = at(seconds(0));
  const Endpoint here = place("8.1.1.1:30303");
  EXPECT_EQ(passes(100, [&] { return filter.allow_claim(now, here, node(1)); }),
            kIdentityRate.burst);
  EXPECT_EQ(passes(100, [&] { return filter.allow(now, here, node(1)); }), kIdentityRate.burst);
}

TEST_F(FilterOfWork, StrangersShareOneBudgetAndTheProvenHaveAnother) {
  const Now now = at(seconds(0));
  const auto stranger = [&] { return filter.allow_curve_work(now, Trust::discv4_stranger); };
  const auto proven = [&] { return filter.allow_curve_work(now, Trust::proven, 4); };
  EXPECT_EQ(passes(10'000, stranger), kStrangersCurveRate.burst);
  EXPECT_EQ(passes(10'000, proven), kProvenCurveRate.burst / 4);
  EXPECT_EQ(filter.counters().refused_strangers_work,
            static_cast<std::uint64_t>(10'000 - kStrangersCurveRate.burst));
  EXPECT_EQ(filter.counters().refused_proven_work,
            static_cast<std::uint64_t>(10'000 - kProvenCurveRate.burst / 4));
  EXPECT_TRUE(filter.allow_curve_work(at(seconds(1)), Trust::discv4_stranger, kMaxCurveCost));
}

// What an adversary cannot predict, the key, decides nothing; what it could, the order of its
// packets, decides all.
TEST_F(FilterOfWork, AnswersHaveSoManyBytesTogether) {
  const auto answers = [&](Now now) {
    return passes(10'000, [&] { return filter.allow_answer(now, 4'000); });
  };
  EXPECT_EQ(answers(at(seconds(0))), kMaxAnswerBytesAtOnce / 4'000);
  EXPECT_EQ(answers(at(seconds(1))), kMaxAnswerBytesPerSecond / 4'000);
  EXPECT_EQ(filter.counters().refused_answers, 20'000U - 750U);
}

TEST_F(FilterOfWork, StrangersOfEachProtocolAndAnswersHaveBudgetsOfTheirOwn) {
  const Now now = at(seconds(0));
  EXPECT_FALSE(filter.refused_strangers(now, seconds(300)));
  while (filter.allow_curve_work(now, Trust::discv4_stranger)) {
  }
  EXPECT_TRUE(filter.refused_strangers(now, seconds(300)));
  EXPECT_TRUE(filter.refused_strangers(at(seconds(299)), seconds(300)));
  EXPECT_FALSE(filter.refused_strangers(at(seconds(300)), seconds(300)));
  EXPECT_TRUE(filter.allow_curve_work(now, Trust::discv5_stranger, 4));
  EXPECT_TRUE(filter.allow_curve_work(now, Trust::proven));
  EXPECT_EQ(passes(10'000, [&] { return filter.allow_curve_work(now, Trust::answer); }),
            kAnswersCurveRate.burst);
}

TEST_F(FilterOfAddresses, TheKeyOfTheHashChangesNoVerdict) {
  TestRng other{99};
  const FilterLimits small{.address = {.burst = 4, .per_second = 1},
                           .identity = {.burst = 2, .per_second = 1},
                           .addresses = 25,
                           .identities = 60};
  Filter a{rng, small};
  Filter b{other, small};
  Prng draws{5};
  Duration time{};
  for (int i = 0; i < 50'000; ++i) {
    time = time + microseconds(static_cast<std::int64_t>(draws.below(1000)));
    const Endpoint from{
        IpAddress::v4({std::byte{8}, {}, {}, static_cast<std::byte>(draws.below(30))}), 1};
    ASSERT_EQ(a.allow(at(time), from), b.allow(at(time), from));
    const NodeId id = node(static_cast<std::uint8_t>(draws.below(3)));
    ASSERT_EQ(a.allow(at(time), from, id), b.allow(at(time), from, id));
  }
  EXPECT_GT(a.counters().refused_addresses, 0U);
  EXPECT_GT(a.counters().refused_identities, 0U);
  EXPECT_GT(a.counters().forgotten_addresses, 0U);
  EXPECT_GT(a.counters().forgotten_identities, 0U);
}

}  // namespace
}  // namespace ethnet::filter
