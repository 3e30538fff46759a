// A map of bounded size: at its capacity a newcomer takes the place of the entry that was not used
// for longest. Finding and using an entry allocates nothing, nor does adding one at the capacity.
// Threading: one thread. Limits: the capacity, which the owner names. Order is that of use, never
// that of the hash.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_set>
#include <utility>

#include "check.hpp"

namespace ethnet {

template <class Key, class T, class Hash>
class LruMap {
 public:
  LruMap(std::size_t capacity, Hash hash) : capacity_{capacity}, places_{0, PlaceHash{hash}} {
    CHECK(capacity > 0);
  }

  // Null when there is none; does not count as use.
  [[nodiscard]] T* find(const Key& key) {
    const auto place = places_.find(key);
    return place == places_.end() ? nullptr : &(*place)->second;
  }
  // As find(), and counts as use.
  [[nodiscard]] T* use(const Key& key) {
    const auto place = places_.find(key);
    if (place == places_.end()) return nullptr;
    entries_.splice(entries_.end(), entries_, *place);
    return &(*place)->second;
  }
  // CHECK: there is no such key. Whether the oldest entry made way.
  bool insert(const Key& key, T value) {
    CHECK(!places_.contains(key));
    if (entries_.size() < capacity_) {
      entries_.emplace_back(key, std::move(value));
      places_.insert(std::prev(entries_.end()));
      return false;
    }
    // The memory of the one is that of the other: a flood allocates nothing.
    auto place = places_.extract(places_.find(entries_.front().first));
    entries_.splice(entries_.end(), entries_, entries_.begin());
    entries_.back().first = key;
    entries_.back().second = std::move(value);
    places_.insert(std::move(place));
    return true;
  }
  bool erase(const Key& key) {
    const auto place = places_.find(key);
    if (place == places_.end()) return false;
    const Entry entry = *place;
    places_.erase(place);
    entries_.erase(entry);
    return true;
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  // The entry that was not used for longest. CHECK: there is one.
  [[nodiscard]] const T& oldest() const {
    CHECK(!entries_.empty());
    return entries_.front().second;
  }
  void drop_oldest() {
    CHECK(!entries_.empty());
    places_.erase(places_.find(entries_.front().first));
    entries_.pop_front();
  }

 private:
  using Entries = std::list<std::pair<Key, T>>;
  using Entry = typename Entries::iterator;
  // A key is kept once, in its entry. Not noexcept: so the set keeps each hash, and does not
  // compute those of whatever else is in a bucket.
  struct PlaceHash {
    using is_transparent = void;
    Hash hash;
    std::size_t operator()(const Key& key) const { return hash(key); }
    std::size_t operator()(const Entry& entry) const { return hash(entry->first); }
  };
  struct PlaceEqual {
    using is_transparent = void;
    static const Key& key_of(const Key& key) { return key; }
    static const Key& key_of(const Entry& entry) { return entry->first; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return key_of(a) == key_of(b);
    }
  };

  std::size_t capacity_;
  Entries entries_;  // the oldest first
  std::unordered_set<Entry, PlaceHash, PlaceEqual> places_;
};

}  // namespace ethnet
