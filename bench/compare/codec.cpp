// Packets of discv5, from the datagram to the message and back: ours by Sessions, geth's by its
// v5wire codec. Each decodes what the other has encoded, under keys of a handshake between the two,
// in which either side was once who asks.
#include <base/hex.hpp>
#include <base/prng.hpp>
#include <benchmark/benchmark.h>
#include <discovery/v5/session/sessions.hpp>
#include <discovery/v5/wire/message.hpp>
#include <fmt/format.h>
#include <runtime/os.hpp>
#include <tests/support/counting_allocator/counting_allocator.hpp>
#include <types/node_id.hpp>

#include "compare.hpp"

namespace ethnet::bench {
namespace {

using namespace discv5;

constexpr std::uint64_t kAllocationItems = 1000;

std::shared_ptr<const crypto::SecretKey> key_of(std::uint8_t octet) {
  const ByteArray<32> bytes = [&] {
    ByteArray<32> out{};
    out.fill(std::byte{octet});
    return out;
  }();
  return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::from_bytes(bytes).value());
}

Message the_ping() {
  return Ping{RequestId::from_bytes(from_hex("0102030405060708").value()).value(), 1};
}
Bytes plain_of(const Message& message) {
  PacketBuffer buffer{};
  const std::size_t size = encode_message(message, buffer).value();
  return to_bytes(ByteView{buffer}.first(size));
}

// A node of ours. The other end of its sessions may be anybody's.
struct End {
  explicit End(std::uint8_t octet, std::uint16_t port)
      : key{key_of(octet)},
        place{IpAddress::loopback_v4(), port},
        record{std::make_shared<const VerifiedEnr>(
            EnrBuilder{1}.ip(place.ip).udp(port).sign(*key).value())},
        sessions{key, record, entropy} {}

  [[nodiscard]] Peer peer() const { return {sessions.self(), place}; }
  [[nodiscard]] Bytes sent(std::size_t size) const { return to_bytes(ByteView{out}.first(size)); }
  // What this packet is to us; views of it live until the next one.
  Received take(const Endpoint& from, ByteView datagram) {
    const auto packet = sessions.decode(datagram, in);
    CHECK(packet.has_value());
    auto received = sessions.handle_packet(now, from, *packet);
    CHECK(received.has_value());
    return *received;
  }
  Bytes answer(const Peer& to, const crypto::PublicKey& to_key, ByteView challenge) {
    const Received received = take(to.at, challenge);
    const auto* const whoareyou = std::get_if<ChallengeReceived>(&received);
    CHECK(whoareyou != nullptr);
    return sent(
        sessions.answer_challenge(to, to_key, *whoareyou, plain_of(the_ping()), out).value().size);
  }

  runtime::OsEntropy entropy;
  Now now = runtime::os_now();
  std::shared_ptr<const crypto::SecretKey> key;
  Endpoint place;
  EnrPtr record;
  Sessions sessions;
  PacketBuffer in{};
  PacketBuffer out{};
};

// --- handshakes ---

// One initiator, whose challenges wait at as many places as there are handshakes.
struct Strangers {
  End responder{3, 9002};
  End initiator{4, 9003};

