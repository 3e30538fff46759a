// For tests: keys, places, and packets of any content under a right hash and signature.
#pragma once

#include <memory>

#include <base/instant.hpp>
#include <base/prng.hpp>
#include <base/secure_rng.hpp>
#include <codec/rlp_writer.hpp>
#include <crypto/keccak.hpp>
#include <crypto/secp256k1.hpp>
#include <types/enr.hpp>
#include <types/node_id.hpp>

#include "../wire/packet.hpp"

namespace ethnet::discv4::testing {

class TestRng final : public SecureRng {
 public:
  explicit TestRng(std::uint64_t seed) : prng_{seed} {}
  void fill(MutByteView out) noexcept override {
    for (std::byte& b : out) b = static_cast<std::byte>(prng_.next());
  }

 private:
  Prng prng_;
};

inline constexpr std::uint64_t kEpoch = 1'700'000'000;
inline Now at(Duration since_start) {
  return {Instant{1'000'000'000} + since_start, UnixTime::from_seconds(kEpoch) + since_start};
}

inline std::shared_ptr<const crypto::SecretKey> key_of(std::uint64_t number) {
  ByteArray<32> bytes{};
  store_be<std::uint64_t>(MutByteView{bytes}.last(8), number + 1);
  return std::make_shared<const crypto::SecretKey>(crypto::SecretKey::from_bytes(bytes).value());
}
inline NodeId id_of(std::uint64_t number) { return make_node_id(key_of(number)->public_key()); }

// Each in a /24 of its own.
inline Endpoint place_of(std::uint64_t number, std::uint16_t port = 30303) {
  return {IpAddress::v4({static_cast<std::byte>(20 + (number >> 16)),
                         static_cast<std::byte>(number >> 8), static_cast<std::byte>(number),
                         std::byte{1}}),
          port};
}
inline Place wire_place(const Endpoint& at, std::uint16_t tcp = 0) { return {at.ip, at.port, tcp}; }

inline Bytes packet_of(const Message& message, const crypto::SecretKey& key) {
  Bytes out(encoded_size(message));
  CHECK(encode(message, key, out).has_value());
  return out;
}
inline Hash32 hash_of_packet(ByteView packet) {
  Hash32 out;
  copy_into(out.bytes, packet.first(32));
  return out;
}
// Any type, any bytes in the place of the list.
inline Bytes raw_packet(std::uint8_t type, ByteView data, const crypto::SecretKey& key) {
  Bytes out(kHeaderBytes - 1);
  out.push_back(static_cast<std::byte>(type));
  append(out, data);
  const MutByteView all{out};
  copy_into(all.subspan(32),
            crypto::sign(key, crypto::keccak256(ByteView{out}.subspan(kHeaderBytes - 1))));
  copy_into(all, crypto::keccak256(ByteView{out}.subspan(32)));
  return out;
}
// A list that `write` fills.
template <class F>
Bytes list_of(F write) {
  rlp::Writer out;
  const auto list = out.begin_list();
  write(out);
  out.end_list(list);
  return std::move(out).take();
}

}  // namespace ethnet::discv4::testing
