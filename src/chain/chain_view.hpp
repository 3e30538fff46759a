// ChainView: what protocols may ask of the header tree. Read only; everything it tells is
// acknowledged by the store. Owned by chain/; protocols hold a reference.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <base/bytes.hpp>
#include <types/hash.hpp>

namespace ethnet::chain {

struct BlockRef {
  Hash32 hash;
  std::uint64_t number = 0;
  friend bool operator==(const BlockRef&, const BlockRef&) = default;
};

struct BlockInfo {
  std::uint64_t number = 0;
  Hash32 parent;
  bool canonical = false;
};

// A header as it is passed on. The views are valid until the next import.
struct ServedHeader {
  BlockRef block;
  ByteView header;     // canonical RLP
  ByteView signature;  // the producer's, empty where there is none
};

class ChainView {
 public:
  ChainView() = default;
  ChainView(const ChainView&) = delete;
  ChainView& operator=(const ChainView&) = delete;
  virtual ~ChainView() = default;

  [[nodiscard]] virtual BlockRef head() const = 0;
  [[nodiscard]] virtual BlockRef genesis() const = 0;
  // The lowest block that is kept (genesis, unless a retention depth is set).
  [[nodiscard]] virtual BlockRef earliest() const = 0;
  [[nodiscard]] virtual std::optional<BlockInfo> find(const Hash32& hash) const = 0;
  [[nodiscard]] virtual std::optional<Hash32> canonical_hash(std::uint64_t number) const = 0;
  // The ancestor of `hash` at `number`; nothing when number is above it or not retained.
  [[nodiscard]] virtual std::optional<Hash32> ancestor(const Hash32& hash,
                                                       std::uint64_t number) const = 0;
  // The same two questions with the header itself: one look-up a header for who serves many.
  [[nodiscard]] virtual std::optional<ServedHeader> canonical_header(
      std::uint64_t number) const = 0;
  [[nodiscard]] virtual std::optional<ServedHeader> ancestor_header(const Hash32& hash,
                                                                    std::uint64_t number) const = 0;
  // The header's canonical RLP; empty when unknown. Valid until the next import.
  [[nodiscard]] virtual ByteView encoded(const Hash32& hash) const = 0;
  // The producer's signature that travels beside the header (65 bytes r‖s‖v), empty when none.
  [[nodiscard]] virtual ByteView producer_signature(const Hash32& hash) const = 0;
};

}  // namespace ethnet::chain
