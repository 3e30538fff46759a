// The newest canonical head, for who wants to know of each: what a subscription to newHeads is
// told. The log of events says that it moved, the node is asked for its header, and then it is
// told. While one header is asked for, newer heads wait, and the newest of them is next.
// Threading: one thread; the log is anybody's. Limits: it holds two heads and one header.
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
  // Nobody wants to know: what was not told yet will not be.
  void skip() { newest_.reset(); }
  // The head whose header is to be asked for now; tell() has to follow. Nothing: none.
  [[nodiscard]] std::optional<Hash32> ask();
  // `header`: as JSON; empty: it could not be had, and number and hash are what is told.
  void tell(std::string header);

  // Counts up with each head that is told; 0: none yet.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] const std::string& json() const { return json_; }

 private:
  EventLog& log_;
  std::uint64_t cursor_ = 0;
  std::uint64_t version_ = 0;
  std::optional<node::HeadMoved> newest_;  // not asked for yet
  std::optional<node::HeadMoved> asked_;
  std::string json_;
};

}  // namespace ethnet::observe
