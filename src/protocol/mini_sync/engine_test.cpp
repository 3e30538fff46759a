#include "engine.hpp"

#include <functional>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve.hpp"
#include "test_chain.hpp"

namespace ethnet::mini_sync {
namespace {

using testing::make_header;
using testing::TestChain;

// One honest node: an engine on a TestChain that imports at once.
struct Node {
  explicit Node(std::uint64_t seed) : engine{chain, Prng{seed}, log} {}
  TestChain chain;
  NullLog log;
  Engine engine;
  std::vector<Misbehaviour> blamed;
  std::vector<SyncProgress> progress;
  std::size_t largest_batch = 0;
};

// What answers a message in place of an engine: hostile or dead peers.
using Puppet = std::function<std::vector<Bytes>(ByteView)>;

// Any number of nodes and puppets, joined by sessions that deliver in order after 10 ms.
class Net {
 public:
  Node& add_node() {
    nodes_.push_back(std::make_unique<Node>(nodes_.size() + 1));
    return *nodes_.back();
  }

  SessionHandle connect(Node& node, Puppet puppet, chain::BlockRef head) {
    const SessionHandle handle{next_handle_++, 1};
    ends_[handle] = End{&node, std::move(puppet), {}};
    node.engine.handle_session_opened(now_, handle, head);
    return handle;
  }
  void connect(Node& a, Node& b) {
    const SessionHandle to_b{next_handle_++, 1};
    const SessionHandle to_a{next_handle_++, 1};
    ends_[to_b] = End{&a, {}, to_a};
    ends_[to_a] = End{&b, {}, to_b};
    a.engine.handle_session_opened(now_, to_b, b.chain.head());
    b.engine.handle_session_opened(now_, to_a, a.chain.head());
  }
  void close(SessionHandle handle) {
    End end = std::move(ends_.at(handle));
    ends_.erase(handle);
    end.node->engine.handle_session_closed(now_, handle);
  }
  void announce(Node& node, const chain::BlockRef& block, bool head = true) {
    node.engine.handle_block_accepted(now_, block, head);
  }

  // Runs until nothing is left to do or the time is over.
  void run(Duration limit = seconds(120)) {
    const Instant end = now_.mono + limit;
    drain();
    while (now_.mono < end) {
      if (wire_.empty()) {
        Instant next = Instant::never();
        for (const auto& node : nodes_) next = std::min(next, node->engine.next_deadline());
        if (next > end) break;
        advance(next - now_.mono);
        for (const auto& node : nodes_) node->engine.handle_deadline(now_);
      } else {
        advance(milliseconds(10));
        deliver(std::exchange(wire_, {}));
      }
      drain();
    }
  }

  [[nodiscard]] Now now() const { return now_; }

 private:
  struct End {
    Node* node = nullptr;
    Puppet puppet;        // the other side, if not a node
    SessionHandle other;  // the other side's handle, if a node
  };
  struct Packet {
    SessionHandle to;
    Bytes payload;
  };

  void advance(Duration by) { now_.mono = now_.mono + by; }

  void deliver(const std::vector<Packet>& packets) {
    for (const Packet& packet : packets) {
      const auto end = ends_.find(packet.to);
      if (end != ends_.end()) {
        end->second.node->engine.handle_message(now_, packet.to, packet.payload);
        drain_events(*end->second.node);
      }
    }
  }

  void drain() {
    for (const auto& node : nodes_) {
      drain_events(*node);
      while (auto out = node->engine.poll_outgoing()) {
        const auto end = ends_.find(out->session);
        if (end == ends_.end()) continue;
        if (!end->second.puppet) {
          wire_.push_back({end->second.other, std::move(out->payload)});
          continue;
        }
        for (Bytes& answer : end->second.puppet(out->payload)) {
          wire_.push_back({out->session, std::move(answer)});
        }
      }
    }
  }

  void drain_events(Node& node) {
    while (auto event = node.engine.poll_event()) {
      if (const auto* import = std::get_if<ImportRequest>(&*event)) {
        import_batch(node, *import);
      } else if (const auto* bad = std::get_if<PeerMisbehaved>(&*event)) {
        node.blamed.push_back(bad->what);
        close(bad->session);
      } else {
        node.progress.push_back(std::get<SyncProgress>(*event));
      }
    }
  }

  void import_batch(Node& node, const ImportRequest& request) {
    ImportDone done{.id = request.id};
    const chain::BlockRef before = node.chain.head();
    for (const CheckedHeader& header : request.headers) {
      if (!node.chain.import(header)) done.accepted = false;
    }
    node.largest_batch = std::max(node.largest_batch, request.headers.size());
    node.engine.handle_import_done(now_, done);
    if (node.chain.head() != before) {
      node.engine.handle_block_accepted(now_, node.chain.head(), true);
    } else if (done.accepted) {
      node.engine.handle_block_accepted(now_, request.headers.back().block, false);
    }
  }

