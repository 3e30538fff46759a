// What strangers get before anything is kept for them: Retry, version negotiation, or nothing.
#include <gtest/gtest.h>

#include "test_pair.hpp"

namespace ethnet::quic {
namespace {

using testing::at;
using testing::Packet;
using testing::Pair;
using testing::pattern;

bool is_retry(const Bytes& packet) { return (packet[0] & std::byte{0xf0}) == std::byte{0xf0}; }

// Where the token of an Initial begins.
std::size_t token_at(const Bytes& initial) {
  const auto dcid = std::to_integer<std::size_t>(initial[5]);
  const auto scid = std::to_integer<std::size_t>(initial[6 + dcid]);
  return 7 + dcid + scid + 2;  // its length takes two bytes
}

// A long header of this version, with connection ids of these sizes.
Bytes long_packet(std::uint32_t version, std::size_t dcid, std::size_t scid, std::size_t size) {
  Bytes packet{std::byte{0xc0}};
  append_be<std::uint32_t>(packet, version);
  packet.push_back(static_cast<std::byte>(dcid));
  append(packet, pattern(dcid));
  packet.push_back(static_cast<std::byte>(scid));
  append(packet, pattern(scid));
  packet.resize(std::max(size, packet.size()));
  return packet;
}

// A server that asks everybody for proof, and the Initial with which a client gave it.
struct Proven {
  Proven() : pair{[](EndpointConfig& c) { c.retry_above = 0; }} {
    bool answered = false;
    pair.fate = [&, answered](Packet& packet) mutable {
      if (packet.from == at(2, 200)) {
        answered = is_retry(packet.bytes);
        return 1;
      }
      if (!answered) return 1;
      if (initial.empty()) initial = packet.bytes;
      return 0;
    };
    EXPECT_TRUE(pair.client->endpoint->dial(pair.now, at(2, 200)));
    pair.run(milliseconds(50));
    EXPECT_FALSE(initial.empty());
    EXPECT_EQ(server().counters().retries_sent, 1U);
    pair.fate = [](Packet&) { return 0; };
  }
  void deliver(const Endpoint& from, const Bytes& packet) {
    pair.deliver(*pair.server, {from, at(2, 200), packet});
    pair.flush();
  }
  [[nodiscard]] const QuicEndpoint& server() const { return *pair.server->endpoint; }

