// Floods under the addresses of nodes that we know, and of strangers, on a socket of both protocols
// (docs/THREATS.md, row 22).
#include <algorithm>
#include <vector>

#include <crypto/keccak.hpp>
#include <discovery/v4/testing/packets.hpp>
#include <discovery/v5/wire/packet.hpp>
#include <gtest/gtest.h>

#include "testing/hosts.hpp"

namespace ethnet::discovery {
namespace {

using testing::at;
using testing::Hosts;
using testing::key_of;
using testing::Station;
using testing::TestRng;

// What who knows no secret can send to one station under any address.
class Forger {
 public:
  explicit Forger(const Station& victim) : victim_{victim.host.local_record()->node_id()} {
    // The right hash, a list that is right, and no signature.
    const discv4::Place place = discv4::testing::wire_place(at(victim.number), 30'303);
    ping_ = discv4::testing::packet_of(
        discv4::Ping{.from = place, .to = place, .expiration = 1'700'100'000}, *key_of(99));
    std::ranges::fill(MutByteView{ping_}.subspan(32, 65), std::byte{0x77});
    copy_into(ping_, crypto::keccak256(ByteView{ping_}.subspan(32)));
  }
  // A packet of discv5 that names this node, under no key. Lives until the next one.
  ByteView of_discv5(const NodeId& source) {
    discv5::Header header{.authdata = discv5::Ordinary{source}};
    rng_.fill(header.nonce);
    rng_.fill(header.masking_iv);
    return ByteView{packet_}.first(codec_.encode_raw(victim_, header, Bytes(44), packet_).value());
  }
  [[nodiscard]] ByteView ping() const { return ping_; }
  [[nodiscard]] static ByteView one_byte() {
    static constexpr ByteArray<1> kOne{};
    return kOne;
  }

 private:
  NodeId victim_;
  TestRng rng_{17};
  discv5::PacketCodec codec_;
  discv5::PacketBuffer packet_{};
  Bytes ping_;
};

class Floods : public Hosts {
 protected:
  // Of all sorts, from the address of each of these nodes so many a second.
  void flood(Station& victim, const std::vector<Station*>& named, std::int64_t per_second,
             Duration time) {
    Forger forger{victim};
    const Duration step = milliseconds(5);
    for (Duration gone{}; gone < time; gone = gone + step) {
      due_ += per_second * 5;
      for (; due_ >= 1'000; due_ -= 1'000) {
        for (const Station* const node : named) {
          const std::uint64_t sort = sent_++ % 3;
          say(victim, at(node->number),
              sort == 0   ? forger.of_discv5(node->host.local_record()->node_id())
              : sort == 1 ? forger.ping()
                          : Forger::one_byte());
        }
      }
      run(step);
    }
  }
  // Knows all of these, by both protocols where it speaks them.
  void meet(Station& us, const std::vector<Station*>& others) {
    for (Station* const other : others) {
      if (us.host.v4() != nullptr) {
        ASSERT_NE(us.host.v4()->ping(now_, other->v4_node()), 0U);
      }
      if (us.host.v5() != nullptr) {
        ASSERT_NE(us.host.v5()->ping(now_, other->node()), 0U);
      }
    }
    run(seconds(5));
    ASSERT_EQ(alive(us), others.size());
  }
  // PINGs of discv4 that nobody signed, each from another address of another /24.
  void flood_of_strangers(Station& victim, std::int64_t per_second, Duration time) {
    const Forger forger{victim};
    const Duration step = milliseconds(1);
    for (Duration gone{}; gone < time; gone = gone + step) {
      for (due_ += per_second; due_ >= 1'000; due_ -= 1'000) {
        ByteArray<4> ip{};
        store_be<std::uint32_t>(ip, 0x08'00'00'01U + 256 * ++strangers_);
        say(victim, {IpAddress::v4(ip), 30'303}, forger.ping());
      }
      run(step);
    }
  }
  static std::size_t alive(Station& us) {
    std::size_t count = 0;
    us.host.table().for_each(
        [&](const kbucket::TableEntry& e) { count += e.relayable() ? 1U : 0U; });
    return count;
  }
  static std::size_t answers(const Station& us) {
    return static_cast<std::size_t>(std::ranges::count_if(us.events, [](const Event& event) {
      if (const auto* const of_v5 = std::get_if<discv5::Event>(&event)) {
        return std::holds_alternative<discv5::PongReceived>(*of_v5);
      }
      const auto* const of_v4 = std::get_if<discv4::Event>(&event);
      const auto* const done = of_v4 == nullptr ? nullptr : std::get_if<discv4::PingDone>(of_v4);
      return done != nullptr && done->answered;
    }));
  }

 private:
  std::int64_t due_ = 0;
  std::uint64_t sent_ = 0;
  std::uint32_t strangers_ = 0;
};

class FloodsOfOne : public Floods, public ::testing::WithParamInterface<bool> {};

// Twenty times what an address may send, from that of each node that we know.
TEST_P(FloodsOfOne, atk_22_DatagramsForgedFromThoseWhomWeKnowDoNotSilenceThem) {
  const bool is_v4 = GetParam();
  const auto options = testing::Options{.v4 = is_v4, .v5 = !is_v4};
  Station& us = add(1, options);
  std::vector<Station*> others;
  for (std::uint64_t i = 2; i <= 7; ++i) others.push_back(&add(i, options));
  meet(us, others);
  flood(us, others, 320, seconds(180));
  EXPECT_EQ(alive(us), others.size()) << "nobody has left the table, nor failed";
  EXPECT_GT(us.host.filter().counters().looked_at, 200'000U) << "the flood was on";
  EXPECT_EQ(us.host.filter().counters().refused_looks, 0U);
}

TEST_P(FloodsOfOne, atk_22_AnAnswerIsFoundAmongFiveThousandForgedDatagramsASecond) {
  const bool is_v4 = GetParam();
  const auto options = testing::Options{.v4 = is_v4, .v5 = !is_v4};
  Station& us = add(1, options);
  Station& other = add(2, options);
  meet(us, {&other});
  const std::size_t before = answers(us);
  for (int i = 0; i < 10; ++i) {
    flood(us, {&other}, 5'000, seconds(1));
    const std::uint64_t asked =
        is_v4 ? us.host.v4()->ping(now_, other.v4_node()) : us.host.v5()->ping(now_, other.node());
    ASSERT_NE(asked, 0U);
  }
  flood(us, {&other}, 5'000, seconds(1));
  EXPECT_EQ(answers(us) - before, 10U);
}

INSTANTIATE_TEST_SUITE_P(BothProtocols, FloodsOfOne, ::testing::Values(true, false));

// It asks us: only discv5 shows cheaply that it is itself.
TEST_F(Floods, atk_22_WhoHasASessionIsServedThoughItsAddressIsForged) {
  Station& us = add(1, {.v4 = false});
  Station& other = add(2, {.v4 = false});
  meet(us, {&other});
  const std::size_t before = answers(other);
  for (int i = 0; i < 10; ++i) {
    flood(us, {&other}, 5'000, seconds(1));
    ASSERT_NE(other.host.v5()->ping(now_, us.node()), 0U);
  }
  flood(us, {&other}, 5'000, seconds(1));
  EXPECT_EQ(answers(other) - before, 10U);
}

// More than all looks that there are: answers are lost, and nobody is blamed.
TEST_F(Floods, atk_22_WhereLooksAreUsedUpSilenceIsHeldAgainstNobody) {
  Station& us = add(1);
  Station& other = add(2);
  meet(us, {&other});
  flood(us, {&other}, 250'000, milliseconds(500));
  for (int i = 0; i < 12; ++i) {
    (void)us.host.v4()->ping(now_, other.v4_node());
    (void)us.host.v5()->ping(now_, other.node());
    flood(us, {&other}, 250'000, milliseconds(250));
  }
  EXPECT_GT(us.host.v4()->counters().contacts_failed, 3U);
  EXPECT_GT(us.host.filter().counters().refused_looks, 100'000U);
  EXPECT_LT(us.host.filter().counters().looked_at, 4'096U + 4 * 20'000U) << "a bound on the work";
  EXPECT_EQ(alive(us), 1U);
}

// Our own questions, at ten times what strangers may cost.
TEST_F(Floods, atk_22_ForgedPingsTakeNoAnswerFromOurOwn) {
  Station& us = add(1, {.v5 = false});
  std::vector<Station*> others;
  for (std::uint64_t i = 2; i <= 31; ++i) others.push_back(&add(i, {.v5 = false}));
  flood_of_strangers(us, 10'000, milliseconds(500));
  for (Station* const other : others) {
    ASSERT_NE(us.host.v4()->ping(now_, other->v4_node()), 0U);
    flood_of_strangers(us, 10'000, milliseconds(50));
  }
  flood_of_strangers(us, 10'000, milliseconds(500));
  EXPECT_EQ(answers(us), others.size());
  EXPECT_GT(us.host.v4()->counters().curve_budget, 15'000U) << "the flood was on";
}

TEST_F(Floods, atk_22_ForgedPingsOfDiscv4KeepNoStrangerOfDiscv5Out) {
  Station& us = add(1);
  flood_of_strangers(us, 5'000, seconds(1));
  std::vector<Station*> strangers;
  for (std::uint64_t i = 2; i <= 21; ++i) {
    strangers.push_back(&add(i, {.v4 = false}));
    ASSERT_NE(strangers.back()->host.v5()->ping(now_, us.node()), 0U);
    flood_of_strangers(us, 5'000, milliseconds(400));
  }
  flood_of_strangers(us, 5'000, seconds(1));
  for (const Station* const stranger : strangers) {
    EXPECT_EQ(answers(*stranger), 1U) << stranger->number;
  }
  EXPECT_GT(us.host.v4()->counters().curve_budget, 30'000U) << "the flood was on";
}

TEST_F(Floods, atk_22_WhileStrangersAreRefusedOurAddressIsNotGivenUp) {
  Station& us = add(1);
  us.host.expect_arrivals(now_, at(1));
  run(kbucket::kArrivalWithin - seconds(60));
  flood_of_strangers(us, 3'000, seconds(2));
  ASSERT_GT(us.host.v4()->counters().curve_budget, 1'000U);
  run(seconds(120));
  EXPECT_EQ(us.records_changed(), 0U) << "who came was not heard";
  EXPECT_EQ(us.host.local_record()->record().endpoint_v4("udp"), at(1));
  run(kbucket::kArrivalWithin);
  run(kbucket::kArrivalWithin);
  EXPECT_EQ(us.records_changed(), 1U) << "and then nobody came in all that time";
  EXPECT_EQ(us.host.local_record()->record().endpoint_v4("udp"), std::nullopt);
}

}  // namespace
}  // namespace ethnet::discovery
