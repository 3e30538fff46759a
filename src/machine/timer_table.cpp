#include "timer_table.hpp"

#include <base/check.hpp>

namespace ethnet {

void TimerTable::set(TimerId id, Instant at) {
  CHECK(id <= kMaxTimerId);
  if (at.is_never()) {
    cancel(id);
    return;
  }
  if (id >= position_.size()) position_.resize(id + std::size_t{1}, kNotArmed);
  const Due entry{id, at};
  if (position_[id] == kNotArmed) {
    heap_.push_back(entry);
    sift_up(heap_.size() - 1, entry);
    return;
  }
  const std::size_t position = position_[id];
  if (before(entry, heap_[position])) {
    sift_up(position, entry);
  } else {
    sift_down(position, entry);
  }
}

bool TimerTable::cancel(TimerId id) {
  if (id >= position_.size() || position_[id] == kNotArmed) return false;
  remove_at(position_[id]);
  return true;
}

std::optional<TimerTable::Due> TimerTable::pop_due(Instant now) {
  if (heap_.empty() || heap_.front().at > now) return std::nullopt;
  const Due due = heap_.front();
  remove_at(0);
  return due;
}

Instant TimerTable::deadline(TimerId id) const {
  if (id >= position_.size() || position_[id] == kNotArmed) return Instant::never();
  return heap_[position_[id]].at;
}

void TimerTable::place(std::size_t position, Due entry) {
  heap_[position] = entry;
  position_[entry.id] = static_cast<std::uint32_t>(position);
}

void TimerTable::sift_up(std::size_t position, Due entry) {
  while (position > 0) {
    const std::size_t parent = (position - 1) / 2;
    if (!before(entry, heap_[parent])) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, entry);
}

void TimerTable::sift_down(std::size_t position, Due entry) {
  while (true) {
    std::size_t child = 2 * position + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child])) ++child;
    if (!before(heap_[child], entry)) break;
    place(position, heap_[child]);
    position = child;
  }
  place(position, entry);
}

void TimerTable::remove_at(std::size_t position) {
  position_[heap_[position].id] = kNotArmed;
  const Due last = heap_.back();
  heap_.pop_back();
  if (position == heap_.size()) return;
  // The last entry fills the gap; it may belong above or below it.
  if (position > 0 && before(last, heap_[(position - 1) / 2])) {
    sift_up(position, last);
  } else {
    sift_down(position, last);
  }
}

}  // namespace ethnet
