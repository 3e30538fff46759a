// Node Discovery v5.1: packets (raw, and as they are before they are masked, since no fuzzer
// guesses a mask), messages, and the table of sessions by operations: three nodes whose datagrams
// are lost, repeated, spoilt, late and sent from elsewhere.
#include <array>
#include <deque>
#include <memory>

#include <discovery/v5/session/sessions.hpp>
#include <discovery/v5/testing/rig.hpp>
#include <discovery/v5/wire/message.hpp>
#include <discovery/v5/wire/packet.hpp>

#include "operations.hpp"
#include "targets.hpp"

namespace ethnet::fuzz {
namespace {

using namespace discv5;
using discv5::testing::as;
using discv5::testing::key_of;
using discv5::testing::masked;
using discv5::testing::place_of;
using discv5::testing::record_of;
using discv5::testing::TestRng;

constexpr std::size_t kNodes = 3;
constexpr std::size_t kRecords = 3;
constexpr std::size_t kMaxOperations = 120;
constexpr std::size_t kUnderWay = 12;

struct Identity {
  std::shared_ptr<const crypto::SecretKey> key;
  crypto::PublicKey public_key;
  std::array<EnrPtr, kRecords> records;  // of numbers 1, 2 and 3
  NodeId id;
};
const std::vector<Identity>& identities() {
  static const std::vector<Identity> made = [] {
    std::vector<Identity> out;
    for (std::uint64_t i = 0; i < kNodes; ++i) {
      const auto key = key_of(i);
      out.push_back({key,
                     key->public_key(),
                     {record_of(i, 1), record_of(i, 2), record_of(i, 3)},
                     make_node_id(key->public_key())});
    }
    return out;
  }();
  return made;
}

// What a packet says is written as it was read, and opens under the key that sealed it.
void check_packet(PacketCodec& codec, const Packet& packet) {
  const NodeId& self = identities()[0].id;
  PacketBuffer again{};
  CHECK(equal(write_header(packet.header, again), packet.header_bytes));
  if (std::holds_alternative<Whoareyou>(packet.header.authdata)) {
    CHECK(packet.message.empty() && packet.header_bytes.size() == kWhoareyouBytes);
    return;
  }
  CHECK(packet.plain.size() + crypto::kGcmTagSize == packet.message.size());
  const ByteArray<16> key{};
  const Bytes plain = to_bytes(packet.message.first(packet.plain.size()));
  const auto size = codec.encode_sealed(self, packet.header, key, plain, again);
  CHECK(size.has_value());
  PacketBuffer buffer{};
  const auto back = codec.decode(self, ByteView{again}.first(*size), buffer);
  CHECK(back.has_value() && equal(back->header_bytes, packet.header_bytes));
  const auto opened = codec.open(*back, key);
  CHECK(opened.has_value() && equal(*opened, plain));
}

class SessionsRun {
 public:
  explicit SessionsRun(std::uint8_t options) {
    SessionLimits limits;
    limits.sessions = 1 + options % 4;
    limits.challenges = 1 + (options >> 2) % 4;
    limits.messages_per_key = 1 + (options >> 4);
    for (std::size_t i = 0; i < kNodes; ++i) {
      nodes_.push_back(std::make_unique<Node>(i, limits));
    }
    limits_ = limits;
  }

  void step(Operations& in) {
    const std::uint8_t op = in.byte();
    switch (op % 9) {
      case 0:
        ask(in);
        break;
      case 1:
        seal(in, op);
        break;
      case 2:
      case 3:
      case 4:
        deliver(in, op);
        break;
      case 5:
        spoil(in);
        break;
      case 6:
        now_ = now_ + milliseconds(in.byte() * 8);
        break;
      case 7:
        other(in, op);
        break;
      default:
        raw(in);
    }
    check();
  }

  void finish() {
    now_ = now_ + seconds(2);
    for (const auto& node : nodes_) {
      node->sessions.handle_deadline(time());
      CHECK(node->sessions.challenges() == 0 && node->sessions.next_deadline().is_never());
    }
  }

 private:
  struct Node {
    Node(std::size_t number, const SessionLimits& limits)
        : rng{number},
          sessions{identities()[number].key, identities()[number].records[0], rng, limits} {}
    TestRng rng;
    Sessions sessions;
  };
  struct UnderWay {
    std::size_t to = 0;
    Endpoint from;
    Bytes bytes;
  };

  [[nodiscard]] Now time() const { return discv5::testing::at(now_); }
  [[nodiscard]] static Endpoint home(std::size_t number) { return place_of(number); }
  [[nodiscard]] static Peer peer(std::size_t number) {
    return {identities()[number].id, home(number)};
  }
  void send(std::size_t from, std::size_t to, std::size_t size) {
    if (under_way_.size() == kUnderWay) under_way_.pop_front();
    under_way_.push_back({to, home(from), to_bytes(ByteView{out_}.first(size))});
  }
  // Who says it, and to whom: a message that says otherwise was forged.
  [[nodiscard]] static Bytes text(std::size_t from, std::size_t to, std::size_t size) {
    Bytes out(2 + size);
    out[0] = static_cast<std::byte>(from);
    out[1] = static_cast<std::byte>(to);
    return out;
  }

