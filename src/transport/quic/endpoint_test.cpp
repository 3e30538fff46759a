#include "endpoint.hpp"

#include <gtest/gtest.h>

#include "test_pair.hpp"
#include "tls.hpp"

namespace ethnet::quic {
namespace {

using testing::at;
using testing::Packet;
using testing::Pair;
using testing::pattern;
using testing::Side;
using testing::transfer;
using transport::CloseCause;
using transport::Closed;
using transport::Confirmed;
using transport::Opened;
using transport::StreamKind;

TEST(Quic, HandshakeOpensAndConfirmsBothSidesWithOneExportedKey) {
  Pair pair;
  const auto conn = pair.connect();
  ASSERT_NE(pair.client->last<Opened>(), nullptr);
  ASSERT_NE(pair.server->last<Opened>(), nullptr);
  EXPECT_EQ(pair.client->last<Opened>()->side, transport::Side::dialler);
  EXPECT_EQ(pair.server->last<Opened>()->remote, at(1, 100));
  ByteArray<32> one{};
  ByteArray<32> two{};
  ByteArray<32> other{};
  const auto server_conn = pair.server_handle();
  ASSERT_TRUE(pair.client->endpoint->export_key(conn, "EXPORTER-ethnet-1", one));
  ASSERT_TRUE(pair.server->endpoint->export_key(server_conn, "EXPORTER-ethnet-1", two));
  ASSERT_TRUE(pair.server->endpoint->export_key(server_conn, "EXPORTER-other", other));
  EXPECT_EQ(one, two);
  EXPECT_NE(one, other);
  EXPECT_NE(one, (ByteArray<32>{}));
}

TEST(Quic, AMebibyteSurvivesLossInBothDirections) {
  Pair pair;
  Prng prng{5};
  const auto conn = pair.connect();
  pair.fate = [&](Packet&) { return prng.chance_ppm(100'000) ? 0 : 1; };
  const auto server_conn = pair.server_handle();
  pair.server->events.clear();
  const Bytes data = pattern(1024 * 1024);
  const auto up = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  ASSERT_TRUE(up);
  EXPECT_TRUE(transfer(pair, *pair.client, conn, *up, *pair.server, data) == data);
  pair.client->events.clear();
  const auto down = pair.server->endpoint->open_stream(server_conn, StreamKind::unidirectional);
  ASSERT_TRUE(down);
  EXPECT_TRUE(transfer(pair, *pair.server, server_conn, *down, *pair.client, data) == data);
}

TEST(Quic, AReaderThatDoesNotConsumeStopsTheWriterAtTheWindow) {
  Pair pair;
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  const Bytes data = pattern(4 * 1024 * 1024);
  (void)transfer(pair, *pair.client, conn, *stream, *pair.server, data, false);
  EXPECT_EQ(pair.server->endpoint->read(server_conn, *stream).size(),
            pair.server_config.stream_window);
  EXPECT_LT(pair.server->endpoint->memory_bytes(server_conn),
            2 * pair.server_config.stream_window + 64 * 1024);
  EXPECT_LT(pair.client->endpoint->memory_bytes(conn), pair.server_config.send_buffer + 64 * 1024);
}

TEST(Quic, TheEndOfAStreamIsSeenAndItsPlaceIsGivenBack) {
  Pair pair{[](EndpointConfig& c) { c.max_remote_uni = 2; }};
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  for (int round = 0; round < 10; ++round) {
    const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
    ASSERT_TRUE(stream) << round;
    ASSERT_EQ(pair.client->endpoint->write(conn, *stream, text_bytes("hello")), 5U);
    pair.client->endpoint->finish(conn, *stream);
    pair.run(seconds(1));
    EXPECT_TRUE(equal(pair.server->endpoint->read(server_conn, *stream), text_bytes("hello")));
    EXPECT_FALSE(pair.server->endpoint->at_end(server_conn, *stream));
    pair.server->endpoint->consume(server_conn, *stream, 5);
    EXPECT_TRUE(pair.server->endpoint->at_end(server_conn, *stream));
    pair.run(seconds(1));
  }
}

// The peer says something and closes at once; both arrive in one batch.
TEST(Quic, TheEndOfAConnectionIsNoEndOfAStream) {
  Pair pair;
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::bidirectional);
  ASSERT_EQ(pair.client->endpoint->write(conn, *stream, text_bytes("hello")), 5U);
  pair.run(seconds(1));
  ASSERT_FALSE(pair.server->endpoint->at_end(server_conn, *stream));
  pair.client->endpoint->close(pair.now, conn, 7, "enough");
  pair.run(seconds(1));
  EXPECT_FALSE(pair.server->endpoint->at_end(server_conn, *stream));
  EXPECT_TRUE(pair.server->endpoint->read(server_conn, *stream).empty());
}

TEST(Quic, StreamsBeyondTheLimitAreRefused) {
  Pair pair{[](EndpointConfig& c) { c.max_remote_uni = 2; }};
  const auto conn = pair.connect();
  EXPECT_TRUE(pair.client->endpoint->open_stream(conn, StreamKind::unidirectional));
  EXPECT_TRUE(pair.client->endpoint->open_stream(conn, StreamKind::unidirectional));
  const auto third = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  ASSERT_FALSE(third);
  EXPECT_TRUE(third.error().is(transport::ConnError::stream_limit));
}

TEST(Quic, WhatIsResetOrStoppedIsCreditedBackToTheConnection) {
  Pair pair{[](EndpointConfig& c) { c.stream_window = 16 * 1024; }};
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  const std::size_t window = pair.server_config.connection_window();
  std::size_t sent = 0;
  // Far more than the connection's window, in streams that the reader refuses.
  for (int round = 0; round < 60; ++round) {
    const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
    ASSERT_TRUE(stream) << round;
    sent += pair.client->endpoint->write(conn, *stream, pattern(16 * 1024));
    pair.run(seconds(1));
    ASSERT_EQ(pair.server->endpoint->read(server_conn, *stream).size(), 16U * 1024) << round;
    if (round % 2 == 0) {
      pair.server->endpoint->stop(server_conn, *stream, 7);
    } else {
      pair.client->endpoint->reset(conn, *stream, 7);
    }
    pair.run(seconds(1));
  }
  EXPECT_GT(sent, 2 * window);
}

// What was on its way when the reader refused the stream counts against the connection's window
// too.
TEST(Quic, WhatComesForAStoppedStreamIsCreditedBackToTheConnection) {
  Pair pair{[](EndpointConfig& c) { c.stream_window = 16 * 1024; }};
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  const std::size_t window = pair.server_config.connection_window();
  std::size_t refused = 0;
  for (int round = 0; refused < 2 * window; ++round) {
    const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
    ASSERT_TRUE(stream) << round;
    ASSERT_EQ(pair.client->endpoint->write(conn, *stream, pattern(1'000)), 1'000U);
    pair.run(seconds(1));
    ASSERT_EQ(pair.server->endpoint->read(server_conn, *stream).size(), 1'000U) << round;
    refused += pair.client->endpoint->write(conn, *stream, pattern(15'000));
    pair.client->endpoint->finish(conn, *stream);
    pair.server->endpoint->stop(server_conn, *stream, 7);
    pair.run(seconds(1));
  }
}

TEST(Quic, ACloseIsToldWithItsCode) {
  Pair pair;
  const auto conn = pair.connect();
  pair.client->endpoint->close(pair.now, conn, 0x105, "enough");
  pair.run(seconds(10));
  ASSERT_NE(pair.server->last<Closed>(), nullptr);
  EXPECT_EQ(pair.server->last<Closed>()->cause, CloseCause::peer);
  EXPECT_EQ(pair.server->last<Closed>()->application_code, 0x105U);
  EXPECT_EQ(pair.server->last<Closed>()->detail, "enough");
  EXPECT_EQ(pair.client->last<Closed>()->cause, CloseCause::local);
  EXPECT_EQ(pair.server->endpoint->connection_count(), 0U);
  EXPECT_EQ(pair.client->endpoint->connection_count(), 0U);
  EXPECT_EQ(pair.client->endpoint->cid_count(), 0U);
  EXPECT_EQ(pair.server->endpoint->cid_count(), 0U);
}

TEST(Quic, KeepAliveHoldsAnIdleConnectionAndSilenceEndsIt) {
  Pair pair;
  pair.connect();
  pair.run(seconds(120));
  EXPECT_EQ(pair.client->count<Closed>() + pair.server->count<Closed>(), 0U);
  pair.fate = [](Packet&) { return 0; };
  pair.run(seconds(60));
  EXPECT_EQ(pair.client->last<Closed>()->cause, CloseCause::idle_timeout);
  EXPECT_EQ(pair.server->last<Closed>()->cause, CloseCause::idle_timeout);
}

TEST(Quic, ADialToNobodyEndsWithAHandshakeTimeout) {
  Pair pair;
  pair.fate = [](Packet&) { return 0; };
  ASSERT_TRUE(pair.client->endpoint->dial(pair.now, at(2, 200)));
  pair.run(seconds(20));
  ASSERT_NE(pair.client->last<Closed>(), nullptr);
  EXPECT_EQ(pair.client->last<Closed>()->cause, CloseCause::handshake_timeout);
}

TEST(Quic, AnotherApplicationProtocolIsRefused) {
  int made = 0;
  Pair pair{[&](EndpointConfig& c) {
    if (made++ == 0) c.alpn = {"other/1"};
  }};
  ASSERT_TRUE(pair.client->endpoint->dial(pair.now, at(2, 200)));
  pair.run(seconds(20));
  ASSERT_NE(pair.client->last<Closed>(), nullptr);
  EXPECT_EQ(pair.client->last<Closed>()->cause, CloseCause::refused);
  EXPECT_EQ(pair.server->count<Opened>(), 0U);
}

TEST(Quic, AClientWhosePortChangesKeepsItsConnection) {
  Pair pair;
  const auto conn = pair.connect();
  // A NAT that forgets: from now on the client appears with another port.
  pair.fate = [](Packet& packet) {
    if (packet.from == at(1, 100)) packet.from = at(1, 4711);
    return 1;
  };
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  ASSERT_EQ(pair.client->endpoint->write(conn, *stream, text_bytes("moved")), 5U);
  pair.run(seconds(5));
  ASSERT_NE(pair.server->last<transport::PathChanged>(), nullptr);
  EXPECT_EQ(pair.server->last<transport::PathChanged>()->remote, at(1, 4711));
  EXPECT_EQ(pair.server->count<Closed>(), 0U);
}

TEST(Quic, ManyHalfOpenHandshakesMakeTheServerAskForRetry) {
  Pair pair{[](EndpointConfig& c) { c.retry_above = 0; }};
  pair.connect();
  EXPECT_EQ(pair.server->endpoint->counters().retries_sent, 1U);
  EXPECT_EQ(pair.server->endpoint->half_open_count(), 0U);
}

// Attack 72: Initials from spoofed addresses.
TEST(Quic, AFloodOfSpoofedInitialsIsBoundedInStateAndBytes) {
  Pair pair;
  std::vector<Bytes> initials;
  pair.fate = [&](Packet& packet) {
    initials.push_back(packet.bytes);
    return 0;
  };
  for (int i = 0; i < 600; ++i) {
    ASSERT_TRUE(pair.client->endpoint->dial(pair.now, at(2, 200)));
    pair.flush();
  }
  ASSERT_EQ(initials.size(), 600U);
  pair.fate = [](Packet&) { return 0; };
  pair.server->bytes_in = pair.server->bytes_out = 0;
  std::uint16_t port = 1000;
  for (const Bytes& initial : initials) {
    pair.deliver(*pair.server, {at(9, port++), at(2, 200), initial});
    pair.flush();
  }
  EXPECT_LE(pair.server->endpoint->half_open_count(), pair.server_config.max_half_open);
  EXPECT_LE(pair.server->endpoint->half_open_count(), pair.server_config.retry_above + 1);
  EXPECT_GT(pair.server->endpoint->counters().retries_sent, 0U);
  EXPECT_LE(pair.server->bytes_out, 3 * pair.server->bytes_in);
  EXPECT_EQ(pair.server->endpoint->remote_count(), 0U);
  pair.run(seconds(30));
  EXPECT_EQ(pair.server->endpoint->half_open_count(), 0U);
}

TEST(Quic, RandomDatagramsAreHarmless) {
  Pair pair;
  pair.connect();
  Prng prng{99};
  for (int i = 0; i < 20'000; ++i) {
    Bytes junk(prng.below(1500));
    for (std::byte& b : junk) b = static_cast<std::byte>(prng.next() & 0xff);
    if (!junk.empty() && prng.chance_ppm(500'000)) junk[0] |= std::byte{0xc0};
    pair.deliver(*pair.server, {at(9, 9), at(2, 200), junk});
    pair.flush();
  }
  EXPECT_EQ(pair.server->count<Closed>(), 0U);
  EXPECT_EQ(pair.server->endpoint->connection_count(), 1U);
}

// ngtcp2 asserts on them; a stranger must not be able to end the process.
TEST(Quic, atk_73_EmptyDatagramsAreCountedAndHarmless) {
  Pair pair;
  pair.connect();
  for (int i = 0; i < 1000; ++i) pair.deliver(*pair.server, {at(9, 9), at(2, 200), {}});
  pair.flush();
  EXPECT_EQ(pair.server->endpoint->counters().undecodable, 1000U);
  EXPECT_EQ(pair.server->endpoint->connection_count(), 1U);
}

TEST(Quic, AServerThatForgotEverythingResetsTheConnection) {
  Pair pair{[](EndpointConfig& c) { c.reset_secret = ByteArray<32>{std::byte{5}}; }};
  const auto conn = pair.connect();
  pair.run(seconds(1));
  pair.server = std::make_unique<Side>(pair.now, pair.server_config, 77);
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  ASSERT_EQ(pair.client->endpoint->write(conn, *stream, pattern(500)), 500U);
  pair.run(seconds(5));
  EXPECT_GT(pair.server->endpoint->counters().resets_sent, 0U);
  ASSERT_NE(pair.client->last<Closed>(), nullptr);
  EXPECT_EQ(pair.client->last<Closed>()->cause, CloseCause::stateless_reset);
}

// A keep-alive is so short that only the shortest reset answers it.
TEST(Quic, TheShortestResetEndsAConnectionToo) {
  Pair pair{[](EndpointConfig& c) { c.reset_secret = ByteArray<32>{std::byte{5}}; }};
  (void)pair.connect();
  pair.run(seconds(1));
  pair.server = std::make_unique<Side>(pair.now, pair.server_config, 77);
  std::vector<std::size_t> from_server;
  pair.fate = [&](Packet& packet) {
    if (packet.from == at(2, 200)) from_server.push_back(packet.bytes.size());
    return 1;
  };
  pair.run(seconds(11));
  EXPECT_EQ(from_server, std::vector<std::size_t>{21});
  ASSERT_NE(pair.client->last<Closed>(), nullptr);
  EXPECT_EQ(pair.client->last<Closed>()->cause, CloseCause::stateless_reset);
}

// A packet with a short header for a connection that nobody knows.
Bytes short_packet(std::size_t size) {
  Bytes packet = pattern(size);
  packet[0] = std::byte{0x41};
  return packet;
}

TEST(Quic, AResetIsShorterThanThePacketThatProvokedIt) {
  Pair pair;
  std::vector<std::size_t> resets;
  pair.fate = [&](Packet& packet) {
    resets.push_back(packet.bytes.size());
    return 0;
  };
  // Each from another host, since each gets but a few.
  const auto provoke = [&](std::size_t size) {
    const auto host = static_cast<std::uint8_t>(size % 250 + 3);
    pair.deliver(*pair.server, {at(host, 9), at(2, 200), short_packet(size)});
    pair.flush();
  };
  for (std::size_t size = 1; size <= 21; ++size) {
    provoke(size);
  }
  EXPECT_TRUE(resets.empty());
  for (std::size_t size = 22; size <= 43; ++size) {
    provoke(size);
    ASSERT_FALSE(resets.empty()) << size;
    EXPECT_EQ(resets.back(), size <= 42 ? 21U : 42U);
  }
  provoke(1200);
  EXPECT_EQ(resets.back(), 42U);
  EXPECT_EQ(resets.size(), 23U);
}

TEST(Quic, TwoEndpointsThatForgotEachOtherFallSilent) {
  Pair pair;
  // As if it came from the client, which knows nothing of it either.
  pair.deliver(*pair.server, {at(1, 100), at(2, 200), short_packet(1200)});
  pair.run(seconds(60));
  const auto sent =
      pair.server->endpoint->counters().resets_sent + pair.client->endpoint->counters().resets_sent;
  EXPECT_EQ(sent, 2U);  // 42 bytes, then 21
}

TEST(Quic, TheIndexByRemoteFollowsAMovedPeerAndForgetsAClosedOne) {
  Pair pair;
  const auto conn = pair.connect();
  const auto server_conn = pair.server_handle();
  EXPECT_EQ(pair.server->endpoint->connections_at(at(1, 100)), 1U);
  pair.fate = [](Packet& packet) {
    if (packet.from == at(1, 100)) packet.from = at(1, 4711);
    return 1;
  };
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  ASSERT_EQ(pair.client->endpoint->write(conn, *stream, text_bytes("moved")), 5U);
  pair.run(seconds(5));
  EXPECT_EQ(pair.server->endpoint->connections_at(at(1, 100)), 0U);
  EXPECT_EQ(pair.server->endpoint->connections_at(at(1, 4711)), 1U);
  EXPECT_EQ(pair.server->endpoint->remote_count(), 1U);
  pair.server->endpoint->close(pair.now, server_conn, 0, "");
  EXPECT_EQ(pair.server->endpoint->remote_count(), 0U);
}

TEST(Quic, AResetThatEndsAConnectionIsNotAnswered) {
  Pair pair{[](EndpointConfig& c) { c.reset_secret = ByteArray<32>{std::byte{5}}; }};
  const auto conn = pair.connect();
  pair.run(seconds(1));
  pair.server = std::make_unique<Side>(pair.now, pair.server_config, 77);
  const auto stream = pair.client->endpoint->open_stream(conn, StreamKind::unidirectional);
  ASSERT_EQ(pair.client->endpoint->write(conn, *stream, pattern(500)), 500U);
  pair.run(milliseconds(25));  // one packet there, one reset back
  ASSERT_NE(pair.client->last<Closed>(), nullptr);
  EXPECT_EQ(pair.client->endpoint->counters().resets_sent, 0U);
}

TEST(Quic, TwoHundredConnectionsLeaveNothingBehind) {
  Pair pair;
  for (int i = 0; i < 200; ++i) {
    pair.client->events.clear();
    const auto conn = pair.connect();
    (i % 2 == 0 ? pair.client : pair.server)
        ->endpoint->close(pair.now, i % 2 == 0 ? conn : pair.server_handle(), 0, "");
    pair.run(seconds(5));
  }
  for (const Side* side : {pair.client.get(), pair.server.get()}) {
    EXPECT_EQ(side->endpoint->connection_count(), 0U);
    EXPECT_EQ(side->endpoint->cid_count(), 0U);
    EXPECT_EQ(side->endpoint->half_open_count(), 0U);
    EXPECT_EQ(side->endpoint->remote_count(), 0U);
  }
}

TEST(Quic, TheCertificateIsRotatedAfterAWeek) {
  Pair pair;
  pair.advance(pair.now.mono + kCertificateRotation);
  pair.server->endpoint->handle_deadline(pair.now);
  EXPECT_EQ(pair.server->endpoint->counters().certificates, 2U);
  pair.connect();
}

}  // namespace
}  // namespace ethnet::quic
