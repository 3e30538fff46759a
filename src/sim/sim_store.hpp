// SimStore: the disk of one host. Operations become durable one after the other, each after a drawn
// latency; a crash loses what was not synced, and may tear or keep the operation in flight. After
// an I/O error the disk is poisoned: every later operation fails until the host restarts, and the
// operation that failed may or may not be found afterwards.
// What recovery finds is a prefix of whole operations: a torn one is cut off by its checksum.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include <base/instant.hpp>
#include <base/prng.hpp>
#include <machine/concepts.hpp>

namespace ethnet::sim {

struct StoreOptions {
  Duration latency = microseconds(200);
  Duration jitter = microseconds(800);
  std::uint64_t slow_ppm = 0;  // a sync now and then takes up to `slow` more
  Duration slow = milliseconds(300);
  std::uint64_t eio_ppm = 0;
  friend bool operator==(const StoreOptions&, const StoreOptions&) = default;
};

struct StoreStats {
  std::uint64_t synced = 0;
  std::uint64_t errors = 0;
  std::uint64_t lost_at_crash = 0;        // operations that were not durable yet
  std::uint64_t torn_at_crash = 0;        // half on disk, cut off at recovery
  std::uint64_t kept_unacknowledged = 0;  // durable although never acknowledged
  std::uint64_t losses = 0;               // times that it became an old copy of itself
};

class SimStore {
 public:
  SimStore(StoreOptions options, Prng prng) : options_{options}, prng_{prng} {}

  // Queues the operation and returns when it will be done.
  [[nodiscard]] Instant begin(Instant now, StoreOp op);
  // The oldest operation in flight is done.
  [[nodiscard]] StoreResult finish();
  // What is in flight is decided; afterwards records() is what recovery finds.
  void crash();

  // Down to the first `kept_ppm` millionths of its operations, acknowledged or not: an old copy of
  // the disk, or at 0 an empty one. CHECK: nothing is in flight.
  void lose(std::uint64_t kept_ppm);

  // All durable records in order, as the factory of a restarted machine gets them.
  [[nodiscard]] std::vector<Bytes> records() const;
  [[nodiscard]] std::size_t durable_operations() const { return durable_.size(); }
  // After an I/O error, until the host restarts.
  [[nodiscard]] bool poisoned() const { return poisoned_; }
  [[nodiscard]] const StoreStats& stats() const { return stats_; }
  void set_options(const StoreOptions& options) { options_ = options; }

 private:
  StoreOptions options_;
  Prng prng_;
  std::deque<StoreOp> in_flight_;
  std::vector<std::vector<Bytes>> durable_;
  std::optional<StoreOp> failed_;  // the operation that poisoned the disk
  Instant last_done_;
  StoreStats stats_;
  bool poisoned_ = false;
};

}  // namespace ethnet::sim
