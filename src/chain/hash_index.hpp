// HashIndex: from a header's hash to its node. The hash itself lies in the node; here are 8 bytes
// an entry, found by linear probing, so that a look-up touches one line here and one node. Keyed,
// since hashes come from peers. Threading: one thread. Limits: those of who inserts; the table is
// at most half full and never shrinks.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <base/check.hpp>
#include <types/hash.hpp>

namespace ethnet::chain {

class HashIndex {
 public:
  explicit HashIndex(std::uint64_t seed) : hash_{seed}, entries_(16) {}

  // `is_it(node)`: whether that node has this hash.
  template <class IsIt>
  [[nodiscard]] std::optional<std::uint32_t> find(const Hash32& hash, IsIt is_it) const {
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = home_of(tag); entries_[at].node != kEmpty; at = after(at)) {
      if (entries_[at].tag == tag && is_it(entries_[at].node)) return entries_[at].node;
    }
    return std::nullopt;
  }
  // The hash is not there yet, and no node has two.
  void insert(const Hash32& hash, std::uint32_t node);
  // CHECK: that node is there under this hash.
  void erase(const Hash32& hash, std::uint32_t node);
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kEmpty = UINT32_MAX;
  struct Entry {
    std::uint32_t tag = 0;
    std::uint32_t node = kEmpty;
  };

  [[nodiscard]] std::uint32_t tag_of(const Hash32& hash) const {
    return static_cast<std::uint32_t>(hash_(hash));
  }
  [[nodiscard]] std::size_t home_of(std::uint32_t tag) const { return tag & (entries_.size() - 1); }
  [[nodiscard]] std::size_t after(std::size_t at) const { return (at + 1) & (entries_.size() - 1); }
  void put(const Entry& entry);

  SeededHash hash_;
  std::vector<Entry> entries_;  // a power of two
  std::size_t size_ = 0;
};

}  // namespace ethnet::chain
