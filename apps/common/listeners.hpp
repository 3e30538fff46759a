// The listeners for observers that the options ask for.
#pragma once

#include <cstdint>
#include <memory>

#include <observe/event_log.hpp>
#include <observe/grpc_server.hpp>
#include <observe/http_server.hpp>

#include "node_options.hpp"

namespace ethnet::app {

// Beside the port of the node.
inline constexpr std::uint16_t kGrpcPortOffset = 1000;
inline constexpr std::uint16_t kHttpPortOffset = 3000;

// Null where it is switched off. The log outlives it. Throw std::runtime_error with one clear line.
[[nodiscard]] std::unique_ptr<observe::HttpServer> open_http(const NodeOptions& options,
                                                             std::uint16_t node_port,
                                                             observe::EventLog& log);
[[nodiscard]] std::unique_ptr<observe::GrpcServer> open_grpc(const NodeOptions& options,
                                                             std::uint16_t node_port,
                                                             observe::EventLog& log);

}  // namespace ethnet::app
