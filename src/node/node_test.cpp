// What a node reports: events, counters and lines.
#include "node.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <chain/producer.hpp>
#include <gtest/gtest.h>

#include "testing/net.hpp"

namespace ethnet::node {
namespace {

TEST(Node, TellsItsObserversOfSessionsHeadsForksAndReorganisations) {
  Net net;
  Box& a = net.add(producing(true), 1);
  Box& b = net.add(dialling({1}), 2);
  net.run(seconds(41));
  EXPECT_EQ(a.head(), b.head());
  EXPECT_GE(b.head().number, 10U);
  for (const Box* box : {&a, &b}) {
    EXPECT_EQ(box->count<SessionUp>(), 1U);
    EXPECT_EQ(box->count<SessionDown>(), 0U);
    EXPECT_GE(box->count<Reorganised>(), 2U);
    EXPECT_GE(box->count<ForkSeen>(), 2U);
    EXPECT_EQ(box->log.count("[REORG]"), box->count<Reorganised>());
    EXPECT_EQ(box->log.count("[FORK]"), box->count<Reorganised>());
    EXPECT_EQ(box->log.count("Session opened"), 1U);
    const auto last = std::ranges::find_if(
        box->events.rbegin(), box->events.rend(),
        [](const NodeEvent& e) { return std::holds_alternative<HeadMoved>(e); });
    ASSERT_NE(last, box->events.rend());
    EXPECT_EQ(std::get<HeadMoved>(*last).hash, box->head().hash);
  }
  net.run(seconds(1));
  a.pump->input(net.now_of(a), [&](Node& n) { n.shut_down(net.now_of(a)); });
  net.run(seconds(1));
  ASSERT_EQ(b.count<SessionDown>(), 1U);
  const auto down = std::ranges::find_if(
      b.events, [](const NodeEvent& e) { return std::holds_alternative<SessionDown>(e); });
  EXPECT_TRUE(std::get<SessionDown>(*down).by_peer);
}

TEST(Node, NodesThatKeepLittleFollowForksAndReleaseTheRest) {
  for (const std::uint64_t retention : {1U, 4U}) {
    Net net;
    NodeConfig makes = producing(true);
    makes.chain.retention = retention;
    NodeConfig follows = dialling({1});
    follows.chain.retention = retention;
    Box& a = net.add(makes, 1);
    Box& b = net.add(follows, 2);
    net.run(seconds(81));
    EXPECT_EQ(a.head(), b.head());
    EXPECT_GE(b.head().number, 20U);
    for (const Box* box : {&a, &b}) {
      EXPECT_GE(box->count<Reorganised>(), 2U);
      EXPECT_EQ(box->count<SessionDown>(), 0U);
      EXPECT_EQ(box->node->chain().earliest().number, box->head().number - retention);
      EXPECT_GT(box->counter("chain.released"), 10U);
      EXPECT_LE(box->counter("chain.kept"), 3 * retention + 2);
    }
  }
}

TEST(Node, ASnapshotNamesEveryRefusalOnceAndCountsIt) {
  Net net;
  Box& hub = net.add(producing(), 1);
  NodeConfig wrong = dialling({1});
  wrong.peers.front().expected = NodeId{};
  Box& stranger = net.add(wrong, 2);
  net.add(dialling({1}), 3);
  net.run(seconds(11));
  const NodeSnapshot snapshot = hub.node->snapshot(net.now_of(hub));
  EXPECT_EQ(snapshot.id, hub.node->id());
  EXPECT_EQ(snapshot.head, hub.head().hash);
  EXPECT_EQ(snapshot.head_number, hub.head().number);
  EXPECT_EQ(snapshot.sessions, 1U);
  std::set<std::string> names;
  for (const Counter& counter : snapshot.counters) {
    EXPECT_TRUE(names.insert(counter.name).second) << counter.name << " twice";
    EXPECT_EQ(counter.name.find(' '), std::string::npos) << counter.name;
  }
  for (const session::DisconnectReason reason : session::kAllDisconnectReasons) {
    std::string text{session::to_string(reason)};
    std::ranges::replace(text, ' ', '_');
    EXPECT_TRUE(names.contains("session.refused." + text + ".inbound"));
    EXPECT_TRUE(names.contains("session.refused." + text + ".outbound"));
    EXPECT_TRUE(names.contains("session.closed." + text));
  }
  EXPECT_GT(hub.counter("mini_sync.announcements_sent"), 0U);
  EXPECT_EQ(hub.counter("producer.sealed"), hub.head().number);
  EXPECT_GT(stranger.counter("dialer.failed"), 0U);
  EXPECT_GT(stranger.counter("session.refused.unexpected_identity.outbound") +
                hub.counter("session.refused.unexpected_identity.inbound"),
            0U);
  // The same names in the same order, whatever happened.
  const NodeSnapshot other = stranger.node->snapshot(net.now_of(stranger));
  ASSERT_EQ(other.counters.size(), snapshot.counters.size());
  for (std::size_t i = 0; i < other.counters.size(); ++i) {
    EXPECT_EQ(other.counters[i].name, snapshot.counters[i].name);
  }
}

// More sessions than lines: the rest is counted and named when the node ends.
TEST(Node, SessionLinesAreLimitedAndWhatIsLeftOutIsReported) {
  Net net;
  NodeConfig config;
  config.max_peers = 90;
  Box& hub = net.add(config, 1);
  constexpr unsigned kPeers = 53;
  for (unsigned i = 0; i < kPeers; ++i) net.add(dialling({1}), 2 + i);
  net.run(seconds(3));
  ASSERT_EQ(hub.count<SessionUp>(), kPeers);
  EXPECT_EQ(hub.log.count("Session opened"), kPeers);
  hub.pump->input(net.now_of(hub), [&](Node& n) { n.shut_down(net.now_of(hub)); });
  EXPECT_EQ(hub.count<SessionDown>(), kPeers);
  EXPECT_EQ(hub.log.count("Session closed"), kMaxSessionLines - kPeers);
  EXPECT_EQ(hub.log.count("Session lines not shown count=" +
                          std::to_string(2 * kPeers - kMaxSessionLines)),
            1U);
  EXPECT_EQ(hub.counter("node.session_lines_suppressed"), 2 * kPeers - kMaxSessionLines);
}

TEST(Node, TheSnapshotSaysWhatTheSessionsHoldAndMayHold) {
  Net net;
  NodeConfig config;
  config.session_memory_bytes = 77 << 20;
  Box& hub = net.add(config, 1);
  net.add(dialling({1}), 2);
  EXPECT_EQ(hub.counter("session.memory_bytes"), 0U);
  net.run(seconds(3));
  EXPECT_EQ(hub.counter("session.memory_limit_bytes"), std::uint64_t{77} << 20);
  EXPECT_GT(hub.counter("session.transport_bytes"), 0U);  // at least its streams
  EXPECT_EQ(hub.counter("session.memory_bytes"),
            hub.counter("session.accounted_bytes") + hub.counter("session.transport_bytes"));
}

// One node without a network, fed by hand.
struct Alone {
  Net net;
  Box& box = net.add({}, 1);
  sim::SeededSecureRng rng{Prng{3}};
  crypto::SecretKey key = crypto::SecretKey::generate(rng);
  std::uint64_t made = 0;

