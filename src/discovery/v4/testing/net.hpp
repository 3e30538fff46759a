// For tests: engines on a virtual network, where every packet takes kLatency, is logged and can be
// lost; and peers by hand, who say what they like and find what they are sent in a box.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <machine/checked.hpp>

#include "../engine/engine.hpp"
#include "packets.hpp"

namespace ethnet::discv4::testing {

inline constexpr Duration kLatency = milliseconds(20);

inline EnrPtr record_of(std::uint64_t number, const Endpoint& at, std::uint64_t seq = 1) {
  EnrBuilder builder{seq};
  builder.ip(at.ip);
  at.ip.is_v4() ? builder.udp(at.port).tcp(at.port) : builder.udp6(at.port).tcp6(at.port);
  return std::make_shared<const VerifiedEnr>(builder.sign(*key_of(number)).value());
}
inline V4Node node_of(std::uint64_t number, const Endpoint& at) {
  return V4Node::of(key_of(number)->public_key(), wire_place(at, at.port));
}

struct NetNode {
  NetNode(std::uint64_t number_, const Endpoint& at_, Now now, bool keeps_table,
          const filter::FilterLimits& limits = {})
      : number{number_},
        at{at_},
        table{id_of(number)},
        rng{number + 1000},
        filter{rng, limits},
        engine{now,
               EngineConfig{.key = key_of(number),
                            .local_record = record_of(number, at),
                            .local = {at},
                            .seed = number,
                            .keeps_table = keeps_table},
               table, filter, rng} {}

  [[nodiscard]] V4Node node() const { return node_of(number, at); }
  [[nodiscard]] const Counters& counters() const { return engine.machine().counters(); }
  // Of this kind, in the order in which they came.
  template <class T>
  [[nodiscard]] std::vector<T> told() const {
    std::vector<T> out;
    for (const Event& event : events) {
      if (const auto* it = std::get_if<T>(&event)) out.push_back(*it);
    }
    return out;
  }

  std::uint64_t number;
  Endpoint at;
  kbucket::Table table;
  TestRng rng;
  filter::Filter filter;
  Checked<Engine> engine;
  std::vector<Event> events;
};

struct Sent {
  Endpoint from;
  Endpoint to;
  Bytes bytes;
  Duration when;

  [[nodiscard]] PacketType type() const { return open(bytes).value().type; }
  [[nodiscard]] Message message() const { return decode_message(open(bytes).value()).value(); }
  [[nodiscard]] Hash32 hash() const { return hash_of_packet(bytes); }
};

class Net {
 public:
  NetNode& add(std::uint64_t number, const Endpoint& at, bool keeps_table = false) {
    auto& slot = nodes_[at];
    slot = std::make_unique<NetNode>(number, at, now(), keeps_table, filter_limits);
    return *slot;
  }
  NetNode& add(std::uint64_t number, bool keeps_table = false) {
    return add(number, place_of(number), keeps_table);
  }
  void take_off(const Endpoint& at) { nodes_.erase(at); }
  [[nodiscard]] Now now() const { return testing::at(time_); }
  [[nodiscard]] Duration time() const { return time_; }

  // A command or another input on a machine, and what comes of it.
  template <class F>
  auto tell(NetNode& node, F input) {
    node.engine.begin_input(now());
    if constexpr (std::is_void_v<decltype(input(node.engine.machine()))>) {
      input(node.engine.machine());
      drain(node);
    } else {
      const auto result = input(node.engine.machine());
      drain(node);
      return result;
    }
  }
  void send(const Endpoint& from, const Endpoint& to, ByteView bytes) {
    under_way_.emplace(time_ + kLatency, Sent{from, to, to_bytes(bytes), time_});
  }
  // Every node hands over at once, without the way.
  void deliver(const Endpoint& from, NetNode& to, ByteView bytes) {
    const Datagram datagram{.local = to.at, .remote = from, .ecn = 0, .bytes = bytes};
    to.engine.handle_datagrams(now(), std::span{&datagram, 1});
    drain(to);
  }
  void run(Duration how_long) {
    const Duration end = time_ + how_long;
    while (true) {
      Duration next = under_way_.empty() ? end + seconds(1) : under_way_.begin()->first;
      for (const auto& [at, node] : nodes_) {
        next = std::min(next, node->engine.next_deadline() - testing::at({}).mono);
      }
      if (next > end) break;
      time_ = std::max(time_, next);
      step();
    }
    time_ = end;
  }
  // What came to a peer without an engine; empties its box.
  std::vector<Sent> box(const Endpoint& at) { return std::exchange(boxes_[at], {}); }

