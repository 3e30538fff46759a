// Every way in which a connection or a session can end gives back all that it took: places in the
// tables, timers, jobs, streams, queues, budgets, and the requests that were under way.
#include <algorithm>
#include <iterator>

#include <gtest/gtest.h>

#include "mux.hpp"
#include "requests.hpp"
#include "testing/world.hpp"

namespace ethnet::session {
namespace {

using namespace ethnet::session::testing;
using Reason = DisconnectReason;
using transport::StreamKind;

constexpr std::uint64_t kHeaders = 2;  // a protocol's code, for the request tracker

class Endings : public ::testing::Test {
 protected:
  Endings() : keys{sorted_keys()}, node{world.add_node(keys[1], address(1), config())} {}

  static std::vector<Key> sorted_keys() {
    std::vector<Key> out{make_key(1), make_key(2), make_key(3)};
    std::ranges::sort(out, {}, id_of);
    return out;
  }
  static Config config() {
    Config out;
    out.max_peers = 2;
    out.max_memory_bytes = 5'000'000;
    return out;
  }

 public:
  // As far as the connection of `peer` gets, with `peer` the dialler.
  void open(RawPeer& peer) {
    peer.connect(node.address());
    world.run_for(milliseconds(20));  // the node has it too
  }
  void claim(RawPeer& peer) {
    open(peer);
    peer.exchange_claims();
  }
  void prove(RawPeer& peer) {
    claim(peer);
    peer.exchange_proofs();
  }
  void activate(RawPeer& peer) {
    open(peer);
    peer.become_active(node.local);
    ask();
  }
  // Opens one of the two agreed streams and says its name.
  transport::StreamId name(RawPeer& peer, std::string_view literal) {
    const transport::StreamId stream = peer.open(StreamKind::unidirectional);
    Bytes out{static_cast<std::byte>(literal.size())};
    append(out, text_bytes(literal));
    peer.write(stream, out);
    return stream;
  }
  void envelope(RawPeer& peer, transport::StreamId stream, std::uint32_t size, std::size_t sent) {
    Bytes out;
    append_be(out, size);
    out.resize(out.size() + sent, std::byte{7});
    peer.write(stream, out);
  }
  SessionHandle session() { return node.only_session(); }
  // A request to the newest session, which never gets its answer.
  void ask() {
    const auto opened = node.events<SessionOpened>();
    ASSERT_FALSE(opened.empty());
    ASSERT_TRUE(
        tracker.open(world.now(), {opened.back().session, kHeaders, 1000, 10, seconds(60)}));
  }

