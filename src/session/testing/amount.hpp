// How much of a long test to run: a share in every test run, the rest by an environment variable.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <base/check.hpp>

namespace ethnet::testing {

inline std::uint64_t amount(const char* variable, std::uint64_t share) {
  const char* const said = std::getenv(variable);
  if (said == nullptr) return share;
  const std::string_view text{said};
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  CHECK(parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size());
  return value;
}

}  // namespace ethnet::testing