  [[nodiscard]] static Endpoint place_of(std::size_t i) {
    return {IpAddress::loopback_v4(), static_cast<std::uint16_t>(10'000 + i)};
  }
  Bytes prepare_one(std::size_t i) {
    Unreadable asks{{initiator.sessions.self(), place_of(i)}, {}};
    responder.entropy.fill(asks.nonce);
    const std::size_t size =
        responder.sessions.make_challenge(responder.now, asks, nullptr, responder.out);
    return initiator.answer(responder.peer(), responder.record->public_key(), responder.sent(size));
  }
  std::vector<Bytes> prepare(std::size_t count) {
    std::vector<Bytes> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(prepare_one(i));
    return out;
  }
  // Nanoseconds of CPU time.
  std::uint64_t run(std::size_t count) {
    const std::vector<Bytes> packets = prepare(count);
    const Clock clock = cpu_clock();
    const std::uint64_t start = clock();
    for (std::size_t i = 0; i < count; ++i) {
      const Received received = responder.take(place_of(i), packets[i]);
      const auto* const message = std::get_if<MessageReceived>(&received);
      CHECK(message != nullptr && message->established != nullptr);
    }
    return clock() - start;
  }
};

// --- ordinary packets ---

// Nodes that have a session each with one of ours: more than whose keys stay expanded, so that a
// packet of another one each time pays for its key.
struct Crowd {
  static constexpr std::size_t kNodes = 2 * crypto::kMaxExpandedGcmKeys;

  Crowd() {
    const Bytes plain = plain_of(the_ping());
    for (std::size_t i = 0; i < kNodes; ++i) {
      const Bytes handshake = strangers.prepare_one(i);
      (void)responder().take(Strangers::place_of(i), handshake);
      End& node = strangers.initiator;
      packets.push_back(
          node.sent(node.sessions.seal(responder().peer(), plain, node.out).value().size));
    }
  }
  End& responder() { return strangers.responder; }
  [[nodiscard]] Peer node(std::uint64_t i) const {
    return {strangers.initiator.sessions.self(), Strangers::place_of(i % kNodes)};
  }

  Strangers strangers;
  std::vector<Bytes> packets;
};

// Ours and geth's node, with a session between them.
class Pair {
 public:
  explicit Pair(PeerProcess& geth) : geth_{geth} {
    const Bytes key(32, std::byte{1});
    const Bytes record = from_hex(geth.ask("v5.new " + to_hex(key))).value();
    theirs_ = std::make_shared<const VerifiedEnr>(VerifiedEnr::decode(record).value());
    geth.ask("v5.peer " + to_hex(ours_.record->record().encoded()));
    we_are_asked();
    we_ask();
  }

  [[nodiscard]] Peer geth() const { return {theirs_->node_id(), place_}; }
  End& ours() { return ours_; }

 private:
  Bytes feed(ByteView packet) { return from_hex(geth_.ask("v5.feed " + to_hex(packet))).value(); }
  void we_ask() {
    const Bytes challenge = feed(ours_.sent(ours_.sessions.make_random(geth(), ours_.out).size));
    const Bytes handshake = ours_.answer(geth(), theirs_->public_key(), challenge);
    must_agree("handshake of ours", to_hex(plain_of(the_ping())), to_hex(feed(handshake)));
  }
  void we_are_asked() {
    const Bytes contact = from_hex(geth_.ask("v5.contact")).value();
    const Received asked = ours_.take(place_, contact);
    const auto* const unreadable = std::get_if<Unreadable>(&asked);
    CHECK(unreadable != nullptr);
    const Bytes challenge =
        ours_.sent(ours_.sessions.make_challenge(ours_.now, *unreadable, nullptr, ours_.out));
    const Bytes handshake = feed(challenge);
    const Received received = ours_.take(place_, handshake);
    const auto* const message = std::get_if<MessageReceived>(&received);
    CHECK(message != nullptr);
    must_agree("handshake of geth", to_hex(plain_of(the_ping())), to_hex(message->plain));
  }

  PeerProcess& geth_;
  End ours_{2, 9000};
  Endpoint place_{IpAddress::loopback_v4(), 9001};
  EnrPtr theirs_;
};

void decode_one(End& end, const Endpoint& from, ByteView packet) {
  const auto decoded = end.sessions.decode(packet, end.in);
  const auto received = end.sessions.handle_packet(end.now, from, *decoded);
  auto message = decode_message(std::get<MessageReceived>(*received).plain);
  benchmark::DoNotOptimize(message);
}
void encode_one(End& end, const Peer& to, const Message& message) {
  PacketBuffer plain;  // NOLINT(cppcoreguidelines-pro-type-member-init): written before it is read
  const auto size = encode_message(message, plain);
  auto sealed = end.sessions.seal(to, ByteView{plain}.first(*size), end.out);
  benchmark::DoNotOptimize(sealed);
}

template <class F>
std::string allocations_of(F f) {
  f();
  const testing::AllocationMeter meter;
  for (std::uint64_t i = 0; i < kAllocationItems; ++i) f();
  return meter.allocations() == 0
             ? std::string{"no allocation"}
             : fmt::format("{:.3f} allocations an item", static_cast<double>(meter.allocations()) /
                                                             static_cast<double>(kAllocationItems));
}

void ordinary_rows(const Compare& compare) {
  const std::string decode = "discv5 ordinary packet: decode";
  const std::string encode = "discv5 ordinary packet: encode";
  if (!compare.geth) {
    for (const auto& what : {decode, encode}) {
      print(Row{.what = what, .ours = "not run: geth's packets are not there", .peer = "geth"});
    }
    return;
  }
  Pair pair{*compare.geth};
  End& end = pair.ours();
  const Peer geth = pair.geth();
  const Message ping = the_ping();
  const Bytes plain = plain_of(ping);
  encode_one(end, geth, ping);
  const Bytes ours = end.sent(end.sessions.seal(geth, plain, end.out).value().size);
  const Bytes theirs = from_hex(compare.geth->check("v5_encode", "none")).value();
  const Received received = end.take(geth.at, theirs);
  must_agree("packet of geth", to_hex(plain), to_hex(std::get<MessageReceived>(received).plain));
  const auto decode_theirs = [&end, &geth, &theirs] { decode_one(end, geth.at, theirs); };
  const auto encode_ping = [&end, &geth, &ping] { encode_one(end, geth, ping); };
  print(compare,
        {.what = fmt::format("{} ({})", decode, allocations_of(decode_theirs)),
         .peer = "geth v5wire",
         .goal = 4,
         .ours = own_side([&](std::uint64_t) { decode_theirs(); }),
         .theirs = [&] { return peer_side(compare.geth.get(), "v5_decode", ours, plain); }});
  print(compare, {.what = fmt::format("{} ({})", encode, allocations_of(encode_ping)),
                  .peer = "geth v5wire",
                  .goal = 4,
                  .ours = own_side([&](std::uint64_t) { encode_ping(); }),
                  .theirs = [&] { return compare.geth->side("geth", "v5_encode", "none"); }});
  Crowd crowd;
  End& ends = crowd.responder();
  print(compare,
        {.what = fmt::format("{}, of {} nodes in turns", decode, Crowd::kNodes),
         .peer = "geth v5wire, of one",
         .ours = own_side([&](std::uint64_t i) {
           decode_one(ends, crowd.node(i).at, crowd.packets[i % Crowd::kNodes]);
         }),
         .theirs = [&] { return peer_side(compare.geth.get(), "v5_decode", ours, plain); }});
  print(compare, {.what = fmt::format("{}, for {} nodes in turns", encode, Crowd::kNodes),
                  .peer = "geth v5wire, for one",
                  .ours = own_side([&](std::uint64_t i) { encode_one(ends, crowd.node(i), ping); }),
                  .theirs = [&] { return compare.geth->side("geth", "v5_encode", "none"); }});
}

}  // namespace

void codec_rows(const Compare& compare) {
  ordinary_rows(compare);
  Strangers strangers;
  print(compare, {.what = "discv5 handshake packet of a stranger: decode and verify",
                  .peer = "geth v5wire",
                  .goal = 1.2,
                  .ours = {"ours", [&](std::uint64_t items) { return strangers.run(items); }},
                  .theirs = [&]() -> std::optional<Side> {
                    if (!compare.geth) return {};
                    compare.geth->ask("v5.new " + to_hex(Bytes(32, std::byte{1})));
                    return Side{"geth", [&](std::uint64_t items) {
                                  return std::stoull(
                                      compare.geth->ask(fmt::format("v5.handshakes {}", items)));
                                }};
                  }});
}

}  // namespace ethnet::bench
