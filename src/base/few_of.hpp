// FewOf<T, N>: at most N values in place, for lists of messages that allocate nothing. A value.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "check.hpp"

namespace ethnet {

template <class T, std::size_t N>
class FewOf {
 public:
  [[nodiscard]] std::span<const T> view() const { return std::span{values_}.first(size_); }
  [[nodiscard]] bool full() const { return size_ == N; }
  // CHECK: not full.
  void push_back(const T& value) {
    CHECK(!full());
    values_[size_++] = value;
  }

 private:
  std::array<T, N> values_{};
  std::size_t size_ = 0;
};

}  // namespace ethnet
