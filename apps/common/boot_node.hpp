// A node as an operator names it to discv5 and discv4: enr:… or enode://…, where it names an
// address and a UDP port. Every error is a std::runtime_error with one clear line, which begins
// with where the text stands and what it begins with: "--bootnodes enr:-IS4QHCYrYZbAKWC…: …".
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <discovery/v4/engine/engine.hpp>
#include <node/udp_discovery.hpp>
#include <types/enr.hpp>

namespace ethnet::app {

inline constexpr std::uint16_t kDiscoveryPortOffset = 2'000;

// Where a text stands.
inline constexpr std::string_view kBootNodes = "--bootnodes";
inline constexpr std::string_view kNode = "NODE";

// The text, or as much of its beginning as tells it from others.
[[nodiscard]] std::string beginning_of(const std::string& text);

// A record as text, verified.
[[nodiscard]] std::shared_ptr<const VerifiedEnr> parse_record(std::string_view where,
                                                              const std::string& text);
// The same where it names an address of discovery.
[[nodiscard]] kbucket::RecordPtr parse_reachable_record(std::string_view where,
                                                        const std::string& text);
// enr:… or enode://… with an IP address.
[[nodiscard]] discv4::V4Node parse_v4_node(std::string_view where, const std::string& text);

// False where `text` names no such place: a HOST:PORT, or a record of sessions alone. What is wrong
// with `text` itself is not judged here. Throws at kMaxUdpBootNodes.
bool add_boot_node(node::UdpDiscoveryConfig& config, const std::string& text);
// Whether it names a place for sessions as well.
[[nodiscard]] bool names_sessions(const std::string& text);
// The port of discovery: as `wanted`, or beside that of the node. Throws where there is none.
[[nodiscard]] std::uint16_t discovery_port(std::uint16_t wanted, std::uint16_t asked,
                                           std::uint16_t bound);

}  // namespace ethnet::app
