// Answers judged, the schedule of RFC 5389, and what is not believed. The samples are those of RFC
// 5769 (2.2 and 2.3): a response over IPv4 and one over IPv6.
#include "stun.hpp"

#include <vector>

#include <base/hex.hpp>
#include <base/prng.hpp>
#include <gtest/gtest.h>

#include "testing/asker_rig.hpp"

namespace ethnet::nat {
namespace {

class TestRng final : public SecureRng {
 public:
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next());
  }

 private:
  Prng prng_{1};
};

const StunTransaction kId = [] {
  const Bytes bytes = from_hex("b7e7a701bc34d686fa87dfae").value();
  StunTransaction id{};
  copy_into(MutByteView{id}, bytes);
  return id;
}();

// Without MESSAGE-INTEGRITY and FINGERPRINT, which nobody here has a key for: SOFTWARE and the
// address.
const Bytes kV4 = from_hex(
                      "0101001c2112a442b7e7a701bc34d686fa87dfae"
                      "8022000b7465737420766563746f7220"
                      "002000080001a147e112a643")
                      .value();
const Bytes kV6 = from_hex(
                      "010100282112a442b7e7a701bc34d686fa87dfae"
                      "8022000b7465737420766563746f7220"
                      "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9")
                      .value();

Endpoint endpoint(std::string_view text) { return Endpoint::parse(text).value(); }

