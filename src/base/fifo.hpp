// Fifo<T>: first in, first out, in one block of memory, and none while nothing was ever in it. A
// std::deque takes half a kilobyte when it is made, and a session has some twenty queues that are
// nearly always empty. Pushing moves what is in it. Whoever owns one bounds it.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace ethnet {

template <class T>
class Fifo {
 public:
  using value_type = T;
  using iterator = typename std::vector<T>::iterator;
  using const_iterator = typename std::vector<T>::const_iterator;

  [[nodiscard]] bool empty() const { return head_ == items_.size(); }
  [[nodiscard]] std::size_t size() const { return items_.size() - head_; }
  [[nodiscard]] std::size_t capacity() const { return items_.capacity(); }
  [[nodiscard]] iterator begin() { return items_.begin() + offset(); }
  [[nodiscard]] iterator end() { return items_.end(); }
  [[nodiscard]] const_iterator begin() const { return items_.begin() + offset(); }
  [[nodiscard]] const_iterator end() const { return items_.end(); }
  [[nodiscard]] T& operator[](std::size_t i) { return items_[head_ + i]; }
  [[nodiscard]] const T& operator[](std::size_t i) const { return items_[head_ + i]; }
  [[nodiscard]] T& front() { return items_[head_]; }
  [[nodiscard]] const T& front() const { return items_[head_]; }
  [[nodiscard]] T& back() { return items_.back(); }
  [[nodiscard]] const T& back() const { return items_.back(); }

  void push_back(T value) { items_.push_back(std::move(value)); }
  template <class... Args>
  void emplace_back(Args&&... args) {
    items_.emplace_back(std::forward<Args>(args)...);
  }
  void push_front(T value) {
    if (head_ == 0) {
      items_.insert(items_.begin(), std::move(value));
    } else {
      items_[--head_] = std::move(value);
    }
  }
  void pop_front() {
    [[maybe_unused]] const T gone{std::move(front())};  // what it holds is freed now
    ++head_;
    close_up();
  }
  iterator erase(iterator at) { return items_.erase(at); }
  template <class Iterator>
  void assign(Iterator first, Iterator last) {
    items_.assign(first, last);
    head_ = 0;
  }
  void clear() {
    items_ = std::vector<T>{};  // `= {}` would keep the memory
    head_ = 0;
  }
  // How many went.
  std::size_t remove(const T& value) {
    return remove_if([&](const T& one) { return one == value; });
  }
  template <class Predicate>
  std::size_t remove_if(Predicate&& predicate) {
    items_.erase(items_.begin(), begin());
    head_ = 0;
    return std::erase_if(items_, std::forward<Predicate>(predicate));
  }

 private:
  static constexpr std::size_t kKept = 16;  // places that an empty one keeps

  [[nodiscard]] std::ptrdiff_t offset() const { return static_cast<std::ptrdiff_t>(head_); }
  // So that each item is moved at most once on average.
  void close_up() {
    if (empty() && items_.capacity() > kKept) return clear();
    if (!empty() && head_ <= items_.size() / 2) return;
    items_.erase(items_.begin(), begin());
    head_ = 0;
  }

  std::vector<T> items_;
  std::size_t head_ = 0;
};

}  // namespace ethnet
