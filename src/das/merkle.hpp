// The Merkle tree over the chunks of a data set. Levels are built from below; a node without a
// right neighbour is moved up as it is, which gives the tree of RFC 6962 (Merkle Tree Hash), with
// Keccak-256 and prefixes of our own. Nothing is duplicated to fill a level, so no two lists of
// leaves have one root, and the number of leaves and the index alone say how long a proof is and on
// which side each of its hashes stands. Pure. Limits: the caller's, on the number of leaves.
#pragma once

#include <cstdint>
#include <vector>

#include <base/bytes.hpp>
#include <types/hash.hpp>

namespace ethnet::das {

[[nodiscard]] Hash32 leaf_hash(std::uint32_t index, ByteView chunk);
[[nodiscard]] Hash32 node_hash(const Hash32& left, const Hash32& right);

// Bytes of the proof of leaf `index` of `count`. CHECK: index < count.
[[nodiscard]] std::size_t proof_size(std::uint32_t index, std::uint32_t count);
// The root that follows from a leaf and its proof. CHECK: the proof has proof_size() bytes.
[[nodiscard]] Hash32 fold_proof(const Hash32& leaf, std::uint32_t index, std::uint32_t count,
                                ByteView proof);

class MerkleTree {
 public:
  // CHECK: at least one leaf.
  explicit MerkleTree(std::vector<Hash32> leaves);
  // All nodes, as nodes() gave them, of a tree of `leaves`. CHECK: as many as such a tree has.
  [[nodiscard]] static MerkleTree from_nodes(std::uint32_t leaves, std::vector<Hash32> nodes);

  [[nodiscard]] const Hash32& root() const { return nodes_.back(); }
  [[nodiscard]] std::uint32_t leaf_count() const { return leaves_; }
  // The hashes beside the path from leaf `index` to the root, from below. CHECK: there is one.
  [[nodiscard]] Bytes proof(std::uint32_t index) const;
  // Level by level from the leaves, the root last.
  [[nodiscard]] const std::vector<Hash32>& nodes() const { return nodes_; }
  [[nodiscard]] std::size_t memory_bytes() const { return nodes_.size() * sizeof(Hash32); }

 private:
  MerkleTree(std::uint32_t leaves, std::vector<Hash32> nodes)
      : leaves_{leaves}, nodes_{std::move(nodes)} {}

  std::uint32_t leaves_;
  std::vector<Hash32> nodes_;
};

}  // namespace ethnet::das
