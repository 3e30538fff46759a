// Node Discovery v4: packets (raw, and any list under a right hash and signature, since no fuzzer
// guesses those), and the engine by operations: two engines and a peer by hand, whose packets are
// late, lost, repeated and sent from elsewhere.
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <discovery/v4/engine/engine.hpp>
#include <discovery/v4/testing/net.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using namespace discv4;
using discv4::testing::hash_of_packet;
using discv4::testing::id_of;
using discv4::testing::key_of;
using discv4::testing::node_of;
using discv4::testing::packet_of;
using discv4::testing::place_of;
using discv4::testing::raw_packet;
using discv4::testing::record_of;
using discv4::testing::wire_place;

constexpr std::size_t kMaxOperations = 60;
constexpr std::size_t kUnderWay = 12;
constexpr std::size_t kIdentities = 4;  // two engines, two by hand
constexpr std::size_t kPlaces = 6;      // that records, NEIGHBORS and commands name
// And one more, that nothing names: whatever comes from there was forged.
constexpr std::size_t kSources = kPlaces + 1;

const std::vector<Endpoint>& places() {
  static const std::vector<Endpoint> all{place_of(0),
                                         place_of(1),
                                         place_of(2),
                                         place_of(3),
                                         Endpoint::parse("192.168.1.7:30303").value(),
                                         Endpoint::parse("[2a00:1::7]:30303").value(),
                                         place_of(9)};
  return all;
}
const EnrPtr& record_at(std::size_t number, std::size_t seq) {
  static const std::vector<EnrPtr> all = [] {
    std::vector<EnrPtr> out;
    for (std::size_t i = 0; i < kIdentities * 2; ++i) {
      out.push_back(record_of(i / 2, places()[i / 2], 1 + i % 2));
    }
    return out;
  }();
  return all[number * 2 + seq % 2];
}

class EngineRun {
 public:
  EngineRun() {
    for (std::size_t i = 0; i < 2; ++i) nodes_.push_back(std::make_unique<Node>(i, now()));
  }

  void step(Operations& in) {
    const std::uint8_t op = in.byte();
    switch (op % 8) {
      case 0:
      case 1:
        command(in);
        break;
      case 2:
      case 3:
        deliver(in, op);
        break;
      case 4:
      case 5:
        say(in);
        break;
      case 6:
        time_ = time_ + milliseconds(in.byte() * 4);
        break;
      default:
        other(in, op);
    }
    for (const auto& node : nodes_) check(*node);
  }

  void finish() {
    for (int i = 0; i < 16; ++i) {
      time_ = time_ + seconds(2);
      for (const auto& node : nodes_) deadline(*node);
    }
    for (const auto& node : nodes_) CHECK(node->engine.machine().held() == 0);
  }

 private:
  struct UnderWay {
    Endpoint from;
    Endpoint to;
    Bytes bytes;
  };
  struct Node {
    Node(std::size_t number_, Now now)
        : number{number_},
          table{id_of(number)},
          rng{number},
          filter{rng},
          engine{now,
                 EngineConfig{.key = key_of(number),
                              .local_record = record_at(number, 0),
                              .local = {places()[number]},
                              .seed = number,
                              .keeps_table = false,
                              .bonds = 4,
                              .proofs = 3},
                 table, filter, rng} {}
    std::size_t number;
    kbucket::Table table;
    discv4::testing::TestRng rng;
    filter::Filter filter;
    Checked<Engine> engine;
    std::set<IpAddress> once_proven;
    std::vector<UnderWay> sent;  // by the input that is being judged
  };
  [[nodiscard]] Now now() const { return discv4::testing::at(time_); }
  [[nodiscard]] static V4Node peer(std::size_t number) { return node_of(number, places()[number]); }
  void put(UnderWay packet) {
    if (under_way_.size() == kUnderWay) under_way_.erase(under_way_.begin());
    under_way_.push_back(std::move(packet));
  }
  void drain(Node& node) {
    static ByteArray<kTransmitBufferBytes> buffer{};
    while (!node.engine.drained()) {
      while (const auto sent = node.engine.poll_transmit(now(), buffer)) {
        CHECK(sent->size <= kMaxDiscv4Packet);
        node.sent.push_back(
            {places()[node.number], sent->remote, to_bytes(ByteView{buffer}.first(sent->size))});
        put(node.sent.back());
      }
      while (node.engine.poll_event()) {
      }
    }
    judge(node);
  }
  void take(Node& node, const Endpoint& from, ByteView bytes) {
    input_ = Input{from.ip, bytes.size()};
    const Datagram datagram{
        .local = places()[node.number], .remote = from, .ecn = 0, .bytes = bytes};
    node.engine.handle_datagrams(now(), std::span{&datagram, 1});
    drain(node);
    input_.reset();
  }
  void deadline(Node& node) {
    node.engine.handle_deadline(now());
    drain(node);
    CHECK(node.engine.next_deadline() > now().mono);
  }

