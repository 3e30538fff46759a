#include "merkle.hpp"

#include <utility>

#include <base/check.hpp>
#include <crypto/keccak.hpp>

namespace ethnet::das {
namespace {

constexpr ByteArray<1> kLeafPrefix{std::byte{0x00}};
constexpr ByteArray<1> kNodePrefix{std::byte{0x01}};

// Of a level with `count` nodes: how many stand above it.
std::size_t level_above(std::size_t count) { return count / 2 + count % 2; }

std::size_t node_count(std::size_t leaves) {
  std::size_t total = leaves;
  for (std::size_t level = leaves; level > 1;) {
    level = level_above(level);
    total += level;
  }
  return total;
}

// Calls `step(index, count)` for each level at which the path of a leaf has a neighbour.
template <class Step>
void walk_up(std::size_t index, std::size_t count, Step step) {
  while (count > 1) {
    if (index % 2 == 1 || index + 1 < count) step(index, count);
    index /= 2;
    count = level_above(count);
  }
}

}  // namespace

Hash32 leaf_hash(std::uint32_t index, ByteView chunk) {
  crypto::Keccak256 hash;
  ByteArray<4> place{};
  store_be<std::uint32_t>(place, index);
  hash.update(kLeafPrefix);
  hash.update(place);
  hash.update(chunk);
  return {hash.finish()};
}

Hash32 node_hash(const Hash32& left, const Hash32& right) {
  crypto::Keccak256 hash;
  hash.update(kNodePrefix);
  hash.update(left.view());
  hash.update(right.view());
  return {hash.finish()};
}

std::size_t proof_size(std::uint32_t index, std::uint32_t count) {
  CHECK(index < count);
  std::size_t hashes = 0;
  walk_up(index, count, [&](std::size_t, std::size_t) { ++hashes; });
  return hashes * sizeof(Hash32);
}

Hash32 fold_proof(const Hash32& leaf, std::uint32_t index, std::uint32_t count, ByteView proof) {
  CHECK(proof.size() == proof_size(index, count));
  Hash32 at = leaf;
  walk_up(index, count, [&](std::size_t i, std::size_t) {
    Hash32 beside;
    copy_into(beside.bytes, proof.first(beside.bytes.size()));
    proof = proof.subspan(beside.bytes.size());
    at = i % 2 == 1 ? node_hash(beside, at) : node_hash(at, beside);
  });
  return at;
}

MerkleTree::MerkleTree(std::vector<Hash32> leaves)
    : leaves_{static_cast<std::uint32_t>(leaves.size())}, nodes_{std::move(leaves)} {
  CHECK(!nodes_.empty());
  nodes_.reserve(node_count(nodes_.size()));
  std::size_t begin = 0;
  for (std::size_t count = nodes_.size(); count > 1; count = level_above(count)) {
    for (std::size_t i = 0; i < count; i += 2) {
      const Hash32& left = nodes_[begin + i];
      nodes_.push_back(i + 1 < count ? node_hash(left, nodes_[begin + i + 1]) : Hash32{left});
    }
    begin += count;
  }
}

MerkleTree MerkleTree::from_nodes(std::uint32_t leaves, std::vector<Hash32> nodes) {
  CHECK(leaves > 0 && nodes.size() == node_count(leaves));
  return MerkleTree{leaves, std::move(nodes)};
}

Bytes MerkleTree::proof(std::uint32_t index) const {
  Bytes out;
  out.reserve(proof_size(index, leaves_));
  std::size_t begin = 0;
  std::size_t level = leaves_;
  walk_up(index, leaves_, [&](std::size_t i, std::size_t count) {
    for (; level > count; level = level_above(level)) begin += level;
    append(out, nodes_[begin + (i ^ 1U)].view());
  });
  return out;
}

}  // namespace ethnet::das