  World world;
  std::vector<Key> keys;  // ordered by node id
  Node& node;
  FakeHost& far = world.add_raw_host(address(2));
  FakeHost& twin_host = world.add_raw_host(address(3));
  FakeHost& third_host = world.add_raw_host(address(4));
  RawPeer below{world, far, keys[0]};  // it is the arbiter
  RawPeer above{world, far, keys[2]};  // the node is
  RawPeer below_twin{world, twin_host, keys[0]};
  RawPeer above_twin{world, twin_host, keys[2]};
  RawPeer third{world, third_host, make_key(4)};
  RequestTracker tracker{1000, 100};
};

// Where the end is told.
enum class Told : std::uint8_t {
  closed,   // SessionClosed: it was active
  refused,  // SessionRefused: by us, on the way there
  failed,   // DialFailed: by the other side, on the way there
  nowhere,  // a stranger left before it was anybody
};

struct Way {
  const char* name;
  Told told;
  Reason reason;
  void (*run)(Endings&);
};

// Before the identity is proven.
constexpr Way kUnproven[] = {
    {"a dial that nobody answers", Told::refused, Reason::handshake_timeout,
     [](Endings& t) { ASSERT_TRUE(t.node.dial(address(99))); }},
    {"a dial that is answered by a close", Told::failed, Reason::useless_peer,
     [](Endings& t) {
       ASSERT_TRUE(t.node.dial(t.far.address()));
       t.above.accept();
       t.above.leave(Reason::useless_peer);
     }},
    {"a dial of another identity", Told::refused, Reason::unexpected_identity,
     [](Endings& t) {
       ASSERT_TRUE(t.node.dial(t.far.address(), t.below.id()));
       t.above.accept();
       t.above.say(encode_frame(Claim{kProtocolVersion, t.above.id(), std::nullopt}));
     }},
    {"a dial of ourselves", Told::refused, Reason::self_connection,
     [](Endings& t) { ASSERT_TRUE(t.node.dial(t.node.address())); }},
    {"a dialled one that proves nothing", Told::refused, Reason::bad_proof,
     [](Endings& t) {
       ASSERT_TRUE(t.node.dial(t.far.address()));
       t.above.accept();
       t.above.say(encode_frame(Claim{kProtocolVersion, t.above.id(), std::nullopt}));
       t.above.say(encode_frame(Proof{}));
     }},
    {"silence", Told::refused, Reason::handshake_timeout, [](Endings& t) { t.open(t.above); }},
    {"a stranger that leaves at once", Told::nowhere, Reason::requested,
     [](Endings& t) {
       t.open(t.above);
       t.above.leave(Reason::requested);
     }},
    {"a stranger that says goodbye", Told::nowhere, Reason::requested,
     [](Endings& t) {
       t.claim(t.above);
       t.above.say(encode_disconnect(Reason::requested));
     }},
    {"a stranger that vanishes", Told::refused, Reason::handshake_timeout,
     [](Endings& t) {
       t.claim(t.above);
       t.above.crash();
     }},
    {"another version", Told::refused, Reason::incompatible_version,
     [](Endings& t) {
       t.open(t.above);
       t.above.say(encode_frame(Claim{2, t.above.id(), std::nullopt}));
     }},
    {"our own identity", Told::refused, Reason::self_connection,
     [](Endings& t) {
       t.open(t.above);
       t.above.say(encode_frame(Claim{kProtocolVersion, t.node.id(), std::nullopt}));
     }},
    {"somebody else wanted", Told::refused, Reason::unexpected_identity,
     [](Endings& t) {
       t.open(t.above);
       t.above.say(encode_frame(Claim{kProtocolVersion, t.above.id(), t.below.id()}));
     }},
    {"an unknown frame", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.open(t.above);
       t.above.say(Bytes(5, std::byte{0x55}));
     }},
    {"a frame above its limit", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.open(t.above);
       t.above.say(Bytes{std::byte{1}, std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}});
     }},
    {"a body that is no list", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.open(t.above);
       t.above.say(Bytes{std::byte{1}, {}, {}, {}, std::byte{1}, std::byte{0x80}});
     }},
    {"half a frame", Told::refused, Reason::handshake_timeout,
     [](Endings& t) {
       t.open(t.above);
       t.above.say(Bytes{std::byte{1}, {}, {}, {}, std::byte{100}, std::byte{0xf8}});
     }},
    {"a proof before the claim", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.open(t.above);
       t.above.say(encode_frame(Proof{}));
     }},
    {"two claims", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.claim(t.above);
       t.above.say(encode_frame(Claim{kProtocolVersion, t.above.id(), std::nullopt}));
     }},
    {"a ping before the time", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.claim(t.above);
       t.above.say(encode_ping());
     }},
    {"a Hello before the proof", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.claim(t.above);
       t.above.say(encode_frame(t.above.hello(t.node.local)));
     }},
    {"a bad proof", Told::refused, Reason::bad_proof,
     [](Endings& t) {
       t.claim(t.above);
       t.above.say(encode_frame(Proof{}));
     }},
    {"leaving while our proof is being signed", Told::nowhere, Reason::requested,
     [](Endings& t) {
       t.open(t.above);
       t.above.say(encode_frame(Claim{kProtocolVersion, t.above.id(), std::nullopt}));
       t.above.leave(Reason::requested);
     }},
    {"leaving while the proof is being verified", Told::nowhere, Reason::requested,
     [](Endings& t) {
       t.claim(t.above);
       t.above.say(encode_frame(t.above.proof(transport::Side::dialler, t.node.id())));
       t.above.leave(Reason::requested);
     }},
    {"a bidirectional stream", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.claim(t.above);
       t.above.write(t.above.open(StreamKind::bidirectional), Bytes(1));
     }},
    {"more streams than capabilities", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.claim(t.above);
       for (std::size_t i = 0; i <= kMaxPeerStreams; ++i) {
         t.above.write(t.above.open(StreamKind::unidirectional), Bytes(100));
       }
     }},
};