  void command(Operations& in) {
    Node& node = *nodes_[in.below(2)];
    Engine& engine = node.engine.machine();
    const V4Node to = peer(in.below(kIdentities));
    const KeyBytes target{static_cast<std::byte>(in.byte())};
    node.engine.begin_input(now());
    switch (in.byte() % 6) {
      case 0:
        static_cast<void>(engine.ping(now(), to));
        break;
      case 1:
        static_cast<void>(engine.find_node(now(), to, target));
        break;
      case 2:
        static_cast<void>(engine.request_record(now(), to));
        break;
      case 3:
        static_cast<void>(engine.start_lookup(now(), target));
        break;
      case 4:
        engine.bootstrap(now(), std::span{&to, 1});
        break;
      default:
        engine.set_local_record(record_at(node.number, in.byte()));
    }
    drain(node);
  }
  void deliver(Operations& in, std::uint8_t op) {
    if (under_way_.empty()) return;
    const auto it = under_way_.begin() + static_cast<std::ptrdiff_t>(in.below(under_way_.size()));
    UnderWay packet = *it;
    if (op < 0xc0) under_way_.erase(it);
    if (op >= 0xe0) packet.from = places()[in.below(kSources)];
    for (const auto& node : nodes_) {
      if (places()[node->number] == packet.to) return take(*node, packet.from, packet.bytes);
    }
    last_ = packet;  // to one by hand
  }
  // By hand: anything that the protocol knows, of any identity, from anywhere.
  void say(Operations& in) {
    Node& node = *nodes_[in.below(2)];
    const std::size_t who = in.below(kIdentities);
    const Endpoint& from = places()[in.below(kSources)];
    const std::uint8_t what = in.byte();
    const std::uint64_t soon = expiration_at(now().wall) - (what >= 0xf0 ? 60 : 0);
    const Hash32 hash = last_.bytes.empty() ? Hash32{} : hash_of_packet(last_.bytes);
    Message message = EnrRequest{soon};
    switch (what % 6) {
      case 0:
        message = Ping{.from = wire_place(from), .to = {}, .expiration = soon, .enr_seq = what};
        if (what >= 0x80) std::get<Ping>(message).enr_seq.reset();
        break;
      case 1:
        message = Pong{.to = wire_place(from), .ping_hash = hash, .expiration = soon, .enr_seq = 9};
        break;
      case 2:
        message = FindNode{KeyBytes{static_cast<std::byte>(what)}, soon};
        break;
      case 3:
        message = neighbors(in, soon);
        break;
      case 4:
        message = EnrResponse{hash, record_at(in.below(kIdentities), what)->record().encoded()};
        break;
      default:
        break;
    }
    take(node, from, packet_of(message, *key_of(who)));
  }
  Neighbors neighbors(Operations& in, std::uint64_t soon) {
    Neighbors out{.nodes = {}, .expiration = soon};
    const std::size_t count = in.below(17);
    for (std::size_t i = 0; i < count && encoded_size(out) < 1100; ++i) {
      const V4Node node = node_of((i + count) % 6, places()[i % kPlaces]);
      out.nodes.push_back({node.at, node.key.xy()});
    }
    return out;
  }
  void other(Operations& in, std::uint8_t op) {
    Node& node = *nodes_[in.below(2)];
    if (op < 0x80) return deadline(node);
    const Endpoint& from = places()[in.below(kSources)];
    if (op < 0xc0) return take(node, from, in.bytes(in.byte()));
    const std::uint8_t type = in.byte() % 8;
    take(node, from, raw_packet(type, in.bytes(in.byte()), *key_of(3)));
  }

  // What one input caused. To the sender of a datagram that was never proven to be there goes no
  // more than came with it, and to others nothing by it. Elsewhere we knock by a PING, and where
  // nothing named an address, not at all.
  void judge(Node& node) {
    Engine& engine = node.engine.machine();
    for (const Endpoint& place : places()) {
      for (std::size_t i = 0; i < kIdentities; ++i) {
        if (engine.is_proven(now(), id_of(i), place.ip)) node.once_proven.insert(place.ip);
      }
    }
    const bool is_of_stranger = input_ && !node.once_proven.contains(input_->from);
    std::size_t to_sender = 0;
    for (const UnderWay& sent : node.sent) {
      const IpAddress& ip = sent.to.ip;
      if (input_ && input_->from == ip) {
        to_sender += sent.bytes.size();
        continue;
      }
      CHECK(!is_of_stranger);
      if (node.once_proven.contains(ip)) continue;
      CHECK(open(sent.bytes).value().type == PacketType::ping);
      CHECK(ip != places()[kPlaces].ip);
    }
    CHECK(!is_of_stranger || to_sender <= input_->bytes);
    node.sent.clear();
  }
  void check(Node& node) { CHECK(node.table.broken().empty()); }

  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<UnderWay> under_way_;
  UnderWay last_;
  struct Input {
    IpAddress from;
    std::size_t bytes = 0;
  };
  std::optional<Input> input_;  // the datagram that is being taken
  Duration time_;
};

