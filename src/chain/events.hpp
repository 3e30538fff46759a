// What a chain reports.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <types/hash.hpp>

#include "chain_view.hpp"

namespace ethnet::chain {

// Why a batch was imported, for reports.
struct Cause {
  std::string source;        // "peer 0x1a2b…", "import", "producer"
  std::string announcement;  // "announcement", "sync", "file", "seal"
  NodeId peer{};  // where a peer gave it; its text above is too short to tell peers apart
  friend bool operator==(const Cause&, const Cause&) = default;
};

// The canonical head moved to a block that does not descend from the old one.
struct ReorgEvent {
  BlockRef old_head;
  BlockRef new_head;
  BlockRef fork_point;
  std::vector<Hash32> removed;  // lowest height first, without the fork point
  std::vector<Hash32> added;    // likewise
  Cause cause;
  [[nodiscard]] std::uint64_t depth() const { return removed.size(); }
  friend bool operator==(const ReorgEvent&, const ReorgEvent&) = default;
};

// The canonical head moved along its own branch.
struct HeadExtended {
  BlockRef old_head;
  BlockRef new_head;
  Cause cause;
  friend bool operator==(const HeadExtended&, const HeadExtended&) = default;
};

// A branch that did not win grew or began.
struct ForkDetected {
  BlockRef fork_point;  // where it leaves the canonical chain
  BlockRef branch_head;
  Cause cause;
  friend bool operator==(const ForkDetected&, const ForkDetected&) = default;
};

// The batch is durable. Comes before what the batch changed.
struct BatchStored {
  std::uint64_t batch = 0;
  std::size_t headers = 0;
  friend bool operator==(const BatchStored&, const BatchStored&) = default;
};

// The store failed: what the batch held is not reported, served or announced; the node must stop.
struct StoreFailed {
  std::uint64_t batch = 0;
  int os_error = 0;
  friend bool operator==(const StoreFailed&, const StoreFailed&) = default;
};

using ChainEvent = std::variant<BatchStored, ReorgEvent, HeadExtended, ForkDetected, StoreFailed>;

}  // namespace ethnet::chain
