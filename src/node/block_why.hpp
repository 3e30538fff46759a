// Why a block is canonical or not: where it stands, and how the rule sees the heads that decide it.
// A pure function of the chain as the rule sees it now, acknowledged by the store or not. For a
// person who asks: it looks at every branch head. One thread. Limits: below.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <chain/chain_manager.hpp>

namespace ethnet::node {

// Branch heads that are ranked for one answer, the newest, and of these those that are told.
inline constexpr std::size_t kMaxRankedHeads = 1024;
inline constexpr std::size_t kMaxToldHeads = 64;

enum class Standing : std::uint8_t {
  unknown,    // not kept here: never seen, refused, or released
  canonical,  // the head, or an ancestor of it
  side,
};

struct BlockWhy {
  Standing standing = Standing::unknown;
  std::string rule;
  chain::RankedHead head;  // the chosen one
  // The rest where the block is known.
  chain::BlockRef block;
  Hash32 parent;  // zero where it is not kept
  // Of a canonical block the heads that do not descend from it and lost; of a side block those that
  // do, and lost to the head. The newest last.
  std::vector<chain::RankedHead> rivals;
  bool cut = false;                           // there are more of these
  std::optional<chain::BlockRef> fork_point;  // of a side block: where its branch leaves
};

[[nodiscard]] BlockWhy why(const chain::ChainManager& chain, const Hash32& hash);

}  // namespace ethnet::node
