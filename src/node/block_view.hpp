// What a snapshot shows of the fork tree: the newest part of what is acknowledged, and the same
// object again as long as nothing in the tree has changed.
//
// Which headers, while there is room (kMaxViewedBlocks): the canonical chain over the newest
// kViewedHeights heights; the branches that leave it there, the newest fork first; branches that
// left it below, each from its head down to these heights. Cost: at most kMaxViewSteps headers
// looked at, some by a way down of O(log n), and the heights of kMaxViewedLeaves branch heads,
// however large the tree is and however many branches it has. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <chain/chain_manager.hpp>

#include "snapshot.hpp"

namespace ethnet::node {

// Headers looked at for one view. Some are not shown: those that wait for the store.
inline constexpr std::size_t kMaxViewSteps = 4 * kMaxViewedBlocks;
// Branch heads whose height is asked, for branches that left the canonical chain below the view:
// the last of the tree's list, which has the lowest first. Beyond it the view says that it is cut.
inline constexpr std::size_t kMaxViewedLeaves = 4096;

class BlockViews {
 public:
  struct View {
    std::shared_ptr<const std::vector<BlockView>> blocks;  // never null
    bool cut = false;                                      // something did not fit
  };

  // As the chain is now.
  [[nodiscard]] const View& refresh(const chain::ChainManager& chain);
  // Headers looked at by the last refresh; 0 when nothing had changed.
  [[nodiscard]] std::size_t steps() const { return steps_; }

 private:
  // When none of these has changed, no header was added, acknowledged, released or became
  // canonical.
  struct Stamp {
    Hash32 head;
    std::uint64_t arrivals = 0;
    std::uint64_t released = 0;
    std::size_t pending = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };

  View view_{std::make_shared<const std::vector<BlockView>>(), false};
  Stamp stamp_;
  std::size_t steps_ = 0;
};

}  // namespace ethnet::node
