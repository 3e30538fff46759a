// Operations out of fuzz input: what a machine is told next. An input that ends gives zeros. And
// the inverse, for seeds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include <base/bytes.hpp>

namespace ethnet::fuzz {

class Operations {
 public:
  explicit Operations(ByteView input) : rest_{input} {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = std::to_integer<std::uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }
  // Below `n`; 0 where n is 0.
  std::size_t below(std::size_t n) { return n == 0 ? 0 : byte() % n; }
  ByteView bytes(std::size_t size) {
    const ByteView out = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(out.size());
    return out;
  }

 private:
  ByteView rest_;
};

// Of each the lowest byte.
inline Bytes operations_of(std::initializer_list<int> bytes) {
  Bytes out;
  for (const int b : bytes) out.push_back(static_cast<std::byte>(b));
  return out;
}

}  // namespace ethnet::fuzz