// Proven, and not active yet.
constexpr Way kProven[] = {
    {"another genesis", Told::refused, Reason::wrong_genesis,
     [](Endings& t) {
       t.prove(t.above);
       Hello hello = t.above.hello(t.node.local);
       hello.genesis.bytes[0] = std::byte{1};
       t.above.say(encode_frame(hello));
     }},
    {"nothing in common", Told::refused, Reason::no_shared_capability,
     [](Endings& t) {
       t.prove(t.above);
       Hello hello = t.above.hello(t.node.local);
       hello.capabilities = {capability("other/7")};
       t.above.say(encode_frame(hello));
     }},
    {"a record that is none", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.prove(t.above);
       Hello hello = t.above.hello(t.node.local);
       hello.enr = Bytes(50, std::byte{1});
       t.above.say(encode_frame(hello));
     }},
    {"leaving while the record is being verified", Told::nowhere, Reason::requested,
     [](Endings& t) {
       t.prove(t.above);
       Hello hello = t.above.hello(t.node.local);
       hello.enr = Bytes(50, std::byte{1});
       t.above.say(encode_frame(hello));
       t.above.leave(Reason::requested);
     }},
    {"two Hellos", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.prove(t.below);
       t.below.say(encode_frame(t.below.hello(t.node.local)));
       t.below.say(encode_frame(t.below.hello(t.node.local)));
     }},
    {"an Activate of one who does not decide", Told::refused, Reason::protocol_breach,
     [](Endings& t) {
       t.prove(t.above);
       t.above.say(encode_frame(Activate{1, 1}));
     }},
    {"an arbiter that never activates", Told::refused, Reason::handshake_timeout,
     [](Endings& t) {
       t.open(t.below);
       t.below.shake_hands(t.node.local);
     }},
    {"a dialled one that leaves after its proof", Told::failed, Reason::quitting,
     [](Endings& t) {
       ASSERT_TRUE(t.node.dial(t.far.address()));
       t.below.accept();
       t.below.answer_hands(t.node.local);
       t.below.leave(Reason::quitting);
     }},
    {"an arbiter that refuses", Told::failed, Reason::already_connected,
     [](Endings& t) {
       ASSERT_TRUE(t.node.dial(t.far.address()));
       t.below.accept();
       t.below.answer_hands(t.node.local);
       t.below.say(encode_disconnect(Reason::already_connected));
     }},
    {"data before activation, and then nothing", Told::refused, Reason::handshake_timeout,
     [](Endings& t) {
       t.open(t.below);
       t.below.shake_hands(t.node.local);
       t.envelope(t.below, t.name(t.below, "echo/1"), 1000, 1000);
     }},
};