  Pair pair;
  Bytes initial;
};

TEST(QuicAccept, ATokenIsGoodForTheAddressThatItWasGivenTo) {
  Proven proven;
  proven.deliver(at(9, 100), proven.initial);
  proven.deliver(at(1, 101), proven.initial);
  EXPECT_EQ(proven.server().counters().bad_tokens, 2U);
  EXPECT_EQ(proven.server().counters().accepted, 0U);
  proven.deliver(at(1, 100), proven.initial);
  EXPECT_EQ(proven.server().counters().accepted, 1U);
}

TEST(QuicAccept, ATokenIsGoodForTenSeconds) {
  Proven proven;
  proven.pair.advance(proven.pair.now.mono + seconds(11));
  proven.deliver(at(1, 100), proven.initial);
  EXPECT_EQ(proven.server().counters().bad_tokens, 1U);
  EXPECT_EQ(proven.server().counters().accepted, 0U);
}

TEST(QuicAccept, ATokenWithAnyByteChangedIsRefused) {
  Proven proven;
  const std::size_t begin = token_at(proven.initial);
  for (std::size_t i = begin; i < begin + 40; ++i) {
    Bytes forged = proven.initial;
    forged[i] ^= std::byte{1};
    proven.deliver(at(1, 100), forged);
  }
  EXPECT_EQ(proven.server().counters().bad_tokens, 40U);
  EXPECT_EQ(proven.server().counters().accepted, 0U);
}

// The connection id that the Retry chose belongs to the token.
TEST(QuicAccept, ATokenIsGoodForItsConnectionIdAlone) {
  Proven proven;
  Bytes other = proven.initial;
  other[6] ^= std::byte{1};
  proven.deliver(at(1, 100), other);
  EXPECT_EQ(proven.server().counters().bad_tokens, 1U);
  EXPECT_EQ(proven.server().counters().accepted, 0U);
}

TEST(QuicAccept, ATokenThatIsSentAgainMakesNoSecondConnection) {
  Proven proven;
  for (int i = 0; i < 100; ++i) proven.deliver(at(1, 100), proven.initial);
  EXPECT_EQ(proven.server().counters().accepted, 1U);
  EXPECT_EQ(proven.server().connection_count(), 1U);
}

TEST(QuicAccept, atk_72_OneHostCannotHoldEveryHalfOpenPlace) {
  Pair pair{[](EndpointConfig& c) {
    c.retry_above = 0;
    c.max_half_open_per_source = 4;
  }};
  bool elsewhere = false;
  // The host proves its address each time and then lets every handshake hang.
  pair.fate = [&](Packet& packet) {
    if (packet.from == at(2, 200) && !is_retry(packet.bytes)) return 0;
    if (elsewhere && packet.from == at(1, 100)) packet.from = at(5, 100);
    if (packet.to == at(5, 100)) packet.to = at(1, 100);
    return 1;
  };
  const QuicEndpoint& server = *pair.server->endpoint;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(pair.client->endpoint->dial(pair.now, at(2, 200)));
    pair.run(milliseconds(50));
  }
  EXPECT_EQ(server.half_open_count(), 4U);
  EXPECT_EQ(server.counters().accepted, 4U);
  EXPECT_GE(server.counters().dropped_source, 6U);
  // Somebody else is served.
  elsewhere = true;
  ASSERT_TRUE(pair.client->endpoint->dial(pair.now, at(2, 200)));
  pair.run(milliseconds(50));
  EXPECT_EQ(server.counters().accepted, 5U);
  // The places come back with the deadline of the handshakes.
  pair.fate = [](Packet&) { return 0; };
  pair.run(seconds(30));
  EXPECT_EQ(server.half_open_count(), 0U);
  elsewhere = false;
  pair.fate = [](Packet&) { return 1; };
  pair.connect();
}

// Whoever they come from: the last bound, above those of a source and of Retry.
TEST(QuicAccept, AtTheMostHalfOpenHandshakesStrangersGetNothingUntilAPlaceIsFree) {
  Pair pair{[](EndpointConfig& c) { c.max_half_open = 4; }};
  const QuicEndpoint& server = *pair.server->endpoint;
  std::uint8_t host = 0;
  pair.fate = [&](Packet& packet) {
    if (packet.from == at(2, 200)) return 0;
    packet.from = at(++host, 100);
    return 1;
  };
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(pair.client->endpoint->dial(pair.now, at(2, 200)));
  pair.run(milliseconds(50));
  EXPECT_EQ(server.half_open_count(), 4U);
  EXPECT_EQ(server.counters().accepted, 4U);
  EXPECT_EQ(server.counters().dropped_half_open, 6U);
  EXPECT_EQ(server.counters().retries_sent, 0U);
  pair.fate = [](Packet&) { return 0; };
  pair.run(seconds(30));
  EXPECT_EQ(server.half_open_count(), 0U);
  pair.fate = [](Packet&) { return 1; };
  pair.connect();
}

TEST(QuicAccept, AnEndpointThatOnlyDialsAnswersNoStranger) {
  Pair pair{[](EndpointConfig& c) { c.accept = false; }};
  std::vector<Bytes> answers;
  pair.fate = [&](Packet& packet) {
    if (packet.from == at(2, 200)) answers.push_back(packet.bytes);
    return 1;
  };
  ASSERT_TRUE(pair.client->endpoint->dial(pair.now, at(2, 200)));
  pair.run(milliseconds(50));
  pair.deliver(*pair.server, {at(9, 9), at(2, 200), long_packet(0x1a2a3a4a, 8, 8, 1200)});
  pair.flush();
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(pair.server->endpoint->counters().undecodable, 2U);
  EXPECT_EQ(pair.server->endpoint->connection_count(), 0U);
}

TEST(QuicAccept, AnswersWithoutStateThatNobodyFetchesAreSoMany) {
  Pair pair;
  const QuicEndpoint& server = *pair.server->endpoint;
  for (std::size_t i = 0; i < kMaxQueuedStateless + 10; ++i) {
    pair.deliver(*pair.server, {at(9, 9), at(2, 200), long_packet(0x1a2a3a4a, 8, 8, 1200)});
  }
  EXPECT_EQ(server.counters().stateless_dropped, 10U);
  std::size_t sent = 0;
  pair.fate = [&](Packet&) {
    ++sent;
    return 0;
  };
  pair.flush();
  EXPECT_EQ(sent, kMaxQueuedStateless);
}

// Who comes and goes again and again leaves connections in their closing period, and those that are
// over take nobody's place.
TEST(QuicAccept, ConnectionsThatAreOverMakeRoomForNewOnesAndLiveOnesDoNot) {
  Pair pair{[](EndpointConfig& c) { c.max_connections = 4; }};
  const QuicEndpoint& server = *pair.server->endpoint;
  for (int i = 0; i < 12; ++i) {
    const auto conn = pair.connect();
    pair.client->endpoint->close(pair.now, conn, 0, "");
    pair.run(milliseconds(11));  // the server knows
    EXPECT_LE(server.connection_count(), 4U);
  }
  EXPECT_GE(server.counters().closing_forgotten, 4U);
  EXPECT_EQ(server.counters().dropped_full, 0U);
  for (int i = 0; i < 4; ++i) (void)pair.connect();
  EXPECT_EQ(server.connection_count(), 4U);
  const auto fifth = pair.client->endpoint->dial(pair.now, at(2, 200));
  ASSERT_FALSE(fifth);
  EXPECT_TRUE(fifth.error().is(transport::ConnError::connection_limit));
  EXPECT_EQ(server.half_open_count(), 0U);
  pair.fate = [](Packet&) { return 0; };
  pair.run(seconds(60));
  EXPECT_EQ(server.connection_count(), 0U);
  EXPECT_EQ(server.cid_count(), 0U);
}

// What only looks like an Initial ends as soon as its keys are derived, and is not half open then:
// the rate of such strangers is bounded too, not only their number.
TEST(QuicAccept, ManyUnprovenHandshakesInAWindowMakeTheRestProveTheirAddress) {
  Pair pair;
  const QuicEndpoint& server = *pair.server->endpoint;
  std::uint64_t id = 0;
  const auto flood = [&] {
    for (std::uint64_t i = 0; i < 3 * kMaxUnprovenPerWindow; ++i) {
      Bytes junk = long_packet(1, 8, 8, 1200);
      store_be<std::uint64_t>(MutByteView{junk}.subspan(6, 8), ++id);
      junk[23] = {};  // no token; what follows is the length of the payload
      junk[24] = std::byte{0x44};
      junk[25] = std::byte{0x96};
      pair.deliver(*pair.server, {at(9, 9), at(2, 200), junk});
      pair.flush();
    }
  };
  flood();
  EXPECT_EQ(server.counters().accepted, kMaxUnprovenPerWindow);
  EXPECT_EQ(server.counters().retries_sent, 2 * kMaxUnprovenPerWindow);
  pair.advance(pair.now.mono + kRetryWindow * 2);
  flood();
  EXPECT_EQ(server.counters().accepted, 2 * kMaxUnprovenPerWindow);
  EXPECT_EQ(server.half_open_count(), 0U);
}

// Each forged Initial that is answered costs the time of those who have a connection.
TEST(QuicAccept, RetriesAreSoManyInAWindow) {
  Pair pair{[](EndpointConfig& c) { c.retry_above = 0; }};
  std::vector<Bytes> initials;
  pair.fate = [&](Packet& packet) {
    initials.push_back(packet.bytes);
    return 0;
  };
  ASSERT_TRUE(pair.client->endpoint->dial(pair.now, at(2, 200)));
  pair.flush();
  pair.fate = [](Packet&) { return 0; };
  const QuicEndpoint& server = *pair.server->endpoint;
  const auto flood = [&] {
    for (std::uint64_t i = 0; i < 3 * kMaxRetriesPerWindow; ++i) {
      pair.deliver(*pair.server, {at(9, 9), at(2, 200), initials.at(0)});
      pair.flush();
    }
  };
  flood();
  EXPECT_EQ(server.counters().retries_sent, kMaxRetriesPerWindow);
  EXPECT_EQ(server.counters().stateless_dropped, 2 * kMaxRetriesPerWindow);
  pair.advance(pair.now.mono + kRetryWindow * 2);
  flood();
  EXPECT_EQ(server.counters().retries_sent, 2 * kMaxRetriesPerWindow);
}

// Who comes at the same time of every 10 ms, a little after a flood began them, is served
// sometimes.
TEST(QuicAccept, AWindowKeepsNobodysTime) {
  Pair pair{[](EndpointConfig& c) { c.retry_above = 0; }};
  Bytes initial;
  pair.fate = [&](Packet& packet) {
    initial = packet.bytes;
    return 0;
  };
  ASSERT_TRUE(pair.client->endpoint->dial(pair.now, at(2, 200)));
  pair.flush();
  pair.fate = [](Packet&) { return 0; };
  const QuicEndpoint& server = *pair.server->endpoint;
  int served = 0;
  for (int round = 0; round < 40; ++round) {
    // A thousand in each 10 ms; the newcomer's is the 900th.
    for (int i = 0; i < 1'000; ++i) {
      const std::uint64_t before = server.counters().retries_sent;
      pair.deliver(*pair.server, {at(9, 9), at(2, 200), initial});
      pair.flush();
      if (i == 900 && server.counters().retries_sent != before) ++served;
      pair.advance(pair.now.mono + microseconds(10));
    }
  }
  EXPECT_GT(served, 5);
  EXPECT_LT(served, 30);
}

// A burst of what is sent without state does not hold up a connection for long.
TEST(QuicAccept, AnswersWithoutStateAndConnectionsTakeTurns) {
  Pair pair;
  const auto conn = pair.connect();
  const auto stream =
      pair.client->endpoint->open_stream(conn, transport::StreamKind::unidirectional);
  ASSERT_TRUE(stream);
  pair.run(seconds(1));
  QuicEndpoint& client = *pair.client->endpoint;
  // Version negotiation that the client owes: a client accepts too.
  const Bytes other_version = [] {
    Bytes packet{std::byte{0xc0}};
    append_be<std::uint32_t>(packet, 0x1a2a3a4a);
    for (int ids = 0; ids < 2; ++ids) {
      packet.push_back(std::byte{8});
      append_be<std::uint64_t>(packet, 1);
    }
    packet.resize(1200);
    return packet;
  }();
  const Datagram datagram{at(1, 100), at(9, 9), 0, other_version};
  for (int i = 0; i < 10; ++i) client.handle_datagrams(pair.now, std::span{&datagram, 1});
  ASSERT_GT(client.write(conn, *stream, pattern(5'000)), 0U);
  Bytes buffer(kTransmitBufferBytes);
  std::string order;
  while (const auto transmit = client.poll_transmit(pair.now, buffer)) {
    order += transmit->remote == at(9, 9) ? 's' : 'c';
  }
  EXPECT_LE(order.find('c'), 1U) << order;
  EXPECT_LE(order.find('s'), 1U) << order;
  EXPECT_EQ(std::ranges::count(order, 's'), 10);
}

TEST(QuicAccept, OnlyALargeDatagramOfAnotherVersionIsAnsweredAndByLess) {
  Pair pair;
  std::vector<Bytes> answers;
  pair.fate = [&](Packet& packet) {
    answers.push_back(packet.bytes);
    return 0;
  };
  const auto send = [&](const Bytes& packet) {
    answers.clear();
    pair.deliver(*pair.server, {at(9, 9), at(2, 200), packet});
    pair.flush();
    return answers.size();
  };
  EXPECT_EQ(send(long_packet(0x1a2a3a4a, 8, 8, 1199)), 0U);
  ASSERT_EQ(send(long_packet(0x1a2a3a4a, 8, 8, 1200)), 1U);
  EXPECT_LT(answers[0].size(), 64U);
  EXPECT_TRUE(equal(ByteView{answers[0]}.subspan(1, 4), Bytes(4)));
  EXPECT_LE(send(long_packet(0x1a2a3a4a, 255, 255, 1200)), 1U);
  // Version negotiation itself is never answered: not by its like, and not by a reset.
  for (const std::size_t size : {std::size_t{0}, std::size_t{60}, std::size_t{1200}}) {
    EXPECT_EQ(send(long_packet(0, 16, 8, size)), 0U) << size;
  }
  EXPECT_EQ(pair.server->endpoint->counters().resets_sent, 0U);
}

// A short header for a connection that nobody has.
Bytes stray() {
  Bytes packet(64, std::byte{0x11});
  packet[0] = std::byte{0x43};
  return packet;
}

TEST(QuicAccept, AFloodOfOneHostLeavesStatelessResetsForOthers) {
  Pair pair;
  const QuicEndpoint& endpoint = *pair.server->endpoint;
  const auto flood = [&](std::uint8_t host) {
    for (std::uint16_t port = 1; port <= 1'000; ++port) {
      pair.deliver(*pair.server, {at(host, port), at(2, 200), stray()});
    }
    pair.flush();
  };
  flood(9);
  EXPECT_EQ(endpoint.counters().resets_sent, kMaxResetsPerSource);
  EXPECT_EQ(endpoint.counters().resets_dropped, 1'000 - kMaxResetsPerSource);
  pair.deliver(*pair.server, {at(3, 100), at(2, 200), stray()});
  EXPECT_EQ(endpoint.counters().resets_sent, kMaxResetsPerSource + 1);
  // A crowd gets what there is for all, and the next second begins anew.
  for (std::uint8_t host = 10; host < 100; ++host) flood(host);
  EXPECT_EQ(endpoint.counters().resets_sent, kResetsPerSecond);
  pair.advance(pair.now.mono + seconds(1));
  flood(9);
  EXPECT_EQ(endpoint.counters().resets_sent, kResetsPerSecond + kMaxResetsPerSource);
}

}  // namespace
}  // namespace ethnet::quic
