// A node of --bootnodes as discv5 and discv4 turn to it: enr:… or enode://…, where it names an
// address and a UDP port.
#pragma once

#include <string>

#include <node/udp_discovery.hpp>

namespace ethnet::app {

inline constexpr std::uint16_t kDiscoveryPortOffset = 2'000;

// False where `text` names no such place: a HOST:PORT, or a record of sessions alone. What is wrong
// with `text` itself is not judged here. Throws at kMaxUdpBootNodes.
bool add_boot_node(node::UdpDiscoveryConfig& config, const std::string& text);
// Whether it names a place for sessions as well.
[[nodiscard]] bool names_sessions(const std::string& text);
// The port of discovery: as `wanted`, or beside that of the node. Throws where there is none.
[[nodiscard]] std::uint16_t discovery_port(std::uint16_t wanted, std::uint16_t asked,
                                           std::uint16_t bound);

}  // namespace ethnet::app
