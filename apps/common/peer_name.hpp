// A peer as a person writes it: enr:…, enode://… or HOST:PORT.
#pragma once

#include <string>

#include <node/config.hpp>

namespace ethnet::app {

// Throws std::runtime_error with one clear line.
[[nodiscard]] node::StaticPeer parse_peer(const std::string& text);

}  // namespace ethnet::app
