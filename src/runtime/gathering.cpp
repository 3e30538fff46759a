#include "gathering.hpp"

#include <algorithm>

#include <base/check.hpp>

namespace ethnet::runtime {

// Pages that no burst reaches are never touched and so take no memory.
Gathering::Gathering() : buffer_{std::make_unique_for_overwrite<std::byte[]>(kMaxGatheredBytes)} {}

bool Gathering::takes(const Transmit& transmit) const {
  const bool single = transmit.size > 0 && transmit.size <= transmit.segment_size;
  if (!single || transmit.size > kMaxGatheredBytes - burst_.size) return false;
  if (count_ == 0) return true;
  const bool same_path = transmit.remote == burst_.remote && transmit.local == burst_.local &&
                         transmit.ecn == burst_.ecn;
  // Behind a shorter one nothing comes: the kernel cuts at equal distances.
  const bool all_full = burst_.size == count_ * burst_.segment_size;
  return same_path && all_full && transmit.size <= burst_.segment_size && count_ < kMaxSegments;
}

bool Gathering::add(const Transmit& transmit, ByteView bytes) {
  CHECK(bytes.size() == transmit.size);
  if (!takes(transmit)) return false;
  std::ranges::copy(bytes, buffer_.get() + burst_.size);
  if (count_ == 0) {
    burst_ = transmit;
    burst_.segment_size = transmit.size;
  } else {
    burst_.size += transmit.size;
  }
  ++count_;
  return true;
}

const Transmit& Gathering::burst() const {
  CHECK(count_ > 0);
  return burst_;
}

void Gathering::clear() {
  burst_.size = 0;
  count_ = 0;
}

}  // namespace ethnet::runtime
