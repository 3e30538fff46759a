// HeaderTree: every known header once, whatever branches share it (docs/adr/0001), and none longer
// than it is of use (docs/adr/0002).
//
// A node is a slot. Each knows its parent, its children (a list through the siblings) and one far
// ancestor (a skip pointer), so that any ancestor is found in O(log n). What is released leaves its
// slot to a later header: whoever holds a NodeIndex across a release either knows that its node was
// kept, or compares `arrival`, which is never given twice.
// The root is the lowest header that is kept. Raising it releases all that does not descend from
// it. Threading: one thread. Limits: the memory limit, in bytes, bounds the tree.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <types/hash.hpp>

#include "hash_index.hpp"

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
    std::uint64_t arrival = 0;  // order of arrival, from 0 for the first root
    NodeIndex parent = kNoNode;
    NodeIndex skip = kNoNode;   // of use while its number is not below the root's
    NodeIndex below = kNoNode;  // the first child; of a leaf: its place among the leaves
    NodeIndex next_sibling = kNoNode;
    NodeIndex previous_sibling = kNoNode;
    std::uint16_t header_size = 0;
    bool leaf = false;  // without a child, and listed so
    Bytes encoded;      // header, signature
  };

  // `hash_seed`: for the hash table, since keys come from peers. The root is node 0.
  HeaderTree(const Hash32& root_hash, std::uint64_t root_number, ByteView root_header,
             std::uint64_t memory_limit, std::uint64_t hash_seed);

  // Adds a child of a known node. Errors: duplicate, unknown_parent, memory_limit; nothing changes
  // then. CHECK: header below 64 KiB.
  [[nodiscard]] Result<NodeIndex> insert(const Hash32& hash, const Hash32& parent, ByteView header,
                                         ByteView signature);
  // The same for who has looked both up: `hash` is not known, `parent` is kept. Error:
  // memory_limit.
  [[nodiscard]] Result<NodeIndex> insert_under(NodeIndex parent, const Hash32& hash,
                                               ByteView header, ByteView signature);
  // What a header and its signature take of the memory limit.
  [[nodiscard]] static std::uint64_t cost_of(std::size_t header_and_signature);
  [[nodiscard]] bool has_room(std::uint64_t cost) const { return memory_ + cost <= memory_limit_; }

  // Releases one node. CHECK: it is a leaf and not the root.
  void release_leaf(NodeIndex index);
  // Releases everything that does not descend from `new_root`, and returns how many.
  std::size_t raise_root(NodeIndex new_root);

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] NodeIndex root() const { return root_; }
  [[nodiscard]] std::uint64_t root_number() const { return root_number_; }
  [[nodiscard]] std::uint64_t next_arrival() const { return next_arrival_; }
  [[nodiscard]] const Node& node(NodeIndex index) const {
    return blocks_[index / kBlockNodes][index % kBlockNodes];
  }
  [[nodiscard]] bool is_leaf(NodeIndex index) const { return node(index).leaf; }
  [[nodiscard]] std::optional<NodeIndex> find(const Hash32& hash) const;
  [[nodiscard]] ByteView header(NodeIndex index) const;
  [[nodiscard]] ByteView signature(NodeIndex index) const;
  // The ancestor (or the node itself) at `number`. CHECK: root's number <= number <= node's.
  [[nodiscard]] NodeIndex ancestor(NodeIndex index, std::uint64_t number) const;
  // One hop of ancestor(): the node from which it goes on. O(log n) hops lead to any ancestor.
  // CHECK: number < node's.
  [[nodiscard]] NodeIndex hop(NodeIndex index, std::uint64_t number) const;
  [[nodiscard]] NodeIndex common_ancestor(NodeIndex a, NodeIndex b) const;
  // True when `ancestor` lies on the path from `index` to the root, both included.
  [[nodiscard]] bool descends(NodeIndex index, NodeIndex ancestor_index) const;
  // The nodes without a child. In no order that means anything, and always the same one after the
  // same calls.
  [[nodiscard]] std::span<const NodeIndex> leaves() const { return leaves_; }
  // The leaf that is the least worth keeping: the lowest number, of one number the first to arrive.
  // Those of which `skip(node)` is true do not count, and cost a step each.
  template <class Skip>
  [[nodiscard]] std::optional<NodeIndex> lowest_leaf(Skip skip) const {
    return lowest_leaf_from(0, skip);
  }
  [[nodiscard]] std::uint64_t memory_bytes() const { return memory_; }
  [[nodiscard]] std::uint64_t memory_limit() const { return memory_limit_; }

 private:
  static constexpr std::size_t kBlockNodes = 1024;  // nodes lie in blocks that never move

  [[nodiscard]] Node& at(NodeIndex index) {
    return blocks_[index / kBlockNodes][index % kBlockNodes];
  }
  [[nodiscard]] bool is_lower(NodeIndex a, NodeIndex b) const {
    return std::pair{node(a).number, node(a).arrival} < std::pair{node(b).number, node(b).arrival};
  }
  // Below a leaf that does not count, the lowest is at one side or the other.
  template <class Skip>
  [[nodiscard]] std::optional<NodeIndex> lowest_leaf_from(std::size_t place, Skip& skip) const {
    if (place >= leaves_.size()) return std::nullopt;
    if (!skip(leaves_[place])) return leaves_[place];
    const auto left = lowest_leaf_from(2 * place + 1, skip);
    const auto right = lowest_leaf_from(2 * place + 2, skip);
    if (!left || !right) return left ? left : right;
    return is_lower(*left, *right) ? left : right;
  }
  void add_leaf(NodeIndex index);
  void remove_leaf(NodeIndex index);
  void replace_leaf(NodeIndex index, NodeIndex child);
  void put_leaf(std::size_t place, NodeIndex index);
  void rise(std::size_t place);
  void sink(std::size_t place);
  [[nodiscard]] NodeIndex take_slot();
  NodeIndex place(const Hash32& hash, std::uint64_t number, ByteView header, ByteView signature);
  void unlink(NodeIndex index);
  void vacate(NodeIndex index);
  void release_subtree(NodeIndex top);
  [[nodiscard]] NodeIndex skip_of(NodeIndex parent, std::uint64_t number) const;

  std::vector<std::vector<Node>> blocks_;
  std::size_t slots_ = 0;          // used at some time
  NodeIndex free_slot_ = kNoNode;  // the last one released; the others follow by `parent`
  std::size_t size_ = 0;
  std::uint64_t next_arrival_ = 0;
  NodeIndex root_ = 0;
  std::uint64_t root_number_ = 0;
  HashIndex by_hash_;
  // A heap by is_lower: the lowest first. A branch that grows keeps its place, since it has become
  // higher, or changes it with a few below: what that costs does not depend on how many there are.
  std::vector<NodeIndex> leaves_;
  std::uint64_t memory_limit_;
  std::uint64_t memory_ = 0;
};

}  // namespace ethnet::chain
