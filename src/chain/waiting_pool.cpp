#include "waiting_pool.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>

namespace ethnet::chain {
namespace {

std::size_t size_of(const WaitingHeader& header) {
  return header.input.header.size() + header.input.signature.size();
}

}  // namespace

bool WaitingPool::add(WaitingHeader header) {
  if (by_hash_.contains(header.hash)) return true;
  const auto present = by_source_.find(header.source);
  if (present != by_source_.end() && present->second.keys.size() >= kMaxWaitingPerSource) {
    ++dropped_;
    return false;
  }
  bytes_ += size_of(header);
  const Key key = next_++;
  by_hash_.emplace(header.hash, key);
  by_parent_.emplace(header.parent, key);
  Share& share = by_source_[header.source];
  share.bytes += size_of(header);
  share.keys.insert(key);
  headers_.emplace(key, std::move(header));
  while (headers_.size() > kMaxWaiting || bytes_ > kMaxWaitingBytes) drop_one();
  return headers_.contains(key);
}

// The oldest of whoever has most. At most kMaxWaiting sources are looked at.
void WaitingPool::drop_one() {
  const auto most = std::ranges::max_element(by_source_, {},
                                             [](const auto& entry) { return entry.second.bytes; });
  CHECK(most != by_source_.end());
  ++dropped_;
  (void)take(*most->second.keys.begin());
}

WaitingHeader WaitingPool::take(Key key) {
  const auto it = headers_.find(key);
  CHECK(it != headers_.end());
  WaitingHeader header = std::move(it->second);
  headers_.erase(it);
  bytes_ -= size_of(header);
  by_hash_.erase(header.hash);
  const auto [first, last] = by_parent_.equal_range(header.parent);
  by_parent_.erase(std::find_if(first, last, [&](const auto& e) { return e.second == key; }));
  const auto source = by_source_.find(header.source);
  CHECK(source != by_source_.end());
  source->second.bytes -= size_of(header);
  source->second.keys.erase(key);
  if (source->second.keys.empty()) by_source_.erase(source);
  return header;
}

std::vector<WaitingHeader> WaitingPool::take_children(const Hash32& parent) {
  std::vector<Key> keys;
  const auto [first, last] = by_parent_.equal_range(parent);
  for (auto it = first; it != last; ++it) keys.push_back(it->second);
  std::ranges::sort(keys);
  std::vector<WaitingHeader> out;
  for (const Key key : keys) out.push_back(take(key));
  return out;
}

std::vector<WaitingHeader> WaitingPool::take_due(std::uint64_t timestamp) {
  std::vector<Key> keys;
  for (const auto& [key, header] : headers_) {
    if (header.timestamp <= timestamp) keys.push_back(key);
  }
  std::vector<WaitingHeader> out;
  for (const Key key : keys) out.push_back(take(key));
  return out;
}

std::optional<std::uint64_t> WaitingPool::earliest_timestamp() const {
  std::optional<std::uint64_t> earliest;
  for (const auto& [key, header] : headers_) {
    if (!earliest || header.timestamp < *earliest) earliest = header.timestamp;
  }
  return earliest;
}

}  // namespace ethnet::chain
