#include "network_choice.hpp"

#include <stdexcept>

#include <base/check.hpp>
#include <fmt/format.h>
#include <types/endpoint.hpp>
#include <types/network_genesis.hpp>

#include "files.hpp"

namespace ethnet::app {
namespace {

void refuse(const NodeOptions& options, bool is_wrong, const std::string& why) {
  if (is_wrong) {
    throw std::runtime_error(fmt::format("--network {}: {}", options.network, why));
  }
}

// Who switches all discovery off and says where it shall be wants one of both.
void judge_silence(const NodeOptions& options, const GivenFlags& given) {
  const bool has_port = given.discovery_port && !options.discovery_v4 && !options.discovery_v5;
  if (!options.no_discovery || !has_port) return;
  throw std::runtime_error(
      "--nodiscover: --discovery.port is for --discovery.v5 or --discovery.v4, and neither is "
      "asked "
      "for");
}

}  // namespace

void apply_network(NodeOptions& options, const GivenFlags& given) {
  const auto drop_empty = [](std::vector<std::string>& values) {
    std::erase_if(values, [](const std::string& value) { return value.empty(); });
  };
  drop_empty(options.peers);
  drop_empty(options.dns_trees);
  judge_silence(options, given);
  if (options.network.empty()) return;
  const Network* const network = find_network(options.network);
  refuse(options, network == nullptr, "there is no such network");
  refuse(options, !options.genesis.empty(), "it has a genesis, and --genesis names another");
  refuse(options, options.produce, "its headers are not made by whoever likes: no --produce");
  if (options.no_discovery) return;  // what was asked for by name stays
  if (!given.v4) options.discovery_v4 = true;
  if (!given.v5) options.discovery_v5 = true;
  if (!given.boot_nodes) {
    options.network_boot_nodes.assign(network->boot_nodes.begin(), network->boot_nodes.end());
    if (options.discovery_v5) {
      options.network_boot_nodes.insert(options.network_boot_nodes.end(),
                                        network->discv5_boot_nodes.begin(),
                                        network->discv5_boot_nodes.end());
    }
  }
  if (!given.dns) options.dns_trees = {std::string{network->dns_tree}};
}

Genesis choose_genesis(const NodeOptions& options) {
  if (options.network.empty()) return load_genesis(options.genesis);
  const Network* const network = find_network(options.network);
  refuse(options, network == nullptr, "there is no such network");
  return genesis_of(*network);
}

dns::Link parse_dns_tree(const std::string& url) {
  auto link = dns::Link::parse(url);
  if (!link) {
    throw std::runtime_error(
        fmt::format("'{}': {} (expected enrtree://KEY@DOMAIN)", url, link.error().what()));
  }
  return *std::move(link);
}

bool check_dns_tree(const std::string& url) {
  if (!url.empty()) (void)parse_dns_tree(url);
  return true;
}

bool check_dns_server(const std::string& address) {
  const auto server = Endpoint::parse(address);
  if (server && server->port != 0) return true;
  throw std::runtime_error(fmt::format("'{}': expected ADDRESS:PORT", address));
}

}  // namespace ethnet::app
