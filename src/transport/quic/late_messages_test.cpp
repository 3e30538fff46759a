// What is left of TLS after the handshake.
#include "late_messages.hpp"

#include <gtest/gtest.h>

#include "test_pair.hpp"
#include "tls.hpp"

namespace ethnet::quic {
namespace {

using testing::Pair;

Bytes message(unsigned type, std::size_t size) {
  Bytes out;
  append_be<std::uint32_t>(out, static_cast<std::uint32_t>(type << 24 | size));
  out.resize(out.size() + size, std::byte{24});  // as if it held the type of a KeyUpdate
  return out;
}

TEST(LateMessages, TicketsAreSkippedInAnyParts) {
  Bytes two = message(4, 300);
  append(two, message(4, 0));
  append(two, message(4, kMaxHandshakeMessage));
  for (const std::size_t part : {std::size_t{1}, std::size_t{3}, std::size_t{302}, two.size()}) {
    LateMessages late{true};
    ByteView rest = two;
    while (!rest.empty()) {
      const std::size_t n = std::min(part, rest.size());
      ASSERT_TRUE(late.take(rest.first(n))) << part;
      rest = rest.subspan(n);
    }
    EXPECT_TRUE(late.take(message(4, 1)));  // in step to the end
    EXPECT_FALSE(late.take(message(24, 1)));
  }
}

TEST(LateMessages, NothingElseIsAccepted) {
  for (unsigned type = 0; type < 256; ++type) {
    EXPECT_EQ(LateMessages{true}.take(message(type, 1)), type == 4) << type;
    EXPECT_FALSE(LateMessages{false}.take(message(type, 1))) << type;
  }
  EXPECT_FALSE(LateMessages{true}.take(message(4, kMaxHandshakeMessage + 1)));
  EXPECT_TRUE(LateMessages{false}.take({}));
}

ByteArray<32> exported(const testing::Side& side, transport::ConnHandle conn,
                       std::string_view label) {
  ByteArray<32> key{};
  EXPECT_TRUE(side.endpoint->export_key(conn, label, key));
  return key;
}

// A dialler has TLS until HANDSHAKE_DONE comes, and not afterwards; an acceptor never again.
TEST(LateMessages, KeysAreTheSameWithTheTlsLibraryAndWithoutIt) {
  Pair pair;
  const auto conn = pair.client->endpoint->dial(pair.now, testing::at(2, 200));
  ASSERT_TRUE(conn);
  ASSERT_TRUE(pair.run(seconds(5), [&] { return pair.client->last<transport::Opened>(); }));
  ASSERT_EQ(pair.client->last<transport::Confirmed>(), nullptr);
  const std::size_t with_tls = pair.client->endpoint->memory_bytes(*conn);
  const ByteArray<32> before = exported(*pair.client, *conn, "EXPORTER-ethnet");
  ASSERT_TRUE(pair.run(seconds(5), [&] { return pair.client->last<transport::Confirmed>(); }));
  EXPECT_LT(pair.client->endpoint->memory_bytes(*conn) + 10'000, with_tls);
  EXPECT_EQ(exported(*pair.client, *conn, "EXPORTER-ethnet"), before);
  EXPECT_EQ(exported(*pair.server, pair.server_handle(), "EXPORTER-ethnet"), before);
  EXPECT_NE(exported(*pair.client, *conn, "EXPORTER-other"), before);
}

TEST(LateMessages, AConnectionUpdatesItsKeysWithoutTheTlsLibrary) {
  Pair pair{[](EndpointConfig& c) { c.key_update_packets = 20; }};
  const auto conn = pair.connect();
  const auto stream =
      pair.client->endpoint->open_stream(conn, transport::StreamKind::unidirectional);
  ASSERT_TRUE(stream);
  const Bytes data = testing::pattern(200'000);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(testing::transfer(pair, *pair.client, conn, *stream, *pair.server, data), data);
    pair.run(seconds(1));  // no two updates within three probe timeouts
  }
  EXPECT_GE(pair.client->endpoint->counters().key_updates, 2U);
  EXPECT_GE(pair.server->endpoint->counters().key_updates, 1U);
}

}  // namespace
}  // namespace ethnet::quic
