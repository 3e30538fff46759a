// Paths that change under a connection.
#include <gtest/gtest.h>

#include "test_pair.hpp"

namespace ethnet::quic {
namespace {

using testing::Packet;
using testing::Pair;
using testing::pattern;
using testing::transfer;
using transport::Closed;
using transport::StreamKind;

// Packets have grown to `before`; from then on the path drops, without a word, what is larger than
// `after`. True when half a mebibyte gets through nevertheless.
bool survives_black_hole(Pair& pair, std::size_t& largest, std::size_t after) {
  pair.fate = [&](Packet& packet) {
    largest = std::max(largest, packet.bytes.size());
    return 1;
  };
  const auto conn = pair.connect();
  pair.server->events.clear();
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  const Bytes warm_up = pattern(200 * 1024);
  EXPECT_TRUE(transfer(pair, *pair.client, conn, *stream, *pair.server, warm_up) == warm_up);
  pair.run(seconds(3));
  pair.fate = [after](Packet& packet) { return packet.bytes.size() > after ? 0 : 1; };
  const Bytes data = pattern(512 * 1024);
  const Instant start = pair.now.mono;
  const bool arrived = transfer(pair, *pair.client, conn, *stream, *pair.server, data) == data;
  std::printf("512 KiB through a path that drops above %zu bytes: %lld ms\n", after,
              static_cast<long long>((pair.now.mono - start).ns / 1'000'000));
  return arrived && pair.client->count<Closed>() + pair.server->count<Closed>() == 0;
}

TEST(QuicPath, ABlackHoleAfterPacketsHaveGrownIsSurvived) {
  for (const std::size_t after : {1400U, 1280U, 1200U}) {
    Pair pair;
    std::size_t largest = 0;
    EXPECT_TRUE(survives_black_hole(pair, largest, after)) << after;
    EXPECT_GT(largest, 1400U);
    EXPECT_EQ(pair.client->endpoint->counters().black_holes, 1U);
    EXPECT_EQ(pair.server->endpoint->counters().black_holes, 0U);  // it sent nothing large
  }
}

// Nothing at all gets through for a while, which looks the same: data flows again afterwards.
TEST(QuicPath, ASilenceOfTwoSecondsIsSurvived) {
  Pair pair;
  const auto conn = pair.connect();
  pair.server->events.clear();
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  const Bytes data = pattern(100 * 1024);
  EXPECT_TRUE(transfer(pair, *pair.client, conn, *stream, *pair.server, data) == data);
  pair.run(seconds(3));
  pair.fate = [](Packet&) { return 0; };
  ASSERT_EQ(pair.client->endpoint->write(conn, *stream, pattern(1000)), 1000U);
  pair.run(seconds(2));
  pair.fate = [](Packet&) { return 1; };
  pair.server->events.clear();
  pair.run(seconds(5));
  EXPECT_EQ(pair.server->endpoint->read(pair.server->events.front().conn, *stream).size(), 1000U);
}

// Who only reads has nothing in flight that could be missed.
TEST(QuicPath, AReaderAndAnIdleConnectionSeeNoBlackHole) {
  Pair pair;
  const auto conn = pair.connect();
  pair.server->events.clear();
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  const Bytes data = pattern(600 * 1024);
  EXPECT_TRUE(transfer(pair, *pair.client, conn, *stream, *pair.server, data) == data);
  pair.run(seconds(120));
  // The writer waits for credit: everything that it sent is acknowledged.
  (void)pair.client->endpoint->write(conn, *stream, pattern(500 * 1024));
  pair.run(seconds(120));
  EXPECT_EQ(pair.client->endpoint->counters().black_holes, 0U);
  EXPECT_EQ(pair.server->endpoint->counters().black_holes, 0U);
}

}  // namespace
}  // namespace ethnet::quic
