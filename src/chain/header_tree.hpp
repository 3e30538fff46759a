// HeaderTree: every known header once, whatever branches share it (docs/adr/0001).
//
// A node is its index: the order of arrival. Each knows its parent, its first child and next
// sibling, and one far ancestor (a skip pointer), so that any ancestor is found in O(log n).
// Headers lie encoded in chunks that never move. Nodes are never removed; the memory limit bounds
// the tree. Threading: one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <types/hash.hpp>

namespace ethnet::chain {

enum class TreeError : std::uint16_t { memory_limit = 1, unknown_parent, duplicate };
[[nodiscard]] const ErrorDomain& error_domain(TreeError);

using NodeIndex = std::uint32_t;
inline constexpr NodeIndex kNoNode = UINT32_MAX;

class HeaderTree {
 public:
  struct Node {
    Hash32 hash;
    std::uint64_t number = 0;
    NodeIndex parent = kNoNode;
    NodeIndex skip = kNoNode;
    NodeIndex first_child = kNoNode;
    NodeIndex next_sibling = kNoNode;
    std::uint32_t chunk = 0;
    std::uint32_t offset = 0;
    std::uint16_t header_size = 0;
    std::uint16_t signature_size = 0;
  };

  // `hash_seed`: for the hash table, since keys come from peers. The root is node 0.
  HeaderTree(const Hash32& root_hash, std::uint64_t root_number, ByteView root_header,
             std::uint64_t memory_limit, std::uint64_t hash_seed);

  // Adds a child of a known node. Errors: duplicate, unknown_parent, memory_limit; nothing changes
  // then. CHECK: header below 64 KiB.
  [[nodiscard]] Result<NodeIndex> insert(const Hash32& hash, const Hash32& parent, ByteView header,
                                         ByteView signature);

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] const Node& node(NodeIndex index) const { return nodes_[index]; }
  [[nodiscard]] std::optional<NodeIndex> find(const Hash32& hash) const;
  [[nodiscard]] ByteView header(NodeIndex index) const;
  [[nodiscard]] ByteView signature(NodeIndex index) const;
  // The ancestor (or the node itself) at `number`. CHECK: root's number <= number <= node's.
  [[nodiscard]] NodeIndex ancestor(NodeIndex index, std::uint64_t number) const;
  [[nodiscard]] NodeIndex common_ancestor(NodeIndex a, NodeIndex b) const;
  // True when `ancestor` lies on the path from `index` to the root, both included.
  [[nodiscard]] bool descends(NodeIndex index, NodeIndex ancestor_index) const;
  // Nodes without a child, in order of arrival.
  [[nodiscard]] const std::set<NodeIndex>& leaves() const { return leaves_; }
  [[nodiscard]] std::uint64_t memory_bytes() const { return memory_; }

 private:
  static constexpr std::size_t kChunkBytes = 1024 * 1024;

  void store(Node& node, ByteView header, ByteView signature);
  [[nodiscard]] NodeIndex skip_of(NodeIndex parent, std::uint64_t number) const;

  std::vector<Node> nodes_;
  std::vector<Bytes> chunks_;
  std::unordered_map<Hash32, NodeIndex, SeededHash> by_hash_;  // looked up, never iterated
  std::set<NodeIndex> leaves_;
  std::uint64_t memory_limit_;
  std::uint64_t memory_ = 0;
};

}  // namespace ethnet::chain
