// Attacks on a socket that both protocols share (docs/THREATS.md), at a scale that ASan affords; at
// that of the attack with ETHNET_FULL_ATTACKS=1 in a release build.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>

#include <crypto/aes.hpp>
#include <discovery/v4/testing/packets.hpp>
#include <discovery/v5/wire/packet.hpp>
#include <gtest/gtest.h>
#include <tests/support/counting_allocator/counting_allocator.hpp>

#include "host.hpp"

namespace ethnet::discovery {
namespace {

using discv4::testing::key_of;
using discv4::testing::packet_of;
using discv4::testing::place_of;
using discv4::testing::raw_packet;
using discv4::testing::TestRng;
using ethnet::testing::AllocationMeter;

constexpr std::size_t kMaxSize = 1'500;       // of what a link carries
constexpr std::uint64_t kAddresses = 200;     // that are forged; each in a /24 of its own
constexpr std::size_t kPackets = 64;          // under right signatures, to be varied
constexpr std::uint64_t kBetweenTicks = 200;  // datagrams in a tenth of a second

std::uint64_t count(std::uint64_t share, std::uint64_t full) {
  return std::getenv("ETHNET_FULL_ATTACKS") != nullptr ? full : share;
}

// Datagrams of every sort that a stranger can make: any bytes; headers of discv5 under our mask,
// with any content; packets of discv4 under right hashes and signatures, some of them spoilt.
class Stranger {
 public:
  Stranger(const NodeId& victim, std::uint64_t seed) : victim_{victim}, prng_{seed} {
    rng_.fill(noise_);
    const discv4::Place anywhere = discv4::testing::wire_place(place_of(3), 30'303);
    for (std::size_t i = 0; i < kPackets; ++i) {
      // Valid for as long as the test runs.
      const std::uint64_t never = discv4::testing::kEpoch + 1'000'000 + i;
      const auto key = key_of(100 + i);
      discv4::Message message = discv4::EnrRequest{never};
      if (i % 4 == 0) {
        // Some as short as there are: less than what we would like to say.
        const discv4::Place place = i % 8 == 0 ? anywhere : discv4::Place{};
        message = discv4::Ping{.from = place, .to = place, .expiration = never};
        if (i % 16 < 8) std::get<discv4::Ping>(message).enr_seq = i;
      } else if (i % 4 == 1) {
        message = discv4::FindNode{.target = {}, .expiration = never};
      } else if (i % 4 == 2) {
        message = discv4::Pong{.to = anywhere, .ping_hash = {}, .expiration = never, .enr_seq = i};
      }
      const auto type = static_cast<std::uint8_t>(i);
      signed_.push_back(i % 8 == 7 ? raw_packet(type, ByteView{noise_}.first(80), *key)
                                   : packet_of(message, *key));
    }
  }

  // From the address with this number, of four identities of discv4. Lives until the next one.
  [[nodiscard]] ByteView next(std::uint64_t address) {
    switch (prng_.below(4)) {
      case 0:
        return of_discv5();
      case 1:
        return of_discv4(address);
      default:
        return any_bytes();
    }
  }
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return prng_.below(bound); }

