// Engines on a wire without I/O: datagrams arrive in the order in which they were sent, at once or
// not at all, and time passes by hand. For tests and fuzzing.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include <discovery/kbucket/record.hpp>
#include <discovery/kbucket/table.hpp>
#include <machine/checked.hpp>

#include "../engine/engine.hpp"
#include "rig.hpp"

namespace ethnet::discv5::testing {

// The record of node `number` as tables and calls have it.
inline RecordPtr node_of(std::uint64_t number, std::uint64_t seq = 1) {
  return kbucket::NodeRecord::of(record_of(number, seq), kbucket::RecordPort::udp);
}
// A place of a /24 of its own, for networks: the table limits those of one.
inline Endpoint own_subnet(std::uint64_t number) { return place_of(number * 256 + 1); }
// One that says it is elsewhere.
inline EnrPtr record_at_place(std::uint64_t number, const Endpoint& at, std::uint64_t seq = 1) {
  EnrBuilder builder{seq};
  builder.ip(at.ip);
  at.ip.is_v4() ? builder.udp(at.port) : builder.udp6(at.port);
  return std::make_shared<const VerifiedEnr>(builder.sign(*key_of(number)).value());
}
inline RecordPtr node_at(std::uint64_t number, const Endpoint& at, std::uint64_t seq = 1) {
  return kbucket::NodeRecord::of(record_at_place(number, at, seq), kbucket::RecordPort::udp);
}

struct EngineNode {
  EngineNode(Now now, std::uint64_t number_, const Endpoint& place_, EnrPtr record,
             const EngineLimits& limits, const filter::FilterLimits& filter_limits)
      : number{number_},
        place{place_},
        rng{number_ + 5000},
        table{record->node_id()},
        filter{rng, filter_limits},
        checked{now, key_of(number_), record, table, filter, rng, Prng{number_ + 77}, limits} {}

  [[nodiscard]] Engine& engine() { return checked.machine(); }
  // The events of one kind since the last call; the others stay.
  template <class E>
  std::vector<E> take() {
    std::vector<E> out;
    std::erase_if(events, [&](Event& event) {
      auto* wanted = std::get_if<E>(&event);
      if (wanted != nullptr) out.push_back(std::move(*wanted));
      return wanted != nullptr;
    });
    return out;
  }

  std::uint64_t number;
  Endpoint place;
  TestRng rng;
  kbucket::Table table;
  filter::Filter filter;
  Checked<Engine> checked;
  std::vector<Event> events;
};

struct UnderWay {
  Endpoint from;
  Endpoint to;
  Bytes bytes;
};

class EngineNet {
 public:
  EngineNode& add(std::uint64_t number, const EngineLimits& limits = {}) {
    return add_at(number, place_of(number), record_of(number), limits);
  }
  EngineNode& add_at(std::uint64_t number, const Endpoint& place, const EnrPtr& record,
                     const EngineLimits& limits = {}) {
    auto& node = nodes_[place];
    node = std::make_unique<EngineNode>(now, number, place, record, limits, filter_limits);
    return *node;
  }
  void remove(const Endpoint& place) { nodes_.erase(place); }
  // A command: f(engine), and what follows from it.
  template <class F>
  auto command(EngineNode& node, F f) {
    node.checked.begin_input(now);
    auto result = f(node.engine());
    drain(node);
    settle();
    return result;
  }
  // A datagram from anywhere.
  void inject(const Endpoint& from, const Endpoint& to, ByteView bytes) {
    wire_.push_back({from, to, to_bytes(bytes)});
    settle();
  }
  void post(const Endpoint& from, const Endpoint& to, ByteView bytes) {
    wire_.push_back({from, to, to_bytes(bytes)});
  }
  // All that is under way arrives, and what follows from it.
  void settle() {
    while (!wire_.empty()) {
      const UnderWay next = std::move(wire_.front());
      wire_.pop_front();
      ++delivered;
      const auto node = nodes_.find(next.to);
      if (node == nodes_.end()) {
        if (on_stranger) on_stranger(next);
        continue;
      }
      const Datagram datagram{.local = next.to, .remote = next.from, .ecn = 0, .bytes = next.bytes};
      node->second->checked.handle_datagrams(now, {&datagram, 1});
      drain(*node->second);
    }
  }
  // Time passes, and every deadline on the way is handled.
  void run(Duration time) {
    const Instant end = now.mono + time;
    while (true) {
      EngineNode* first = nullptr;
      Instant at = Instant::never();
      for (auto& [place, node] : nodes_) {
        const Instant next = node->checked.next_deadline();
        if (next < at) {
          at = next;
          first = node.get();
        }
      }
      if (first == nullptr || at > end) break;
      pass(std::max(at, now.mono) - now.mono);
      first->checked.handle_deadline(now);
      drain(*first);
      settle();
    }
    pass(end - now.mono);
  }
  void pass(Duration time) {
    now.mono = now.mono + time;
    now.wall = now.wall + time;
  }

