// Store: verified chunks in memory, by (data_id, index), and whole data sets. Nothing else can be
// put in (VerifiedChunk, DataSet are made by their verifiers alone), and nothing survives a
// restart.
//
// Two kinds of data share the room:
//   pinned   what this node's operator published or fetched: never evicted, has its room reserved
//            from the beginning, and is at most `max_pinned_bytes`; what does not fit is refused
//   others   chunks that were sampled: evicted when room is needed, a data set at a time, the one
//            that was filled longest ago first. That a chunk is served does not count, or strangers
//            would decide what is kept.
// Both end `lifetime` after the data set's last chunk came, in virtual time.
//
// What was counted: bytes, proofs and kChunkOverheadBytes a chunk. Used from one thread.
// Limits: StoreLimits, kMaxStoredSets.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <base/instant.hpp>

#include "dataset.hpp"

namespace ethnet::das {

inline constexpr std::size_t kMaxStoredSets = 1024;  // so that tiny chunks do not make many entries
inline constexpr std::size_t kChunkOverheadBytes = 256;  // what a chunk's entry takes beside itself

struct StoreLimits {
  std::size_t max_bytes = 96 * 1024 * 1024;
  std::size_t max_pinned_bytes = 64 * 1024 * 1024;  // of these; at most max_bytes
  Duration lifetime = seconds(4 * 3600);
};

struct StoreCounters {
  std::uint64_t refused = 0;  // chunks and data sets for which there was no room
  std::uint64_t evicted = 0;  // data sets
  std::uint64_t expired = 0;  // data sets
};

class Store {
 public:
  // CHECK: max_pinned_bytes <= max_bytes.
  explicit Store(const StoreLimits& limits);

  // Reserves the room of a whole data set, which becomes pinned; its chunks follow. False when that
  // is more than the pinned share has left, or chunks of another shape are held under this name. A
  // reservation for a shape that turns out to be false goes with the first chunk of the true one.
  [[nodiscard]] bool pin(Now now, const DataKey& key);
  // What came of it stays, as if it had been sampled. No effect on what is whole.
  void unpin(Now now, const DataKey& key);
  // False when there is no room: pinned data and this data set's own chunks take it. A chunk that
  // is there already is not put again.
  [[nodiscard]] bool put(Now now, VerifiedChunk chunk);
  // A data set that is whole, and pinned. False as for pin().
  [[nodiscard]] bool put(Now now, DataSet data);
  void expire(Now now);
  [[nodiscard]] Instant next_deadline() const;
  // A data set that was evicted or expired; each is told once.
  [[nodiscard]] std::optional<DataId> poll_gone();

  struct Held {
    ByteView bytes;  // until the store changes
    Bytes proof;
  };
  [[nodiscard]] std::optional<Held> find(const DataId& id, std::uint32_t index) const;
  [[nodiscard]] bool holds(const DataId& id, std::uint32_t index) const;
  [[nodiscard]] bool is_whole(const DataId& id) const;
  [[nodiscard]] bool is_pinned(const DataKey& key) const;
  [[nodiscard]] std::uint32_t held_chunks(const DataId& id) const;
  // Under which shape chunks of this name were verified; there can be only one.
  [[nodiscard]] std::optional<Shape> shape_of(const DataId& id) const;

  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t pinned_bytes() const { return pinned_bytes_; }
  [[nodiscard]] std::size_t set_count() const { return entries_.size(); }
  [[nodiscard]] const StoreLimits& limits() const { return limits_; }
  [[nodiscard]] const StoreCounters& counters() const { return counters_; }

 private:
  struct Entry {
    Shape shape;
    std::optional<DataSet> whole;
    std::map<std::uint32_t, VerifiedChunk> chunks;  // where not given whole
    std::size_t bytes = 0;                          // held, or reserved if that is more
    std::size_t held_bytes = 0;
    bool pinned = false;
    Instant expires;
    std::uint64_t filled = 0;  // counts up with each change of any entry
  };
  using Entries = std::map<DataId, Entry>;

  [[nodiscard]] const Entry* entry(const DataId& id) const;
  [[nodiscard]] bool make_room(std::size_t bytes, const DataId& keep);
  void drop_false_reservation(const DataKey& key);
  Entry& touch(Now now, const DataKey& key);
  void charge(Entry& entry, std::size_t bytes);
  void erase(Entries::iterator it);

  StoreLimits limits_;
  Entries entries_;
  std::set<std::pair<std::uint64_t, DataId>> evictable_;  // not pinned, by Entry::filled
  std::set<std::pair<Instant, DataId>> by_expiry_;
  std::deque<DataId> gone_;
  std::size_t bytes_ = 0;  // of all entries
  std::size_t pinned_bytes_ = 0;
  std::uint64_t changes_ = 0;
  StoreCounters counters_;
};

}  // namespace ethnet::das
