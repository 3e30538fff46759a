#include "http_listener.hpp"

#include <limits>
#include <stdexcept>

#include <fmt/format.h>

namespace ethnet::app {
namespace {

std::uint16_t http_port(const NodeOptions& options, std::uint16_t node_port) {
  // Who asks for any port gets any: one that was drawn may have no free one beside it.
  if (options.http_port != 0 || options.port == 0) return options.http_port;
  const std::uint32_t port = node_port + kHttpPortOffset;
  if (port > std::numeric_limits<std::uint16_t>::max()) {
    throw std::runtime_error(
        fmt::format("port {} + {} is no port: name one by --http.port, or --http=false", node_port,
                    kHttpPortOffset));
  }
  return static_cast<std::uint16_t>(port);
}

}  // namespace

std::unique_ptr<observe::HttpServer> open_http(const NodeOptions& options,
                                               std::uint16_t node_port) {
  if (!options.http) return nullptr;
  const auto ip = IpAddress::parse(options.http_address);
  if (!ip) {
    throw std::runtime_error(
        fmt::format("--http.addr: '{}': {}", options.http_address, ip.error().what()));
  }
  return std::make_unique<observe::HttpServer>(observe::HttpConfig{
      .listen = {*ip, http_port(options, node_port)}, .names = options.http_hosts});
}

}  // namespace ethnet::app
