// Signed records of made-up nodes, for tests of discovery.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <base/instant.hpp>
#include <crypto/secp256k1.hpp>
#include <types/enr.hpp>
#include <types/node_id.hpp>

#include "../record.hpp"

namespace ethnet::kbucket::testing {

// The key of the node with this number.
inline crypto::SecretKey key_of(std::uint64_t number) {
  ByteArray<32> bytes{};
  store_be<std::uint64_t>(MutByteView{bytes}.last(8), number + 1);
  return crypto::SecretKey::from_bytes(bytes).value();
}

inline Endpoint endpoint(std::string_view text) { return Endpoint::parse(text).value(); }

inline VerifiedEnr enr_of(std::uint64_t number, const Endpoint& at, std::uint64_t seq = 1) {
  EnrBuilder builder{seq};
  builder.ip(at.ip);
  at.ip.is_v4() ? builder.quic(at.port) : builder.quic6(at.port);
  return builder.sign(key_of(number)).value();
}

inline RecordPtr record_of(std::uint64_t number, const Endpoint& at, std::uint64_t seq = 1) {
  return NodeRecord::of(enr_of(number, at, seq));
}

// An address of its own /24 for each number below 2^16.
inline Endpoint own_subnet(std::uint64_t number, std::uint16_t port = 9000) {
  return {IpAddress::v4({std::byte{8}, static_cast<std::byte>(number >> 8),
                         static_cast<std::byte>(number), std::byte{1}}),
          port};
}

// Host `host` of one /24 that all share.
inline Endpoint shared_subnet(std::uint8_t host, std::uint16_t port = 9000) {
  return {IpAddress::v4({std::byte{9}, std::byte{9}, std::byte{9}, std::byte{host}}), port};
}

// An IPv6 /64 of its own for each number below 2^16, of one /48 that all share.
inline Endpoint own_subnet6(std::uint64_t number, std::uint16_t port = 9000) {
  ByteArray<16> bytes{std::byte{0x2a}, {}, {}, {}, std::byte{3}, std::byte{4}};
  bytes[6] = static_cast<std::byte>(number >> 8);
  bytes[7] = static_cast<std::byte>(number);
  bytes[15] = std::byte{1};
  return {IpAddress::v6(bytes), port};
}
// A /48 of its own.
inline Endpoint own_net6(std::uint64_t number, std::uint16_t port = 9000) {
  ByteArray<16> bytes{std::byte{0x2a}, std::byte{0x10}};
  bytes[4] = static_cast<std::byte>(number >> 8);
  bytes[5] = static_cast<std::byte>(number);
  bytes[15] = std::byte{1};
  return {IpAddress::v6(bytes), port};
}

inline NodeId id_of(std::uint64_t number) { return make_node_id(key_of(number).public_key()); }

inline Now at(Duration since_start) {
  return {Instant{1'000'000'000} + since_start,
          UnixTime::from_seconds(1'700'000'000) + since_start};
}

}  // namespace ethnet::kbucket::testing
