// What an endpoint does with packets that no honest peer would send: RFC 9000 names the error, and
// neither the endpoint nor its other connections come to harm.
#include <array>
#include <functional>

#include <gtest/gtest.h>
#include <tests/support/raw_quic/raw_quic.hpp>

namespace ethnet::testing {
namespace {

using transport::CloseCause;
using transport::Closed;

// Transport error codes (RFC 9000, section 20.1).
constexpr std::uint64_t kFlowControl = 0x03;
constexpr std::uint64_t kStreamLimit = 0x04;
constexpr std::uint64_t kStreamState = 0x05;
constexpr std::uint64_t kFinalSize = 0x06;
constexpr std::uint64_t kFrameEncoding = 0x07;
constexpr std::uint64_t kTransportParameter = 0x08;
constexpr std::uint64_t kProtocolViolation = 0x0a;
constexpr std::uint64_t kCryptoBufferExceeded = 0x0d;

// The first streams that a client opens (RFC 9000, section 2.1).
constexpr std::uint64_t kUni = 2;
constexpr std::uint64_t kBidi = 0;

quic::EndpointConfig plain() { return {}; }

// A connection that sends these frames; the code with which the endpoint closed it.
std::optional<std::uint64_t> verdict(const Frames& frames) {
  RawQuic peer{plain()};
  EXPECT_TRUE(peer.connect());
  peer.send(frames);
  const auto* closed = peer.event<Closed>();
  EXPECT_EQ(closed != nullptr, peer.closed_with().has_value());
  if (closed != nullptr) {
    EXPECT_EQ(closed->cause, CloseCause::refused);
  }
  return peer.closed_with();
}

TEST(HostileQuic, AnHonestHandshakeWithoutEncryptionOpens) {
  RawQuic peer{plain()};
  ASSERT_TRUE(peer.connect());
  peer.send(Frames{}.stream(kUni, 0, text_bytes("hello")));
  EXPECT_TRUE(equal(peer.endpoint().read(peer.conn(), kUni), text_bytes("hello")));
  peer.wait(seconds(1));
  EXPECT_EQ(peer.count(0x1e), 1U);  // HANDSHAKE_DONE
}

TEST(HostileQuic, atk_69_UnknownFrameTypesCloseTheConnection) {
  for (const std::uint64_t type : {0x1fULL, 0x20ULL, 0x2fULL, 0x32ULL, 0x3fULL, 0x40ULL, 0xafULL,
                                   0x1337ULL, 0x3fff'ffffULL, 0x3fff'ffff'ffff'ffffULL}) {
    EXPECT_EQ(verdict(Frames{}.numbers(type, {0, 0, 0})), kFrameEncoding) << type;
  }
  // DATAGRAM, which we do not offer (RFC 9221, section 3).
  EXPECT_EQ(verdict(Frames{}.numbers(0x30, {0})), kProtocolViolation);
  EXPECT_EQ(verdict(Frames{}.numbers(0x31, {0})), kProtocolViolation);
}

TEST(HostileQuic, atk_69_EveryTruncationOfEveryFrameIsRefusedOrHarmless) {
  const Bytes cid(8, std::byte{0x77});
  const std::array<Frames, 14> frames{Frames{}.ack(0, 0),
                                      Frames{}.reset_stream(kUni, 1, 0),
                                      Frames{}.stop_sending(kBidi, 1),
                                      Frames{}.crypto(0, text_bytes("abc")),
                                      Frames{}.numbers(0x07, {3}).raw(text_bytes("abc")),
                                      Frames{}.stream(kUni, 0, text_bytes("abc")),
                                      Frames{}.numbers(0x10, {1U << 20}),
                                      Frames{}.numbers(0x11, {kBidi, 1U << 20}),
                                      Frames{}.numbers(0x13, {100}),
                                      Frames{}.new_connection_id(1, 0, cid, 9),
                                      Frames{}.retire_connection_id(0),
                                      Frames{}.path_challenge(1),
                                      Frames{}.numbers(0x1b, {}).padding(8),
                                      Frames{}.close(0)};
  for (const Frames& whole : frames) {
    for (std::size_t n = 1; n < whole.size(); ++n) {
      RawQuic peer{plain()};
      ASSERT_TRUE(peer.connect());
      peer.send(Frames{}.raw(ByteView{whole.bytes()}.first(n)));
      const auto code = peer.closed_with();
      ASSERT_TRUE(code) << std::to_integer<int>(whole.bytes()[0]) << " cut at " << n;
      EXPECT_TRUE(*code == kFrameEncoding || *code == kProtocolViolation) << *code;
    }
  }
}

TEST(HostileQuic, atk_69_FramesInTheWrongPacketAreAViolationOrIgnored) {
  const Bytes cid(8, std::byte{0x77});
  const std::array<Frames, 12> frames{Frames{}.stream(kUni, 0, text_bytes("early")),
                                      Frames{}.reset_stream(kUni, 0, 0),
                                      Frames{}.stop_sending(kBidi, 0),
                                      Frames{}.numbers(0x07, {1, 7}),
                                      Frames{}.numbers(0x10, {100}),
                                      Frames{}.numbers(0x13, {100}),
                                      Frames{}.numbers(0x14, {100}),
                                      Frames{}.new_connection_id(1, 0, cid, 9),
                                      Frames{}.retire_connection_id(0),
                                      Frames{}.path_challenge(1),
                                      Frames{}.numbers(0x1d, {0, 0}),
                                      Frames{}.numbers(0x1e, {})};
  const auto waiting = [] {  // for the last message of the handshake
    auto peer = std::make_unique<RawQuic>(plain());
    peer->hold_finish = true;
    peer->acknowledge = false;  // the first packet of ours in Handshake ends Initial
    EXPECT_FALSE(peer->connect());
    return peer;
  };
  for (const Frames& wrong : frames) {
    const Bytes payload = Frames{}.raw(wrong.bytes()).padding(1200).bytes();
    const auto peer = waiting();
    peer->send(Space::handshake, payload);
    ASSERT_NE(peer->event<Closed>(), nullptr) << std::to_integer<int>(wrong.bytes()[0]);
    EXPECT_EQ(peer->event<Closed>()->cause, CloseCause::refused);
    EXPECT_EQ(peer->closed_with(), kProtocolViolation);
    // Anybody can forge an Initial packet: the handshake must survive it.
    const auto other = waiting();
    other->send(Space::initial, payload);
    EXPECT_EQ(other->event<Closed>(), nullptr);
    other->finish();
    EXPECT_NE(other->event<transport::Confirmed>(), nullptr);
  }
}

TEST(HostileQuic, FramesThatOnlyAServerSendsAreAViolation) {
  EXPECT_EQ(verdict(Frames{}.numbers(0x1e, {})), kProtocolViolation);
  EXPECT_EQ(verdict(Frames{}.numbers(0x07, {3}).raw(text_bytes("abc"))), kProtocolViolation);
}

TEST(HostileQuic, DataBeyondTheCreditIsAFlowControlError) {
  const quic::EndpointConfig config = plain();
  EXPECT_EQ(verdict(Frames{}.stream(kUni, config.stream_window, text_bytes("x"))), kFlowControl);
  EXPECT_EQ(verdict(Frames{}.stream(kUni, (1ULL << 62) - 2, text_bytes("x"))), kFlowControl);
  // The last byte within the credit is fine.
  EXPECT_EQ(verdict(Frames{}.stream(kUni, config.stream_window - 1, text_bytes("x"))),
            std::nullopt);
  // A reset counts as well.
  EXPECT_EQ(verdict(Frames{}.reset_stream(kUni, 0, config.stream_window + 1)), kFlowControl);
}

TEST(HostileQuic, AFinalSizeThatChangesIsAnError) {
  // The end is known and what comes before is not here yet: a stream that is complete is forgotten.
  const auto fin = [] { return Frames{}.stream(kUni, 5, text_bytes("56789"), true); };
  EXPECT_EQ(verdict(fin().stream(kUni, 10, text_bytes("x"))), kFinalSize);
  EXPECT_EQ(verdict(fin().stream(kUni, 10, text_bytes("x"), true)), kFinalSize);
  EXPECT_EQ(verdict(fin().stream(kUni, 0, text_bytes("012"), true)), kFinalSize);
  EXPECT_EQ(verdict(fin().reset_stream(kUni, 0, 9)), kFinalSize);
  EXPECT_EQ(verdict(Frames{}.stream(kUni, 0, text_bytes("0123456789")).reset_stream(kUni, 0, 3)),
            kFinalSize);
}

TEST(HostileQuic, CryptoDataFarAheadIsRefused) {
  EXPECT_EQ(verdict(Frames{}.crypto(1U << 20, text_bytes("x"))), kCryptoBufferExceeded);
}

TEST(HostileQuic, StreamNumbersBeyondTheLimitAreRefused) {
  const quic::EndpointConfig config = plain();
  const std::uint64_t first_refused = kUni + 4 * config.max_remote_uni;
  EXPECT_EQ(verdict(Frames{}.stream(first_refused - 4, 0, text_bytes("x"))), std::nullopt);
  EXPECT_EQ(verdict(Frames{}.stream(first_refused, 0, text_bytes("x"))), kStreamLimit);
  EXPECT_EQ(verdict(Frames{}.stream((1ULL << 62) - 2, 0, text_bytes("x"))), kStreamLimit);
  EXPECT_EQ(verdict(Frames{}.stop_sending(kBidi + 4 * config.max_remote_bidi, 0)), kStreamLimit);
  // Streams of ours that do not exist, and the wrong direction.
  EXPECT_EQ(verdict(Frames{}.stream(1, 0, text_bytes("x"))), kStreamState);
  EXPECT_EQ(verdict(Frames{}.stream(3, 0, text_bytes("x"))), kStreamState);
  EXPECT_EQ(verdict(Frames{}.stop_sending(kUni, 0)), kStreamState);
  EXPECT_EQ(verdict(Frames{}.numbers(0x11, {kUni, 100})), kStreamState);
}

TEST(HostileQuic, AbsurdCreditsAreRefusedAndLargeOnesAreHarmless) {
  EXPECT_EQ(verdict(Frames{}.numbers(0x13, {(1ULL << 60) + 1})), kFrameEncoding);
  EXPECT_EQ(verdict(Frames{}.numbers(0x12, {(1ULL << 62) - 1})), kFrameEncoding);
  RawQuic peer{plain()};
  ASSERT_TRUE(peer.connect());
  for (int i = 0; i < 10'000; ++i) {
    peer.send(Frames{}.numbers(0x13, {1ULL << 60}).numbers(0x10, {(1ULL << 62) - 1}));
  }
  EXPECT_EQ(peer.event<Closed>(), nullptr);
  // What we open ourselves stays bounded whatever the peer allows.
  std::size_t opened = 0;
  while (peer.endpoint().open_stream(peer.conn(), transport::StreamKind::unidirectional)) {
    ASSERT_LE(++opened, quic::kMaxStreamsHeld);
  }
  EXPECT_EQ(opened, quic::kMaxStreamsHeld);
}

TEST(HostileQuic, atk_71_AnAcknowledgementOfWhatWasNeverSentCloses) {
  EXPECT_EQ(verdict(Frames{}.ack(1'000, 1'000)), kProtocolViolation);
  EXPECT_EQ(verdict(Frames{}.ack((1ULL << 62) - 1, 0)), kProtocolViolation);
  // A first range below zero.
  EXPECT_EQ(verdict(Frames{}.numbers(0x02, {0, 0, 0, 1})), kFrameEncoding);
}

TEST(HostileQuic, AnEmptyPacketIsAViolationAndEmptyFramesAreHarmless) {
  EXPECT_EQ(verdict(Frames{}), kProtocolViolation);
  RawQuic peer{plain()};
  ASSERT_TRUE(peer.connect());
  Frames many;
  for (int i = 0; i < 200; ++i) many.stream(kUni, 0, {}).crypto(0, {});
  const std::size_t before = peer.memory();
  for (int i = 0; i < 1'000; ++i) peer.send(many);
  EXPECT_EQ(peer.event<Closed>(), nullptr);
  EXPECT_LT(peer.memory(), before + 64 * 1024);
  peer.send(Frames{}.stream(kUni, 0, {}, true));
  EXPECT_TRUE(peer.endpoint().at_end(peer.conn(), kUni));
}

// Each place is given back although no byte of the stream ever came.
TEST(HostileQuic, StreamsThatBeginWithAResetGiveTheirPlaceBack) {
  RawQuic peer{plain()};
  ASSERT_TRUE(peer.connect());
  const std::uint64_t places = plain().max_remote_uni;
  std::uint64_t allowed = places;
  for (std::uint64_t i = 0; i < 8 * places; ++i) {
    ASSERT_LT(i, allowed) << "no MAX_STREAMS came";
    peer.send(Frames{}.reset_stream(kUni + 4 * i, 7, 0));
    peer.wait(milliseconds(20));
    ASSERT_EQ(peer.event<Closed>(), nullptr) << i;
    if (const Frame* more = peer.last(0x13)) allowed = more->numbers.at(0);
  }
  EXPECT_LT(peer.memory(), 128U * 1024);
}

TEST(HostileQuic, StreamsThatBeginWithTheirEndGiveTheirPlaceBack) {
  RawQuic peer{plain()};
  ASSERT_TRUE(peer.connect());
  const std::uint64_t places = plain().max_remote_uni;
  std::uint64_t allowed = places;
  for (std::uint64_t i = 0; i < 8 * places; ++i) {
    ASSERT_LT(i, allowed) << "no MAX_STREAMS came";
    peer.send(Frames{}.stream(kUni + 4 * i, 0, {}, true));
    peer.wait(milliseconds(20));
    ASSERT_EQ(peer.event<Closed>(), nullptr) << i;
    if (const Frame* more = peer.last(0x13)) allowed = more->numbers.at(0);
  }
}

TEST(HostileQuic, AKeyUpdateOfThePeerIsFollowedAndPhasesThatFlickerAreHarmless) {
  RawQuic peer{plain()};
  ASSERT_TRUE(peer.connect());
  peer.wait(seconds(1));
  ASSERT_FALSE(peer.endpoint_key_phase());
  peer.key_phase = true;
  peer.send(Frames{}.ping());
  peer.wait(seconds(1));
  EXPECT_TRUE(peer.endpoint_key_phase());
  EXPECT_EQ(peer.event<Closed>(), nullptr);
  // Back and forth, without an acknowledgement of what the endpoint sent under the new key.
  peer.acknowledge = false;
  for (int i = 0; i < 100 && peer.event<Closed>() == nullptr; ++i) {
    peer.key_phase = !peer.key_phase;
    peer.send(Frames{}.ping());
  }
  EXPECT_EQ(peer.event<Closed>(), nullptr);
  EXPECT_LT(peer.memory(), 128U * 1024);
}

// After its own close the endpoint repeats it, more and more rarely, and then forgets.
TEST(HostileQuic, AClosingEndpointAnswersLessAndLessAndForgets) {
  RawQuic peer{plain()};
  ASSERT_TRUE(peer.connect());
  peer.endpoint().close(peer.now(), peer.conn(), 5, "enough");
  peer.wait(milliseconds(1));
  peer.forget_frames();
  for (int i = 0; i < 1'000; ++i) peer.send(Frames{}.ping());
  EXPECT_EQ(peer.count(0x1d), 10U);  // after 1, 2, 4, ... 512 packets
  peer.wait(seconds(4));
  EXPECT_EQ(peer.endpoint().connection_count(), 0U);
  EXPECT_EQ(peer.endpoint().cid_count(), 0U);
}

TEST(HostileQuic, AnEndpointThatWasClosedSaysNothingMore) {
  RawQuic peer{plain()};
  ASSERT_TRUE(peer.connect());
  peer.wait(seconds(1));
  peer.send(Frames{}.close(0x10));
  ASSERT_NE(peer.event<Closed>(), nullptr);
  const std::uint64_t before = peer.datagrams_out();
  for (int i = 0; i < 1'000; ++i) peer.send(Frames{}.ping().path_challenge(1));
  EXPECT_EQ(peer.datagrams_out(), before);
  peer.wait(seconds(4));
  EXPECT_EQ(peer.endpoint().connection_count(), 0U);
}

struct BadParameter {
  const char* name;
  std::function<void(Parameters&)> change;
};

// Attack 67.
TEST(HostileQuic, atk_67_ContradictoryTransportParametersAreRefused) {
  const Bytes token(16, std::byte{1});
  const Bytes other(8, std::byte{2});
  const std::vector<BadParameter> table{
      {"ack delay exponent", [](Parameters& p) { p.number(0x0a, 21); }},
      {"max ack delay", [](Parameters& p) { p.number(0x0b, 1U << 14); }},
      {"payload below 1200", [](Parameters& p) { p.number(0x03, 1199); }},
      {"one connection id", [](Parameters& p) { p.number(0x0e, 1); }},
      {"no connection id", [](Parameters& p) { p.number(0x0e, 0); }},
      {"bidi streams", [](Parameters& p) { p.number(0x08, (1ULL << 60) + 1); }},
      {"uni streams", [](Parameters& p) { p.number(0x09, (1ULL << 60) + 1); }},
      {"no source id", [](Parameters& p) { p.remove(0x0f); }},
      {"another source id", [&](Parameters& p) { p.bytes(0x0f, other); }},
      {"source id too long", [](Parameters& p) { p.bytes(0x0f, Bytes(21)); }},
      {"a client's reset token", [&](Parameters& p) { p.bytes(0x02, token); }},
      {"a client's original id", [&](Parameters& p) { p.bytes(0x00, other); }},
      {"a client's retry id", [&](Parameters& p) { p.bytes(0x10, other); }},
      {"a client's preferred address", [](Parameters& p) { p.bytes(0x0d, Bytes(41 + 8)); }},
      {"empty number", [](Parameters& p) { p.bytes(0x04, {}); }},
      {"number with a tail", [](Parameters& p) { p.bytes(0x04, Bytes(3)); }},
      {"migration flag with a body", [](Parameters& p) { p.bytes(0x0c, Bytes(1)); }},
  };
  for (const BadParameter& bad : table) {
    RawQuic peer{plain()};
    Parameters parameters = Parameters::honest(peer.scid());
    bad.change(parameters);
    EXPECT_FALSE(peer.connect(parameters.encode())) << bad.name;
    EXPECT_EQ(peer.closed_with(), kTransportParameter) << bad.name;
  }
}

TEST(HostileQuic, atk_67_HugeAndUselessTransportParametersAreHarmless) {
  const auto tried = [](const std::function<void(Parameters&)>& change) {
    RawQuic peer{plain()};
    Parameters parameters = Parameters::honest(peer.scid());
    change(parameters);
    const bool open = peer.connect(parameters.encode());
    EXPECT_LT(peer.memory(), 256U * 1024);
    return open;
  };
  EXPECT_TRUE(tried([](Parameters& p) {
    for (const std::uint64_t id : {0x01U, 0x04U, 0x05U, 0x06U, 0x07U}) {
      p.number(id, (1ULL << 62) - 1);
    }
    p.number(0x03, (1ULL << 62) - 1).number(0x0e, (1ULL << 62) - 1);
  }));
  EXPECT_TRUE(tried([](Parameters& p) {
    for (const std::uint64_t id : {0x01U, 0x04U, 0x05U, 0x06U, 0x07U, 0x08U, 0x09U}) {
      p.number(id, 0);
    }
  }));
  // Thousands of unknown ones, 60 KB in all.
  EXPECT_TRUE(tried([](Parameters& p) {
    for (std::uint64_t id = 0; id < 6'000; ++id) p.bytes(0x4000 + id, Bytes(4));
  }));
  EXPECT_TRUE(tried([](Parameters& p) { p.bytes(0x4000, Bytes(60'000)); }));
}

}  // namespace
}  // namespace ethnet::testing
