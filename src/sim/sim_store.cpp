#include "sim_store.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <base/check.hpp>

namespace ethnet::sim {

Instant SimStore::begin(Instant now, StoreOp op) {
  Duration takes = options_.latency + nanoseconds(prng_.between(0, options_.jitter.ns));
  if (prng_.chance_ppm(options_.slow_ppm)) {
    takes = takes + nanoseconds(prng_.between(0, options_.slow.ns));
  }
  in_flight_.push_back(std::move(op));
  last_done_ = std::max(last_done_, now) + takes;
  return last_done_;
}

StoreResult SimStore::finish() {
  CHECK(!in_flight_.empty());
  StoreOp op = std::move(in_flight_.front());
  in_flight_.pop_front();
  const std::uint64_t id = op.id;
  if (poisoned_ || prng_.chance_ppm(options_.eio_ppm)) {
    ++stats_.errors;
    if (!poisoned_) failed_ = std::move(op);
    poisoned_ = true;
    return {.id = id, .ok = false, .os_error = EIO};
  }
  ++stats_.synced;
  durable_.push_back(std::move(op.records));
  return {.id = id, .ok = true, .os_error = 0};
}

void SimStore::crash() {
  // A write that failed may have reached the disk all the same, but nothing after it has.
  if (failed_ && prng_.chance_ppm(500'000)) {
    ++stats_.kept_unacknowledged;
    durable_.push_back(std::move(failed_->records));
  }
  // The kernel may have written any prefix of what was in flight, and part of the next operation.
  const std::uint64_t kept = poisoned_ ? 0 : prng_.below(in_flight_.size() + 1);
  for (std::uint64_t i = 0; i < kept; ++i) {
    ++stats_.kept_unacknowledged;
    durable_.push_back(std::move(in_flight_.front().records));
    in_flight_.pop_front();
  }
  stats_.lost_at_crash += in_flight_.size();
  if (!in_flight_.empty() && prng_.chance_ppm(500'000)) ++stats_.torn_at_crash;
  in_flight_.clear();
  failed_.reset();
  poisoned_ = false;
  last_done_ = {};
}

void SimStore::lose(std::uint64_t kept_ppm) {
  CHECK(in_flight_.empty());
  ++stats_.losses;
  durable_.resize(durable_.size() * kept_ppm / 1'000'000);
}

std::vector<Bytes> SimStore::records() const {
  std::vector<Bytes> all;
  for (const auto& operation : durable_) all.insert(all.end(), operation.begin(), operation.end());
  return all;
}

}  // namespace ethnet::sim
