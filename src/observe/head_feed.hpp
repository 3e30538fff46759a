// The newest canonical head as the log of events told it, for who wants to know of each: what a
// subscription to newHeads is told.
// Threading: one thread; the log is anybody's. Limits: it holds one head.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <types/hash.hpp>

#include "event_log.hpp"

namespace ethnet::observe {

class HeadFeed {
 public:
  // From the log's beginning; it outlives the feed.
  explicit HeadFeed(EventLog& log) : log_{log} {}

  // Takes in what the log has since.
  void update();
  // Counts up with each head; 0: none yet.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // {"number":"0x…","hash":"0x…","parentHash":"0x…"}; the parent is absent where events were lost,
  // or the head is the first that this run of the node told of. Empty before the first head.
  [[nodiscard]] std::string json() const;

 private:
  void handle(const node::HeadMoved& moved);
  void handle(const LoggedEvent& event, const node::Reorganised& reorg);

  EventLog& log_;
  std::uint64_t cursor_ = 0;
  std::uint64_t version_ = 0;
  std::optional<node::HeadMoved> head_;
  std::optional<Hash32> parent_;
  // The last two blocks of the reorganisation that comes before its new head.
  std::optional<Hash32> added_last_;
  std::optional<Hash32> added_before_;
};

}  // namespace ethnet::observe
