// The root of a Merkle-Patricia trie over a set of keys and values (Yellow Paper, appendix D),
// computed straight from the sorted set: no nodes are kept.
//
//   std::vector<trie::Entry> entries{...};
//   const Hash32 root = trie::root_of(std::move(entries));        // keys as they are
//   const Hash32 root = trie::secure_root_of(std::move(entries)); // keys hashed first
//
// Threading: pure functions. Limits: keys up to kMaxKeyBytes (CHECK: keys are ours or hashes, never
// a peer's choice of length); memory is proportional to the input; recursion is as deep as the
// longest common prefix, two levels a key byte at most.
#pragma once

#include <vector>

#include <base/bytes.hpp>
#include <types/hash.hpp>

namespace ethnet::trie {

inline constexpr std::size_t kMaxKeyBytes = 256;  // bytes of a key; bounds recursion

struct Entry {
  Bytes key;
  Bytes value;  // not empty: an empty value means that the key is absent
};

// CHECK: no two entries have the same key, no value is empty.
[[nodiscard]] Hash32 root_of(std::vector<Entry> entries);
// As state and storage tries are: the key is the Keccak-256 of the given key.
[[nodiscard]] Hash32 secure_root_of(std::vector<Entry> entries);
// Of a list of items by their RLP-encoded index: transactions, receipts, withdrawals.
[[nodiscard]] Hash32 ordered_root_of(const std::vector<Bytes>& items);

}  // namespace ethnet::trie