// Active, ended by what the peer says on the control stream or by the transport.
constexpr Way kActive[] = {
    {"our wish", Told::closed, Reason::useless_peer,
     [](Endings& t) {
       t.activate(t.above);
       t.node.disconnect(t.session(), Reason::useless_peer);
     }},
    {"our wish, on a dialled one", Told::closed, Reason::requested,
     [](Endings& t) {
       ASSERT_TRUE(t.node.dial(t.far.address()));
       t.above.accept();
       t.above.answer_hands(t.node.local);
       t.world.run_for(milliseconds(50));
       t.ask();
       t.node.disconnect(t.session(), Reason::requested);
     }},
    {"the peer's wish", Told::closed, Reason::subprotocol_error,
     [](Endings& t) {
       t.activate(t.above);
       t.above.say(encode_disconnect(Reason::subprotocol_error));
     }},
    {"a number that we do not know", Told::closed, Reason::unknown,
     [](Endings& t) {
       t.activate(t.above);
       t.above.leave(static_cast<Reason>(0x77));
     }},
    {"a close of the connection", Told::closed, Reason::quitting,
     [](Endings& t) {
       t.activate(t.below);
       t.below.leave(Reason::quitting);
     }},
    {"a peer that does not read", Told::closed, Reason::write_timeout,
     [](Endings& t) {
       t.activate(t.above);
       ASSERT_TRUE(t.node.send_bytes(t.session(), "echo/1", Bytes(100'000)));
       for (int i = 0; i < 25; ++i) {
         t.world.run_for(seconds(1));
         while (const auto frame = t.above.poll()) t.above.say(encode_pong());
       }
     }},
    {"more than its share of the memory", Told::closed, Reason::memory_limit,
     [](Endings& t) {
       t.activate(t.above);
       const SessionHandle session = t.session();
       for (const char* lane : {"echo/1", "mini-sync/0.1"}) {
         for (int i = 0; i < 7; ++i) (void)t.node.send_bytes(session, lane, Bytes(500'000));
       }
     }},
    {"a peer that vanishes", Told::closed, Reason::ping_timeout,
     [](Endings& t) {
       t.activate(t.above);
       t.above.crash();
     }},
    {"too many pings", Told::closed, Reason::ping_flood,
     [](Endings& t) {
       t.activate(t.above);
       for (int i = 0; i < 6; ++i) t.above.say(encode_ping());
     }},
    {"a pong to no ping", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.above.say(encode_pong());
     }},
    {"a claim again", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.above.say(encode_frame(Claim{kProtocolVersion, t.above.id(), std::nullopt}));
     }},
    {"a second Activate", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.below);
       t.below.say(encode_frame(Activate{77, 2}));
     }},
    {"a disconnect that does not decode", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.above.say(Bytes{std::byte{7}, {}, {}, {}, std::byte{1}, std::byte{0x80}});
     }},
    {"the end of the control stream", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.above.finish(0);
     }},
    {"a reset of the control stream", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.above.reset(0);
     }},
    {"a twin that the arbiter activates", Told::closed, Reason::replaced,
     [](Endings& t) {
       t.activate(t.below);
       t.open(t.below_twin);
       t.below_twin.shake_hands(t.node.local);
       t.below_twin.say(encode_frame(Activate{77, 2}));
       t.world.run_for(milliseconds(100));
       t.ask();
       t.below_twin.leave(Reason::requested);
     }},
    {"a twin of one that is silent", Told::closed, Reason::replaced,
     [](Endings& t) {
       t.activate(t.above);
       t.open(t.above_twin);
       t.above_twin.shake_hands(t.node.local);
       t.world.run_for(seconds(3));
       t.above_twin.leave(Reason::requested);
     }},
    {"a twin of one that answers", Told::refused, Reason::already_connected,
     [](Endings& t) {
       t.activate(t.above);
       t.open(t.above_twin);
       t.above_twin.shake_hands(t.node.local);
       t.world.run_for(milliseconds(100));
       t.above.say(encode_pong());
       t.world.run_for(milliseconds(100));
       t.above.leave(Reason::requested);
     }},
    {"a third peer of two", Told::refused, Reason::too_many_peers,
     [](Endings& t) {
       t.activate(t.above);
       t.activate(t.below_twin);
       t.open(t.third);
       t.third.shake_hands(t.node.local);
       t.world.run_for(milliseconds(100));
       t.above.leave(Reason::requested);
       t.below_twin.leave(Reason::requested);
     }},
};

