#include "listeners.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <observe/web_page.hpp>

#include "peer_name.hpp"

namespace ethnet::app {
namespace {

// One of the listeners: its flag, and what that says.
struct Wanted {
  std::string flag;  // "http" of --http.addr
  std::string address;
  std::uint16_t port = 0;  // 0: beside the node's
  std::uint16_t offset = 0;
};

Endpoint endpoint_of(const Wanted& wanted, std::uint16_t asked, std::uint16_t bound) {
  const auto ip = IpAddress::parse(wanted.address);
  if (!ip) {
    throw std::runtime_error(
        fmt::format("--{}.addr: '{}': {}", wanted.flag, wanted.address, ip.error().what()));
  }
  // Who asks for any port gets any: one that was drawn may have no free one beside it.
  if (wanted.port != 0 || asked == 0) return {*ip, wanted.port};
  const std::uint32_t port = std::uint32_t{bound} + wanted.offset;
  if (port > std::numeric_limits<std::uint16_t>::max()) {
    throw std::runtime_error(
        fmt::format("port {} + {} is no port: name one by --{}.port, or --{}=false", bound,
                    wanted.offset, wanted.flag, wanted.flag));
  }
  return {*ip, static_cast<std::uint16_t>(port)};
}

}  // namespace

std::unique_ptr<observe::HttpServer> open_http(const NodeOptions& options, std::uint16_t node_port,
                                               observe::EventLog& log) {
  if (!options.http) return nullptr;
  const Endpoint listen = endpoint_of(
      {"http", options.http_address, options.http_port, kHttpPortOffset}, options.port, node_port);
  const bool may_change = std::ranges::find(options.http_api, "admin") != options.http_api.end();
  return std::make_unique<observe::HttpServer>(
      observe::HttpConfig{.listen = listen,
                          .names = options.http_hosts,
                          .files = observe::web_page(),
                          .parse_peer = may_change ? parse_peer : observe::ParsePeer{}},
      log);
}

HttpLine::HttpLine(observe::HttpServer* http, runtime::NodeRunner& runner) : http_{http} {
  if (http_ == nullptr) return;
  http_->connect([&runner](std::vector<node::Query> queries, observe::TakeAnswers take) {
    runner.post([all = std::move(queries), tell = std::move(take)](node::Node& node, Now now) {
      tell(node::answer(node, now, all));
    });
  });
}

HttpLine::~HttpLine() {
  if (http_ != nullptr) http_->disconnect();
}

std::unique_ptr<observe::GrpcServer> open_grpc(const NodeOptions& options, std::uint16_t node_port,
                                               observe::EventLog& log) {
  if (!options.grpc) return nullptr;
  const Endpoint listen = endpoint_of(
      {"grpc", options.grpc_address, options.grpc_port, kGrpcPortOffset}, options.port, node_port);
  return std::make_unique<observe::GrpcServer>(observe::GrpcConfig{.listen = listen}, log);
}

std::unique_ptr<control::ControlServer> open_control(const NodeOptions& options,
                                                     runtime::NodeRunner& runner,
                                                     control::Desk& desk) {
  if (options.no_ipc) return nullptr;
  const std::string beside = (std::filesystem::path{options.datadir} / "ethnet.ipc").string();
  return std::make_unique<control::ControlServer>(
      control::ControlConfig{
          .path = options.ipc_path.empty() ? beside : options.ipc_path,
          .parse_peer = parse_peer,
          .post = [&runner](control::Desk::Turn turn) { runner.post(std::move(turn)); },
          .stop = [&runner] { boost::asio::post(runner.io(), [&runner] { runner.stop(); }); }},
      desk);
}

}  // namespace ethnet::app
