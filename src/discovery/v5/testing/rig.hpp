// For tests: nodes with keys and sessions, packets between them by hand, and packets masked from
// any unmasked form.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <base/instant.hpp>
#include <base/prng.hpp>
#include <base/secure_rng.hpp>
#include <crypto/aes.hpp>
#include <crypto/secp256k1.hpp>
#include <types/enr.hpp>
#include <types/node_id.hpp>

#include "../session/sessions.hpp"
#include "../wire/message.hpp"
#include "../wire/packet.hpp"

namespace ethnet::discv5::testing {

class TestRng final : public SecureRng {
 public:
  explicit TestRng(std::uint64_t seed) : prng_{seed} {}
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next());
  }

 private:
  Prng prng_;
};

inline Now at(Duration since_start) {
  return {Instant{1'000'000'000} + since_start,
          UnixTime::from_seconds(1'700'000'000) + since_start};
}

inline std::shared_ptr<const crypto::SecretKey> key_of(std::uint64_t number) {
  ByteArray<32> bytes{};
  store_be<std::uint64_t>(MutByteView{bytes}.last(8), number + 1);
  return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::from_bytes(bytes).value());
}
inline NodeId id_of(std::uint64_t number) { return make_node_id(key_of(number)->public_key()); }

inline Endpoint place_of(std::uint64_t number, std::uint16_t port = 9000) {
  return {IpAddress::v4({std::byte{8}, static_cast<std::byte>(number >> 16),
                         static_cast<std::byte>(number >> 8), static_cast<std::byte>(number)}),
          port};
}

inline EnrPtr record_of(std::uint64_t number, std::uint64_t seq = 1) {
  return std::make_shared<const VerifiedEnr>(
      EnrBuilder{seq}.ip(place_of(number).ip).udp(9000).sign(*key_of(number)).value());
}

// XORs the mask for `dest` over everything between the masking-iv and `header_end`: masks what is
// unmasked, and the other way round.
inline Bytes masked(const NodeId& dest, ByteView packet, std::size_t header_end) {
  Bytes out = to_bytes(packet);
  if (out.size() <= kMaskingIvBytes) return out;
  auto mask =
      crypto::AesCtr::make(dest.view().first(16), ByteView{out}.first(kMaskingIvBytes)).value();
  header_end = std::clamp(header_end, kMaskingIvBytes, out.size());
  const MutByteView header =
      MutByteView{out}.subspan(kMaskingIvBytes, header_end - kMaskingIvBytes);
  CHECK(mask.apply(header).has_value());
  return out;
}
// Of a packet in its unmasked form, as far as its authdata-size says.
inline Bytes masked(const NodeId& dest, ByteView packet) {
  constexpr std::size_t head = kMaskingIvBytes + kStaticHeaderBytes;
  if (packet.size() < head) return masked(dest, packet, packet.size());
  return masked(dest, packet, head + load_be<std::uint16_t>(packet.subspan(head - 2, 2)));
}

struct Node {
  explicit Node(std::uint64_t number_, const SessionLimits& limits = {}, std::uint64_t seed = 0)
      : number{number_},
        rng{seed + number_ + 1000},
        place{place_of(number_)},
        sessions{key_of(number_), record_of(number_), rng, limits} {}

  [[nodiscard]] Peer peer() const { return {sessions.self(), place}; }
  [[nodiscard]] crypto::PublicKey public_key() const { return key_of(number)->public_key(); }
  // What this node makes of a datagram from there. Views live until the next one.
  Result<Received> take(Now now, const Endpoint& from, ByteView datagram) {
    const auto packet = sessions.decode(datagram, in);
    if (!packet) return std::unexpected{packet.error()};
    return sessions.handle_packet(now, from, *packet);
  }
  [[nodiscard]] Bytes sent(std::size_t size) const { return to_bytes(ByteView{out}.first(size)); }

  std::uint64_t number;
  TestRng rng;
  Endpoint place;
  Sessions sessions;
  PacketBuffer in{};
  PacketBuffer out{};
};

template <class T>
const T* as(const Result<Received>& received) {
  return received ? std::get_if<T>(&*received) : nullptr;
}

// The parts of a handshake between `a`, who asks, and `b`.
inline Bytes random_packet(Node& a, const Node& b) {
  return a.sent(a.sessions.make_random(b.peer(), a.out).size);
}
// The WHOAREYOU for a packet that b cannot read; empty where it can.
inline Bytes challenge_for(Now now, Node& b, const Endpoint& from, ByteView packet,
                           EnrPtr known = nullptr) {
  const auto received = b.take(now, from, packet);
  const auto* unreadable = as<Unreadable>(received);
  if (unreadable == nullptr) return {};
  return b.sent(b.sessions.make_challenge(now, *unreadable, std::move(known), b.out));
}
inline Bytes handshake_for(Now now, Node& a, const Node& b, ByteView challenge, ByteView plain) {
  const auto received = a.take(now, b.place, challenge);
  const auto* whoareyou = as<ChallengeReceived>(received);
  CHECK(whoareyou != nullptr);
  const auto sealed =
      a.sessions.answer_challenge(b.peer(), b.public_key(), *whoareyou, plain, a.out);
  CHECK(sealed.has_value());
  return a.sent(sealed->size);
}
// A whole one; whether b took it.
inline bool connect(Now now, Node& a, Node& b) {
  const Bytes challenge = challenge_for(now, b, a.place, random_packet(a, b));
  CHECK(!challenge.empty());
  const Bytes packet = handshake_for(now, a, b, challenge, text_bytes("hello"));
  return as<MessageReceived>(b.take(now, a.place, packet)) != nullptr;
}

}  // namespace ethnet::discv5::testing
