#include "header_tree.hpp"

#include <algorithm>
#include <utility>

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

// A node, its entry in the hash table (at most four of 8 bytes) and among the leaves (at most two
// of 4), and as much again of who keeps indices, roughly.
constexpr std::uint64_t kNodeOverhead = sizeof(HeaderTree::Node) + 48;
static_assert(sizeof(HeaderTree::Node) == 96);
// What an allocation takes besides what was asked for, and to what it is rounded, roughly.
constexpr std::uint64_t kAllocation = 16;

std::uint64_t clear_lowest_bit(std::uint64_t n) { return n & (n - 1); }

// The number that the skip pointer of `number` leads to (Pugh's skip lists, made deterministic by
// the bits of the number): far jumps from few nodes, so that any ancestor is O(log n) away. It does
// not depend on the root, so that equal numbers lead to equal numbers whenever they were added.
std::uint64_t skip_number(std::uint64_t number) {
  if (number < 2) return 0;
  return (number & 1) != 0 ? clear_lowest_bit(clear_lowest_bit(number - 1)) + 1
                           : clear_lowest_bit(number);
}

}  // namespace

const ErrorDomain& error_domain(TreeError) { return kDomain; }

std::uint64_t HeaderTree::cost_of(std::size_t header_and_signature) {
  const std::uint64_t rounded = (header_and_signature + kAllocation - 1) & ~(kAllocation - 1);
  return kNodeOverhead + kAllocation + rounded;
}

HeaderTree::HeaderTree(const Hash32& root_hash, std::uint64_t root_number, ByteView root_header,
                       std::uint64_t memory_limit, std::uint64_t hash_seed)
    : root_number_{root_number}, by_hash_{hash_seed}, memory_limit_{memory_limit} {
  root_ = place(root_hash, root_number, root_header, {});
  add_leaf(root_);
}

NodeIndex HeaderTree::take_slot() {
  if (free_slot_ != kNoNode) return std::exchange(free_slot_, node(free_slot_).parent);
  if (slots_ % kBlockNodes == 0) {
    blocks_.emplace_back();
    blocks_.back().reserve(kBlockNodes);
  }
  blocks_.back().emplace_back();
  return static_cast<NodeIndex>(slots_++);
}

NodeIndex HeaderTree::place(const Hash32& hash, std::uint64_t number, ByteView header,
                            ByteView signature) {
  const NodeIndex index = take_slot();
  Node node;
  node.hash = hash;
  node.number = number;
  node.arrival = next_arrival_++;
  node.header_size = static_cast<std::uint16_t>(header.size());
  node.encoded.reserve(header.size() + signature.size());
  append(node.encoded, header);
  append(node.encoded, signature);
  memory_ += cost_of(node.encoded.size());
  at(index) = std::move(node);
  by_hash_.insert(hash, index);
  ++size_;
  return index;
}

Result<NodeIndex> HeaderTree::insert(const Hash32& hash, const Hash32& parent, ByteView header,
                                     ByteView signature) {
  if (find(hash)) return fail(TreeError::duplicate);
  const auto parent_index = find(parent);
  if (!parent_index) return fail(TreeError::unknown_parent);
  return insert_under(*parent_index, hash, header, signature);
}

Result<NodeIndex> HeaderTree::insert_under(NodeIndex parent, const Hash32& hash, ByteView header,
                                           ByteView signature) {
  CHECK(header.size() + signature.size() <= UINT16_MAX);
  if (!has_room(cost_of(header.size() + signature.size())) || size_ >= kNoNode) {
    return fail(TreeError::memory_limit);
  }
  const std::uint64_t number = node(parent).number + 1;
  const NodeIndex index = place(hash, number, header, signature);
  Node& added = at(index);
  added.parent = parent;
  added.skip = skip_of(parent, number);
  if (is_leaf(parent)) {
    replace_leaf(parent, index);
  } else {
    added.next_sibling = node(parent).below;
    at(added.next_sibling).previous_sibling = index;
    add_leaf(index);
  }
  at(parent).below = index;
  return index;
}

NodeIndex HeaderTree::skip_of(NodeIndex parent, std::uint64_t number) const {
  const std::uint64_t target = skip_number(number);
  return target < root_number_ ? kNoNode : ancestor(parent, target);
}

void HeaderTree::unlink(NodeIndex index) {
  const Node& gone = node(index);
  if (gone.previous_sibling != kNoNode) {
    at(gone.previous_sibling).next_sibling = gone.next_sibling;
  } else {
    at(gone.parent).below = gone.next_sibling;
  }
  if (gone.next_sibling != kNoNode) {
    at(gone.next_sibling).previous_sibling = gone.previous_sibling;
  }
}

void HeaderTree::vacate(NodeIndex index) {
  Node& gone = at(index);
  by_hash_.erase(gone.hash, index);
  memory_ -= cost_of(gone.encoded.size());
  gone = Node{};
  gone.arrival = UINT64_MAX;
  gone.parent = std::exchange(free_slot_, index);
  --size_;
}