  filter::FilterLimits filter_limits{};      // of the nodes that are added from now on
  std::vector<Sent> log;                     // everything that engines sent
  std::function<bool(const Sent&)> is_lost;  // where it is set
  std::function<void(const Sent&)> on_box;   // likewise: answers for peers by hand

 private:
  void step() {
    while (!under_way_.empty() && under_way_.begin()->first <= time_) {
      const Sent sent = std::move(under_way_.extract(under_way_.begin()).mapped());
      const auto node = nodes_.find(sent.to);
      if (node != nodes_.end()) {
        deliver(sent.from, *node->second, sent.bytes);
        continue;
      }
      boxes_[sent.to].push_back(sent);
      if (on_box) on_box(sent);
    }
    for (const auto& [at, node] : nodes_) {
      if (node->engine.next_deadline() > now().mono) continue;
      node->engine.handle_deadline(now());
      drain(*node);
    }
  }
  void drain(NetNode& node) {
    ByteArray<kTransmitBufferBytes>& buffer = *buffer_;
    while (!node.engine.drained()) {
      while (const auto transmit = node.engine.poll_transmit(now(), buffer)) {
        const ByteView bytes = ByteView{buffer}.first(transmit->size);
        Sent sent{node.at, transmit->remote, to_bytes(bytes), time_};
        log.push_back(sent);
        if (is_lost && is_lost(sent)) continue;
        under_way_.emplace(time_ + kLatency, std::move(sent));
      }
      while (auto event = node.engine.poll_event()) node.events.push_back(std::move(*event));
    }
  }

  std::map<Endpoint, std::unique_ptr<NetNode>> nodes_;
  std::multimap<Duration, Sent> under_way_;
  std::map<Endpoint, std::vector<Sent>> boxes_;
  std::unique_ptr<ByteArray<kTransmitBufferBytes>> buffer_ =
      std::make_unique<ByteArray<kTransmitBufferBytes>>();
  Duration time_;
};

// A peer by hand: a key and a place.
struct Hand {
  Hand(Net& net_, std::uint64_t number_, const Endpoint& at_)
      : net{net_}, number{number_}, at{at_} {}

  [[nodiscard]] std::uint64_t soon() const { return expiration_at(net.now().wall); }
  [[nodiscard]] Ping ping_to(const NetNode& node) const {
    return {.from = wire_place(at, 7), .to = wire_place(node.at), .expiration = soon()};
  }
  [[nodiscard]] Pong pong_for(const Sent& ping) const {
    return {.to = wire_place(ping.from), .ping_hash = ping.hash(), .expiration = soon()};
  }
  Hash32 send(const NetNode& node, const Message& message) const {
    const Bytes packet = packet_of(message, *key_of(number));
    net.send(at, node.at, packet);
    return hash_of_packet(packet);
  }
  // What came, after the way there and back.
  [[nodiscard]] std::vector<Sent> answers() const {
    net.run(kLatency * 3);
    return net.box(at);
  }
  // Both directions; what came besides is dropped.
  void bond(const NetNode& node) const {
    send(node, ping_to(node));
    for (const Sent& sent : answers()) {
      if (sent.type() == PacketType::ping) send(node, pong_for(sent));
    }
    static_cast<void>(answers());
  }

  Net& net;
  std::uint64_t number;
  Endpoint at;
};

inline std::vector<PacketType> types_of(const std::vector<Sent>& packets) {
  std::vector<PacketType> out;
  for (const Sent& sent : packets) out.push_back(sent.type());
  return out;
}

}  // namespace ethnet::discv4::testing
