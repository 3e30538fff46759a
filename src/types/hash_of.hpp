// Keccak-256 as a Hash32, and the hashes of what is empty.
#pragma once

#include <base/bytes.hpp>
#include <crypto/keccak.hpp>

#include "hash.hpp"

namespace ethnet {

[[nodiscard]] inline Hash32 hash_of(ByteView bytes) { return Hash32{crypto::keccak256(bytes)}; }

// Hashes of 64 hex digits, at compile time.
[[nodiscard]] consteval Hash32 hash_literal(std::string_view digits) {
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Hash32 out;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) {
    out.bytes[i] = static_cast<std::byte>(value(digits[2 * i]) * 16 + value(digits[2 * i + 1]));
  }
  return out;
}

// Keccak-256 of nothing: the code hash of an account without code.
inline constexpr Hash32 kEmptyCodeHash =
    hash_literal("c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
// Of the RLP of an empty list: no ommers; an empty block access list.
inline constexpr Hash32 kEmptyListHash =
    hash_literal("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347");
// The root of an empty trie: no transactions, receipts, withdrawals, storage.
inline constexpr Hash32 kEmptyTrieRoot =
    hash_literal("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
// SHA-256 of nothing: no requests (EIP-7685).
inline constexpr Hash32 kEmptyRequestsHash =
    hash_literal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

}  // namespace ethnet