  Now now = at(seconds(0));
  std::uint64_t delivered = 0;
  filter::FilterLimits filter_limits{};  // of the nodes that are added from now on
  // Whether a datagram is lost; sees all that an engine sends.
  std::function<bool(const UnderWay&)> loses;
  // What arrives where no engine is.
  std::function<void(const UnderWay&)> on_stranger;

 private:
  void drain(EngineNode& node) {
    bool more = true;
    while (more) {
      more = false;
      while (const auto sent = node.checked.poll_transmit(now, buffer_)) {
        more = true;
        UnderWay datagram{node.place, sent->remote, to_bytes(ByteView{buffer_}.first(sent->size))};
        if (!loses || !loses(datagram)) wire_.push_back(std::move(datagram));
      }
      while (auto event = node.checked.poll_event()) {
        more = true;
        node.events.push_back(std::move(*event));
      }
      std::vector<Job> jobs;
      while (auto job = node.checked.poll_job()) jobs.push_back(std::move(*job));
      for (const Job& job : jobs) {
        more = true;
        node.checked.handle_job_done(now, {job.id, job.work()});
      }
    }
  }

  std::map<Endpoint, std::unique_ptr<EngineNode>> nodes_;
  std::deque<UnderWay> wire_;
  Bytes buffer_ = Bytes(kTransmitBufferBytes);
};

// A peer that says what a test likes, over true sessions: whatever arrives at its place it keeps.
// By itself it makes and answers challenges only.
class RawPeer {
 public:
  RawPeer(EngineNet& net, std::uint64_t number) : net_{net}, node_{number} {}

  void take(const UnderWay& datagram) {
    ++datagrams;
    const auto received = node_.take(net_.now, datagram.from, datagram.bytes);
    if (const auto* message = as<MessageReceived>(received)) {
      messages.push_back(to_bytes(message->plain));
      if (on_message) on_message(messages.back());
    } else if (const auto* unreadable = as<Unreadable>(received)) {
      if (!makes_challenges) return;
      post(datagram.from, node_.sessions.make_challenge(net_.now, *unreadable, known, node_.out));
    } else if (const auto* challenge = as<ChallengeReceived>(received)) {
      if (!std::exchange(waits_for_challenge_, false)) return;
      const auto sealed =
          node_.sessions.answer_challenge(to_, to_key_, *challenge, said_, node_.out);
      CHECK(sealed.has_value());
      post(datagram.from, sealed->size);
    }
  }
  // Over the session that there is, or a new one.
  void say(EngineNode& to, const Message& message) {
    PacketBuffer plain{};
    const auto size = encode_message(message, plain);
    CHECK(size.has_value());
    say_plain(to, ByteView{plain}.first(*size));
  }
  void say_plain(EngineNode& to, ByteView plain) {
    to_ = {to.engine().self(), to.place};
    to_key_ = to.engine().local_record().public_key();
    said_ = to_bytes(plain);
    const auto sealed = node_.sessions.has_session(to_)
                            ? node_.sessions.seal(to_, said_, node_.out)
                            : Result<Sealed>{node_.sessions.make_random(to_, node_.out)};
    CHECK(sealed.has_value());
    waits_for_challenge_ = !node_.sessions.has_session(to_);
    post(to.place, sealed->size);
  }
  // The messages of one kind that came since the last call; views are of kept(). The others go.
  template <class M>
  std::vector<M> heard() {
    kept_ = std::exchange(messages, {});
    std::vector<M> out;
    for (const Bytes& plain : kept_) {
      const auto message = decode_message(plain);
      CHECK(message.has_value());
      if (const auto* wanted = std::get_if<M>(&*message)) out.push_back(*wanted);
    }
    return out;
  }
  [[nodiscard]] const Endpoint& place() const { return node_.place; }
  [[nodiscard]] Node& node() { return node_; }

  std::vector<Bytes> messages;
  std::uint64_t datagrams = 0;
  bool makes_challenges = true;
  EnrPtr known = nullptr;  // the record of the engine that it has
  std::function<void(const Bytes&)> on_message;

 private:
  void post(const Endpoint& to, std::size_t size) {
    net_.post(node_.place, to, ByteView{node_.out}.first(size));
  }

  EngineNet& net_;
  Node node_;
  Peer to_;
  crypto::PublicKey to_key_ = key_of(0)->public_key();
  Bytes said_;
  bool waits_for_challenge_ = false;
  std::vector<Bytes> kept_;
};

// Raw peers by their places, beside the engines of a net.
class RawPeers {
 public:
  explicit RawPeers(EngineNet& net) : net_{net} {
    net.on_stranger = [this](const UnderWay& datagram) {
      const auto peer = peers_.find(datagram.to);
      if (peer == peers_.end()) {
        ++lost;
      } else {
        peer->second->take(datagram);
      }
    };
  }
  RawPeer& add(std::uint64_t number) {
    auto peer = std::make_unique<RawPeer>(net_, number);
    return *(peers_[peer->place()] = std::move(peer));
  }

  std::uint64_t lost = 0;  // to places where nobody is

 private:
  EngineNet& net_;
  std::map<Endpoint, std::unique_ptr<RawPeer>> peers_;
};

}  // namespace ethnet::discv5::testing
