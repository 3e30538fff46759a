#include "header_tree.hpp"

#include <algorithm>

#include <base/check.hpp>

namespace ethnet::chain {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<TreeError>(code)) {
    case TreeError::memory_limit:
      return "memory limit of the header tree reached";
    case TreeError::unknown_parent:
      return "parent is unknown";
    case TreeError::duplicate:
      return "header is known";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"tree", describe};

// A node, its entry in the hash table and among the leaves, roughly.
constexpr std::uint64_t kNodeOverhead = sizeof(HeaderTree::Node) + 96;

std::uint64_t clear_lowest_bit(std::uint64_t n) { return n & (n - 1); }

// The number that the skip pointer of `number` leads to (Pugh's skip lists, made deterministic by
// the bits of the number): far jumps from few nodes, so that any ancestor is O(log n) away.
std::uint64_t skip_number(std::uint64_t number) {
  if (number < 2) return 0;
  return (number & 1) != 0 ? clear_lowest_bit(clear_lowest_bit(number - 1)) + 1
                           : clear_lowest_bit(number);
}

}  // namespace

const ErrorDomain& error_domain(TreeError) { return kDomain; }

HeaderTree::HeaderTree(const Hash32& root_hash, std::uint64_t root_number, ByteView root_header,
                       std::uint64_t memory_limit, std::uint64_t hash_seed)
    : by_hash_{16, SeededHash{hash_seed}}, memory_limit_{memory_limit} {
  Node root;
  root.hash = root_hash;
  root.number = root_number;
  store(root, root_header, {});
  nodes_.push_back(root);
  by_hash_.emplace(root_hash, 0);
  leaves_.insert(0);
  memory_ += kNodeOverhead;
}

void HeaderTree::store(Node& node, ByteView header, ByteView signature) {
  const std::size_t size = header.size() + signature.size();
  CHECK(size <= UINT16_MAX);
  if (chunks_.empty() || chunks_.back().capacity() - chunks_.back().size() < size) {
    chunks_.emplace_back();
    chunks_.back().reserve(kChunkBytes);
  }
  Bytes& chunk = chunks_.back();
  node.chunk = static_cast<std::uint32_t>(chunks_.size() - 1);
  node.offset = static_cast<std::uint32_t>(chunk.size());
  node.header_size = static_cast<std::uint16_t>(header.size());
  node.signature_size = static_cast<std::uint16_t>(signature.size());
  append(chunk, header);
  append(chunk, signature);
  memory_ += size;
}

Result<NodeIndex> HeaderTree::insert(const Hash32& hash, const Hash32& parent, ByteView header,
                                     ByteView signature) {
  if (by_hash_.contains(hash)) return fail(TreeError::duplicate);
  const auto parent_index = find(parent);
  if (!parent_index) return fail(TreeError::unknown_parent);
  const std::uint64_t cost = kNodeOverhead + header.size() + signature.size();
  if (memory_ + cost > memory_limit_ || nodes_.size() >= kNoNode) {
    return fail(TreeError::memory_limit);
  }
  const auto index = static_cast<NodeIndex>(nodes_.size());
  Node node;
  node.hash = hash;
  node.number = nodes_[*parent_index].number + 1;
  node.parent = *parent_index;
  node.skip = skip_of(*parent_index, node.number);
  node.next_sibling = nodes_[*parent_index].first_child;
  store(node, header, signature);
  nodes_.push_back(node);
  nodes_[*parent_index].first_child = index;
  by_hash_.emplace(hash, index);
  leaves_.erase(*parent_index);
  leaves_.insert(index);
  memory_ += kNodeOverhead;
  return index;
}

NodeIndex HeaderTree::skip_of(NodeIndex parent, std::uint64_t number) const {
  const std::uint64_t root = nodes_.front().number;
  return ancestor(parent, root + skip_number(number - root));
}

std::optional<NodeIndex> HeaderTree::find(const Hash32& hash) const {
  const auto it = by_hash_.find(hash);
  if (it == by_hash_.end()) return std::nullopt;
  return it->second;
}

ByteView HeaderTree::header(NodeIndex index) const {
  const Node& node = nodes_[index];
  return ByteView{chunks_[node.chunk]}.subspan(node.offset, node.header_size);
}

ByteView HeaderTree::signature(NodeIndex index) const {
  const Node& node = nodes_[index];
  return ByteView{chunks_[node.chunk]}.subspan(node.offset + node.header_size, node.signature_size);
}

NodeIndex HeaderTree::ancestor(NodeIndex index, std::uint64_t number) const {
  CHECK(number >= nodes_.front().number && number <= nodes_[index].number);
  while (nodes_[index].number > number) {
    const Node& node = nodes_[index];
    const bool jump = node.skip != kNoNode && nodes_[node.skip].number >= number;
    index = jump ? node.skip : node.parent;
  }
  return index;
}

NodeIndex HeaderTree::common_ancestor(NodeIndex a, NodeIndex b) const {
  const std::uint64_t level = std::min(nodes_[a].number, nodes_[b].number);
  a = ancestor(a, level);
  b = ancestor(b, level);
  while (a != b) {
    // Equal numbers have skip pointers to equal numbers.
    const bool jump = nodes_[a].skip != nodes_[b].skip;
    a = jump ? nodes_[a].skip : nodes_[a].parent;
    b = jump ? nodes_[b].skip : nodes_[b].parent;
  }
  return a;
}

bool HeaderTree::descends(NodeIndex index, NodeIndex ancestor_index) const {
  const std::uint64_t number = nodes_[ancestor_index].number;
  return number <= nodes_[index].number && ancestor(index, number) == ancestor_index;
}

}  // namespace ethnet::chain
