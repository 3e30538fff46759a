#include "store.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>

namespace ethnet::das {
namespace {

std::size_t cost(const VerifiedChunk& chunk) {
  return chunk.bytes().size() + chunk.proof().size() + kChunkOverheadBytes;
}

// What a data set takes at most: all its chunks, one by one. Held whole, with its tree in place of
// proofs and one entry, it takes less, unless it is one chunk alone, which has a tree and no proof.
std::size_t cost_of_all(const Shape& shape) {
  std::size_t bytes = shape.total_bytes + (shape.total_chunks == 1 ? sizeof(Hash32) : 0);
  for (std::uint32_t i = 0; i < shape.total_chunks; ++i) {
    bytes += proof_size(i, shape.total_chunks) + kChunkOverheadBytes;
  }
  return bytes;
}

}  // namespace

Store::Store(const StoreLimits& limits) : limits_{limits} {
  CHECK(limits.max_pinned_bytes <= limits.max_bytes);
}

const Store::Entry* Store::entry(const DataId& id) const {
  const auto it = entries_.find(id);
  return it == entries_.end() ? nullptr : &it->second;
}

// Whether `bytes` more fit, after what has to go has gone. Nothing goes in vain.
bool Store::make_room(std::size_t bytes, const DataId& keep) {
  const Entry* kept = entry(keep);
  const std::size_t own = kept != nullptr && !kept->pinned ? kept->bytes : 0;
  const std::size_t fixed = pinned_bytes_ + own;
  const bool is_new = kept == nullptr;
  const std::size_t others = evictable_.size() - (kept != nullptr && !kept->pinned ? 1 : 0);
  const bool no_entry = is_new && entries_.size() >= kMaxStoredSets && others == 0;
  if (bytes > limits_.max_bytes - fixed || no_entry) {
    ++counters_.refused;
    return false;
  }
  auto oldest = evictable_.begin();
  while (bytes_ + bytes > limits_.max_bytes || (is_new && entries_.size() >= kMaxStoredSets)) {
    CHECK(oldest != evictable_.end());
    const DataId id = oldest->second;
    ++oldest;
    if (id == keep) continue;
    ++counters_.evicted;
    erase(entries_.find(id));
  }
  return true;
}

// The entry of a data set, made where there is none: filled now.
Store::Entry& Store::touch(Now now, const DataKey& key) {
  const auto [it, is_new] = entries_.try_emplace(key.id);
  Entry& entry = it->second;
  if (is_new) entry.shape = key.shape;
  CHECK(entry.shape == key.shape);  // two shapes under one name would be a collision of hashes
  evictable_.erase({entry.filled, key.id});
  by_expiry_.erase({entry.expires, key.id});
  entry.filled = ++changes_;
  entry.expires = now.mono + limits_.lifetime;
  if (!entry.pinned) evictable_.emplace(entry.filled, key.id);
  by_expiry_.emplace(entry.expires, key.id);
  return entry;
}

void Store::charge(Entry& entry, std::size_t bytes) {
  bytes_ = bytes_ - entry.bytes + bytes;
  if (entry.pinned) pinned_bytes_ = pinned_bytes_ - entry.bytes + bytes;
  entry.bytes = bytes;
}

void Store::erase(Entries::iterator it) {
  CHECK(it != entries_.end());
  charge(it->second, 0);
  evictable_.erase({it->second.filled, it->first});
  by_expiry_.erase({it->second.expires, it->first});
  gone_.push_back(it->first);
  entries_.erase(it);
}

bool Store::pin(Now now, const DataKey& key) {
  const Entry* there = entry(key.id);
  if (there != nullptr && there->shape != key.shape) {
    ++counters_.refused;
    return false;
  }
  if (there != nullptr && there->pinned) return true;
  const std::size_t whole = cost_of_all(key.shape);
  const std::size_t held = there == nullptr ? 0 : there->bytes;
  if (whole > limits_.max_pinned_bytes - pinned_bytes_) {
    ++counters_.refused;
    return false;
  }
  if (!make_room(whole - held, key.id)) return false;
  Entry& pinned = touch(now, key);
  evictable_.erase({pinned.filled, key.id});
  pinned.pinned = true;
  pinned_bytes_ += pinned.bytes;
  charge(pinned, whole);
  return true;
}

void Store::unpin(Now now, const DataKey& key) {
  const auto it = entries_.find(key.id);
  if (it == entries_.end() || !is_pinned(key) || is_whole(key.id)) return;
  charge(it->second, it->second.held_bytes);
  pinned_bytes_ -= it->second.bytes;
  it->second.pinned = false;
  touch(now, key);
  if (it->second.chunks.empty()) erase(it);
}

// What is verified shows that room was reserved for sizes that nothing has: a stranger's lie.
void Store::drop_false_reservation(const DataKey& key) {
  const auto it = entries_.find(key.id);
  if (it != entries_.end() && it->second.shape != key.shape && it->second.held_bytes == 0) {
    erase(it);
  }
}

bool Store::put(Now now, VerifiedChunk chunk) {
  const DataKey key = chunk.key();
  const std::uint32_t index = chunk.index();
  drop_false_reservation(key);
  if (holds(key.id, index)) return true;
  const std::size_t bytes = cost(chunk);
  const Entry* there = entry(key.id);
  const bool reserved = there != nullptr && there->pinned;
  if (!reserved && !make_room(bytes, key.id)) return false;
  Entry& entry = touch(now, key);
  entry.held_bytes += bytes;
  charge(entry, std::max(entry.bytes, entry.held_bytes));
  entry.chunks.emplace(index, std::move(chunk));
  return true;
}

bool Store::put(Now now, DataSet data) {
  const DataKey key = data.key();
  drop_false_reservation(key);
  if (!pin(now, key)) return false;
  Entry& entry = touch(now, key);
  entry.chunks.clear();
  entry.held_bytes = data.memory_bytes() + kChunkOverheadBytes;
  charge(entry, entry.held_bytes);
  entry.whole.emplace(std::move(data));
  return true;
}

void Store::expire(Now now) {
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= now.mono) {
    ++counters_.expired;
    erase(entries_.find(by_expiry_.begin()->second));
  }
}

