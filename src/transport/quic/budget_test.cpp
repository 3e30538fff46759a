// What one connection may hold, and how long it keeps a key.
#include <gtest/gtest.h>

#include "test_pair.hpp"

namespace ethnet::quic {
namespace {

using testing::Packet;
using testing::Pair;
using testing::pattern;
using transport::CloseCause;
using transport::Closed;
using transport::StreamKind;
using transport::Writable;

TEST(QuicBudget, WriteTakesNoMoreThanTheSendMemoryOfAllStreams) {
  constexpr std::size_t kMemory = 64 * 1024;
  Pair pair{[](EndpointConfig& c) { c.send_memory = kMemory; }};
  const auto conn = pair.connect();
  pair.server->events.clear();
  pair.fate = [](Packet&) { return 0; };  // nothing is acknowledged
  const Bytes data = pattern(40 * 1024);
  std::vector<StreamId> streams;
  std::size_t accepted = 0;
  for (int i = 0; i < 4; ++i) {
    streams.push_back(*pair.client->endpoint->open_stream(conn, StreamKind::unidirectional));
    accepted += pair.client->endpoint->write(conn, streams.back(), data);
  }
  EXPECT_EQ(accepted, kMemory);
  EXPECT_EQ(pair.client->endpoint->write(conn, streams.back(), data), 0U);
  pair.run(milliseconds(200));
  EXPECT_EQ(pair.client->count<Writable>(), 0U);
  // With acknowledgements every stream that was refused some bytes is told that there is room.
  pair.fate = [](Packet&) { return 1; };
  pair.run(seconds(10));
  EXPECT_EQ(pair.client->count<Writable>(), 3U);
  EXPECT_EQ(pair.client->endpoint->write(conn, streams.back(), data), data.size());
}

TEST(QuicBudget, AStreamThatIsResetGivesItsSendMemoryBack) {
  constexpr std::size_t kMemory = 64 * 1024;
  Pair pair{[](EndpointConfig& c) {
    c.send_memory = kMemory;
    c.stream_window = 16 * 1024;
  }};
  const auto conn = pair.connect();
  for (int i = 0; i < 20; ++i) {
    const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
    ASSERT_TRUE(stream) << i;
    // More than the reader lets through.
    ASSERT_EQ(pair.client->endpoint->write(conn, *stream, pattern(kMemory)), kMemory) << i;
    pair.run(seconds(1));
    pair.client->endpoint->reset(conn, *stream, 1);
    pair.run(seconds(1));
  }
}

TEST(QuicBudget, AConnectionThatHoldsTooMuchIsClosedAndCounted) {
  Pair pair{[](EndpointConfig& c) { c.memory_limit = 280 * 1024; }};
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  pair.run(seconds(1));
  EXPECT_LT(pair.server->endpoint->memory_bytes(server_conn), 100U * 1024);
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  // Below the client's own limit at any moment, and the server does not read.
  (void)pair.client->endpoint->write(conn, *stream, pattern(100 * 1024));
  pair.run(seconds(1));
  EXPECT_EQ(pair.server->count<Closed>(), 0U);
  (void)pair.client->endpoint->write(conn, *stream, pattern(150 * 1024));
  pair.run(seconds(1));
  ASSERT_NE(pair.server->last<Closed>(), nullptr);
  EXPECT_EQ(pair.server->last<Closed>()->cause, CloseCause::memory_limit);
  EXPECT_EQ(pair.server->endpoint->counters().closed_memory, 1U);
  ASSERT_NE(pair.client->last<Closed>(), nullptr);
  EXPECT_EQ(pair.client->last<Closed>()->cause, CloseCause::refused);
  EXPECT_EQ(pair.client->endpoint->counters().closed_memory, 0U);
}

// One direction of a transfer that goes both ways at once.
struct Way {
  testing::Side& from;
  transport::ConnHandle from_conn;
  testing::Side& to;
  transport::ConnHandle to_conn;
  StreamId stream;
  ByteView left;
  Bytes got;

  void pump() {
    left = left.subspan(from.endpoint->write(from_conn, stream, left));
    const ByteView arrived = to.endpoint->read(to_conn, stream);
    append(got, arrived);
    to.endpoint->consume(to_conn, stream, arrived.size());
  }
};

// Sends a mebibyte each way at once; how often each side began a key update meanwhile.
std::pair<std::uint64_t, std::uint64_t> updates(std::uint64_t client_packets,
                                                std::uint64_t server_packets) {
  int made = 0;
  Pair pair{[&](EndpointConfig& c) {
    c.key_update_packets = made++ == 0 ? client_packets : server_packets;
    c.stream_window = 32 * 1024;  // slow enough: updates keep a distance of three probe timeouts
  }};
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  const Bytes data = pattern(1024 * 1024);
  const auto up = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  const auto down = pair.server->endpoint->open_stream(server_conn, StreamKind::unidirectional);
  Way there{*pair.client, conn, *pair.server, server_conn, *up, data, {}};
  Way back{*pair.server, server_conn, *pair.client, conn, *down, data, {}};
  pair.run(seconds(60), [&] {
    there.pump();
    back.pump();
    return there.got.size() == data.size() && back.got.size() == data.size();
  });
  EXPECT_TRUE(there.got == data);
  EXPECT_TRUE(back.got == data);
  EXPECT_EQ(pair.client->count<Closed>() + pair.server->count<Closed>(), 0U);
  return {pair.client->endpoint->counters().key_updates,
          pair.server->endpoint->counters().key_updates};
}

TEST(QuicBudget, EitherSideUpdatesKeysWhileDataFlowsBothWays) {
  const auto by_client = updates(50, kMaxKeyPackets);
  EXPECT_GE(by_client.first, 2U);
  EXPECT_EQ(by_client.second, 0U);
  const auto by_server = updates(kMaxKeyPackets, 50);
  EXPECT_EQ(by_server.first, 0U);
  EXPECT_GE(by_server.second, 2U);
}

TEST(QuicBudget, BothSidesMayUpdateKeysAtOnce) {
  const auto both = updates(50, 50);
  EXPECT_GE(both.first + both.second, 2U);
}

TEST(QuicBudget, AKeyServesTheNumberOfPacketsThatTheConfigurationSays) {
  const auto none = updates(kMaxKeyPackets, kMaxKeyPackets);
  EXPECT_EQ(none.first + none.second, 0U);
}

}  // namespace
}  // namespace ethnet::quic