  chain::HeaderInput child(const Header& parent) {
    return chain::seal_signed(box.node->chain().config(), parent, parent.timestamp + 1, key,
                              std::to_string(++made));
  }
  Header genesis() const {
    return *box.node->chain().pending_header(box.node->chain().genesis().hash);
  }
  // Imported and, as far as `ok`, stored; events stay in the node.
  void import(std::span<const chain::HeaderInput> headers, bool ok = true) {
    Node& node = *box.node;
    (void)node.import_headers(net.now_of(box), headers, {"test", "by hand"});
    while (const auto op = node.poll_store()) {
      node.handle_store_done(net.now_of(box), {op->id, ok, ok ? 0 : 28});
    }
  }
  // Two branches that overtake each other, one reorganisation a step.
  void reorganise(int times) {
    std::array<Header, 2> tips{genesis(), genesis()};
    for (int i = 0; i <= times; ++i) {
      Header& tip = tips.at(static_cast<std::size_t>(i) % 2);
      std::vector<chain::HeaderInput> batch;
      for (int n = 0; n < (i == 0 ? 1 : 2); ++n) {
        batch.push_back(child(tip));
        tip = *Header::decode(batch.back().header);
      }
      import(batch);
    }
  }
};

TEST(Node, AFatalErrorIsToldFirstAlthoughTheQueueOfEventsIsFull) {
  Alone alone;
  Header tip = alone.genesis();
  for (std::size_t i = 0; i < kMaxNodeEvents + 10; ++i) {
    const chain::HeaderInput next = alone.child(tip);
    tip = *Header::decode(next.header);
    alone.import(std::span{&next, 1});
  }
  EXPECT_EQ(alone.box.counter("node.events_dropped"), 10U);
  const chain::HeaderInput last = alone.child(tip);
  alone.import(std::span{&last, 1}, false);
  const auto first = alone.box.node->poll_event();
  ASSERT_TRUE(first);
  ASSERT_TRUE(std::holds_alternative<Fatal>(*first));
  EXPECT_EQ(std::get<Fatal>(*first).os_error, 28);
  std::size_t rest = 0;
  while (const auto event = alone.box.node->poll_event()) {
    EXPECT_FALSE(std::holds_alternative<Fatal>(*event)) << "said twice";
    ++rest;
  }
  EXPECT_EQ(rest, kMaxNodeEvents);
}

TEST(Node, ReorganisationLinesAreLimitedAndTheRestIsReportedWhenTheWindowEnds) {
  Alone alone;
  alone.reorganise(static_cast<int>(kMaxReorgLines) + 7);
  EXPECT_EQ(alone.box.log.count("[REORG]"), kMaxReorgLines);
  EXPECT_EQ(alone.box.log.count("[FORK]"), kMaxReorgLines);
  EXPECT_EQ(alone.box.log.count("not shown"), 0U);
  alone.net.run(seconds(11));  // nothing more comes: the deadline alone must report
  EXPECT_EQ(alone.box.log.count("Reorganisations not shown count=7"), 1U);
  EXPECT_EQ(alone.box.counter("chain.reorgs"), kMaxReorgLines + 7);
  EXPECT_EQ(alone.box.counter("node.reorg_lines_suppressed"), 7U);
}

constexpr std::string_view kClockLine = "Peers disagree with the clock of this machine";

// Two peers agree with each other, and the third node's clock is a minute behind.
TEST(Node, WarnsOnceWhenTwoPeersDisagreeWithOurClockAndCatchesUpWhenItIsSet) {
  Net net;
  Box& a = net.add(producing(), 1);
  Box& b = net.add(dialling({1}), 2);
  Box& c = net.add(dialling({1, 2}), 3);
  c.wall_offset = seconds(-60);
  net.run(seconds(120));
  EXPECT_EQ(a.head(), b.head());
  EXPECT_EQ(a.log.count(kClockLine), 0U);
  EXPECT_EQ(b.log.count(kClockLine), 0U);
  ASSERT_EQ(c.log.count(kClockLine), 1U);
  const auto line = std::ranges::find_if(
      c.log.lines, [](const std::string& l) { return l.starts_with(kClockLine); });
  EXPECT_NE(line->find("peers=2"), std::string::npos) << *line;
  const std::size_t offset = line->find("behind_seconds=");
  ASSERT_NE(offset, std::string::npos) << *line;
  const std::string number = line->substr(offset + 15, 2);
  EXPECT_GE(number, "55") << *line;
  EXPECT_LE(number, "60") << *line;
  EXPECT_EQ(c.node->snapshot(net.now_of(c)).clock_ahead_seconds, -std::stoll(number));
  EXPECT_LT(c.head().number, a.head().number) << "headers from the future were taken";
  EXPECT_EQ(c.count<SessionDown>(), 0U) << "nobody is to blame";
  c.wall_offset = {};
  net.run(seconds(11));
  EXPECT_EQ(a.head(), c.head());
}

// One of us by its genesis and fork id, whose headers lack what Prague demands: announced one by
// one, and as a long chain that is downloaded.
TEST(Node, APeerWhoseHeadersBreakTheRulesIsDroppedAndNoneOfThemIsKept) {
  Genesis lenient = chain::dev_genesis();
  ChainConfig rules;
  rules.chain_id = lenient.config.chain_id;
  rules.terminal_total_difficulty = lenient.config.terminal_total_difficulty;
  for (auto fork = Fork::homestead; fork < Fork::prague;
       fork = static_cast<Fork>(static_cast<int>(fork) + 1)) {
    rules.set_begin(fork, 0);
  }
  lenient.config = rules;
  for (const Duration alone : {seconds(0), seconds(1200)}) {
    Net net;
    Box& liar = net.add(producing(), 1, lenient);
    net.run(alone);
    Box& node = net.add(dialling({1}), 2);
    net.run(seconds(11));
    EXPECT_GE(liar.head().number, alone == seconds(0) ? 1U : 590U);
    EXPECT_EQ(node.head().number, 0U);
    EXPECT_GE(node.counter("chain.invalid"), 1U);
    EXPECT_GE(node.counter("mini_sync.misbehaved.header_breaks_a_rule"), 1U);
    const auto down = std::ranges::find_if(
        node.events, [](const NodeEvent& e) { return std::holds_alternative<SessionDown>(e); });
    ASSERT_NE(down, node.events.end());
    EXPECT_FALSE(std::get<SessionDown>(*down).by_peer);
    EXPECT_EQ(std::get<SessionDown>(*down).reason, "protocol breach");
    EXPECT_EQ(node.counter("chain.kept"), 1U);
  }
}

// The machine sleeps for an hour: its peers give it up, and it finds them again.
TEST(Node, ASuspendedNodeMeetsItsPeersAgain) {
  Net net;
  Box& a = net.add(producing(), 1);
  Box& b = net.add(dialling({1}), 2);
  net.run(seconds(11));
  ASSERT_EQ(a.head(), b.head());
  b.suspended = true;
  net.run(seconds(3600));
  ASSERT_EQ(a.count<SessionDown>(), 1U);
  b.suspended = false;
  net.run(seconds(91));
  EXPECT_EQ(b.count<SessionUp>(), 2U);
  EXPECT_EQ(a.head(), b.head());
}

TEST(Node, AClockThatIsSetBackStopsTheProducerWithALineAndLetsItGoOn) {
  Net net;
  Box& a = net.add(producing(), 1);
  Box& b = net.add(dialling({1}), 2);
  net.run(seconds(11));
  a.wall_offset = seconds(-120);
  net.run(seconds(60));
  EXPECT_EQ(a.log.count("Not producing: the head is ahead of our clock"), 1U);
  EXPECT_GT(a.counter("producer.ahead_of_clock"), 0U);
  const std::uint64_t height = a.head().number;
  net.run(seconds(120));
  EXPECT_GT(a.head().number, height);
  EXPECT_EQ(a.head(), b.head());
}

}  // namespace
}  // namespace ethnet::node
