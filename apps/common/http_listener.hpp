// The HTTP listener that the options ask for.
#pragma once

#include <cstdint>
#include <memory>

#include <observe/http_server.hpp>

#include "node_options.hpp"

namespace ethnet::app {

// Beside the port of the node: others of the family are at + 1000 and so on.
inline constexpr std::uint32_t kHttpPortOffset = 3000;

// Null where it is switched off. Throws std::runtime_error with one clear line.
[[nodiscard]] std::unique_ptr<observe::HttpServer> open_http(const NodeOptions& options,
                                                             std::uint16_t node_port);

}  // namespace ethnet::app
