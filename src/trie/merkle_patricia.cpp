#include "merkle_patricia.hpp"

#include <algorithm>
#include <span>

#include <codec/rlp_writer.hpp>
#include <crypto/keccak.hpp>

namespace ethnet::trie {
namespace {

using Nibbles = std::vector<std::uint8_t>;  // one a byte, 0 to 15

// A key as its path through the trie, most significant nibble first.
struct Leaf {
  Nibbles path;
  ByteView value;
};
using Leaves = std::span<const Leaf>;

Nibbles to_nibbles(ByteView key) {
  CHECK(key.size() <= kMaxKeyBytes);
  Nibbles out;
  out.reserve(key.size() * 2);
  for (const std::byte b : key) {
    out.push_back(std::to_integer<std::uint8_t>(b >> 4));
    out.push_back(std::to_integer<std::uint8_t>(b & std::byte{0x0f}));
  }
  return out;
}

// Hex-prefix encoding (Yellow Paper, appendix C): a flag nibble says leaf or extension, odd or
// even.
Bytes hex_prefix(std::span<const std::uint8_t> path, bool is_leaf) {
  const bool odd = path.size() % 2 != 0;
  Bytes out{std::byte{is_leaf ? std::uint8_t{0x20} : std::uint8_t{0x00}}};
  if (odd) {
    out.front() |= std::byte{0x10} | std::byte{path.front()};
    path = path.subspan(1);
  }
  for (; !path.empty(); path = path.subspan(2)) {
    out.push_back((std::byte{path[0]} << 4) | std::byte{path[1]});
  }
  return out;
}

// How a parent refers to a node: the node itself where it is short, otherwise its hash.
void write_reference(rlp::Writer& out, ByteView node) {
  if (node.size() < 32) return out.write_raw(node);
  out.write_bytes(crypto::keccak256(node));
}

std::size_t common_prefix(const Nibbles& a, const Nibbles& b, std::size_t from) {
  std::size_t at = from;
  while (at < a.size() && at < b.size() && a[at] == b[at]) ++at;
  return at;
}

Bytes encode_node(Leaves leaves, std::size_t depth);

Bytes encode_leaf(const Leaf& leaf, std::size_t depth) {
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_bytes(hex_prefix(std::span{leaf.path}.subspan(depth), true));
  out.write_bytes(leaf.value);
  out.end_list(list);
  return std::move(out).take();
}

Bytes encode_extension(Leaves leaves, std::size_t depth, std::size_t shared) {
  rlp::Writer out;
  const auto list = out.begin_list();
  const std::span path{leaves.front().path};
  out.write_bytes(hex_prefix(path.subspan(depth, shared - depth), false));
  write_reference(out, encode_node(leaves, shared));
  out.end_list(list);
  return std::move(out).take();
}

// Sixteen children and the value of the key that ends here, which sorts first.
Bytes encode_branch(Leaves leaves, std::size_t depth) {
  ByteView value;
  if (leaves.front().path.size() == depth) {
    value = leaves.front().value;
    leaves = leaves.subspan(1);
  }
  rlp::Writer out;
  const auto list = out.begin_list();
  for (std::uint8_t nibble = 0; nibble < 16; ++nibble) {
    const auto other = [&](const Leaf& leaf) { return leaf.path[depth] != nibble; };
    const auto end = std::ranges::find_if(leaves, other);
    const auto count = static_cast<std::size_t>(end - leaves.begin());
    if (count == 0) {
      out.write_bytes({});
    } else {
      write_reference(out, encode_node(leaves.first(count), depth + 1));
    }
    leaves = leaves.subspan(count);
  }
  CHECK(leaves.empty());
  out.write_bytes(value);
  out.end_list(list);
  return std::move(out).take();
}

// The node under which all of `leaves` (sorted, at least one) lie, their paths equal up to `depth`.
Bytes encode_node(Leaves leaves, std::size_t depth) {
  if (leaves.size() == 1) return encode_leaf(leaves.front(), depth);
  // Sorted: what the first and the last share, all share.
  const std::size_t shared = common_prefix(leaves.front().path, leaves.back().path, depth);
  if (shared > depth) return encode_extension(leaves, depth, shared);
  return encode_branch(leaves, depth);
}

}  // namespace

Hash32 root_of(std::vector<Entry> entries) {
  std::ranges::sort(entries, {}, &Entry::key);
  const auto same_key = [](const Entry& a, const Entry& b) { return a.key == b.key; };
  CHECK(std::ranges::adjacent_find(entries, same_key) == entries.end());
  std::vector<Leaf> leaves;
  leaves.reserve(entries.size());
  for (const Entry& entry : entries) {
    CHECK(!entry.value.empty());
    leaves.push_back({to_nibbles(entry.key), entry.value});
  }
  if (leaves.empty()) {
    rlp::Writer empty;
    empty.write_bytes({});
    return Hash32{crypto::keccak256(empty.view())};
  }
  return Hash32{crypto::keccak256(encode_node(leaves, 0))};
}

Hash32 secure_root_of(std::vector<Entry> entries) {
  for (Entry& entry : entries) entry.key = to_bytes(crypto::keccak256(entry.key));
  return root_of(std::move(entries));
}

Hash32 ordered_root_of(const std::vector<Bytes>& items) {
  std::vector<Entry> entries;
  entries.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    rlp::Writer key;
    key.write_uint(i);
    entries.push_back({std::move(key).take(), items[i]});
  }
  return root_of(std::move(entries));
}

}  // namespace ethnet::trie
