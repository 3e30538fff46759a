// The most that a hostile peer can make one connection hold.
#include <gtest/gtest.h>
#include <tests/support/raw_quic/raw_quic.hpp>

namespace ethnet::testing {
namespace {

using transport::CloseCause;
using transport::Closed;

constexpr std::uint64_t kUni = 2;

Bytes cid_of(std::uint64_t sequence) {
  Bytes cid;
  append_be<std::uint64_t>(cid, sequence);
  return cid;
}

// A peer that never acknowledges, so that whatever is answered has to be kept.
class Silent {
 public:
  Silent() {
    EXPECT_TRUE(peer.connect());
    peer.wait(seconds(1));
    peer.acknowledge = false;
    before_ = peer.memory();
  }
  void send(const Frames& frames) {
    peer.send(frames);
    most_ = std::max(most_, peer.memory());
  }
  [[nodiscard]] std::size_t grown() const { return most_ - before_; }
  // How many frames of this type were still kept: what comes once we acknowledge again.
  [[nodiscard]] std::size_t kept(std::uint64_t type) {
    peer.forget_frames();
    peer.acknowledge = true;
    peer.wait(seconds(20));
    return peer.count(type);
  }

  RawQuic peer;

 private:
  std::size_t before_ = 0;
  std::size_t most_ = 0;
};

// The window for congestion collapses too: nothing of ours is ever acknowledged.
TEST(HostileQuicMemory, atk_64_AFloodOfPathChallengesIsForgotten) {
  constexpr std::uint64_t kPackets = 10'000;
  constexpr std::uint64_t kInEach = 100;
  Silent silent;
  for (std::uint64_t i = 0; i < kPackets; ++i) {
    Frames frames;
    for (std::uint64_t j = 0; j < kInEach; ++j) frames.path_challenge(i * kInEach + j);
    silent.send(frames);
    if (i % 1'000 == 0) silent.peer.wait(seconds(2));  // timeouts of its probes
  }
  EXPECT_EQ(silent.peer.event<Closed>(), nullptr);
  EXPECT_LT(silent.grown(), 256U * 1024);  // the criterion is 2 MiB
  EXPECT_LT(silent.kept(0x1b), 256U);      // PATH_RESPONSE
  std::printf("1,000,000 PATH_CHALLENGE frames: %zu bytes more\n", silent.grown());
}

TEST(HostileQuicMemory, atk_65_AFloodOfNewConnectionIdsEndsTheConnection) {
  Silent silent;
  for (std::uint64_t i = 1; i < 20'000 && silent.peer.event<Closed>() == nullptr; ++i) {
    // Each retires the one before, and we would owe a RETIRE_CONNECTION_ID for each.
    silent.send(Frames{}.new_connection_id(i, i, cid_of(i), 1));
  }
  ASSERT_NE(silent.peer.event<Closed>(), nullptr);
  EXPECT_EQ(silent.peer.event<Closed>()->cause, CloseCause::refused);
  EXPECT_LT(silent.grown(), 256U * 1024);
}

TEST(HostileQuicMemory, atk_65_MoreConnectionIdsThanAllowedAreRefused) {
  Silent silent;
  Frames frames;
  for (std::uint64_t i = 1; i < 20; ++i) frames.new_connection_id(i, 0, cid_of(i), 1);
  silent.send(frames);
  EXPECT_EQ(silent.peer.closed_with(), 0x09U);
}

TEST(HostileQuicMemory, atk_65_RetiringConnectionIdsIsBounded) {
  // One that was never issued.
  Silent unknown;
  unknown.send(Frames{}.retire_connection_id(1'000));
  EXPECT_EQ(unknown.peer.closed_with(), 0x0aU);
  // Every one that is issued, faster than new ones can be said.
  Silent hasty;
  for (std::uint64_t i = 1; i < 20'000 && hasty.peer.event<Closed>() == nullptr; ++i) {
    hasty.send(Frames{}.retire_connection_id(i));
  }
  EXPECT_EQ(hasty.peer.closed_with(), 0x0aU);
  EXPECT_LT(hasty.grown(), 512U * 1024);
  // And in step with them, for ever: a few are kept at a time.
  Silent patient;
  patient.peer.acknowledge = true;
  constexpr std::uint64_t kRetired = 500;
  for (std::uint64_t i = 1; i < kRetired; ++i) {
    patient.send(Frames{}.retire_connection_id(i));
    patient.peer.wait(milliseconds(5));
    ASSERT_EQ(patient.peer.event<Closed>(), nullptr) << i;
    ASSERT_LE(patient.peer.endpoint().cid_count(), 16U);
  }
  EXPECT_GE(patient.peer.count(0x18), kRetired);  // NEW_CONNECTION_ID
  EXPECT_LT(patient.grown(), 64U * 1024);
}

// Every other byte of a stream from `offset` on, so that nothing can be joined; where that ends.
std::uint64_t send_fragments(Silent& silent, std::uint64_t stream, std::uint64_t offset,
                             std::uint64_t end) {
  const std::byte x{'x'};
  while (offset < end && silent.peer.event<Closed>() == nullptr) {
    Frames frames;
    for (int i = 0; i < 100 && offset < end; ++i, offset += 2) {
      frames.stream(stream, offset, std::span{&x, 1});
    }
    silent.send(frames);
  }
  return offset;
}

// ngtcp2 gives up at 5,000 gaps in a stream; the memory of them is below twice the window.
TEST(HostileQuicMemory, atk_68_FragmentsOfOneByteStayWithinTwiceTheWindow) {
  const quic::EndpointConfig config;
  Silent silent;
  const std::uint64_t end = send_fragments(silent, kUni, 1, config.stream_window);
  ASSERT_NE(silent.peer.event<Closed>(), nullptr);
  EXPECT_EQ(silent.peer.event<Closed>()->cause, CloseCause::refused);
  EXPECT_LT(silent.grown(), 2 * config.stream_window);
  std::printf("fragments of one byte over one stream: %zu bytes more, closed after offset %zu\n",
              silent.grown(), static_cast<std::size_t>(end));
}

TEST(HostileQuicMemory, atk_68_FragmentsInEveryStreamStayWithinTwiceTheWindows) {
  const quic::EndpointConfig config;
  Silent silent;
  for (std::uint64_t stream = 0; stream < config.max_remote_uni; ++stream) {
    (void)send_fragments(silent, kUni + 4 * stream, 1, 9'800);
  }
  EXPECT_EQ(silent.peer.event<Closed>(), nullptr);
  EXPECT_GT(silent.grown(), 2U * 1024 * 1024);
  EXPECT_LT(silent.grown(), 2 * config.connection_window());
  std::printf("fragments of one byte over every stream: %zu bytes more\n", silent.grown());
}

TEST(HostileQuicMemory, atk_68_FragmentsOfOneByteInEveryStreamEndTheConnection) {
  quic::EndpointConfig config;
  config.memory_limit = 2 * 1024 * 1024;
  RawQuic peer{config};
  ASSERT_TRUE(peer.connect());
  const std::byte x{'x'};
  std::size_t most = 0;
  for (std::uint64_t offset = 1;
       offset < config.stream_window && peer.event<Closed>() == nullptr;) {
    for (std::uint64_t stream = 0; stream < config.max_remote_uni; ++stream) {
      Frames frames;
      for (std::uint64_t i = 0; i < 100; ++i) {
        frames.stream(kUni + 4 * stream, offset + 2 * i, std::span{&x, 1});
      }
      peer.send(frames);
      most = std::max(most, peer.memory());
    }
    offset += 200;
  }
  ASSERT_NE(peer.event<Closed>(), nullptr);
  EXPECT_EQ(peer.event<Closed>()->cause, CloseCause::memory_limit);
  EXPECT_EQ(peer.endpoint().counters().closed_memory, 1U);
  EXPECT_EQ(peer.closed_with(), 0x01U);  // INTERNAL_ERROR
  EXPECT_LE(most, config.memory_limit);
  peer.wait(seconds(4));
  EXPECT_EQ(peer.endpoint().connection_count(), 0U);
}

// ngtcp2 keeps something of each stream that begins with its reset.
TEST(HostileQuicMemory, StreamsThatBeginWithAResetEndAtTheBudget) {
  quic::EndpointConfig config;
  config.memory_limit = 512 * 1024;
  RawQuic peer{config};
  ASSERT_TRUE(peer.connect());
  std::uint64_t allowed = config.max_remote_uni;
  std::uint64_t next = 0;
  for (int round = 0; round < 10'000 && peer.event<Closed>() == nullptr; ++round) {
    Frames frames;
    for (; next < allowed; ++next) frames.reset_stream(kUni + 4 * next, 7, 0);
    peer.send(frames.ping());
    peer.wait(milliseconds(20));
    if (const Frame* more = peer.last(0x13)) allowed = more->numbers.at(0);
  }
  std::printf("streams that begin with a reset, until half a mebibyte: %zu\n",
              static_cast<std::size_t>(next));
  EXPECT_GT(next, 500U);
  ASSERT_NE(peer.event<Closed>(), nullptr);
  EXPECT_EQ(peer.event<Closed>()->cause, CloseCause::memory_limit);
}

TEST(HostileQuicMemory, OverlappingFragmentsAreKeptOnce) {
  Silent silent;
  const Bytes block(600, std::byte{'x'});
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    silent.send(Frames{}.stream(kUni, 1 + i % 600, block).stream(kUni, 1 + i % 7, block));
  }
  EXPECT_EQ(silent.peer.event<Closed>(), nullptr);
  EXPECT_LT(silent.grown(), 64U * 1024);
}

TEST(HostileQuicMemory, UnreadFullWindowsStayWithinTheBudget) {
  const quic::EndpointConfig config;
  Silent silent;
  const Bytes block(1024, std::byte{'x'});
  for (std::uint64_t offset = 0; offset < config.stream_window; offset += block.size()) {
    for (std::uint64_t stream = 0; stream < config.max_remote_uni; ++stream) {
      silent.send(Frames{}.stream(kUni + 4 * stream, offset, block));
    }
  }
  EXPECT_EQ(silent.peer.event<Closed>(), nullptr);
  EXPECT_GT(silent.grown(), config.stream_window * config.max_remote_uni);
  EXPECT_LT(silent.grown(), config.memory_limit);
  std::printf("full windows of every stream: %zu bytes more\n", silent.grown());
}

TEST(HostileQuicMemory, PacketNumbersWithGapsAreForgotten) {
  Silent silent;
  for (int i = 0; i < 20'000; ++i) {
    silent.peer.skip_numbers(Space::application, 3);
    silent.send(Frames{}.ping());
  }
  EXPECT_EQ(silent.peer.event<Closed>(), nullptr);
  EXPECT_LT(silent.grown(), 256U * 1024);
}

TEST(HostileQuicMemory, StopSendingAndResetsOfOneStreamAreBounded) {
  Silent silent;
  for (int i = 0; i < 20'000; ++i) {
    silent.send(
        Frames{}.stop_sending(0, 1).numbers(0x15, {0, 7}).numbers(0x14, {9}).numbers(0x17, {9}));
  }
  EXPECT_EQ(silent.peer.event<Closed>(), nullptr);
  EXPECT_LT(silent.grown(), 256U * 1024);
}

}  // namespace
}  // namespace ethnet::testing
