// Amounts of bytes as people write them: 500000, 500k, 64KiB. k, M, G, T are
// powers of 1000, with or without B; Ki, Mi, Gi, Ti powers of 1024, likewise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <transport/quic/config.hpp>

namespace ethnet::app {

// Nothing when it is no such amount, or no 63 bits hold it.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);

// RATE or RATE:BURST, in bytes a second and bytes; 0 or nothing: no limit. Without a BURST it is
// half a second of the rate, and kMinBurst at least. Throws std::runtime_error with the reason.
[[nodiscard]] quic::RateLimit parse_rate(const std::string& text);

// Bytes a day; 0 or nothing: no target. Throws std::runtime_error with the reason.
[[nodiscard]] std::uint64_t parse_daily(const std::string& text);

}  // namespace ethnet::app
