// Headers that cannot be judged yet: orphans, whose parent is unknown, and early ones, whose time
// has not come. Bounded by count and bytes, in total and for each source; where there is no room,
// the source that has most loses its oldest, so that nobody can push out those that have less.
// One thread.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <types/hash.hpp>

#include "header_input.hpp"

namespace ethnet::chain {

inline constexpr std::size_t kMaxWaiting = 1024;              // headers
inline constexpr std::size_t kMaxWaitingBytes = 1024 * 1024;  // of encoded headers
inline constexpr std::size_t kMaxWaitingPerSource = 128;      // headers of one source

// Whose share a header counts to: the peer, or the name where no peer gave it.
struct WaitingSource {
  NodeId peer{};
  std::string name;
  friend auto operator<=>(const WaitingSource&, const WaitingSource&) = default;
};

struct WaitingHeader {
  HeaderInput input;
  Hash32 hash;
  Hash32 parent;
  std::uint64_t timestamp = 0;
  WaitingSource source;
};

class WaitingPool {
 public:
  // True when it waits: now, or already. False when the source has its share.
  bool add(WaitingHeader header);
  // Takes out all that wait for this parent, in order of arrival.
  [[nodiscard]] std::vector<WaitingHeader> take_children(const Hash32& parent);
  // Takes out all whose timestamp is at most this.
  [[nodiscard]] std::vector<WaitingHeader> take_due(std::uint64_t timestamp);
  [[nodiscard]] std::optional<std::uint64_t> earliest_timestamp() const;

  [[nodiscard]] std::size_t size() const { return headers_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  using Key = std::uint64_t;  // order of arrival
  struct Share {
    std::size_t bytes = 0;
    std::set<Key> keys;
  };
  WaitingHeader take(Key key);
  void drop_one();

  std::map<Key, WaitingHeader> headers_;
  std::multimap<Hash32, Key> by_parent_;
  std::map<Hash32, Key> by_hash_;
  std::map<WaitingSource, Share> by_source_;
  Key next_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace ethnet::chain
