// What a dialler does with a server that says what no honest one would.
#include <functional>

#include <gtest/gtest.h>
#include <tests/support/raw_quic/raw_quic.hpp>

namespace ethnet::testing {
namespace {

using transport::CloseCause;
using transport::Closed;
using transport::Confirmed;

constexpr std::uint64_t kStreamState = 0x05;
constexpr std::uint64_t kTransportParameter = 0x08;
constexpr std::uint64_t kUnexpectedMessage = 0x010a;  // the alert of TLS (RFC 9001, section 4.8)

// A server that was dialled and has said nothing yet.
struct Server : RawQuic {
  Server() : RawQuic{quic::EndpointConfig{}} { be_dialled(); }
  [[nodiscard]] bool answer_honestly() { return answer(honest_server().encode()); }
};

Bytes cid(std::uint8_t first) { return Bytes(8, static_cast<std::byte>(first)); }

TEST(HostileQuicServer, AnHonestOneOpens) {
  Server server;
  ASSERT_EQ(server.client_dcid().size(), quic::kOwnCidBytes);
  ASSERT_TRUE(server.answer_honestly());
  const auto stream =
      server.endpoint().open_stream(server.conn(), transport::StreamKind::unidirectional);
  ASSERT_TRUE(stream);
  ASSERT_EQ(server.endpoint().write(server.conn(), *stream, text_bytes("hello")), 5U);
  server.wait(seconds(1));
  const auto& frames = server.frames();
  EXPECT_TRUE(std::ranges::any_of(
      frames, [](const Frame& frame) { return equal(frame.data, text_bytes("hello")); }));
}

TEST(HostileQuicServer, ARetryIsFollowedOnceAndALoopOfThemEndsAtTheTimeout) {
  Server server;
  server.acknowledge = false;
  server.send_retry(text_bytes("first"), cid(1));
  EXPECT_TRUE(equal(server.client_token(), text_bytes("first")));
  EXPECT_TRUE(equal(server.client_dcid(), cid(1)));
  const std::uint64_t before = server.datagrams_out();
  for (int i = 0; i < 1'000; ++i) server.send_retry(text_bytes("again"), cid(2));
  EXPECT_EQ(server.datagrams_out(), before);
  EXPECT_TRUE(equal(server.client_token(), text_bytes("first")));
  EXPECT_EQ(server.event<Closed>(), nullptr);
  EXPECT_LT(server.memory(), 128U * 1024);
  server.wait(seconds(6));
  ASSERT_NE(server.event<Closed>(), nullptr);
  EXPECT_EQ(server.event<Closed>()->cause, CloseCause::handshake_timeout);
  server.wait(seconds(4));
  EXPECT_EQ(server.endpoint().connection_count(), 0U);
}

TEST(HostileQuicServer, AForgedRetryIsIgnored) {
  Server server;
  const std::uint64_t before = server.datagrams_out();
  const Bytes dialled = to_bytes(server.client_dcid());
  for (int i = 0; i < 100; ++i) server.send_retry(text_bytes("token"), cid(1), true);
  EXPECT_EQ(server.datagrams_out(), before);
  EXPECT_TRUE(equal(server.client_dcid(), dialled));
  EXPECT_TRUE(server.answer_honestly());
}

TEST(HostileQuicServer, VersionNegotiationEndsADialOnlyBeforeAnAnswerAndWithoutOurVersion) {
  Server ours;
  ours.send_version_negotiation({0x1a2a3a4a, 1});  // RFC 9000, section 6.2: it lists what we speak
  EXPECT_EQ(ours.event<Closed>(), nullptr);
  ASSERT_TRUE(ours.answer_honestly());
  ours.send_version_negotiation({0x1a2a3a4a});
  EXPECT_EQ(ours.event<Closed>(), nullptr);

  Server other;
  other.send_version_negotiation({0x1a2a3a4a, 2});
  ASSERT_NE(other.event<Closed>(), nullptr);
  EXPECT_EQ(other.event<Closed>()->cause, CloseCause::refused);
  other.wait(seconds(4));
  EXPECT_EQ(other.endpoint().connection_count(), 0U);
}

// Whoever is dialled could send us anywhere: to a victim, or into our own network.
TEST(HostileQuicServer, APreferredAddressIsNotFollowed) {
  Server server;
  Bytes preferred;
  append(preferred, Bytes{std::byte{10}, std::byte{0}, std::byte{0}, std::byte{9}});
  append_be<std::uint16_t>(preferred, 666);
  append(preferred, Bytes(16 + 2));  // no IPv6 address
  preferred.push_back(std::byte{8});
  append(preferred, cid(5));
  append(preferred, Bytes(16, std::byte{3}));
  Parameters parameters = server.honest_server();
  ASSERT_TRUE(server.answer(parameters.bytes(0x0d, preferred).encode()));
  server.wait(seconds(60));
  EXPECT_EQ(server.event<Closed>(), nullptr);
  EXPECT_EQ(server.remotes(), std::set<Endpoint>{server.from});
}

TEST(HostileQuicServer, AFloodOfNewTokensIsForgotten) {
  Server server;
  ASSERT_TRUE(server.answer_honestly());
  server.wait(seconds(1));
  const std::size_t before = server.memory();
  const Bytes token(900, std::byte{7});
  std::size_t most = 0;
  for (int i = 0; i < 20'000; ++i) {
    server.send(Frames{}.numbers(0x07, {token.size()}).raw(token));
    most = std::max(most, server.memory());
  }
  EXPECT_EQ(server.event<Closed>(), nullptr);
  EXPECT_LT(most, before + 64 * 1024);
}

TEST(HostileQuicServer, TicketsWithoutEndAreSkippedAndAKeyUpdateOfTlsCloses) {
  Server server;
  ASSERT_TRUE(server.answer_honestly());
  server.wait(seconds(1));
  const std::size_t before = server.memory();
  Bytes ticket{std::byte{4}, std::byte{0}, std::byte{3}, std::byte{0}};
  ticket.resize(4 + 768);
  std::uint64_t offset = 0;
  for (int i = 0; i < 20'000; ++i, offset += ticket.size()) {
    server.send(Frames{}.crypto(offset, ticket));
  }
  EXPECT_EQ(server.event<Closed>(), nullptr);
  EXPECT_LT(server.memory(), before + 64 * 1024);
  server.send(Frames{}.crypto(
      offset, Bytes{std::byte{24}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}}));
  EXPECT_EQ(server.closed_with(), kUnexpectedMessage);
}

TEST(HostileQuicServer, StreamsThatOnlyWeMayOpenAreAnError) {
  for (const std::uint64_t id : {0ULL, 2ULL, 4'000ULL}) {
    Server server;
    ASSERT_TRUE(server.answer_honestly());
    server.send(Frames{}.stream(id, 0, text_bytes("x")));
    EXPECT_EQ(server.closed_with(), kStreamState) << id;
  }
}

struct BadParameter {
  const char* name;
  std::function<void(Parameters&)> change;
};

TEST(HostileQuicServer, atk_67_ContradictoryTransportParametersOfAServerAreRefused) {
  const std::vector<BadParameter> table{
      {"no original id", [](Parameters& p) { p.remove(0x00); }},
      {"another original id", [](Parameters& p) { p.bytes(0x00, cid(9)); }},
      {"original id too long", [](Parameters& p) { p.bytes(0x00, Bytes(21)); }},
      {"no source id", [](Parameters& p) { p.remove(0x0f); }},
      {"another source id", [](Parameters& p) { p.bytes(0x0f, cid(9)); }},
      {"a retry id without a Retry", [](Parameters& p) { p.bytes(0x10, cid(9)); }},
      {"a short reset token", [](Parameters& p) { p.bytes(0x02, Bytes(15)); }},
      {"a preferred address cut short", [](Parameters& p) { p.bytes(0x0d, Bytes(40)); }},
      {"a preferred address without an id", [](Parameters& p) { p.bytes(0x0d, Bytes(41)); }},
      {"payload below 1200", [](Parameters& p) { p.number(0x03, 1199); }},
      {"one connection id", [](Parameters& p) { p.number(0x0e, 1); }},
  };
  for (const BadParameter& bad : table) {
    Server server;
    Parameters parameters = server.honest_server();
    bad.change(parameters);
    EXPECT_FALSE(server.answer(parameters.encode())) << bad.name;
    EXPECT_EQ(server.closed_with(), kTransportParameter) << bad.name;
  }
  // After a Retry its id has to be said.
  Server retried;
  retried.send_retry(text_bytes("token"), cid(1));
  EXPECT_FALSE(retried.answer_honestly());
  EXPECT_EQ(retried.closed_with(), kTransportParameter);
  Server honest;
  honest.send_retry(text_bytes("token"), cid(1));
  EXPECT_TRUE(honest.answer(honest.honest_server().bytes(0x10, cid(1)).encode()));
}

}  // namespace
}  // namespace ethnet::testing