 private:
  ByteView any_bytes() {
    store_be<std::uint64_t>(MutByteView{noise_}.subspan(prng_.below(60), 8), prng_.next());
    return ByteView{noise_}.first(prng_.below(kMaxSize + 1));
  }
  ByteView of_discv5() {
    discv5::Header header;
    store_be<std::uint64_t>(MutByteView{header.nonce}.first(8), prng_.next());
    NodeId source;
    store_be<std::uint64_t>(MutByteView{source.bytes}.first(8), prng_.below(5'000));
    switch (prng_.below(4)) {
      case 0:
        header.authdata = discv5::Whoareyou{};
        break;
      case 1: {
        discv5::Handshake handshake{.source = source};
        copy_into(handshake.id_signature, ByteView{noise_}.subspan(prng_.below(100), 64));
        copy_into(handshake.ephemeral_key, ByteView{noise_}.subspan(prng_.below(100), 33));
        header.authdata = handshake;
        break;
      }
      default:
        header.authdata = discv5::Ordinary{source};
    }
    const std::size_t head = discv5::write_header(header, packet_).size();
    const std::size_t size = std::min(packet_.size(), head + prng_.below(200));
    if (prng_.below(8) == 0) packet_[prng_.below(head)] ^= std::byte{4};
    auto mask = crypto::AesCtr::make(victim_.view().first(16),
                                     ByteView{packet_}.first(discv5::kMaskingIvBytes));
    CHECK(mask.has_value());
    const MutByteView masked =
        MutByteView{packet_}.subspan(discv5::kMaskingIvBytes, head - discv5::kMaskingIvBytes);
    CHECK(mask->apply(masked).has_value());
    return ByteView{packet_}.first(size);
  }
  ByteView of_discv4(std::uint64_t address) {
    const Bytes& whole = signed_[(4 * address + prng_.below(4)) % signed_.size()];
    copy_into(packet_, whole);
    if (prng_.below(2) == 0) packet_[prng_.below(whole.size())] ^= std::byte{1};
    return ByteView{packet_}.first(whole.size() - (prng_.below(4) == 0 ? prng_.below(20) : 0));
  }

  NodeId victim_;
  Prng prng_;
  TestRng rng_{11};
  ByteArray<kMaxSize + 160> noise_{};
  discv5::PacketBuffer packet_{};
  std::vector<Bytes> signed_;
};

class HostAttacks : public ::testing::Test {
 protected:
  HostAttacks()
      : host_{now_,
              {.key = key_of(1),
               .local_record = std::make_shared<const VerifiedEnr>(
                   EnrBuilder{1}.ip(place_of(1).ip).udp(30'303).sign(*key_of(1)).value()),
               .local = {place_of(1)}},
              rng_,
              Prng{5}} {}

  // Bytes that one input caused.
  struct Caused {
    std::size_t to_sender = 0;
    std::size_t to_others = 0;
  };
  Caused take(const Endpoint& from, ByteView bytes) {
    const Datagram datagram{.local = place_of(1), .remote = from, .ecn = 0, .bytes = bytes};
    host_.handle_datagrams(now_, {&datagram, 1});
    return drain(from.ip);
  }
  Caused pass(Duration time) {
    now_.mono = now_.mono + time;
    now_.wall = now_.wall + time;
    while (host_.next_deadline() <= now_.mono) host_.handle_deadline(now_);
    return drain(IpAddress{});
  }

  Now now_ = discv4::testing::at(seconds(1));
  TestRng rng_{3};
  Host host_;
  std::uint64_t answers_ = 0;

 private:
  Caused drain(const IpAddress& sender) {
    Caused out;
    while (const auto sent = host_.poll_transmit(now_, buffer_)) {
      ++answers_;
      (sent->remote.ip == sender ? out.to_sender : out.to_others) += sent->size;
    }
    while (host_.poll_event()) {
    }
    while (const auto job = host_.poll_job()) host_.handle_job_done(now_, {job->id, job->work()});
    return out;
  }

  Bytes buffer_ = Bytes(kTransmitBufferBytes);
};

TEST_F(HostAttacks, atk_27_28_DatagramsOfAnySortNeitherGrowUsNorAreAmplified) {
  Stranger stranger{host_.local_record()->node_id(), 7};
  const std::uint64_t datagrams = count(300'000, 10'000'000);
  const AllocationMeter meter;
  std::int64_t when_full = 0;
  std::size_t most_held = 0;
  for (std::uint64_t i = 0; i < datagrams; ++i) {
    const std::uint64_t address = stranger.below(kAddresses);
    const Endpoint from = place_of(1'000 + address);
    const ByteView bytes = stranger.next(address);
    const Caused caused = take(from, bytes);
    ASSERT_LE(caused.to_sender, bytes.size()) << "to " << from.to_string() << " after " << i;
    ASSERT_EQ(caused.to_others, 0U) << "from " << from.to_string() << " after " << i;
    if (i % kBetweenTicks == 0) {
      ASSERT_EQ(pass(milliseconds(100)).to_others, 0U) << i;
    }
    most_held = std::max(most_held, host_.held());
    if (i == datagrams / 4 * 3) when_full = meter.growth();
    if (host_.exceeded_limit()) FAIL() << *host_.exceeded_limit();
  }
  EXPECT_LE(meter.growth(), when_full + 32 * 1'024) << "full after three quarters of them";
  EXPECT_GT(answers_, datagrams / 20) << "the attack was on";
  EXPECT_EQ(host_.counters().datagrams, datagrams);
  EXPECT_EQ(host_.table().size(), 0U);
  EXPECT_EQ(host_.v5()->sessions(), 0U);
  EXPECT_EQ(pass(seconds(30)).to_others, 0U);
  EXPECT_EQ(host_.held(), 0U) << "nothing is left of them";
  std::cout << "datagrams: " << datagrams << ", answers: " << answers_ << ", held at most "
            << most_held << ", memory " << meter.growth() / 1'024 << " KiB" << std::endl;
}

}  // namespace
}  // namespace ethnet::discovery
