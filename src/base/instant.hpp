// Time as a value. The core never reads a clock: every input of a machine begins with a Now.
// Duration is a signed count of nanoseconds; Instant is monotonic, UnixTime is wall-clock; the two
// do not mix. A sum that no int64 holds saturates: "never" stays never, and no input overflows.
#pragma once

#include <compare>
#include <cstdint>

namespace ethnet {

struct Duration {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.ns - b.ns}; }
  friend constexpr Duration operator*(Duration a, std::int64_t k) { return {a.ns * k}; }
  friend constexpr Duration operator/(Duration a, std::int64_t k) { return {a.ns / k}; }
};
[[nodiscard]] constexpr Duration nanoseconds(std::int64_t n) { return {n}; }
[[nodiscard]] constexpr Duration microseconds(std::int64_t n) { return {n * 1'000}; }
[[nodiscard]] constexpr Duration milliseconds(std::int64_t n) { return {n * 1'000'000}; }
[[nodiscard]] constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000'000}; }

// Monotonic; the origin is arbitrary. `never()` is later than every real instant.
struct Instant {
  std::int64_t ns = 0;
  [[nodiscard]] static constexpr Instant never() { return {INT64_MAX}; }
  [[nodiscard]] constexpr bool is_never() const { return ns == INT64_MAX; }
  friend constexpr auto operator<=>(Instant, Instant) = default;
  friend constexpr Instant operator+(Instant t, Duration d) {
    std::int64_t sum = 0;
    if (t.is_never()) return t;
    if (!__builtin_add_overflow(t.ns, d.ns, &sum)) return {sum};
    return d.ns > 0 ? never() : Instant{INT64_MIN};
  }
  friend constexpr Instant operator-(Instant t, Duration d) {
    std::int64_t difference = 0;
    if (t.is_never()) return t;
    if (!__builtin_sub_overflow(t.ns, d.ns, &difference)) return {difference};
    return d.ns < 0 ? never() : Instant{INT64_MIN};
  }
  friend constexpr Duration operator-(Instant a, Instant b) { return {a.ns - b.ns}; }
};

// Nanoseconds since 1970-01-01 UTC.
struct UnixTime {
  std::int64_t ns = 0;
  [[nodiscard]] constexpr std::uint64_t whole_seconds() const {
    return static_cast<std::uint64_t>(ns < 0 ? 0 : ns / 1'000'000'000);
  }
  // The year 2262 at the latest: header timestamps have 64 bits.
  [[nodiscard]] static constexpr UnixTime from_seconds(std::uint64_t s) {
    if (s > static_cast<std::uint64_t>(INT64_MAX / 1'000'000'000)) return {INT64_MAX};
    return {static_cast<std::int64_t>(s) * 1'000'000'000};
  }
  friend constexpr auto operator<=>(UnixTime, UnixTime) = default;
  friend constexpr UnixTime operator+(UnixTime t, Duration d) { return {t.ns + d.ns}; }
  friend constexpr Duration operator-(UnixTime a, UnixTime b) { return {a.ns - b.ns}; }
};

struct Now {
  Instant mono;
  UnixTime wall;
};

}  // namespace ethnet