  Now now_{{1'000'000'000}, {}};
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<SessionHandle, End> ends_;
  std::vector<Packet> wire_;
  std::uint32_t next_handle_ = 1;
};

// Serves `chain` as an honest peer does.
Puppet server_of(const TestChain& chain) {
  return [&chain](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    return {encode(serve_headers(chain, *decode_get_headers(payload)))};
  };
}
Puppet silent() {
  return [](ByteView) { return std::vector<Bytes>{}; };
}

TEST(Engine, AFreshNodeFollowsALongChainFromSeveralPeersAtOnce) {
  Net net;
  Node& fresh = net.add_node();
  for (int i = 0; i < 3; ++i) {
    Node& full = net.add_node();
    full.chain.extend(full.chain.genesis(), 5000);
    net.connect(fresh, full);
  }
  net.run();
  EXPECT_EQ(fresh.chain.head().number, 5000U);
  EXPECT_TRUE(fresh.blamed.empty());
  ASSERT_FALSE(fresh.progress.empty());
  EXPECT_TRUE(fresh.progress.back().done);
  EXPECT_LE(fresh.largest_batch, std::size_t{1024});
  EXPECT_EQ(fresh.engine.counters().timeouts, 0U);
}

TEST(Engine, AnUpToDateNodeTakesOneAnnouncedBlockWithoutARequest) {
  Net net;
  Node& a = net.add_node();
  Node& b = net.add_node();
  net.connect(a, b);
  net.run();
  net.announce(a, a.chain.extend(a.chain.head(), 1));
  net.run();
  EXPECT_EQ(b.chain.head(), a.chain.head());
  EXPECT_EQ(b.engine.counters().requests_sent, 0U);
}

TEST(Engine, ABlockIsAnnouncedAtMostOnceToEachPeer) {
  Net net;
  std::vector<Node*> nodes;
  for (int i = 0; i < 6; ++i) nodes.push_back(&net.add_node());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (std::size_t j = i + 1; j < nodes.size(); ++j) net.connect(*nodes[i], *nodes[j]);
  }
  net.run();
  net.announce(*nodes[0], nodes[0]->chain.extend(nodes[0]->chain.head(), 1));
  net.run();
  std::uint64_t announcements = 0;
  for (const Node* node : nodes) {
    EXPECT_EQ(node->chain.head(), nodes[0]->chain.head());
    announcements += node->engine.counters().announcements_sent;
    EXPECT_TRUE(node->blamed.empty());
  }
  // At most once over each direction of each of the 15 sessions.
  EXPECT_LE(announcements, 30U);
  EXPECT_GE(announcements, 5U);
}

TEST(Engine, ADeepForkIsFollowedWhateverItsDepth) {
  for (const std::uint64_t depth : {1U, 17U, 500U, 3000U, 6000U}) {
    Net net;
    Node& a = net.add_node();
    Node& b = net.add_node();
    const auto fork = a.chain.extend(a.chain.genesis(), 40);
    b.chain.extend(b.chain.genesis(), 40);
    a.chain.extend(fork, depth, 1);
    b.chain.extend(fork, depth + 1, 2);
    net.connect(a, b);
    net.run();
    EXPECT_EQ(a.chain.head(), b.chain.head()) << "depth " << depth;
    EXPECT_TRUE(a.blamed.empty());
    EXPECT_TRUE(b.blamed.empty());
  }
}

TEST(Engine, ABranchThatDoesNotWinIsFetchedToo) {
  Net net;
  Node& a = net.add_node();
  Node& b = net.add_node();
  const auto fork = a.chain.extend(a.chain.genesis(), 10);
  b.chain.extend(b.chain.genesis(), 10);
  a.chain.extend(fork, 5);
  b.chain.extend(fork, 5);
  net.connect(a, b);
  net.run();
  const auto side = a.chain.extend(fork, 3, 9);
  net.announce(a, side, false);
  net.run();
  EXPECT_TRUE(b.chain.find(side.hash).has_value());
  EXPECT_EQ(b.chain.head(), a.chain.head());
}

TEST(Engine, ASilentPeerIsReplacedAndDropped) {
  Net net;
  Node& fresh = net.add_node();
  TestChain chain;
  chain.extend(chain.genesis(), 1000);
  net.connect(fresh, silent(), chain.head());
  net.connect(fresh, server_of(chain), chain.head());
  net.run();
  EXPECT_EQ(fresh.chain.head(), chain.head());
  EXPECT_GT(fresh.engine.counters().timeouts, 0U);
}

TEST(Engine, SyncGoesOnWhileOneHonestPeerServes) {
  TestChain chain;
  chain.extend(chain.genesis(), 2000);
  Net net;
  Node& fresh = net.add_node();
  // One header an answer (a tar pit), headers that do not link, nothing at all.
  const Puppet tar_pit = [&chain](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    auto request = *decode_get_headers(payload);
    request.amount = std::min<std::uint64_t>(request.amount, 1);
    return {encode(serve_headers(chain, request))};
  };
  const Puppet liar = [&chain](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    Headers response = serve_headers(chain, *decode_get_headers(payload));
    if (response.items.size() > 2) std::swap(response.items[0], response.items[1]);
    return {encode(response)};
  };
  for (int i = 0; i < 3; ++i) {
    net.connect(fresh, tar_pit, chain.head());
    net.connect(fresh, liar, chain.head());
    net.connect(fresh, silent(), chain.head());
  }
  net.connect(fresh, server_of(chain), chain.head());
  net.run(seconds(600));
  EXPECT_EQ(fresh.chain.head(), chain.head());
  EXPECT_THAT(fresh.blamed, ::testing::Contains(Misbehaviour::unlinked_headers));
}

TEST(Engine, AClosedSessionReleasesItsWork) {
  TestChain chain;
  chain.extend(chain.genesis(), 1000);
  Net net;
  Node& fresh = net.add_node();
  const auto dead = net.connect(fresh, silent(), chain.head());
  net.run(milliseconds(100));
  net.close(dead);
  EXPECT_TRUE(fresh.engine.next_deadline().is_never());
  EXPECT_EQ(fresh.engine.peer_count(), 0U);
  net.connect(fresh, server_of(chain), chain.head());
  net.run();
  EXPECT_EQ(fresh.chain.head(), chain.head());
}

// Attack 49: judged by its request id, before the headers in it are looked at.
TEST(Engine, UnsolicitedAndOversizedResponsesEndTheSession) {
  TestChain chain;
  chain.extend(chain.genesis(), 100);
  Net net;
  Node& node = net.add_node();
  const auto handle = net.connect(node, silent(), node.chain.head());
  net.run(milliseconds(50));
  node.engine.handle_message(net.now(), handle, encode(Headers{123, {}}));
  net.run(milliseconds(50));
  EXPECT_EQ(node.blamed, std::vector{Misbehaviour::unsolicited_response});
  EXPECT_EQ(node.engine.counters().headers_received, 0U);

  Node& other = net.add_node();
  const Puppet generous = [&chain](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    auto request = *decode_get_headers(payload);
    request.amount += 1;
    return {encode(serve_headers(chain, request))};
  };
  net.connect(other, generous, chain.head());
  net.run();
  EXPECT_EQ(other.blamed, std::vector{Misbehaviour::oversized_response});
}

TEST(Engine, MalformedMessagesAndForeignChainsEndTheSession) {
  Net net;
  Node& node = net.add_node();
  const auto one = net.connect(node, silent(), node.chain.head());
  node.engine.handle_message(net.now(), one, Bytes{std::byte{0x77}});
  const auto two = net.connect(node, silent(), node.chain.head());
  node.engine.handle_message(net.now(), two, encode(Status{}));
  net.run(milliseconds(10));
  EXPECT_EQ(node.blamed,
            (std::vector{Misbehaviour::malformed_message, Misbehaviour::wrong_genesis}));
}

TEST(Engine, AFloodOfRequestsIsBoundedAndCondemned) {
  Net net;
  Node& node = net.add_node();
  node.chain.extend(node.chain.genesis(), 1024);
  const auto handle = net.connect(node, silent(), node.chain.genesis());
  net.run(milliseconds(10));
  // The session refuses everything: its budget is used up.
  node.engine.handle_send_refused(net.now(), {handle, Priority::bulk, Bytes(1)});
  const GetHeaders request{1, {node.chain.genesis().hash}, 1024, 0, false};
  for (std::size_t i = 0; i < 1000; ++i) {
    node.engine.handle_message(net.now(), handle, encode(request));
  }
  EXPECT_LE(node.engine.counters().requests_served, kMaxQueuedResponses);
  net.run(milliseconds(10));
  EXPECT_EQ(node.blamed, std::vector{Misbehaviour::too_many_requests});
}

TEST(Engine, ARefusedMessageIsKeptInItsPlace) {
  Net net;
  Node& node = net.add_node();
  const SessionHandle handle{77, 1};
  node.engine.handle_session_opened(net.now(), handle, node.chain.head());
  auto status = node.engine.poll_outgoing();
  ASSERT_TRUE(status);
  const Bytes payload = status->payload;
  node.engine.handle_send_refused(net.now(), std::move(*status));
  EXPECT_FALSE(node.engine.poll_outgoing());
  node.engine.handle_writable(net.now(), handle);
  status = node.engine.poll_outgoing();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->payload, payload);
}

}  // namespace
}  // namespace ethnet::mini_sync