// A success with these attributes.
Bytes response(std::string_view attributes_hex, const StunTransaction& id = kId,
               std::uint16_t type = 0x0101) {
  const Bytes attributes = from_hex(attributes_hex).value();
  Bytes out(kStunHeaderBytes);
  const MutByteView bytes{out};
  store_be<std::uint16_t>(bytes.first(2), type);
  store_be<std::uint16_t>(bytes.subspan(2, 2), static_cast<std::uint16_t>(attributes.size()));
  store_be<std::uint32_t>(bytes.subspan(4, 4), 0x2112'A442);
  copy_into(bytes.subspan(8), ByteView{id});
  append(out, attributes);
  return out;
}

TEST(StunAnswer, TheSamplesOfRfc5769) {
  EXPECT_EQ(decode_binding_response(kV4, kId).value(), endpoint("192.0.2.1:32853"));
  EXPECT_EQ(decode_binding_response(kV6, kId).value(),
            endpoint("[2001:db8:1234:5678:11:2233:4455:6677]:32853"));
}

TEST(StunAnswer, TheRequestIsAHeaderAlone) {
  const auto request = encode_binding_request(kId);
  EXPECT_EQ(to_hex(request), "000100002112a442b7e7a701bc34d686fa87dfae");
}

TEST(StunAnswer, WhatIsWrongIsSaid) {
  const auto error = [](const Bytes& packet) {
    const auto decoded = decode_binding_response(packet, kId);
    return decoded ? std::string{"taken"} : std::string{decoded.error().what()};
  };
  constexpr std::string_view kAddress = "002000080001a147e112a643";
  const std::string address{kAddress};
  StunTransaction other = kId;
  other.back() ^= std::byte{1};
  Bytes longer = kV4;
  longer.push_back(std::byte{0});
  Bytes no_cookie = kV4;
  no_cookie[4] = std::byte{0};
  EXPECT_EQ(error(Bytes(kMaxStunMessage + 4)), "an answer too large");
  EXPECT_EQ(error(Bytes(kStunHeaderBytes - 1)), "no STUN message");
  EXPECT_EQ(error(longer), "no STUN message");
  EXPECT_EQ(error(no_cookie), "no STUN message");
  EXPECT_EQ(error(response(address, other)), "no answer to what was asked");
  EXPECT_EQ(error(response(address, kId, 0x0001)), "no answer to what was asked");
  EXPECT_EQ(error(response("", kId, 0x0111)), "the server refuses");
  EXPECT_EQ(error(response("")), "no XOR-MAPPED-ADDRESS");
  EXPECT_EQ(error(response("000100080001a147e112a643")), "no XOR-MAPPED-ADDRESS");
  EXPECT_EQ(error(response("0020000c0001a147e112a643")), "an attribute beyond the end");
  EXPECT_EQ(error(response("7ff0ffff")), "an attribute beyond the end");
  EXPECT_EQ(error(response("7ff00000" + address)),
            "an attribute that has to be understood and is not");
  EXPECT_EQ(error(response("fff00001aa000000" + address)), "taken");
  EXPECT_EQ(error(response("002000080003a147e112a643")), "an address of no form");
  EXPECT_EQ(error(response("002000080002a147e112a643")), "an address of no form");
  EXPECT_EQ(error(response("0020000400010000")), "an address of no form");
  EXPECT_EQ(error(response("00200000")), "an address of no form");
  EXPECT_EQ(error(response("0020000800012112e112a643")), "an address of no form");  // port 0
  EXPECT_EQ(error(response("002000080001a1472112a442")), "an address of no form");  // 0.0.0.0
  EXPECT_EQ(error(response(address + "00200000")), "taken") << "the first one counts";
}

const Endpoint kServer = endpoint("127.0.0.1:3478");

struct HasRng {
  TestRng rng_;
};
class Client : HasRng, public testing::AskerRig<StunClient, StunEvent> {
 protected:
  Client() : AskerRig{kServer, rng_} { start(); }
  // Of its questions, which are their header and no more.
  [[nodiscard]] StunTransaction id(std::size_t question) const {
    const Bytes& packet = packets_.at(question);
    EXPECT_EQ(packet.size(), kStunHeaderBytes);
    StunTransaction out{};
    copy_into(MutByteView{out}, ByteView{packet}.subspan(8, 12));
    return out;
  }
  [[nodiscard]] StunTransaction last_id() const { return id(packets_.size() - 1); }
  [[nodiscard]] Bytes good() const {
    // 192.0.2.1:32853, whatever the id: the mask of IPv4 is the cookie alone.
    return response("002000080001a147e112a643", last_id());
  }
};

TEST_F(Client, AnAnswerEndsTheTransactionAndTheNextOneComesTenMinutesLater) {
  pass(milliseconds(400));
  answer(good());
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_EQ(std::get<StunMapped>(events_[0]).mapped, endpoint("192.0.2.1:32853"));
  pass(kStunRefresh - seconds(1));
  EXPECT_EQ(sent_.size(), 1U);
  pass(seconds(1));
  ASSERT_EQ(sent_.size(), 2U);
  EXPECT_NE(id(0), id(1)) << "a new transaction";
}

TEST_F(Client, WithoutAnAnswerItAsksSevenTimesAsRfc5389HasIt) {
  pass(seconds(40));
  EXPECT_EQ(sent_, (std::vector<std::int64_t>{0, 500, 1'500, 3'500, 7'500, 15'500, 31'500}));
  for (std::size_t i = 0; i < packets_.size(); ++i) EXPECT_EQ(id(i), id(0));
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_TRUE(std::get<StunFailed>(events_[0]).why.is(StunError::no_answer));
  EXPECT_TRUE(client_.next_deadline().is_never()) << "its owner says when it is asked again";
  pass(seconds(60));
  client_.start(now_);
  drain();
  EXPECT_EQ(sent_.back(), 100'000);
  EXPECT_NE(last_id(), id(0));
}

TEST(StunRetry, ComesTwiceAsLateEachTimeAndAfterAnHourAtLast) {
  EXPECT_EQ(stun_retry_after(1), kStunFirstRetry);
  EXPECT_EQ(stun_retry_after(2), kStunFirstRetry * 2);
  EXPECT_EQ(stun_retry_after(10), seconds(2'560));
  EXPECT_EQ(stun_retry_after(11), kStunLastRetry);
  EXPECT_EQ(stun_retry_after(UINT64_MAX), kStunLastRetry);
}

TEST_F(Client, WhatComesFromElsewhereOrIsOfAnotherTransactionChangesNothing) {
  answer(good(), endpoint("127.0.0.1:3479"));
  answer(good(), endpoint("127.0.0.2:3478"));
  answer(response("002000080001a147e112a643", kId));
  answer(Bytes(3));
  EXPECT_TRUE(events_.empty());
  EXPECT_EQ(client_.counters().ignored, 4U);
  answer(good());
  EXPECT_EQ(events_.size(), 1U);
  answer(good());
  EXPECT_EQ(events_.size(), 1U) << "it was answered";
}

TEST_F(Client, ARefusalOfTheServerEndsTheTransaction) {
  answer(response("", last_id(), 0x0111));
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_TRUE(std::get<StunFailed>(events_[0]).why.is(StunError::refused));
  EXPECT_TRUE(client_.next_deadline().is_never());
}

}  // namespace
}  // namespace ethnet::nat
