// What the multiplexer sends first: by priority, and fairly among the capabilities of one priority.
#include "mux.hpp"

#include <gtest/gtest.h>

#include "testing/narrow.hpp"
#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;

class MuxOrder : public ::testing::Test {
 protected:
  MuxOrder() {
    flush(1'000);  // the names
    transport.taken.clear();
  }
  void flush(std::size_t room) {
    transport.room = room;
    writer.on_writable();
    writer.flush(Instant{}, transport, {});
  }
  // A payload whose bytes are all `mark`, so that it is known on the wire.
  void push(std::size_t lane, Priority priority, char mark, std::size_t size) {
    ASSERT_TRUE(writer.push(lane, priority, Bytes(size, static_cast<std::byte>(mark))));
  }
  // The marks of what has gone, each run of one mark once, in order.
  [[nodiscard]] std::string order() const {
    std::string out;
    for (const auto& [stream, bytes] : transport.taken) {
      for (const std::byte b : bytes) {
        const char mark = static_cast<char>(b);
        const bool is_mark = mark >= 'a' && mark <= 'z';
        if (is_mark && (out.empty() || out.back() != mark)) out.push_back(mark);
      }
    }
    return out;
  }
  [[nodiscard]] std::size_t sent(char mark) const {
    std::size_t n = 0;
    for (const auto& [stream, bytes] : transport.taken) {
      n += static_cast<std::size_t>(std::ranges::count(bytes, static_cast<std::byte>(mark)));
    }
    return n;
  }

  std::vector<Capability> agreed{capability("aa/1"), capability("bb/1"), capability("cc/1")};
  MuxWriter writer{agreed, {1 << 20, 100, 1 << 20, 100}};
  Narrow transport;
};

// Payload sizes are multiples of 0x100 and small, so that no byte of a header looks like a mark.
TEST_F(MuxOrder, OneCapabilitySendsHeadBeforeNormalBeforeBulk) {
  push(0, Priority::bulk, 'x', 0x100);
  push(0, Priority::normal, 'n', 0x100);
  push(0, Priority::head, 'h', 0x100);
  flush(10'000);
  EXPECT_EQ(order(), "hnx");
}

TEST_F(MuxOrder, AmongCapabilitiesHeadGoesBeforeNormalBeforeBulk) {
  push(0, Priority::bulk, 'x', 0x100);
  push(1, Priority::normal, 'n', 0x100);
  push(2, Priority::head, 'h', 0x100);
  flush(0x104);  // room for one
  EXPECT_EQ(order(), "h");
  flush(0x104);
  EXPECT_EQ(order(), "hn");
  flush(0x104);
  EXPECT_EQ(order(), "hnx");
}

// What comes while a long payload of bulk is under way on another stream does not wait for its end.
TEST_F(MuxOrder, AHeadOvertakesBulkThatIsUnderWayElsewhere) {
  push(0, Priority::bulk, 'x', 0x10000);
  flush(0x1000);
  push(1, Priority::head, 'h', 0x100);
  flush(0x1000);
  EXPECT_EQ(order(), "xhx");
  EXPECT_EQ(sent('h'), 0x100U);
}

// One that has 1 MiB to send does not keep one with a little waiting, whose turn is at most a
// quantum of each of the others away.
TEST_F(MuxOrder, ASmallCapabilityIsNotStarvedByGreedyOnesOfItsPriority) {
  for (int i = 0; i < 15; ++i) {
    push(0, Priority::normal, 'x', 0x10000);
    push(2, Priority::normal, 'y', 0x10000);
  }
  push(1, Priority::normal, 'n', 0x100);
  flush(2 * kQuantumBytes + 0x200);
  EXPECT_EQ(sent('n'), 0x100U);
}

// However much the transport takes at a time.
TEST_F(MuxOrder, GreedyOnesOfOnePriorityShareWhateverTheRoom) {
  for (const std::size_t room : {std::size_t{0x1000}, std::size_t{0x3fff}, kQuantumBytes,
                                 kQuantumBytes + 1, std::size_t{0x7000}, 2 * kQuantumBytes,
                                 3 * kQuantumBytes - 5, 3 * kQuantumBytes, std::size_t{0x12345}}) {
    transport.taken.clear();
    for (std::size_t sent_in_all = 0; sent_in_all < 1 << 20; sent_in_all += room) {
      for (const std::size_t lane : {0U, 1U, 2U}) {
        (void)writer.push(lane, Priority::normal,
                          Bytes(0x8000, static_cast<std::byte>('x' + lane)));
      }
      flush(room);
    }
    const auto [least, most] = std::minmax({sent('x'), sent('y'), sent('z')});
    EXPECT_LE(most - least, 2 * kQuantumBytes) << room;
    EXPECT_GE(least, 300'000U);
  }
}

TEST_F(MuxOrder, WhatIsUrgentGoesThoughALimitHoldsBulkBack) {
  transport.bulk_room = 0x180;
  push(1, Priority::bulk, 'x', 0x400);  // whose turn it is
  push(0, Priority::bulk, 'y', 0x400);
  flush(100'000);
  EXPECT_EQ(order(), "x");
  EXPECT_EQ(sent('x') + 4, 0x180U);
  transport.taken.clear();
  // No on_writable(): the limit has not said anything.
  push(0, Priority::head, 'h', 0x100);
  writer.flush(Instant{}, transport, {});
  EXPECT_EQ(order(), "h");
  EXPECT_EQ(sent('h'), 0x100U);
}

TEST_F(MuxOrder, TheRestOfABulkPayloadIsAsUrgentAsWhatWaitsBehindIt) {
  transport.bulk_room = 0x180;
  push(0, Priority::bulk, 'x', 0x400);
  push(0, Priority::bulk, 'y', 0x400);
  flush(100'000);
  push(0, Priority::head, 'h', 0x100);
  writer.flush(Instant{}, transport, {});
  EXPECT_EQ(order(), "xh");
  EXPECT_EQ(sent('y'), 0U);
  transport.bulk_room = 0x1000;
  flush(100'000);
  EXPECT_EQ(order(), "xhy");
}

// The peer did nothing wrong: neither while the limit holds nor right after it.
TEST_F(MuxOrder, WhatALimitHoldsBackIsNotHeldAgainstThePeer) {
  const auto at = [](std::int64_t s) { return Instant{} + seconds(s); };
  transport.room = 100'000;
  transport.bulk_room = 0x10;
  push(0, Priority::bulk, 'x', 0x400);
  writer.flush(at(0), transport, {});
  EXPECT_TRUE(writer.stall_deadline(seconds(20)).is_never());
  writer.on_writable();
  transport.bulk_room = 0x1000;
  transport.room = 0x10;  // now it is the peer that takes no more
  writer.flush(at(30), transport, {});
  EXPECT_EQ(writer.stall_deadline(seconds(20)), at(50));
  writer.on_writable();
  transport.room = 0;
  writer.flush(at(40), transport, {});
  EXPECT_EQ(writer.stall_deadline(seconds(20)), at(50));
}

}  // namespace
}  // namespace ethnet::session
