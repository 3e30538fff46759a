// Who can reach an address, and therefore to whom it may be named: a loopback address means
// another machine to everybody else, a LAN address means nothing outside, and some name no host.
// A peer that names an address beyond its own scope wants us to knock there (attack 38).
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include <types/endpoint.hpp>

namespace ethnet::kbucket {

// Ordered: what a scope reaches, the ones before it (but special) reach too.
enum class Scope : std::uint8_t { special, loopback, lan, wan };
inline constexpr std::size_t kScopes = 4;
[[nodiscard]] std::string_view describe(Scope scope);

// special: no host can be there, or we cannot tell whose it is (multicast, documentation, shared
// and translated addresses, "this network").
[[nodiscard]] Scope scope_of(const IpAddress& ip);

// Whether an address of scope `told` means the same to both ends of a conversation that goes over
// an address of scope `between`: then it may be told, and what was told may be believed.
[[nodiscard]] bool may_relay(Scope between, Scope told);

}  // namespace ethnet::kbucket
