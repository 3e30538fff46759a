// Where the node leaves its newest snapshot for observers. The node never waits: it takes the lock
// only when it is free, and what it could not publish now is published the next time. A reader
// holds the lock for as long as it takes to copy one pointer. Any thread may read, one publishes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include <node/snapshot.hpp>

namespace ethnet::observe {

class SnapshotBoard {
 public:
  using Snapshot = std::shared_ptr<const node::NodeSnapshot>;

  // False when a reader was there at this very moment.
  bool publish(Snapshot snapshot) {
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock.owns_lock()) {
      ++missed_;
      return false;
    }
    newest_.swap(snapshot);  // the old one dies after the lock, which is destroyed first
    return true;
  }
  // Null before the first one.
  [[nodiscard]] Snapshot newest() const {
    const std::scoped_lock lock{mutex_};
    return newest_;
  }
  [[nodiscard]] std::uint64_t missed() const { return missed_; }

 private:
  mutable std::mutex mutex_;
  Snapshot newest_;
  std::atomic<std::uint64_t> missed_{0};
};

}  // namespace ethnet::observe
