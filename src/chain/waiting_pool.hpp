// Headers that cannot be judged yet: orphans, whose parent is unknown, and early ones, whose time
// has not come. Bounded by count and bytes, in total and for each source; the oldest make room.
// One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <types/hash.hpp>

#include "header_input.hpp"

namespace ethnet::chain {

inline constexpr std::size_t kMaxWaiting = 1024;              // headers
inline constexpr std::size_t kMaxWaitingBytes = 1024 * 1024;  // of encoded headers
inline constexpr std::size_t kMaxWaitingPerSource = 128;      // headers of one source

struct WaitingHeader {
  HeaderInput input;
  Hash32 hash;
  Hash32 parent;
  std::uint64_t timestamp = 0;
  std::string source;
};

class WaitingPool {
 public:
  // False when it is there already or the source has its share.
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
  WaitingHeader take(Key key);

  std::map<Key, WaitingHeader> headers_;
  std::multimap<Hash32, Key> by_parent_;
  std::map<Hash32, Key> by_hash_;
  std::map<std::string, std::size_t> by_source_;
  Key next_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace ethnet::chain
