// BoundedQueue<T>: first in, first out, with a limit and a count of what was refused at it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "check.hpp"

namespace ethnet {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t limit) : limit_{limit} { CHECK(limit > 0); }

  // False, and one more refused, when the queue is full; the value is then dropped.
  bool push(T value) {
    if (items_.size() >= limit_) {
      ++refused_;
      return false;
    }
    items_.push_back(std::move(value));
    return true;
  }
  [[nodiscard]] std::optional<T> pop() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> front{std::move(items_.front())};
    items_.pop_front();
    return front;
  }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] bool full() const { return items_.size() >= limit_; }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] std::size_t limit() const { return limit_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  std::deque<T> items_;
  std::size_t limit_;
  std::uint64_t refused_ = 0;
};

}  // namespace ethnet