  void ask(Operations& in) {
    const std::size_t from = in.below(kNodes);
    const std::size_t to = in.below(kNodes);
    send(from, to, nodes_[from]->sessions.make_random(peer(to), out_).size);
  }
  void seal(Operations& in, std::uint8_t op) {
    const std::size_t from = in.below(kNodes);
    const std::size_t to = in.below(kNodes);
    Sessions& sessions = nodes_[from]->sessions;
    const bool had = sessions.has_session(peer(to));
    const auto sealed = sessions.seal(peer(to), text(from, to, op), out_);
    CHECK(had || !sealed.has_value());
    if (sealed) send(from, to, sealed->size);
  }
  void deliver(Operations& in, std::uint8_t op) {
    if (under_way_.empty()) return;
    const std::size_t index = in.below(under_way_.size());
    UnderWay datagram = under_way_[index];
    if (op < 0x80) under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(index));
    if (op % 16 == 15) datagram.from.port = 9001;
    take(datagram, in.byte());
  }
  void take(const UnderWay& datagram, std::uint8_t how) {
    Node& node = *nodes_[datagram.to];
    const auto packet = node.sessions.decode(datagram.bytes, in_);
    if (!packet) return;
    const auto received = node.sessions.handle_packet(time(), datagram.from, *packet);
    if (const auto* message = as<MessageReceived>(received)) {
      CHECK(message->plain.size() >= 2);
      CHECK(identities()[std::to_integer<std::size_t>(message->plain[0])].id == message->from.id);
      CHECK(std::to_integer<std::size_t>(message->plain[1]) == datagram.to);
      CHECK(message->from.at == datagram.from);
      CHECK(node.sessions.has_session(message->from));
      if (message->established != nullptr) {
        CHECK(message->established->node_id() == message->from.id);
      }
    } else if (const auto* unreadable = as<Unreadable>(received)) {
      challenge(datagram, *unreadable, how);
    } else if (const auto* whoareyou = as<ChallengeReceived>(received)) {
      const std::size_t to = how % kNodes;
      const auto sealed = node.sessions.answer_challenge(
          peer(to), identities()[to].public_key, *whoareyou, text(datagram.to, to, how), out_);
      if (sealed) send(datagram.to, to, sealed->size);
    }
  }
  void challenge(const UnderWay& datagram, const Unreadable& unreadable, std::uint8_t how) {
    EnrPtr known;
    std::size_t to = kNodes;
    for (std::size_t i = 0; i < kNodes; ++i) {
      if (identities()[i].id == unreadable.from.id) to = i;
    }
    if (to < kNodes && how % 4 != 0) known = identities()[to].records[how % 4 - 1];
    const std::size_t size =
        nodes_[datagram.to]->sessions.make_challenge(time(), unreadable, known, out_);
    CHECK(size == kWhoareyouBytes && size <= datagram.bytes.size());
    if (to < kNodes) send(datagram.to, to, size);
  }
  void spoil(Operations& in) {
    if (under_way_.empty()) return;
    Bytes& bytes = under_way_[in.below(under_way_.size())].bytes;
    bytes[in.byte() * 2 % bytes.size()] ^= static_cast<std::byte>(in.byte());
  }
  void other(Operations& in, std::uint8_t op) {
    const std::size_t number = in.below(kNodes);
    Sessions& sessions = nodes_[number]->sessions;
    if (op < 0x40) {
      sessions.forget(peer(in.below(kNodes)));
    } else if (op < 0xa0) {
      sessions.set_local_record(identities()[number].records[in.below(kRecords)]);
    } else {
      sessions.handle_deadline(time());
    }
  }
  void raw(Operations& in) {
    const std::size_t to = in.below(kNodes);
    const ByteView bytes = in.bytes(in.byte());
    take({to, home(in.below(kNodes)), masked(identities()[to].id, bytes)}, in.byte());
  }
  void check() const {
    for (const auto& node : nodes_) {
      CHECK(node->sessions.sessions() <= limits_.sessions);
      CHECK(node->sessions.challenges() <= 2 * limits_.challenges);
    }
  }

