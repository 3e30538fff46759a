// The listeners for observers that the options ask for.
#pragma once

#include <cstdint>
#include <memory>

#include <observe/grpc_server.hpp>
#include <observe/http_server.hpp>

#include "node_options.hpp"

namespace ethnet::app {

// Beside the port of the node.
inline constexpr std::uint16_t kGrpcPortOffset = 1000;
inline constexpr std::uint16_t kHttpPortOffset = 3000;

// Null where it is switched off. Throw std::runtime_error with one clear line.
[[nodiscard]] std::unique_ptr<observe::HttpServer> open_http(const NodeOptions& options,
                                                             std::uint16_t node_port);
[[nodiscard]] std::unique_ptr<observe::GrpcServer> open_grpc(const NodeOptions& options,
                                                             std::uint16_t node_port);

}  // namespace ethnet::app
