// A gateway on the other side: mappings are asked for, renewed, given back, and what is wrong with
// an answer ends the round or is not looked at (RFC 6886).
#include "pmp.hpp"

#include <string>
#include <vector>

#include <base/hex.hpp>
#include <gtest/gtest.h>

#include "testing/asker_rig.hpp"

namespace ethnet::nat {
namespace {

Endpoint endpoint(std::string_view text) { return Endpoint::parse(text).value(); }
const Endpoint kGateway = endpoint("192.168.1.1:5351");

Bytes address_answer(std::uint32_t epoch, std::string_view ip, std::uint16_t result = 0) {
  Bytes out(12);
  out[1] = std::byte{128};
  store_be<std::uint16_t>(MutByteView{out}.subspan(2, 2), result);
  store_be<std::uint32_t>(MutByteView{out}.subspan(4, 4), epoch);
  copy_into(MutByteView{out}.subspan(8), IpAddress::parse(ip)->bytes());
  return out;
}
Bytes map_answer(std::uint32_t epoch, std::uint16_t internal, std::uint16_t external,
                 std::uint32_t lifetime) {
  Bytes out(16);
  out[1] = std::byte{129};
  store_be<std::uint32_t>(MutByteView{out}.subspan(4, 4), epoch);
  store_be<std::uint16_t>(MutByteView{out}.subspan(8, 2), internal);
  store_be<std::uint16_t>(MutByteView{out}.subspan(10, 2), external);
  store_be<std::uint32_t>(MutByteView{out}.subspan(12, 4), lifetime);
  return out;
}

TEST(PmpAnswer, OfTheForm) {
  const auto address = decode_pmp_address(address_answer(77, "203.0.113.9")).value();
  EXPECT_EQ(address.epoch, 77U);
  EXPECT_EQ(address.external.to_string(), "203.0.113.9");
  const auto mapping = decode_pmp_mapping(map_answer(78, 30'303, 40'000, 3'600)).value();
  EXPECT_EQ(mapping.epoch, 78U);
  EXPECT_EQ(mapping.internal_port, 30'303);
  EXPECT_EQ(mapping.external_port, 40'000);
  EXPECT_EQ(mapping.lifetime, 3'600U);
  EXPECT_EQ(to_hex(encode_pmp_address_request()), "0000");
  EXPECT_EQ(to_hex(encode_pmp_map_request(0x1234, 0x5678, 7'200)), "000100001234567800001c20");
}

TEST(PmpAnswer, WhatIsWrongIsSaid) {
  const auto of_address = [](const Bytes& packet) {
    const auto decoded = decode_pmp_address(packet);
    return decoded ? std::string{"taken"} : std::string{decoded.error().what()};
  };
  const auto of_mapping = [](const Bytes& packet) {
    const auto decoded = decode_pmp_mapping(packet);
    return decoded ? std::string{"taken"} : std::string{decoded.error().what()};
  };
  Bytes of_pcp = address_answer(1, "203.0.113.9");
  of_pcp[0] = std::byte{2};
  EXPECT_EQ(of_address(of_pcp), "an answer of another version");
  EXPECT_EQ(of_address({}), "an answer of no size that there is");
  EXPECT_EQ(of_address(Bytes(7)), "an answer of no size that there is");
  EXPECT_EQ(of_address(Bytes(17)), "an answer of no size that there is");
  EXPECT_EQ(of_address(map_answer(1, 1, 1, 1)), "no answer to what was asked");
  EXPECT_EQ(of_mapping(address_answer(1, "203.0.113.9")), "no answer to what was asked");
  EXPECT_EQ(of_address(address_answer(1, "0.0.0.0")),
            "the gateway has no address that others could reach");
  EXPECT_EQ(of_mapping(map_answer(1, 1, 0, 1)), "a mapping of no port or for no time");
  EXPECT_EQ(of_mapping(map_answer(1, 1, 1, 0)), "a mapping of no port or for no time");
  EXPECT_EQ(of_address(address_answer(1, "203.0.113.9", 1)), "the gateway does not speak NAT-PMP");
  EXPECT_EQ(of_address(address_answer(1, "203.0.113.9", 2)), "the gateway does not allow it");
  EXPECT_EQ(of_address(address_answer(1, "203.0.113.9", 3)), "the gateway has no network");
  EXPECT_EQ(of_address(address_answer(1, "203.0.113.9", 4)), "the gateway has no mappings left");
  EXPECT_EQ(of_address(address_answer(1, "203.0.113.9", 5)), "the gateway has no such mappings");
  EXPECT_EQ(of_address(address_answer(1, "203.0.113.9", 6)), "a refusal that is not known");
  Bytes short_refusal = address_answer(1, "203.0.113.9", 2);
  short_refusal.resize(8);
  EXPECT_EQ(of_address(short_refusal), "the gateway does not allow it");
  Bytes cut = address_answer(1, "203.0.113.9");
  cut.resize(11);
  EXPECT_EQ(of_address(cut), "an answer of no size that there is");
}

class Gateway : public testing::AskerRig<PmpClient, PmpEvent> {
 protected:
  Gateway() : AskerRig{kGateway, std::vector<std::uint16_t>{1'000, 2'000}} {}
  [[nodiscard]] std::vector<std::string> asked() const {
    std::vector<std::string> out;
    for (const Bytes& packet : packets_) out.push_back(to_hex(packet));
    return out;
  }
  void answer_all(std::uint32_t epoch, std::uint32_t lifetime = kPmpLifetime) {
    answer(address_answer(epoch, "203.0.113.9"));
    answer(map_answer(epoch, 1'000, 40'000, lifetime));
    answer(map_answer(epoch, 2'000, 40'001, lifetime));
  }
};

TEST_F(Gateway, GivesItsAddressAndAMappingForEachPort) {
  start();
  answer_all(10);
  EXPECT_EQ(asked(), (std::vector<std::string>{"0000", "0001000003e803e800001c20",
                                               "0001000007d007d000001c20"}));
  ASSERT_EQ(events_.size(), 1U);
  const auto& mapped = std::get<PmpMapped>(events_[0]);
  EXPECT_EQ(mapped.external.to_string(), "203.0.113.9");
  EXPECT_EQ(mapped.lifetime, kPmpLifetime);
  EXPECT_EQ(mapped.ports, (std::vector<MappedPort>{{1'000, 40'000}, {2'000, 40'001}}));
  EXPECT_EQ(client_.next_deadline(), now_.mono + kPmpMostRenewal);
  pass(kPmpMostRenewal);
  answer_all(610);
  EXPECT_EQ(asked().at(4), "0001000003e89c4000001c20") << "the port that it had";
  EXPECT_EQ(client_.counters().gateway_restarts, 0U);
}

TEST_F(Gateway, WithAShortLifetimeIsAskedAtHalfOfItAndNotWithoutPause) {
  start();
  answer_all(10, 400);
  EXPECT_EQ(client_.next_deadline(), now_.mono + seconds(200));
  pass(seconds(200));
  answer_all(210, 1);
  EXPECT_EQ(client_.next_deadline(), now_.mono + kPmpLeastRenewal);
}

TEST_F(Gateway, ThatDoesNotAnswerIsAskedNineTimes) {
  start();
  pass(seconds(128));
  EXPECT_EQ(sent_,
            (std::vector<std::int64_t>{0, 250, 750, 1'750, 3'750, 7'750, 15'750, 31'750, 63'750}));
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_TRUE(std::get<PmpFailed>(events_[0]).why.is(PmpError::no_answer));
  EXPECT_EQ(client_.next_deadline(), begun_ + milliseconds(127'750) + kPmpRetry);
}

TEST_F(Gateway, ThatRefusesIsAskedAgainMuchLater) {
  start();
  answer(address_answer(1, "203.0.113.9", 2));
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_TRUE(std::get<PmpFailed>(events_[0]).why.is(PmpError::not_authorised));
  EXPECT_EQ(client_.next_deadline(), now_.mono + kPmpRetry);
}

TEST_F(Gateway, OthersThanItAreNotHeardNorAnswersToOtherQuestions) {
  start();
  answer(address_answer(1, "198.51.100.1"), endpoint("192.168.1.2:5351"));
  answer(address_answer(1, "198.51.100.1"), endpoint("192.168.1.1:5350"));
  answer(map_answer(1, 1'000, 40'000, 100));
  answer(Bytes(40));
  EXPECT_EQ(client_.counters().ignored, 4U);
  answer(address_answer(1, "203.0.113.9"));
  answer(map_answer(1, 2'000, 40'000, 100));  // of another port
  EXPECT_EQ(client_.counters().ignored, 5U);
  EXPECT_TRUE(events_.empty());
}

TEST_F(Gateway, ThatHasBegunAnewInTheMiddleIsAskedForAllAgain) {
  start();
  answer_all(1'000);
  pass(kPmpMostRenewal);
  answer(address_answer(1'600, "203.0.113.9"));
  answer(map_answer(1'600, 1'000, 40'000, kPmpLifetime));
  answer(map_answer(3, 2'000, 40'001, kPmpLifetime));
  EXPECT_EQ(events_.size(), 1U) << "the first mapping is gone";
  EXPECT_EQ(client_.counters().gateway_restarts, 1U);
  answer_all(4);
  EXPECT_EQ(events_.size(), 2U);
}

TEST_F(Gateway, WhoseClockFallsWithEveryAnswerIsAskedAnewOnceInALifetime) {
  start();
  std::uint32_t epoch = 1'000'000;
  const auto answer_falling = [&] {
    answer(address_answer(epoch -= 100, "203.0.113.9"));
    answer(map_answer(epoch -= 100, 1'000, 40'000, kPmpLifetime));
    answer(map_answer(epoch -= 100, 2'000, 40'001, kPmpLifetime));
  };
  answer_falling();
  EXPECT_TRUE(events_.empty()) << "it may have begun anew between two answers";
  answer_falling();
  EXPECT_EQ(events_.size(), 1U) << "no third time";
  EXPECT_EQ(packets_.size(), 6U);
  EXPECT_EQ(client_.next_deadline(), now_.mono + kPmpMostRenewal);
  for (Duration passed; passed < seconds(kPmpLifetime); passed = passed + kPmpMostRenewal) {
    const std::size_t before = packets_.size();
    pass(kPmpMostRenewal);
    answer_falling();
    const bool is_over = passed + kPmpMostRenewal >= seconds(kPmpLifetime);
    EXPECT_EQ(packets_.size() - before, is_over ? 4U : 3U) << passed.ns / seconds(1).ns;
  }
}

TEST_F(Gateway, GetsTheMappingsBackAtTheEnd) {
  start();
  answer_all(10);
  packets_.clear();
  client_.stop(now_);
  drain();
  EXPECT_EQ(asked(),
            (std::vector<std::string>{"0001000003e8000000000000", "0001000007d0000000000000"}));
  EXPECT_TRUE(client_.next_deadline().is_never());
}

TEST_F(Gateway, ThatMappedNothingGetsNothingBack) {
  start();
  packets_.clear();
  client_.stop(now_);
  drain();
  EXPECT_TRUE(packets_.empty());
}

}  // namespace
}  // namespace ethnet::nat