  SessionLimits limits_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::deque<UnderWay> under_way_;
  Duration now_;
  PacketBuffer in_{};
  PacketBuffer out_{};
};

Bytes seed_packet(std::uint8_t mode, const Authdata& authdata, std::size_t message) {
  PacketBuffer buffer{};
  Bytes packet = to_bytes(write_header({.authdata = authdata}, buffer));
  packet.resize(packet.size() + message, std::byte{0x5a});
  if (mode == 0) packet = masked(identities()[0].id, packet);
  Bytes out{static_cast<std::byte>(mode)};
  append(out, packet);
  return out;
}

Bytes seed_message(const Message& message) {
  Bytes out(encoded_size(message));
  CHECK(encode_message(message, out).has_value());
  return out;
}

// Node 0 asks node 1; challenge, handshake, messages both ways.
Bytes seed_handshake() {
  constexpr auto kBytes = std::to_array<unsigned>(
      {0xff, 0, 0, 1, 2, 0, 0, 2, 0, 1, 2, 0, 0, 1, 0, 1, 2, 0, 0, 1, 1, 0, 2, 0, 0});
  Bytes out;
  for (const unsigned b : kBytes) out.push_back(static_cast<std::byte>(b));
  return out;
}

// The same with everything else: repeats, forged addresses, spoilt bytes, time, other records.
Bytes seed_unruly() {
  Bytes out{std::byte{0x15}};
  for (unsigned i = 0; i < 10; ++i) {
    for (const unsigned b :
         {0U,    i, i + 1, 0x83U, 0U, i,  2U, 1U, i + 1, 5U,    i, i * 20, 1U, 6U, i,
          0x82U, i, i,     15U,   0U, 2U, 7U, i,  i + 1, 0x52U, i, i,      1U, i,  i + 1}) {
      out.push_back(static_cast<std::byte>(b));
    }
  }
  return out;
}

}  // namespace

// The first byte says whether the rest is a datagram (0) or a packet that is still unmasked.
void run_discv5_packet(ByteView input) {
  if (input.empty()) return;
  const NodeId& self = identities()[0].id;
  const ByteView rest = input.subspan(1);
  PacketCodec codec;
  PacketBuffer buffer{};
  const Bytes datagram = input.front() == std::byte{0} ? to_bytes(rest) : masked(self, rest);
  const auto packet = codec.decode(self, datagram, buffer);
  if (packet) check_packet(codec, *packet);
}

void run_discv5_message(ByteView input) {
  const auto message = decode_message(input);
  if (!message) return;
  PacketBuffer buffer{};
  if (encoded_size(*message) > buffer.size()) return;
  const auto size = encode_message(*message, buffer);
  CHECK(size == encoded_size(*message));
  const ByteView again = ByteView{buffer}.first(*size);
  // An IPv4 address may come in sixteen bytes and leaves in four.
  CHECK(std::holds_alternative<Pong>(*message) || equal(again, input));
  CHECK(decode_message(again) == *message);
}

void run_discv5_sessions(ByteView input) {
  Operations in{input};
  SessionsRun run{in.byte()};
  for (std::size_t i = 0; i < kMaxOperations && !in.at_end(); ++i) run.step(in);
  run.finish();
}

void add_discv5_seeds(std::vector<Seed>& out) {
  const ByteView record = identities()[1].records[0]->record().encoded();
  const Handshake handshake{.source = identities()[1].id, .record = record};
  out.push_back({"discv5_packet", "raw_ordinary", seed_packet(0, Ordinary{}, 30)});
  out.push_back({"discv5_packet", "ordinary", seed_packet(1, Ordinary{identities()[1].id}, 30)});
  out.push_back({"discv5_packet", "whoareyou", seed_packet(1, Whoareyou{}, 0)});
  out.push_back({"discv5_packet", "handshake", seed_packet(1, handshake, 40)});
  const auto id = RequestId::of(0x0102);
  out.push_back({"discv5_message", "ping", seed_message(Ping{id, 300})});
  out.push_back({"discv5_message", "pong", seed_message(Pong{id, 300, place_of(1)})});
  out.push_back({"discv5_message", "pong_v6",
                 seed_message(Pong{{}, 3, Endpoint::parse("[2a00::1]:9000").value()})});
  FindNode findnode{.request_id = id, .distances = {}};
  for (const auto distance : std::to_array<std::uint16_t>({256, 0, 3})) {
    findnode.distances.push_back(distance);
  }
  out.push_back({"discv5_message", "findnode", seed_message(findnode)});
  Nodes nodes{.request_id = id, .total = 2, .records = {}};
  nodes.records.push_back(record);
  nodes.records.push_back(record);
  out.push_back({"discv5_message", "nodes", seed_message(nodes)});
  out.push_back({"discv5_message", "talkreq",
                 seed_message(TalkReq{id, text_bytes("protocol"), text_bytes("request")})});
  out.push_back({"discv5_message", "talkresp", seed_message(TalkResp{id, text_bytes("answer")})});
  out.push_back({"discv5_sessions", "handshake", seed_handshake()});
  out.push_back({"discv5_sessions", "unruly", seed_unruly()});
}

}  // namespace ethnet::fuzz