// Active, ended on or in the middle of a capability's stream.
constexpr Way kStreams[] = {
    {"a capability that was not agreed", Told::closed, Reason::capability_not_shared,
     [](Endings& t) {
       t.activate(t.above);
       t.name(t.above, "other/7");
     }},
    {"an empty name", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.name(t.above, "");
     }},
    {"one capability on two streams", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.name(t.above, "echo/1");
       t.name(t.above, "echo/1");
     }},
    {"an empty payload", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.envelope(t.above, t.name(t.above, "echo/1"), 0, 0);
     }},
    {"a payload above the limit", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.envelope(t.above, t.name(t.above, "echo/1"), kMaxPayloadBytes + 1, 0);
     }},
    {"the end of a stream", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.above.finish(t.name(t.above, "echo/1"));
     }},
    {"a reset of a stream", Told::closed, Reason::protocol_breach,
     [](Endings& t) {
       t.activate(t.above);
       t.above.reset(t.name(t.above, "echo/1"));
     }},
    {"leaving in the middle of a payload", Told::closed, Reason::requested,
     [](Endings& t) {
       t.activate(t.above);
       t.envelope(t.above, t.name(t.above, "echo/1"), kMaxPayloadBytes, 50'000);
       t.world.run_for(milliseconds(100));
       ASSERT_GT(t.node.manager().snapshot().memory_bytes, 40'000U);
       t.above.leave(Reason::requested);
     }},
    {"leaving with our queues full", Told::closed, Reason::requested,
     [](Endings& t) {
       t.activate(t.above);
       while (t.node.send_bytes(t.session(), "echo/1", Bytes(500'000))) {
       }
       ASSERT_GT(t.node.manager().snapshot().memory_bytes, 3'000'000U);
       t.above.leave(Reason::requested);
     }},
    {"leaving with messages that nobody has taken", Told::closed, Reason::requested,
     [](Endings& t) {
       t.activate(t.above);
       t.node.reads_events = false;
       const auto stream = t.name(t.above, "mini-sync/0.1");
       for (int i = 0; i < 5; ++i) t.envelope(t.above, stream, 5'000, 5'000);
       t.world.run_for(milliseconds(100));
       ASSERT_GE(t.node.manager().snapshot().memory_bytes, 25'000U);
       t.above.leave(Reason::requested);
       t.world.run_for(milliseconds(100));
       // The payloads went with the session; that it closed is all that waits.
       EXPECT_EQ(t.node.manager().snapshot().memory_bytes, 0U);
       EXPECT_EQ(t.node.manager().snapshot().queued_events, 1U);
       t.node.reads_events = true;
       t.node.disconnect({}, Reason::requested);  // any input: the drain follows
     }},
};

class TenThousand : public Endings {
 protected:
  [[nodiscard]] bool is_at_start() {
    const SessionSnapshot s = node.manager().snapshot();
    return s.dialing + s.handshaking + s.proven + s.active_inbound + s.active_outbound + s.visits +
                   s.closing + s.queued_events + s.pending_jobs + s.timers + s.memory_bytes ==
               0 &&
           node.host.connections() == 0;
  }

  void expect_told(const Way& way) {
    EXPECT_EQ(node.events<SessionOpened>().size(), node.events<SessionClosed>().size());
    switch (way.told) {
      case Told::closed:
        EXPECT_GE(node.closed_with(way.reason), 1U);
        return;
      case Told::refused:
        EXPECT_GE(node.refused_with(way.reason), 1U);
        return;
      case Told::failed: {
        const auto failed = node.events<DialFailed>();
        ASSERT_EQ(failed.size(), 1U);
        EXPECT_EQ(failed[0].reason, way.reason);
        EXPECT_TRUE(failed[0].by_peer);
        return;
      }
      case Told::nowhere:
        EXPECT_TRUE(node.log_of_events.empty());
        return;
    }
  }

  void run(const Way& way) {
    SCOPED_TRACE(way.name);
    way.run(*this);
    ++runs;
    world.run_for(milliseconds(20));
    for (int i = 0; i < 80 && !is_at_start(); ++i) world.run_for(milliseconds(500));
    ASSERT_TRUE(is_at_start());
    ASSERT_NO_FATAL_FAILURE(expect_told(way));
    opened += node.events<SessionOpened>().size();
    for (const SessionClosed& closed : node.events<SessionClosed>()) {
      (void)tracker.drop(closed.session);
    }
    ASSERT_EQ(tracker.size(), 0U);
    ASSERT_TRUE(tracker.next_deadline().is_never());
    node.log_of_events.clear();
    for (RawPeer* peer : {&below, &above, &below_twin, &above_twin, &third}) peer->crash();
    world.run_for(milliseconds(50));
  }

  std::size_t runs = 0;
  std::size_t opened = 0;
};

TEST_F(TenThousand, EndingsOfEveryKindLeaveNothingBehind) {
  std::vector<Way> ways;
  for (const auto& group : {std::span<const Way>{kUnproven}, std::span<const Way>{kProven},
                            std::span<const Way>{kActive}, std::span<const Way>{kStreams}}) {
    ways.insert(ways.end(), group.begin(), group.end());
  }
  ASSERT_TRUE(is_at_start());
  while (runs < 10'000) {
    for (const Way& way : ways) {
      ASSERT_NO_FATAL_FAILURE(run(way));
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(opened, 4'000U);
  // And the end of the node, with one of each state in its tables.
  ASSERT_TRUE(node.dial(address(99)));
  activate(above);
  open(below_twin);
  below_twin.shake_hands(node.local);
  open(third);
  node.shut_down();
  world.run_for(seconds(1));
  EXPECT_TRUE(is_at_start());
}

}  // namespace
}  // namespace ethnet::session
