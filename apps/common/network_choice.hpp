// What `--network` stands for, and lists of nodes in the DNS as a person names them.
#pragma once

#include <string>

#include <discovery/dns/tree.hpp>
#include <types/genesis.hpp>

#include "node_options.hpp"

namespace ethnet::app {

// What a person said, beside the network; an empty value ("none") counts.
struct GivenFlags {
  bool boot_nodes = false;
  bool dns = false;
  bool v4 = false;
  bool v5 = false;
  bool discovery_port = false;
};
// Fills in what was left open, and forgets empty values; of a network that --nodiscover stands
// beside no discovery is filled in. Throws std::runtime_error with one clear line where the rest
// contradicts the network, or --nodiscover.
void apply_network(NodeOptions& options, const GivenFlags& given);
// That of the network, of the file, or of the built-in development chain. Throws likewise.
[[nodiscard]] Genesis choose_genesis(const NodeOptions& options);

// Throw likewise. An empty URL means none.
[[nodiscard]] bool check_dns_tree(const std::string& url);
[[nodiscard]] bool check_dns_server(const std::string& address);
[[nodiscard]] dns::Link parse_dns_tree(const std::string& url);

}  // namespace ethnet::app
