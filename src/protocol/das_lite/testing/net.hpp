// Engines and puppets joined by sessions, for tests of das-lite.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <das/testing/test_data.hpp>
#include <sim/seeded_secure_rng.hpp>

#include "../engine.hpp"

namespace ethnet::das_lite::testing {

// One honest node. `script`, where given, draws its indices.
struct Node {
  Node(std::uint64_t seed, const Config& config, das::IndexSource* script)
      : rng{Prng{seed}},
        secure{rng},
        engine{config, script != nullptr ? *script : static_cast<das::IndexSource&>(secure), log} {}

  sim::SeededSecureRng rng;
  das::SecureIndexSource secure;
  NullLog log;
  Engine engine;
  std::vector<Misbehaviour> blamed;
  std::vector<PeerScored> scored;
  std::vector<DasVerdict> moves;     // verdicts on their way
  std::vector<DasVerdict> verdicts;  // done
  std::vector<GetProgress> progress;
  std::vector<DataPublished> published;
};

// What answers a message in place of an engine: hostile or dead peers.
using Puppet = std::function<std::vector<Bytes>(ByteView)>;

// An address for each session: on loopback nobody shares a budget with another.
[[nodiscard]] inline Endpoint nearby(SessionHandle session) {
  return {IpAddress::loopback_v4(), static_cast<std::uint16_t>(session.index)};
}

// Any number of nodes and puppets, joined by sessions that deliver in order after 10 ms.
class Net {
 public:
  Node& add_node(const Config& config = {}, das::IndexSource* script = nullptr) {
    nodes_.push_back(std::make_unique<Node>(first_seed_ + nodes_.size(), config, script));
    return *nodes_.back();
  }
  void seed_from(std::uint64_t seed) { first_seed_ = seed; }

  SessionHandle connect(Node& node, Puppet puppet, std::optional<Endpoint> source = {}) {
    const SessionHandle handle{next_handle_++, 1};
    ends_[handle] = End{&node, std::move(puppet), {}};
    node.engine.handle_session_opened(now_, handle, source.value_or(nearby(handle)));
    return handle;
  }
  // The handle by which `a` knows `b`.
  SessionHandle connect(Node& a, Node& b) {
    const SessionHandle to_b{next_handle_++, 1};
    const SessionHandle to_a{next_handle_++, 1};
    ends_[to_b] = End{&a, {}, to_a};
    ends_[to_a] = End{&b, {}, to_b};
    a.engine.handle_session_opened(now_, to_b, nearby(to_b));
    b.engine.handle_session_opened(now_, to_a, nearby(to_a));
    return to_b;
  }
  void close(SessionHandle handle) {
    const auto end = ends_.find(handle);
    if (end == ends_.end()) return;
    Node* node = end->second.node;
    ends_.erase(end);
    node->engine.handle_session_closed(now_, handle);
    drain_events(*node);
  }
  // A puppet speaks without having been asked.
  void say(SessionHandle from, const Bytes& payload) {
    const auto end = ends_.find(from);
    if (end == ends_.end()) return;
    end->second.node->engine.handle_message(now_, from, payload);
    drain_events(*end->second.node);
  }

  // Runs until nothing is left to do or the time is over.
  void run(Duration limit = seconds(60)) {
    const Instant end = now_.mono + limit;
    drain();
    while (now_.mono < end) {
      if (wire_.empty()) {
        Instant next = Instant::never();
        for (const auto& node : nodes_) next = std::min(next, node->engine.next_deadline());
        if (next > end) break;
        now_.mono = std::max(now_.mono, next);
        for (const auto& node : nodes_) {
          node->engine.handle_deadline(now_);
          drain_events(*node);
        }
      } else {
        now_.mono = now_.mono + milliseconds(10);
        deliver(std::exchange(wire_, {}));
      }
      drain();
    }
    now_.mono = std::max(now_.mono, end);
  }

  // Jobs stay out from now on, until finish_jobs().
  void hold_jobs() { hold_jobs_ = true; }
  void finish_jobs() {
    for (const auto& [node, job] : std::exchange(held_, {})) {
      node->engine.handle_job_done(now_, {job.id, job.work()});
      drain_events(*node);
    }
  }

