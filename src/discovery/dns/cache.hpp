// Entries by their hash, as text: what was verified once need not be asked for again. The one that
// was used longest ago makes way. Threading: none. Limits: kMaxCachedEntries.
#pragma once

#include <list>
#include <map>
#include <string>
#include <string_view>

#include "limits.hpp"

namespace ethnet::dns {

class EntryCache {
 public:
  // Null where it is not there; valid until the next put().
  [[nodiscard]] const std::string* find(std::string_view label) {
    const auto it = by_label_.find(label);
    if (it == by_label_.end()) return nullptr;
    order_.splice(order_.begin(), order_, it->second);
    return &it->second->text;
  }
  // `text` has the hash that `label` says.
  void put(const std::string& label, std::string_view text) {
    if (find(label) != nullptr) return;
    order_.push_front({label, std::string{text}});
    by_label_.emplace(label, order_.begin());
    if (order_.size() <= kMaxCachedEntries) return;
    by_label_.erase(order_.back().label);
    order_.pop_back();
  }
  [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
  struct Cached {
    std::string label;
    std::string text;
  };
  std::list<Cached> order_;  // used last: first
  std::map<std::string, std::list<Cached>::iterator, std::less<>> by_label_;
};

}  // namespace ethnet::dns
