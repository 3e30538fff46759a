// What a connection says of its traffic: round trip and bytes, against what the wire carried.
#include <gtest/gtest.h>

#include "test_pair.hpp"

namespace ethnet::quic {
namespace {

using testing::at;
using testing::Packet;
using testing::Pair;
using testing::pattern;
using testing::transfer;
using transport::ConnStats;
using transport::StreamKind;

TEST(QuicStats, BytesAreThoseOfTheDatagramsOfTheConnectionWholeBurstsIncluded) {
  Pair pair;
  std::size_t datagrams = 0;
  std::uint64_t bytes = 0;
  pair.fate = [&](const Packet& packet) {
    ++datagrams;
    bytes += packet.bytes.size();
    return 1;
  };
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  const Bytes data = pattern(100 * 1024);
  ASSERT_TRUE(transfer(pair, *pair.client, conn, *stream, *pair.server, data) == data);
  pair.run(seconds(3));  // nothing is under way any more
  const ConnStats client = pair.client->endpoint->stats(conn);
  const ConnStats server = pair.server->endpoint->stats(server_conn);
  EXPECT_GT(client.bytes_out, data.size());
  EXPECT_EQ(client.bytes_out, pair.client->bytes_out);
  EXPECT_EQ(client.bytes_in, pair.client->bytes_in);
  EXPECT_EQ(server.bytes_out, pair.server->bytes_out);
  EXPECT_EQ(server.bytes_in, pair.server->bytes_in);
  EXPECT_EQ(client.bytes_out + server.bytes_out, bytes);
  EXPECT_GT(datagrams, 70U);
}

TEST(QuicStats, TheRoundTripIsTheWiresAndNothingBeforeItIsMeasured) {
  for (const Duration latency : {milliseconds(10), milliseconds(70)}) {
    Pair pair;
    pair.latency = latency;
    const auto dialled = pair.client->endpoint->dial(pair.now, at(2, 200));
    ASSERT_TRUE(dialled);
    pair.flush();
    EXPECT_EQ(pair.client->endpoint->stats(*dialled).rtt, Duration{}) << "a guess";
    EXPECT_GE(pair.client->endpoint->stats(*dialled).bytes_out, 1200U);
    pair.run(seconds(2));
    for (const Duration rtt : {pair.client->endpoint->stats(*dialled).rtt,
                               pair.server->endpoint->stats(pair.server_handle()).rtt}) {
      EXPECT_GE(rtt, latency * 2);
      EXPECT_LE(rtt, latency * 2 + milliseconds(30));  // acknowledgements may wait for 25 ms
    }
  }
}

TEST(QuicStats, BytesSurviveAPathChangeAndTheClose) {
  Pair pair;
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  pair.run(seconds(1));
  const std::uint64_t before = pair.server->endpoint->stats(server_conn).bytes_in;
  ASSERT_GT(before, 1200U);
  pair.fate = [](Packet& packet) {
    if (packet.from.ip == at(1, 0).ip) packet.from.port = 4711;
    return 1;
  };
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  ASSERT_EQ(pair.client->endpoint->write(conn, *stream, pattern(1000)), 1000U);
  pair.run(seconds(5));
  ASSERT_NE(pair.server->last<transport::PathChanged>(), nullptr);
  const ConnStats moved = pair.server->endpoint->stats(server_conn);
  EXPECT_GT(moved.bytes_in, before + 1000);
  EXPECT_EQ(moved.bytes_in, pair.server->bytes_in);
  EXPECT_EQ(moved.bytes_out, pair.server->bytes_out);
  pair.client->endpoint->close(pair.now, conn, 0, "");
  EXPECT_EQ(pair.client->endpoint->stats(conn).rtt, Duration{});
  pair.flush();
  EXPECT_EQ(pair.client->endpoint->stats(conn).bytes_out, pair.client->bytes_out);
  pair.run(seconds(10));
  EXPECT_EQ(pair.client->endpoint->stats(conn), ConnStats{}) << "forgotten";
}

// Anybody can send to the port, and from any address: only what carries an id of the connection is
// the connection's.
TEST(QuicStats, WhatNamesNoConnectionIsNoConnectionsTraffic) {
  Pair pair;
  const auto conn = pair.connect();
  pair.run(seconds(1));
  const ConnStats before = pair.client->endpoint->stats(conn);
  Bytes stray = pattern(100);
  stray.front() = std::byte{0x45};  // a short header
  pair.deliver(*pair.client, {at(2, 200), at(1, 100), stray});
  pair.deliver(*pair.client, {at(3, 300), at(1, 100), stray});
  EXPECT_EQ(pair.client->endpoint->stats(conn).bytes_in, before.bytes_in);
  EXPECT_EQ(pair.client->count<transport::Closed>(), 0U);
}

}  // namespace
}  // namespace ethnet::quic