Instant Store::next_deadline() const {
  return by_expiry_.empty() ? Instant::never() : by_expiry_.begin()->first;
}

std::optional<DataId> Store::poll_gone() {
  if (gone_.empty()) return std::nullopt;
  const DataId id = gone_.front();
  gone_.pop_front();
  return id;
}

std::optional<Store::Held> Store::find(const DataId& id, std::uint32_t index) const {
  const Entry* found = entry(id);
  if (found == nullptr || index >= found->shape.total_chunks) return std::nullopt;
  if (found->whole) return Held{found->whole->chunk(index), found->whole->proof(index)};
  const auto chunk = found->chunks.find(index);
  if (chunk == found->chunks.end()) return std::nullopt;
  return Held{chunk->second.bytes(), to_bytes(chunk->second.proof())};
}

bool Store::holds(const DataId& id, std::uint32_t index) const {
  const Entry* found = entry(id);
  if (found == nullptr || index >= found->shape.total_chunks) return false;
  return found->whole.has_value() || found->chunks.contains(index);
}

bool Store::is_whole(const DataId& id) const {
  const Entry* found = entry(id);
  return found != nullptr && held_chunks(id) == found->shape.total_chunks;
}

bool Store::is_pinned(const DataKey& key) const {
  const Entry* found = entry(key.id);
  return found != nullptr && found->pinned && found->shape == key.shape;
}

std::uint32_t Store::held_chunks(const DataId& id) const {
  const Entry* found = entry(id);
  if (found == nullptr) return 0;
  if (found->whole) return found->shape.total_chunks;
  return static_cast<std::uint32_t>(found->chunks.size());
}

std::optional<Shape> Store::shape_of(const DataId& id) const {
  const Entry* found = entry(id);
  // A name for which room is only reserved has shown nothing yet.
  if (found == nullptr || held_chunks(id) == 0) return std::nullopt;
  return found->shape;
}

}  // namespace ethnet::das
