// Fidelity: what carries the sessions of a world's nodes. Everything above transport/conn.hpp is
// the same code at each.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ethnet::sim {

enum class Fidelity : std::uint8_t {
  quic,  // QUIC with TLS, as in the released node
  mem,   // transport/memory: the same streams, credit and close, no cryptography
};
inline constexpr std::array kAllFidelities{Fidelity::quic, Fidelity::mem};

[[nodiscard]] constexpr std::string_view to_string(Fidelity fidelity) {
  return fidelity == Fidelity::quic ? "quic" : "mem";
}
[[nodiscard]] constexpr std::optional<Fidelity> parse_fidelity(std::string_view text) {
  for (const Fidelity one : kAllFidelities) {
    if (to_string(one) == text) return one;
  }
  return std::nullopt;
}

}  // namespace ethnet::sim
