// KeptPlaces: inbound places of peers that died without a goodbye, kept for them for a while. Who
// crashes and comes back finds its place, though others try for it at every moment; without that,
// those who wait at the door of a full network win that race against the node that they besiege
// (docs/THREATS.md, 34). A value; limit: the places that there are. A kept place costs whoever
// wants to waste it as much as a session on it does: it has to be held first, kKeptPlaceAfter long.
#pragma once

#include <algorithm>
#include <cstddef>

#include <base/fifo.hpp>
#include <base/instant.hpp>
#include <types/hash.hpp>

namespace ethnet::session {

inline constexpr Duration kKeptPlaceFor = seconds(60);    // a restart, and a dial or two
inline constexpr Duration kKeptPlaceAfter = seconds(60);  // of a session

class KeptPlaces {
 public:
  explicit KeptPlaces(std::size_t most) : most_{most} {}

  // The place of a session of this identity, which has just died.
  void keep(Instant now, const NodeId& id) {
    forget(id);
    kept_.push_back({id, now + kKeptPlaceFor});
    if (kept_.size() > most_) kept_.pop_front();
  }
  // It is back.
  void forget(const NodeId& id) {
    kept_.remove_if([&](const Kept& one) { return one.id == id; });
  }
  // How many are kept for others than this one.
  [[nodiscard]] std::size_t for_others(Instant now, const NodeId& id) {
    while (!kept_.empty() && kept_.front().until <= now) kept_.pop_front();
    return static_cast<std::size_t>(
        std::ranges::count_if(kept_, [&](const Kept& one) { return one.id != id; }));
  }

 private:
  struct Kept {
    NodeId id;
    Instant until;  // all are kept equally long: the oldest is in front
  };
  std::size_t most_;
  Fifo<Kept> kept_;
};

}  // namespace ethnet::session
