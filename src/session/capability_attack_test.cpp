// Capabilities and names made to confuse: in the Hello, on the control stream, and as streams.
#include <base/hex.hpp>
#include <codec/rlp_writer.hpp>
#include <gtest/gtest.h>

#include "mux.hpp"
#include "testing/hostile.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;
using transport::Side;
using transport::StreamKind;

// Bytes of any value, as a list of strings that our own encoder would refuse to write.
Bytes raw_hello(const LocalInfo& like, std::string_view client,
                const std::vector<std::string>& capabilities) {
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_text(client);
  const auto names = out.begin_list();
  for (const std::string& name : capabilities) out.write_text(name);
  out.end_list(names);
  out.write_bytes(like.genesis.view());
  like.fork_id.encode(out);
  out.write_bytes(like.head_hash.view());
  out.write_uint(like.head_number);
  out.write_bytes({});
  out.end_list(list);
  Bytes frame{static_cast<std::byte>(FrameType::hello)};
  append_be(frame, static_cast<std::uint32_t>(out.view().size()));
  append(frame, out.view());
  return frame;
}

class HelloAttack : public HostileSession {
 protected:
  // Says this as its Hello; how it ended, or nothing when the node took it and was activated.
  std::optional<Reason> say_hello(std::string_view client,
                                  const std::vector<std::string>& capabilities) {
    node.log_of_events.clear();
    peer.connect(node.address());
    peer.exchange_claims();
    peer.exchange_proofs();
    peer.say(raw_hello(node.local, client, capabilities));
    world.run_for(milliseconds(50));
    peer.say(encode_frame(Activate{5, ++sequence}));
    const auto ended = peer.ended();
    if (ended) {
      EXPECT_EQ(node.manager().session_count(), 0U);
      EXPECT_TRUE(node.events<SessionOpened>().empty());
    }
    return ended;
  }
  // What was agreed, on the session that there is; which then ends.
  std::vector<std::string> agreed() {
    std::vector<std::string> out;
    const PeerInfo* const info = node.manager().find(node.only_session());
    if (info == nullptr) return {"no session"};
    for (const Capability& one : info->agreed) out.push_back(one.to_string());
    leave();
    return out;
  }
  void leave() {
    peer.leave(Reason::requested);
    world.run_for(milliseconds(50));
  }

  std::uint64_t sequence = 0;
};

using Names = std::vector<std::string>;

// A list of `count`: of our own at the end, the others of nobody.
Names crowd(std::size_t count) {
  Names out;
  for (std::size_t i = 1; i < count; ++i) out.push_back("x" + std::to_string(i) + "/1");
  out.emplace_back("echo/1");
  return out;
}

