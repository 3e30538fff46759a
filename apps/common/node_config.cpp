#include "node_config.hpp"

#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "boot_node.hpp"
#include "byte_amount.hpp"
#include "nat.hpp"
#include "network_choice.hpp"
#include "peer_name.hpp"
#include "rule_name.hpp"

namespace ethnet::app {
namespace {

node::StaticPeer parse_boot_peer(const std::string& text) {
  try {
    return parse_peer(text);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}", kBootNodes, error.what()));
  }
}

}  // namespace

node::NodeConfig make_config(const NodeOptions& options, Genesis genesis,
                             const std::function<std::string(const std::string&)>& read_file) {
  node::NodeConfig config;
  config.genesis = std::move(genesis);
  config.fork_choice = read_rule(options.fork_choice, read_file);
  config.chain.memory_bytes = options.header_memory_mib << 20;
  if (options.retention > 0) config.chain.retention = options.retention;
  config.max_peers = options.max_peers;
  config.netrestrict = allowed_networks(fmt::format("{}", fmt::join(options.netrestrict, ",")));
  config.upload = parse_rate(options.bandwidth_up);
  config.download = parse_rate(options.bandwidth_down);
  config.upload_per_day = parse_daily(options.max_upload_target);
  config.session_memory_bytes = options.session_memory_mib << 20;
  if (options.peers.size() > node::kMaxStaticPeers) {
    throw std::runtime_error(fmt::format("more than {} peers", node::kMaxStaticPeers));
  }
  if (options.discovery_v4 || options.discovery_v5) {
    config.udp_discovery = node::UdpDiscoveryConfig{.listen = {},  // once its socket is bound
                                                    .external = {},
                                                    .v4 = options.discovery_v4,
                                                    .v5 = options.discovery_v5,
                                                    .boot_records = {},
                                                    .boot_nodes = {},
                                                    .saved = {},
                                                    .nets = {}};
  }
  for (const std::string& peer : options.peers) {
    const bool boots = config.udp_discovery && add_boot_node(*config.udp_discovery, peer);
    if (!boots || names_sessions(peer)) config.peers.push_back(parse_boot_peer(peer));
  }
  for (const std::string& node : options.network_boot_nodes) {
    if (config.udp_discovery) (void)add_boot_node(*config.udp_discovery, node);
  }
  if (options.dns_trees.size() > dns::kMaxTrees) {
    throw std::runtime_error(fmt::format("more than {} lists in the DNS", dns::kMaxTrees));
  }
  for (const std::string& url : options.dns_trees) {
    config.dns_trees.push_back(parse_dns_tree(url));
  }
  // With a file to import, after the import: nothing is built below what it holds.
  config.producer.enabled = options.produce && options.import_file.empty();
  config.producer.forks = options.produce_forks;
  config.producer.period = seconds(options.period_seconds);
  if (!options.no_discovery) config.discovery.emplace();
  config.das.emplace().auto_sample = options.das_sample == "auto";
  config.full_hashes = options.log_format == "json";
  config.client = "MiniEthNet/" + (options.identity.empty() ? "" : options.identity + "/") +
                  "v" ETHNET_VERSION "/linux-x86_64/clang19";
  return config;
}

}  // namespace ethnet::app
