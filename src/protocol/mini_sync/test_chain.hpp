// A header tree without rules or storage, for tests of mini-sync: longest chain wins, first come
// keeps a tie.
#pragma once

#include <algorithm>
#include <map>

#include <chain/chain_view.hpp>
#include <crypto/keccak.hpp>
#include <types/header.hpp>

#include "checked_header.hpp"

namespace ethnet::mini_sync::testing {

inline CheckedHeader make_header(const Hash32& parent, std::uint64_t number, std::uint8_t tag = 0) {
  Header header;
  header.parent_hash = parent;
  header.number = number;
  header.extra_data = Bytes{std::byte{tag}};
  auto checked = check_header({header.encode(), {}});
  CHECK(checked.has_value());
  return std::move(*checked);
}

class TestChain final : public chain::ChainView {
 public:
  TestChain() {
    const CheckedHeader genesis = make_header(Hash32{}, 0, 0xee);
    genesis_ = genesis.block;
    nodes_.emplace(genesis.block.hash, genesis);
    canonical_.push_back(genesis.block.hash);
  }

  // False when the parent is unknown.
  bool import(const CheckedHeader& header) {
    if (nodes_.contains(header.block.hash)) return true;
    const auto parent = nodes_.find(header.parent);
    if (parent == nodes_.end() || parent->second.block.number + 1 != header.block.number) {
      return false;
    }
    nodes_.emplace(header.block.hash, header);
    if (header.block.number > head().number) set_head(header.block.hash);
    return true;
  }

  // Adds n blocks on top of `parent`; returns the last one.
  chain::BlockRef extend(chain::BlockRef parent, std::uint64_t n, std::uint8_t tag = 0) {
    for (std::uint64_t i = 0; i < n; ++i) {
      const CheckedHeader next = make_header(parent.hash, parent.number + 1, tag);
      CHECK(import(next));
      parent = next.block;
    }
    return parent;
  }

  // Serves nothing below this block of the canonical chain any more.
  void set_floor(std::uint64_t number) { floor_ = number; }

  [[nodiscard]] chain::BlockRef head() const override {
    return {canonical_.back(), canonical_.size() - 1};
  }
  [[nodiscard]] chain::BlockRef genesis() const override { return genesis_; }
  [[nodiscard]] chain::BlockRef earliest() const override { return {canonical_[floor_], floor_}; }
  [[nodiscard]] std::optional<chain::BlockInfo> find(const Hash32& hash) const override {
    const auto it = kept(hash);
    if (it == nodes_.end()) return std::nullopt;
    const std::uint64_t number = it->second.block.number;
    const bool canonical = number < canonical_.size() && canonical_[number] == hash;
    return chain::BlockInfo{number, it->second.parent, canonical};
  }
  [[nodiscard]] std::optional<Hash32> canonical_hash(std::uint64_t number) const override {
    if (number < floor_ || number >= canonical_.size()) return std::nullopt;
    return canonical_[number];
  }
  [[nodiscard]] std::optional<Hash32> ancestor(const Hash32& hash,
                                               std::uint64_t number) const override {
    auto it = kept(hash);
    if (it == nodes_.end() || it->second.block.number < number || number < floor_) {
      return std::nullopt;
    }
    while (it->second.block.number > number) it = nodes_.find(it->second.parent);
    return it->first;
  }
  [[nodiscard]] std::optional<chain::ServedHeader> canonical_header(
      std::uint64_t number) const override {
    const auto hash = canonical_hash(number);
    return hash ? served(*hash) : std::nullopt;
  }
  [[nodiscard]] std::optional<chain::ServedHeader> ancestor_header(
      const Hash32& hash, std::uint64_t number) const override {
    const auto found = ancestor(hash, number);
    return found ? served(*found) : std::nullopt;
  }
  [[nodiscard]] ByteView encoded(const Hash32& hash) const override {
    const auto it = kept(hash);
    return it == nodes_.end() ? ByteView{} : ByteView{it->second.item.header};
  }
  [[nodiscard]] ByteView producer_signature(const Hash32& hash) const override {
    const auto it = kept(hash);
    return it == nodes_.end() ? ByteView{} : ByteView{it->second.item.signature};
  }

 private:
  [[nodiscard]] std::optional<chain::ServedHeader> served(const Hash32& hash) const {
    const CheckedHeader& node = nodes_.at(hash);
    return chain::ServedHeader{node.block, node.item.header, node.item.signature};
  }
  [[nodiscard]] std::map<Hash32, CheckedHeader>::const_iterator kept(const Hash32& hash) const {
    const auto it = nodes_.find(hash);
    return it != nodes_.end() && it->second.block.number < floor_ ? nodes_.end() : it;
  }
  // Replaces what differs from the branch that ends in `hash`.
  void set_head(const Hash32& hash) {
    std::vector<Hash32> added;
    const CheckedHeader* at = &nodes_.at(hash);
    while (at->block.number >= canonical_.size() ||
           canonical_[at->block.number] != at->block.hash) {
      added.push_back(at->block.hash);
      at = &nodes_.at(at->parent);
    }
    canonical_.resize(at->block.number + 1);
    canonical_.insert(canonical_.end(), added.rbegin(), added.rend());
  }

  chain::BlockRef genesis_;
  std::map<Hash32, CheckedHeader> nodes_;
  std::vector<Hash32> canonical_;
  std::uint64_t floor_ = 0;
};

}  // namespace ethnet::mini_sync::testing
