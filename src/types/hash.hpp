// Hash32 (Keccak-256 of something) and NodeId (Keccak-256 of an uncompressed secp256k1 public key
// without its 0x04 prefix, EIP-778). Distinct types that do not convert into each other.
#pragma once

#include <compare>
#include <string>

#include <base/bytes.hpp>
#include <base/hex.hpp>
#include <base/sip_hash.hpp>

namespace ethnet {

template <class Tag>
struct Bytes32 {
  ByteArray<32> bytes{};

  [[nodiscard]] ByteView view() const { return bytes; }
  [[nodiscard]] std::string hex() const { return to_hex_0x(bytes); }
  // "0x1a2b…": for people; four digits identify nothing.
  [[nodiscard]] std::string short_hex() const { return to_hex_0x(ByteView{bytes}.first(2)) + "…"; }
  friend auto operator<=>(const Bytes32&, const Bytes32&) = default;
};

struct Hash32Tag;
struct NodeIdTag;
using Hash32 = Bytes32<Hash32Tag>;
using NodeId = Bytes32<NodeIdTag>;

// A hash for unordered containers. Keyed, since what it hashes comes from peers (attacks A.6).
struct SeededHash {
  std::uint64_t seed = 0;
  template <class Tag>
  std::size_t operator()(const Bytes32<Tag>& key) const {
    return static_cast<std::size_t>(sip_hash({seed, ~seed}, key.view()));
  }
};

// Errors: those of from_hex_into. 64 digits, with or without 0x.
template <class Tag>
[[nodiscard]] Result<Bytes32<Tag>> parse_bytes32(std::string_view text) {
  Bytes32<Tag> out;
  TRY(from_hex_into(text, out.bytes));
  return out;
}

}  // namespace ethnet
