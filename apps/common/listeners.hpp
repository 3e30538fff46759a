// The listeners that the options ask for: for observers, and for the node's owner.
#pragma once

#include <cstdint>
#include <memory>

#include <control/control_server.hpp>
#include <observe/event_log.hpp>
#include <observe/grpc_server.hpp>
#include <observe/http_server.hpp>
#include <runtime/node_runner.hpp>

#include "node_options.hpp"

namespace ethnet::app {

// Beside the port of the node.
inline constexpr std::uint16_t kGrpcPortOffset = 1000;
inline constexpr std::uint16_t kHttpPortOffset = 3000;

// Null where it is switched off. The log outlives it. Throw std::runtime_error with one clear line.
[[nodiscard]] std::unique_ptr<observe::HttpServer> open_http(const NodeOptions& options,
                                                             std::uint16_t node_port,
                                                             observe::EventLog& log);
// What is asked over HTTP goes to the node, as long as this lives; its runner lives longer. `http`:
// may be null.
class HttpLine {
 public:
  HttpLine(observe::HttpServer* http, runtime::NodeRunner& runner);
  ~HttpLine();
  HttpLine(const HttpLine&) = delete;
  HttpLine& operator=(const HttpLine&) = delete;

 private:
  observe::HttpServer* http_;
};
[[nodiscard]] std::unique_ptr<observe::GrpcServer> open_grpc(const NodeOptions& options,
                                                             std::uint16_t node_port,
                                                             observe::EventLog& log);
// It goes before the runner does.
[[nodiscard]] std::unique_ptr<control::ControlServer> open_control(const NodeOptions& options,
                                                                   runtime::NodeRunner& runner,
                                                                   control::Desk& desk);

}  // namespace ethnet::app
