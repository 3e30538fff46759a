// Result<T>: a value or a typed Error. Each module has a small enum class of its own and gives it a
// domain; Error carries the code, its domain and where in the input (byte offset) it was found.
//
//   enum class RlpError : std::uint16_t { truncated, ... };
//   [[nodiscard]] const ErrorDomain& error_domain(RlpError);          // found by ADL
//   return fail(RlpError::truncated, offset);
//   const auto item = TRY(reader.read_bytes());
//
// TRY stands alone as a statement or as a whole initialiser, never inside braces or arguments
// (g++ 12 leaks temporaries there).
#pragma once

#include <concepts>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ethnet {

struct ErrorDomain {
  std::string_view name;                             // "rlp"
  std::string_view (*describe)(std::uint16_t code);  // "non-canonical size"
};

template <class E>
concept ErrorEnum = std::is_enum_v<E> && requires(E e) {
  { error_domain(e) } -> std::same_as<const ErrorDomain&>;
};

class Error {
 public:
  template <ErrorEnum E>
  explicit Error(E code, std::uint64_t offset = 0)
      : domain_{&error_domain(code)}, code_{static_cast<std::uint16_t>(code)}, offset_{offset} {}

  template <ErrorEnum E>
  [[nodiscard]] bool is(E code) const {
    return domain_ == &error_domain(code) && code_ == static_cast<std::uint16_t>(code);
  }
  [[nodiscard]] std::string_view domain() const { return domain_->name; }
  [[nodiscard]] std::string_view what() const { return domain_->describe(code_); }
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  // The same error, found in a part that starts at `base` of a larger input.
  [[nodiscard]] Error shifted(std::uint64_t base) const {
    Error moved = *this;
    moved.offset_ += base;
    return moved;
  }
  // "rlp: non-canonical size at byte 12"
  [[nodiscard]] std::string message() const;

  friend bool operator==(const Error& a, const Error& b) {
    return a.domain_ == b.domain_ && a.code_ == b.code_ && a.offset_ == b.offset_;
  }

 private:
  const ErrorDomain* domain_;
  std::uint16_t code_;
  std::uint64_t offset_;
};

template <class T>
using Result = std::expected<T, Error>;

template <ErrorEnum E>
[[nodiscard]] std::unexpected<Error> fail(E code, std::uint64_t offset = 0) {
  return std::unexpected<Error>{Error{code, offset}};
}

}  // namespace ethnet

#define ETHNET_CAT2(a, b) a##b
#define ETHNET_CAT(a, b) ETHNET_CAT2(a, b)
#define ETHNET_TRY(r, ...)                          \
  __extension__({                                   \
    auto r = (__VA_ARGS__);                         \
    if (!r) [[unlikely]]                            \
      return std::unexpected(std::move(r).error()); \
    *std::move(r);                                  \
  })
#define TRY(...) ETHNET_TRY(ETHNET_CAT(ethnet_try_, __COUNTER__), __VA_ARGS__)