  das::DataKey publish(Node& node, const Bytes& data, std::uint32_t chunk_size) {
    CHECK(node.engine.publish(now_, data, chunk_size).has_value());
    drain();
    CHECK(!node.published.empty());
    return node.published.back().key;
  }

  [[nodiscard]] Now now() const { return now_; }
  // Each node that has a session, once for each.
  template <class Visit>
  void for_each_node(Visit visit) const {
    for (const auto& [session, end] : ends_) visit(*end.node, session);
  }
  // Every message that a node has sent, in order, with its session.
  [[nodiscard]] const std::vector<std::pair<SessionHandle, Bytes>>& sent() const { return sent_; }
  // Who was asked for each chunk, as it went over the wire.
  [[nodiscard]] std::map<std::uint32_t, std::multiset<SessionHandle>> asked() const {
    std::map<std::uint32_t, std::multiset<SessionHandle>> out;
    for (const auto& [session, payload] : sent_) {
      const auto request = decode_request_chunk(payload);
      if (!request) continue;
      for (const std::uint32_t index : request->indices) out[index].insert(session);
    }
    return out;
  }

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

  void deliver(const std::vector<Packet>& packets) {
    for (const Packet& packet : packets) say(packet.to, packet.payload);
  }

  void drain() {
    for (const auto& node : nodes_) {
      drain_events(*node);
      while (auto job = node->engine.poll_job()) held_.emplace_back(node.get(), std::move(*job));
    }
    if (!hold_jobs_) finish_jobs();
    for (const auto& node : nodes_) {
      while (auto out = node->engine.poll_outgoing()) {
        CHECK(out->priority == Priority::bulk);
        sent_.emplace_back(out->session, out->payload);
        const auto end = ends_.find(out->session);
        CHECK(end != ends_.end());
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
    while (const auto event = node.engine.poll_event()) {
      if (const auto* bad = std::get_if<PeerMisbehaved>(&*event)) {
        node.blamed.push_back(bad->what);
        close(bad->session);
      } else if (const auto* scored = std::get_if<PeerScored>(&*event)) {
        node.scored.push_back(*scored);
      } else if (const auto* verdict = std::get_if<DasVerdict>(&*event)) {
        (verdict->done ? node.verdicts : node.moves).push_back(*verdict);
      } else if (const auto* moved = std::get_if<GetProgress>(&*event)) {
        node.progress.push_back(*moved);
      } else {
        node.published.push_back(std::get<DataPublished>(*event));
      }
    }
  }

  Now now_{{1'000'000'000}, {}};
  std::uint64_t first_seed_ = 1;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<SessionHandle, End> ends_;
  std::vector<Packet> wire_;
  std::vector<std::pair<SessionHandle, Bytes>> sent_;
  std::vector<std::pair<Node*, Job>> held_;
  bool hold_jobs_ = false;
  std::uint32_t next_handle_ = 1;
};

inline Bytes chunk_response(const das::DataSet& data, std::uint32_t index) {
  return encode(
      ChunkResponse{data.key().id, index, to_bytes(data.chunk(index)), data.proof(index)});
}
inline Bytes not_held(const das::DataSet& data, std::uint32_t index) {
  return encode(ChunkResponse{data.key().id, index, {}, {}});
}
inline Bytes announcement(const das::DataSet& data) { return encode(AnnounceData{data.key()}); }

// Answers each chunk that is asked for by what `answer` makes of it; nothing, if it makes nothing.
inline Puppet answering(std::function<std::optional<Bytes>(std::uint32_t)> make) {
  return [answer = std::move(make)](ByteView payload) {
    std::vector<Bytes> out;
    const auto request = decode_request_chunk(payload);
    if (!request) return out;
    for (const std::uint32_t index : request->indices) {
      if (auto one = answer(index)) out.push_back(std::move(*one));
    }
    return out;
  };
}
inline Puppet server_of(const das::DataSet& data) {
  return answering([&data](std::uint32_t index) { return chunk_response(data, index); });
}
inline Puppet silent() {
  return [](ByteView) { return std::vector<Bytes>{}; };
}

}  // namespace ethnet::das_lite::testing
