// Engines and hostile peers joined by sessions, for tests of mini-sync.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "engine.hpp"
#include "serve.hpp"
#include "test_chain.hpp"

namespace ethnet::mini_sync::testing {

// One honest node: an engine on a TestChain that imports at once.
struct Node {
  explicit Node(std::uint64_t seed) : engine{chain, Prng{seed}, log} {}
  TestChain chain;
  NullLog log;
  Engine engine;
  std::vector<Misbehaviour> blamed;
  std::vector<SyncProgress> progress;
  std::size_t largest_batch = 0;
  std::vector<Hash32> imported;  // in the order in which they were handed over
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

  // Jobs stay out from now on; those that are out come back by finish_jobs(), in this order.
  void hold_jobs() { hold_jobs_ = true; }
  [[nodiscard]] std::size_t held_jobs() const { return held_.size(); }
  void finish_jobs(bool reversed = false) {
    auto held = std::exchange(held_, {});
    if (reversed) std::ranges::reverse(held);
    for (const auto& [node, job] : held) {
      node->engine.handle_job_done(now_, {job.id, job.work()});
      drain_events(*node);
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
      while (auto job = node->engine.poll_job()) {
        held_.emplace_back(node.get(), std::move(*job));
      }
    }
    if (!hold_jobs_) finish_jobs();
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
      node.imported.push_back(header.block.hash);
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
  std::vector<std::pair<Node*, Job>> held_;
  bool hold_jobs_ = false;
  std::uint32_t next_handle_ = 1;
};

// Serves `chain` as an honest peer does.
inline Puppet server_of(const TestChain& chain) {
  return [&chain](ByteView payload) -> std::vector<Bytes> {
    if (*peek_code(payload) != Code::get_headers) return {};
    return {encode(serve_headers(chain, *decode_get_headers(payload)))};
  };
}
inline Puppet silent() {
  return [](ByteView) { return std::vector<Bytes>{}; };
}

}  // namespace ethnet::mini_sync::testing
