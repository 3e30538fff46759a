// A peer that answers pings and does not read (attack 18).
#include <gtest/gtest.h>

#include "mux.hpp"
#include "testing/narrow.hpp"
#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;

class SlowReader : public ::testing::Test {
 protected:
  SlowReader() {
    peer.connect(node.address());
    peer.become_active(node.local);
    while (node.send_bytes(node.only_session(), "echo/1", Bytes(400'000))) {
    }
    stream = 3;  // the node is the acceptor: its first unidirectional stream carries echo/1
  }
  // Answers pings, and reads so much each second. How long it lasted.
  Duration last(std::size_t bytes_a_second, Duration most) {
    const Instant begin = world.now().mono;
    while (world.now().mono < begin + most && node.manager().session_count() == 1) {
      world.run_for(milliseconds(200));
      while (const auto frame = peer.poll()) {
        if (frame->type == FrameType::ping) peer.say(encode_pong());
      }
      const std::size_t there = peer.read(stream).size();
      peer.consume(stream, std::min(there, bytes_a_second / 5));
    }
    return world.now().mono - begin;
  }

  World world;
  Node& node = world.add_node(make_key(1), address(1));
  RawPeer peer{world, world.add_raw_host(address(2)), make_key(2)};
  transport::StreamId stream = 0;
};

TEST_F(SlowReader, atk_18_APeerThatDoesNotReadIsDroppedAfterTwentySeconds) {
  const Duration lasted = last(0, seconds(60));
  EXPECT_GE(lasted, milliseconds(19'500));
  EXPECT_LE(lasted, milliseconds(20'500));
  EXPECT_EQ(node.closed_with(Reason::write_timeout), 1U);
  EXPECT_EQ(peer.ended(), Reason::write_timeout);
  EXPECT_EQ(node.manager().snapshot().memory_bytes, 0U);
}

TEST_F(SlowReader, ATrickleIsNoProgress) {
  EXPECT_LE(last(500, seconds(60)), milliseconds(20'500));
  EXPECT_EQ(node.closed_with(Reason::write_timeout), 1U);
}

TEST_F(SlowReader, OneThatIsSlowButReadsStays) {
  EXPECT_GE(last(4'000, seconds(120)), seconds(120));
  EXPECT_EQ(node.manager().session_count(), 1U);
}

TEST_F(SlowReader, OneThatHasNothingToReadStays) {
  EXPECT_GE(last(10'000'000, seconds(120)), seconds(120));
  EXPECT_EQ(node.manager().session_count(), 1U);
}

class NarrowWriter : public ::testing::Test {
 protected:
  void flush(Duration at, std::size_t room) {
    transport.room = room;
    writer.on_writable();
    writer.flush(Instant{} + at, transport, {});
  }
  [[nodiscard]] Instant deadline() const { return writer.stall_deadline(seconds(20)); }

  std::vector<Capability> agreed{capability("a/1"), capability("b/1")};
  MuxWriter writer{agreed, {1 << 20, 100, 1 << 20, 100}};
  Narrow transport;
};

// The bulk of one protocol waits for the other's messages, through no fault of the peer.
TEST_F(NarrowWriter, WhatWaitsBehindMoreUrgentBytesIsExcused) {
  flush(seconds(0), 100);  // the names
  EXPECT_TRUE(deadline().is_never());
  ASSERT_TRUE(writer.push(0, Priority::normal, Bytes(400'000)));
  ASSERT_TRUE(writer.push(1, Priority::bulk, Bytes(1'000)));
  for (int i = 1; i <= 10; ++i) flush(seconds(5 * i), 20'000);
  EXPECT_EQ(deadline(), Instant{} + seconds(50 + 20));
}

TEST_F(NarrowWriter, WhatWaitsBesideEqualsIsNot) {
  flush(seconds(0), 100);
  ASSERT_TRUE(writer.push(0, Priority::normal, Bytes(1'000)));
  flush(seconds(1), 0);
  EXPECT_EQ(deadline(), Instant{} + seconds(21));
  flush(seconds(9), 400);
  EXPECT_EQ(deadline(), Instant{} + seconds(21));  // a trickle
  flush(seconds(10), 1'000);
  EXPECT_TRUE(deadline().is_never());
}

}  // namespace
}  // namespace ethnet::session