void HeaderTree::put_leaf(std::size_t place, NodeIndex index) {
  leaves_[place] = index;
  at(index).below = static_cast<NodeIndex>(place);
}

void HeaderTree::rise(std::size_t place) {
  const NodeIndex index = leaves_[place];
  while (place > 0 && is_lower(index, leaves_[(place - 1) / 2])) {
    put_leaf(place, leaves_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  put_leaf(place, index);
}

void HeaderTree::sink(std::size_t place) {
  const NodeIndex index = leaves_[place];
  for (;;) {
    std::size_t next = 2 * place + 1;
    if (next + 1 < leaves_.size() && is_lower(leaves_[next + 1], leaves_[next])) ++next;
    if (next >= leaves_.size() || !is_lower(leaves_[next], index)) break;
    put_leaf(place, leaves_[next]);
    place = next;
  }
  put_leaf(place, index);
}

void HeaderTree::add_leaf(NodeIndex index) {
  at(index).leaf = true;
  leaves_.push_back(index);
  rise(leaves_.size() - 1);
}

void HeaderTree::remove_leaf(NodeIndex index) {
  const std::size_t place = node(index).below;
  CHECK(node(index).leaf && leaves_[place] == index);
  at(index).leaf = false;
  at(index).below = kNoNode;
  const NodeIndex last = leaves_.back();
  leaves_.pop_back();
  if (last == index) return;
  put_leaf(place, last);
  rise(place);
  sink(node(last).below);
}

void HeaderTree::replace_leaf(NodeIndex index, NodeIndex child) {
  const std::size_t place = node(index).below;
  at(index).leaf = false;
  at(child).leaf = true;
  put_leaf(place, child);
  sink(place);
}

void HeaderTree::release_leaf(NodeIndex index) {
  CHECK(is_leaf(index) && index != root_);
  const NodeIndex parent = node(index).parent;
  remove_leaf(index);
  unlink(index);
  vacate(index);
  if (node(parent).below == kNoNode) add_leaf(parent);
}

// Bottom up, without a stack: a branch may be as long as memory. Who loses its last child here is
// not listed as a leaf, since it goes next.
void HeaderTree::release_subtree(NodeIndex top) {
  NodeIndex index = top;
  for (;;) {
    if (is_leaf(index)) remove_leaf(index);
    if (node(index).below != kNoNode) {
      index = node(index).below;
      continue;
    }
    const NodeIndex parent = node(index).parent;
    unlink(index);
    vacate(index);
    if (index == top) return;
    index = parent;
  }
}

std::size_t HeaderTree::raise_root(NodeIndex new_root) {
  const std::size_t before = size_;
  // Downwards along the path to the new root, one at a time.
  std::vector<NodeIndex> path;
  for (NodeIndex index = new_root; index != root_; index = node(index).parent) {
    path.push_back(index);
  }
  std::ranges::reverse(path);
  for (const NodeIndex next : path) {
    while (node(root_).below != next || node(next).next_sibling != kNoNode) {
      const NodeIndex first = node(root_).below;
      release_subtree(first != next ? first : node(next).next_sibling);
    }
    vacate(root_);
    at(next).parent = kNoNode;
    root_ = next;
    root_number_ = node(next).number;
  }
  return before - size_;
}

std::optional<NodeIndex> HeaderTree::find(const Hash32& hash) const {
  return by_hash_.find(hash, [&](NodeIndex index) { return node(index).hash == hash; });
}

ByteView HeaderTree::header(NodeIndex index) const {
  return ByteView{node(index).encoded}.first(node(index).header_size);
}

ByteView HeaderTree::signature(NodeIndex index) const {
  return ByteView{node(index).encoded}.subspan(node(index).header_size);
}

NodeIndex HeaderTree::hop(NodeIndex index, std::uint64_t number) const {
  const Node& from = node(index);
  CHECK(number < from.number);
  // What is not below `number` is not below the root: that skip pointer's node was kept.
  const bool jump = skip_number(from.number) >= number && from.skip != kNoNode;
  return jump ? from.skip : from.parent;
}

NodeIndex HeaderTree::ancestor(NodeIndex index, std::uint64_t number) const {
  CHECK(number >= root_number_ && number <= node(index).number);
  while (node(index).number > number) index = hop(index, number);
  return index;
}

NodeIndex HeaderTree::common_ancestor(NodeIndex a, NodeIndex b) const {
  const std::uint64_t level = std::min(node(a).number, node(b).number);
  a = ancestor(a, level);
  b = ancestor(b, level);
  while (a != b) {
    // Equal numbers have skip pointers to equal numbers. Below the root both are one.
    const bool kept = skip_number(node(a).number) >= root_number_;
    const bool jump = kept && node(a).skip != node(b).skip;
    a = jump ? node(a).skip : node(a).parent;
    b = jump ? node(b).skip : node(b).parent;
  }
  return a;
}

bool HeaderTree::descends(NodeIndex index, NodeIndex ancestor_index) const {
  const std::uint64_t number = node(ancestor_index).number;
  return number <= node(index).number && ancestor(index, number) == ancestor_index;
}

}  // namespace ethnet::chain
