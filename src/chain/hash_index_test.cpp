#include "hash_index.hpp"

#include <map>

#include <base/prng.hpp>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "test_hash.hpp"

namespace ethnet::chain {
namespace {

// Against std::map, growing and shrinking: every hash is found as its own node, and none after it
// is gone.
RC_GTEST_PROP(HashIndex, AgreesWithAMap, ()) {
  HashIndex index{*rc::gen::arbitrary<std::uint64_t>()};
  std::map<Hash32, std::uint32_t> model;
  std::map<std::uint32_t, Hash32> hash_at;
  const auto find = [&](const Hash32& hash) {
    return index.find(hash, [&](std::uint32_t node) { return hash_at.at(node) == hash; });
  };
  const auto steps = *rc::gen::inRange(1, 600);
  const auto range = *rc::gen::inRange<std::uint32_t>(2, 300);
  Prng prng{*rc::gen::arbitrary<std::uint64_t>()};
  for (int i = 0; i < steps; ++i) {
    const auto n = static_cast<std::uint32_t>(prng.below(range));
    const Hash32 hash = hash_of_number(n);
    if (model.contains(hash)) {
      index.erase(hash, n);
      model.erase(hash);
      hash_at.erase(n);
    } else {
      index.insert(hash, n);
      model.emplace(hash, n);
      hash_at.emplace(n, hash);
    }
  }
  RC_ASSERT(index.size() == model.size());
  for (std::uint32_t n = 0; n < range; ++n) {
    const Hash32 hash = hash_of_number(n);
    const auto found = find(hash);
    RC_ASSERT(found.has_value() == model.contains(hash));
    RC_ASSERT(found.value_or(n) == n);
  }
}

}  // namespace
}  // namespace ethnet::chain