Bytes seed_packet(const Message& message) {
  Bytes out{static_cast<std::byte>(type_of(message))};
  const Bytes packet = packet_of(message, *key_of(1));
  append(out, ByteView{packet}.subspan(kHeaderBytes));
  return out;
}

// Engine 0 pings engine 1, all packets arrive; then it asks for nodes, and looks up.
Bytes seed_meeting() {
  Bytes out = operations_of({0, 0, 1, 5, 0});
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 8; ++i) append(out, operations_of({2, 0}));
    append(out, operations_of({6, 50, 0, 0, 1, 9, 1 + round}));
  }
  return out;
}

// A stranger pings, proves itself, asks and answers; forged, late and repeated besides.
Bytes seed_unruly() {
  Bytes out;
  for (int i = 0; i < 6; ++i) {
    append(out, operations_of({4, i, 2,    2,      0, 2, 0,    4,    i, 2, 2, 1,  4,    i, 2,
                               i, 2, 4,    i,      3, 5, 5,    0x82, 0, 0, i, i,  i,    i, 0xe2,
                               i, i, 6,    i * 40, 7, i, 5,    1,    2, 2, 3, 16, 0xc7, i, i,
                               1, 4, 0xc1, 2,      3, 4, 0x87, i,    3, 3, 9, 9,  9}));
  }
  return out;
}

}  // namespace

// The first byte: 0, and the rest is a datagram; else the rest is the list of a packet of that type
// under a right hash and signature.
void run_discv4_packet(ByteView input) {
  if (input.empty()) return;
  const auto type = std::to_integer<std::uint8_t>(input.front());
  const ByteView rest = input.subspan(1);
  if (type != 0 && rest.size() + kHeaderBytes > 2 * kMaxDiscv4Packet) return;
  const Bytes datagram = type == 0 ? to_bytes(rest) : raw_packet(type, rest, *key_of(1));
  const auto envelope = open(datagram);
  if (!envelope) return;
  const auto sender = recover_sender(*envelope);
  CHECK(type == 0 || sender == key_of(1)->public_key());
  const auto message = decode_message(*envelope);
  if (!message) return;
  // What is written is no longer than what was read: addresses may be shorter, nothing else is.
  PacketBuffer buffer{};
  const auto encoded = encode(*message, *key_of(1), buffer);
  if (!encoded) {
    CHECK(encoded_size(*message) > kMaxDiscv4Packet);
    return;
  }
  CHECK(encoded->size == encoded_size(*message));
  const auto again = open(ByteView{buffer}.first(encoded->size));
  CHECK(again.has_value() && again->hash == encoded->hash);
  CHECK(decode_message(*again) == *message);
}

void run_discv4_operations(ByteView input) {
  Operations in{input};
  EngineRun run;
  for (std::size_t i = 0; i < kMaxOperations && !in.at_end(); ++i) run.step(in);
  run.finish();
}

void add_discv4_seeds(std::vector<Seed>& out) {
  const Place v4 = wire_place(place_of(1), 30303);
  const Place v6 = wire_place(places()[5], 30303);
  const auto add = [&](std::string name, const Message& message) {
    out.push_back({"discv4_packet", std::move(name), seed_packet(message)});
  };
  add("ping", Ping{.from = v4, .to = v6, .expiration = 1'700'000'000, .enr_seq = 5});
  add("pong", Pong{.to = v6, .ping_hash = {}, .expiration = 1'700'000'000, .enr_seq = 0});
  add("findnode", FindNode{key_of(2)->public_key().xy(), 1'700'000'000});
  Neighbors neighbors{.nodes = {}, .expiration = 1'700'000'000};
  neighbors.nodes.push_back({v4, key_of(2)->public_key().xy()});
  neighbors.nodes.push_back({v6, key_of(3)->public_key().xy()});
  add("neighbors", neighbors);
  add("enr_request", EnrRequest{1'700'000'000});
  add("enr_response", EnrResponse{{}, record_at(1, 0)->record().encoded()});
  Bytes raw{std::byte{0}};
  append(raw, packet_of(EnrRequest{1'700'000'000}, *key_of(1)));
  out.push_back({"discv4_packet", "raw", raw});
  out.push_back({"discv4_operations", "meeting", seed_meeting()});
  out.push_back({"discv4_operations", "unruly", seed_unruly()});
}

}  // namespace ethnet::fuzz