TEST_F(HelloAttack, atk_14_AListHasAtMost64EntriesWhateverTheyAre) {
  EXPECT_EQ(say_hello("a/1", crowd(kMaxCapabilities)), std::nullopt);
  EXPECT_EQ(agreed(), Names{"echo/1"});
  EXPECT_EQ(say_hello("a/1", crowd(kMaxCapabilities + 1)), Reason::protocol_breach);
  // Those that are of no form count too, or they would be free.
  EXPECT_EQ(say_hello("a/1", Names(kMaxCapabilities + 1, "?")), Reason::protocol_breach);
  EXPECT_EQ(say_hello("a/1", Names(kMaxCapabilities + 1, "")), Reason::protocol_breach);
  EXPECT_EQ(say_hello("a/1", Names(kMaxCapabilities, "echo/1")), std::nullopt);
  EXPECT_EQ(agreed(), Names{"echo/1"});
  // Ten thousand: more than a Hello can hold, so that the header of the frame is enough.
  EXPECT_EQ(say_hello("a/1", Names(10'000, "a/1")), Reason::protocol_breach);
}

TEST_F(HelloAttack, atk_14_ANameHasAtMost32Bytes) {
  const std::string longest = "abcdefghijklmnopqrst/65535.65535";
  ASSERT_EQ(longest.size(), kMaxCapabilityBytes);
  EXPECT_EQ(say_hello("a/1", {longest, "echo/1"}), std::nullopt);
  EXPECT_EQ(agreed(), Names{"echo/1"});
  EXPECT_EQ(say_hello("a/1", {"u" + longest, "echo/1"}), Reason::protocol_breach);
  EXPECT_EQ(say_hello("a/1", {std::string(1'000, 'a'), "echo/1"}), Reason::protocol_breach);
}

// Whoever shares nothing with us is told so; the number is ours (0x22), and means devp2p's useless
// peer.
TEST_F(HelloAttack, atk_14_WhatIsNotOursIsNotAgreedAndTheUselessPeerIsTold) {
  const std::vector<Names> lists{
      {},
      {""},
      {"/"},
      {"echo"},
      {"echo/"},
      {"/1"},
      {"echo/0"},
      {"echo/2"},
      {"echo/1.1"},
      {"echo/01"},
      {"echo/1.0"},
      {"echo/ 1"},
      {"echo/-1"},
      {"echo/65535"},
      {"echo/65536"},
      {"echo/65537"},
      {"echo/4294967297"},
      {"echo/18446744073709551617"},
      {"echo/1e0"},
      {"ECHO/1"},
      {" echo/1"},
      {"echo/1 "},
      {std::string{"echo/1\0", 7}},
      {std::string{"echo\0/1", 7}},
      {"echo//1"},
      {"echo/1/1"},
      {"mini-sync/0.2", "mini-sync/1", "mini-sync/0.0"},
      {"mini-sync/0", "mini_sync/0.1", "minisync/0.1"},
      {"\x1b[2Jecho/1"},
      {"\xc0\xa5"
       "echo/1"},
  };
  for (const Names& list : lists) {
    EXPECT_EQ(say_hello("a/1", list), Reason::no_shared_capability)
        << ::testing::PrintToString(list);
  }
  EXPECT_EQ(static_cast<int>(Reason::no_shared_capability), 0x22);
}

TEST_F(HelloAttack, atk_14_WhatIsNotOfTheFormIsLeftOutAndTheRestAgreedInAnyOrder) {
  const std::vector<std::pair<Names, Names>> rows{
      {{"?", "echo/1", "", "echo/2"}, {"echo/1"}},
      {{"mini-sync/0.1", "echo/1"}, {"echo/1", "mini-sync/0.1"}},
      {{"echo/1", "mini-sync/0.1"}, {"echo/1", "mini-sync/0.1"}},
      {{"echo/1", "mini-sync/0.1", "echo/1", "mini-sync/0.1"}, {"echo/1", "mini-sync/0.1"}},
      {{"echo/65535", "mini-sync/0.1", "echo/0"}, {"mini-sync/0.1"}},
      {{std::string{"mini-sync/0.1\0", 14}, "echo/1"}, {"echo/1"}},
  };
  for (const auto& [list, wanted] : rows) {
    EXPECT_EQ(say_hello("a/1", list), std::nullopt) << ::testing::PrintToString(list);
    EXPECT_EQ(agreed(), wanted);
  }
}

// The name that a peer gives itself, in what sessions tell the rest of the node and write to logs.
TEST_F(HelloAttack, atk_07_NoNameLeavesARawByteInEventsOrLogs) {
  std::vector<std::string> names{
      "",
      "\x1b[31mred\x1b[0m",
      "\x1b]0;title\x07",
      std::string{"nul\0nul", 7},
      "two\r\nlines",
      "level=error msg=\"forged\"",
      "\xc0\x80",              // overlong NUL
      "\xc1\xbf\xe0\x80\xaf",  // overlong DEL and slash
      "\xf8\x88\x80\x80\x80\xff\xfe",
      "\xe2\x80\xae"
      "evil",  // right-to-left override
      "\x7f\x9b"
      "31m",  // DEL, and CSI in one byte
      "back\\slash",
      std::string(kMaxClientBytes, '\x1b'),
      std::string(kMaxClientBytes, 'a'),
  };
  for (int c = 0; c < 256; ++c) names.emplace_back(3, static_cast<char>(c));
  for (const std::string& name : names) {
    ASSERT_EQ(say_hello(name, {"echo/1"}), std::nullopt);
    const auto opened = node.events<SessionOpened>();
    ASSERT_EQ(opened.size(), 1U);
    const std::string& shown = opened[0].peer.client;
    EXPECT_LE(shown.size(), kMaxClientBytes);
    for (const char c : shown) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << int{c};
    EXPECT_EQ(node.manager().find(node.only_session())->client, shown);
    leave();
  }
  EXPECT_GE(node.log.count("session opened"), names.size());
  EXPECT_EQ(node.log.raw_control_bytes(), 0U);
}

TEST_F(HelloAttack, atk_07_ANameAboveItsLimitEndsTheHandshake) {
  EXPECT_EQ(say_hello(std::string(kMaxClientBytes + 1, 'a'), {"echo/1"}), Reason::protocol_breach);
  EXPECT_EQ(say_hello(std::string(3'000, '\x1b'), {"echo/1"}), Reason::protocol_breach);
  EXPECT_EQ(say_hello(std::string(1 << 20, 'a'), {"echo/1"}), Reason::protocol_breach);
  // And a text that we refuse is not in the reason that we tell.
  EXPECT_EQ(node.log.raw_control_bytes(), 0U);
}

class FrameOrder : public Staged {
 protected:
  void say(std::uint8_t number) {
    switch (static_cast<FrameType>(number)) {
      case FrameType::claim:
        return peer.say(encode_frame(Claim{kProtocolVersion, peer.id(), std::nullopt}));
      case FrameType::proof:
        return peer.say(encode_frame(peer.proof(Side::dialler, node.id())));
      case FrameType::hello:
        return peer.say(encode_frame(peer.hello(node.local)));
      case FrameType::activate:
        return peer.say(encode_frame(Activate{5, 2}));
      case FrameType::disconnect:
        return peer.say(encode_disconnect(Reason::useless_peer));
      case FrameType::ping:
      case FrameType::pong:
        break;
    }
    peer.say(Bytes{static_cast<std::byte>(number), {}, {}, {}, {}});
  }
  // Disconnect is legal everywhere, and ends the session without a breach.
  static bool is_legal(Stage stage, std::uint8_t number) {
    const auto type = static_cast<FrameType>(number);
    switch (stage) {
      case Stage::open:
        return type == FrameType::claim;
      case Stage::claimed:
        return type == FrameType::proof;
      case Stage::proven:
        return type == FrameType::hello;
      case Stage::ready:
        return type == FrameType::activate;
      case Stage::active:
        return type == FrameType::ping;
    }
    return false;
  }
};

TEST_F(FrameOrder, atk_15_OfAllNumbersInAllStatesOnlyTheLegalPass) {
  std::size_t legal = 0;
  for (const Stage stage : kStages) {
    for (unsigned n = 0; n < 256; ++n) {
      const auto number = static_cast<std::uint8_t>(n);
      SCOPED_TRACE(std::to_string(static_cast<int>(stage)) + " " + std::to_string(n));
      ASSERT_NO_FATAL_FAILURE(reach(stage));
      say(number);
      const auto ended = peer.ended();
      if (is_legal(stage, number)) {
        EXPECT_EQ(ended, std::nullopt);
        ++legal;
      } else if (number == static_cast<std::uint8_t>(FrameType::disconnect)) {
        EXPECT_EQ(ended, Reason::useless_peer);
      } else {
        EXPECT_EQ(ended, Reason::protocol_breach);
      }
      peer.leave(Reason::requested);
      world.run_for(milliseconds(50));
      ASSERT_EQ(node.host.connections(), 0U);
    }
  }
  EXPECT_EQ(legal, kStages.size());
}

struct StreamName {
  Bytes said;  // length byte and bytes
  Reason reason;
};

Bytes stream_name(std::string_view literal) {
  Bytes out{static_cast<std::byte>(literal.size())};
  append(out, text_bytes(literal));
  return out;
}

class StreamOrder : public Staged {
 protected:
  static std::vector<StreamName> bad_names() {
    std::vector<StreamName> out;
    for (const std::string_view literal :
         {std::string_view{"echo/2"}, std::string_view{"echo/0"}, std::string_view{"echo/1.1"},
          std::string_view{"echo/1\0", 7}, std::string_view{"ech"}, std::string_view{"echo/"},
          std::string_view{"ECHO/1"}, std::string_view{"eth/69"}, std::string_view{"mini-sync/0.2"},
          std::string_view{"\0", 1}, std::string_view{"abcdefghijklmnopqrstuvwxyzabcd/1"}}) {
      out.push_back({stream_name(literal), Reason::capability_not_shared});
    }
    out.push_back({Bytes{std::byte{0}}, Reason::protocol_breach});
    out.push_back({Bytes{std::byte{33}}, Reason::protocol_breach});
    out.push_back({Bytes{std::byte{255}}, Reason::protocol_breach});
    return out;
  }
  // An envelope follows at once, so that there is something to deliver by mistake.
  void write_stream(Bytes said) {
    append_be(said, std::uint32_t{3});
    append(said, text_bytes("abc"));
    peer.write(peer.open(StreamKind::unidirectional), said);
    world.run_for(milliseconds(50));
  }
  void leave() {
    peer.leave(Reason::requested);
    world.run_for(milliseconds(50));
    ASSERT_EQ(node.host.connections(), 0U);
    node.log_of_events.clear();
  }
};

// A stream opened before activation is judged at activation, and until then not read.
TEST_F(StreamOrder, atk_15_AStreamOfWhatWasNotAgreedEndsTheSessionInEveryState) {
  for (const Stage stage : kStages) {
    for (const StreamName& name : bad_names()) {
      SCOPED_TRACE(std::to_string(static_cast<int>(stage)) + " " + to_hex(name.said));
      ASSERT_NO_FATAL_FAILURE(reach(stage));
      write_stream(name.said);
      if (stage != Stage::active) {
        ASSERT_EQ(peer.ended(), std::nullopt);
      }
      ASSERT_NO_FATAL_FAILURE(advance(stage, Stage::active));
      EXPECT_EQ(peer.ended(), name.reason);
      EXPECT_TRUE(node.events<MessageReceived>().empty());
      ASSERT_NO_FATAL_FAILURE(leave());
    }
  }
}

TEST_F(StreamOrder, atk_15_AStreamOfWhatWasAgreedIsReadOnceActiveWheneverItCame) {
  for (const Stage stage : kStages) {
    SCOPED_TRACE(static_cast<int>(stage));
    ASSERT_NO_FATAL_FAILURE(reach(stage));
    write_stream(stream_name("echo/1"));
    EXPECT_EQ(node.events<MessageReceived>().size(), stage == Stage::active ? 1U : 0U);
    ASSERT_NO_FATAL_FAILURE(advance(stage, Stage::active));
    const auto messages = node.events<MessageReceived>();
    ASSERT_EQ(messages.size(), 1U);
    EXPECT_EQ(messages[0].capability, capability("echo/1"));
    EXPECT_EQ(messages[0].payload, payload("abc"));
    ASSERT_NO_FATAL_FAILURE(leave());
  }
}

TEST_F(StreamOrder, atk_15_ASecondBidirectionalStreamIsABreachInEveryState) {
  for (const Stage stage : kStages) {
    ASSERT_NO_FATAL_FAILURE(reach(stage));
    if (stage == Stage::open) (void)peer.open(StreamKind::bidirectional);  // the control stream
    peer.write(peer.open(StreamKind::bidirectional), Bytes(1));
    EXPECT_EQ(peer.ended(), Reason::protocol_breach);
    ASSERT_NO_FATAL_FAILURE(leave());
  }
}

}  // namespace
}  // namespace ethnet::session
