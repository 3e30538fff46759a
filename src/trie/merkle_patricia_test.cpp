// ethereum/tests TrieTests, and an oracle that inserts key by key.
#include "merkle_patricia.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include <codec/rlp_writer.hpp>
#include <codec/testing/vectors.hpp>
#include <crypto/keccak.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ethnet::trie {
namespace {

using nlohmann::json;
using Map = std::map<Bytes, Bytes>;

Bytes text_or_hex(const json& value) {
  const auto text = value.get<std::string>();
  if (text.starts_with("0x")) return testing::hex_bytes(value);
  return to_bytes(text_bytes(text));
}

// `in` is an object, or a list of [key, value] in order, where null deletes.
Map apply(const json& in) {
  Map map;
  const auto set = [&](const Bytes& key, const json& value) {
    if (value.is_null()) {
      map.erase(key);
    } else {
      map[key] = text_or_hex(value);
    }
  };
  if (in.is_object()) {
    for (const auto& [key, value] : in.items()) set(text_or_hex(json(key)), value);
  } else {
    for (const json& step : in) set(text_or_hex(step[0]), step[1]);
  }
  return map;
}

std::vector<Entry> entries_of(const Map& map) {
  std::vector<Entry> out;
  for (const auto& [key, value] : map) out.push_back({key, value});
  return out;
}

std::size_t run_file(const std::string& name, bool secure) {
  const json cases = testing::read_json("trie/" + name);
  for (const auto& [label, test] : cases.items()) {
    SCOPED_TRACE(name + " " + label);
    std::vector<Entry> entries = entries_of(apply(test["in"]));
    std::ranges::reverse(entries);  // the order of the input must not matter
    const Hash32 root = secure ? secure_root_of(entries) : root_of(entries);
    EXPECT_EQ(root.hex(), test["root"].get<std::string>());
  }
  return cases.size();
}

TEST(TrieVectors, Roots) {
  ETHNET_NEED_VECTORS();
  std::size_t count = 0;
  count += run_file("trietest.json", false);
  count += run_file("trieanyorder.json", false);
  count += run_file("trietest_secureTrie.json", true);
  count += run_file("trieanyorder_secureTrie.json", true);
  count += run_file("hex_encoded_securetrie_test.json", true);
  EXPECT_EQ(count, 25U);
  testing::report_vectors("trie_roots", count);
}

// Key ordering: the greatest key below and the least key above each probe.
TEST(TrieVectors, NextAndPrevious) {
  ETHNET_NEED_VECTORS();
  const json cases = testing::read_json("trie/trietestnextprev.json");
  for (const auto& [label, test] : cases.items()) {
    std::vector<Bytes> keys;
    for (const json& key : test["in"]) keys.push_back(text_or_hex(key));
    std::ranges::sort(keys, lex_less);
    for (const json& probe : test["tests"]) {
      SCOPED_TRACE(label + " " + probe.dump());
      const Bytes at = text_or_hex(probe[0]);
      const auto low = std::ranges::lower_bound(keys, at, lex_less);
      const auto high = std::ranges::upper_bound(keys, at, lex_less);
      EXPECT_EQ(low == keys.begin() ? Bytes{} : *std::prev(low), text_or_hex(probe[1]));
      EXPECT_EQ(high == keys.end() ? Bytes{} : *high, text_or_hex(probe[2]));
    }
  }
  EXPECT_EQ(cases.size(), 1U);
  testing::report_vectors("trie_next_prev", cases.size());
}

TEST(Trie, EmptySetHasTheKnownRoot) {
  EXPECT_EQ(root_of({}).hex(),
            "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
  EXPECT_EQ(ordered_root_of({}), root_of({}));
}

// --- an oracle: a trie of nodes, one insertion after another --------------------------------

struct Node {
  std::optional<Bytes> value;
  std::map<std::uint8_t, std::unique_ptr<Node>> children;
};

void insert(Node& root, ByteView key, const Bytes& value) {
  Node* at = &root;
  for (const std::byte b : key) {
    const auto octet = std::to_integer<unsigned>(b);
    for (const unsigned nibble : {octet >> 4, octet & 15U}) {
      auto& child = at->children[static_cast<std::uint8_t>(nibble)];
      if (!child) child = std::make_unique<Node>();
      at = child.get();
    }
  }
  at->value = value;
}

Bytes compact(const std::vector<std::uint8_t>& path, bool leaf) {
  std::string digits = leaf ? "2" : "0";
  if (path.size() % 2 == 0) {
    digits += '0';
  } else {
    digits = leaf ? "3" : "1";
  }
  for (const std::uint8_t nibble : path) digits += "0123456789abcdef"[nibble];
  return from_hex(digits).value();
}

void write_child(rlp::Writer& out, const Bytes& child) {
  if (child.size() < 32) {
    out.write_raw(child);
  } else {
    out.write_bytes(crypto::keccak256(child));
  }
}

// Follows a chain of only children, then encodes what it leads to.
Bytes collapse(const Node& node) {
  std::vector<std::uint8_t> path;
  const Node* at = &node;
  while (!at->value && at->children.size() == 1) {
    path.push_back(at->children.begin()->first);
    at = at->children.begin()->second.get();
  }
  rlp::Writer out;
  const auto list = out.begin_list();
  if (at->children.empty()) {
    out.write_bytes(compact(path, true));
    out.write_bytes(*at->value);
  } else if (!path.empty()) {
    out.write_bytes(compact(path, false));
    write_child(out, collapse(*at));
  } else {
    for (std::uint8_t nibble = 0; nibble < 16; ++nibble) {
      const auto child = at->children.find(nibble);
      if (child == at->children.end()) {
        out.write_bytes({});
      } else {
        write_child(out, collapse(*child->second));
      }
    }
    out.write_bytes(at->value.value_or(Bytes{}));
  }
  out.end_list(list);
  return std::move(out).take();
}

TEST(TrieProperties, EqualsTheOracle) {
  EXPECT_TRUE(rc::check("root_of equals a trie that was built key by key", [] {
    // A small alphabet: keys that are prefixes of each other, long shared prefixes.
    using Octets = std::vector<std::uint8_t>;
    const auto octet = rc::gen::element<std::uint8_t>(0x00, 0x01, 0x10, 0x11, 0xff);
    const auto text = rc::gen::container<Octets>(octet);
    const auto drawn = *rc::gen::container<std::map<Octets, Octets>>(text, rc::gen::nonEmpty(text));
    const auto bytes = [](const Octets& octets) {
      Bytes out;
      for (const std::uint8_t o : octets) out.push_back(std::byte{o});
      return out;
    };
    Node root;
    std::vector<Entry> entries;
    for (const auto& [key, value] : drawn) {
      entries.push_back({bytes(key), bytes(value)});
      insert(root, bytes(key), bytes(value));
    }
    if (entries.empty()) return;
    RC_ASSERT(root_of(entries) == Hash32{crypto::keccak256(collapse(root))});
  }));
}

}  // namespace
}  // namespace ethnet::trie
