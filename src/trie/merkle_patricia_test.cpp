// ethereum/tests TrieTests, and an oracle that inserts key by key.
#include "merkle_patricia.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include <base/prng.hpp>
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

Hash32 oracle_root(const std::vector<Entry>& entries) {
  Node root;
  for (const Entry& entry : entries) insert(root, entry.key, entry.value);
  return Hash32{crypto::keccak256(collapse(root))};
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
    std::vector<Entry> entries;
    for (const auto& [key, value] : drawn) entries.push_back({bytes(key), bytes(value)});
    if (entries.empty()) return;
    const Hash32 expected = oracle_root(entries);
    RC_ASSERT(root_of(entries) == expected);
    Prng prng{*rc::gen::arbitrary<std::uint64_t>()};
    for (std::size_t left = entries.size(); left > 1; --left) {
      std::swap(entries[left - 1], entries[prng.below(left)]);
    }
    RC_ASSERT(root_of(entries) == expected);  // whatever their order
    RC_ASSERT(oracle_root(entries) == expected);
  }));
}

TEST(TrieProperties, HashedAndNumberedKeysEqualTheOracle) {
  EXPECT_TRUE(rc::check("secure_root_of and ordered_root_of equal a trie built key by key", [] {
    // Over 128 items an index takes two bytes: 0 and 128 have other first nibbles than their order.
    const auto count = *rc::gen::inRange<std::size_t>(1, 300);
    Prng prng{*rc::gen::arbitrary<std::uint64_t>()};
    std::vector<Bytes> items;
    std::vector<Entry> numbered;
    std::vector<Entry> plain;
    std::vector<Entry> hashed;
    for (std::size_t i = 0; i < count; ++i) {
      items.emplace_back(1 + prng.below(60), static_cast<std::byte>(prng.next() & 0xff));
      rlp::Writer index;
      index.write_uint(i);
      numbered.push_back({to_bytes(index.view()), items.back()});
      plain.push_back({to_bytes(index.view()), items.back()});
      hashed.push_back({to_bytes(crypto::keccak256(index.view())), items.back()});
    }
    RC_ASSERT(ordered_root_of(items) == oracle_root(numbered));
    RC_ASSERT(secure_root_of(plain) == oracle_root(hashed));
  }));
}

TEST(TrieDeathTest, RefusesWhatIsNoSet) {
  const Bytes key{std::byte{1}};
  EXPECT_DEATH((void)root_of({{key, key}, {key, key}}), "CHECK failed");
  EXPECT_DEATH((void)root_of({{key, {}}}), "CHECK failed");
  EXPECT_DEATH((void)root_of({{Bytes(kMaxKeyBytes + 1), key}}), "CHECK failed");
}

// Paths as long as they can be, equal to the last nibble: the deepest recursion.
TEST(Trie, TheLongestKeysThatDifferAtTheirEnd) {
  Bytes first(kMaxKeyBytes, std::byte{0x77});
  Bytes second = first;
  second.back() = std::byte{0x78};
  std::vector<Entry> entries{{first, first}, {second, second}};
  for (std::size_t size = 0; size < kMaxKeyBytes; ++size) {
    entries.push_back({to_bytes(ByteView{first}.first(size)), first});
  }
  EXPECT_EQ(root_of(entries), oracle_root(entries));
}

}  // namespace
}  // namespace ethnet::trie
