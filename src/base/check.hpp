// CHECK guards our own invariants and stays on in release. It never sees peer input: what a peer
// sends is judged by decoders that return an Error.
#pragma once

#include <source_location>
#include <string_view>

namespace ethnet {

// Prints "CHECK failed: <condition> at file:line" to standard error and aborts.
[[noreturn]] void check_failed(std::string_view condition, std::source_location where) noexcept;

}  // namespace ethnet

#define CHECK(...)                                                           \
  do {                                                                       \
    if (!(__VA_ARGS__)) [[unlikely]]                                         \
      ::ethnet::check_failed(#__VA_ARGS__, std::source_location::current()); \
  } while (false)
