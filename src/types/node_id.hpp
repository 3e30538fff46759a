// From public keys to the names of nodes and accounts, and Kademlia's distance between nodes.
#pragma once

#include <bit>

#include <base/bytes.hpp>
#include <crypto/secp256k1.hpp>

#include "address.hpp"
#include "hash.hpp"

namespace ethnet {

// Keccak-256 of x ‖ y (EIP-778, "v4").
[[nodiscard]] inline NodeId make_node_id(const crypto::PublicKey& key) {
  return NodeId{crypto::node_id_of(key)};
}

// The account that the same key controls: the last 20 bytes of its node id.
[[nodiscard]] inline Address make_address(const crypto::PublicKey& key) {
  const NodeId id = make_node_id(key);
  Address out;
  copy_into(out.bytes, id.view().last(20));
  return out;
}

[[nodiscard]] inline ByteArray<32> xor_distance(const NodeId& a, const NodeId& b) {
  ByteArray<32> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = a.bytes[i] ^ b.bytes[i];
  return out;
}

// Index of the highest bit in which they differ, 1 to 256; 0 for a node and itself.
[[nodiscard]] inline unsigned log_distance(const NodeId& a, const NodeId& b) {
  const ByteArray<32> distance = xor_distance(a, b);
  for (std::size_t i = 0; i < distance.size(); ++i) {
    const auto octet = std::to_integer<std::uint8_t>(distance[i]);
    if (octet != 0) return static_cast<unsigned>(8 * (31 - i)) + std::bit_width(octet);
  }
  return 0;
}

// Whether a is strictly closer to target than b.
[[nodiscard]] inline bool closer(const NodeId& target, const NodeId& a, const NodeId& b) {
  return xor_distance(target, a) < xor_distance(target, b);
}

}  // namespace ethnet
