// What `ethnet node` and EthNetLite have in common: the options of a node, and running one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ethnet::app {

struct NodeOptions {
  std::string address = "::";  // all interfaces, IPv4 and IPv6
  std::uint16_t port = 30303;
  std::vector<std::string> peers;  // enr:…, enode://… or HOST:PORT
  std::string datadir = "ethnet-data";
  std::string genesis;      // empty: the built-in development chain
  std::string network;      // mainnet, ...: its chain, boot nodes and lists; empty: none
  std::string import_file;  // chain.rlp
  bool produce = false;
  bool produce_forks = false;
  std::uint32_t period_seconds = 2;
  std::uint32_t produce_for_seconds = 0;  // 0: without end
  std::size_t max_peers = 50;
  std::uint64_t session_memory_mib = 256;
  std::string fork_choice = "longest-chain";
  std::uint64_t retention = 0;  // blocks; 0: down to genesis
  std::uint64_t header_memory_mib = 2048;
  std::string bandwidth_up;  // RATE or RATE:BURST; empty or 0: no limit
  std::string bandwidth_down;
  std::string max_upload_target;  // bytes a day; empty or 0: no target
  bool no_discovery = false;
  bool discovery_v4 = false;
  bool discovery_v5 = false;
  // Of the network: asked by discv5 and discv4, and no peers to keep a session with.
  std::vector<std::string> network_boot_nodes;
  std::vector<std::string> dns_trees;    // enrtree://KEY@DOMAIN
  std::string dns_server;                // ADDRESS:PORT; empty: the system's
  std::uint16_t discovery_port = 0;      // 0: port + 2000, or any where `port` is 0
  std::vector<std::string> netrestrict;  // CIDR; none: any network
  std::string nat = "none";              // nat.hpp has them all
  std::string das_sample = "auto";
  // On unless it is switched off: only this machine reaches it, and it changes nothing.
  bool http = true;
  std::string http_address = "127.0.0.1";
  std::uint16_t http_port = 0;          // 0: port + 3000, or any where `port` is 0
  std::vector<std::string> http_api;    // "admin": peers may be changed over HTTP
  std::vector<std::string> http_hosts;  // names of ours besides localhost; "*": any
  bool grpc = true;                     // likewise
  std::string grpc_address = "127.0.0.1";
  std::uint16_t grpc_port = 0;  // 0: port + 1000, or any where `port` is 0
  bool no_ipc = false;
  std::string ipc_path;  // of the control socket; empty: ethnet.ipc in the data directory
  std::string identity;  // stands in the client name that peers are told
  std::string log_format = "terminal";
  std::string log_output = "stderr";
  int verbosity = 3;
  bool progress = true;
};

// Runs until SIGINT or SIGTERM. Throws std::runtime_error with one clear line when the node cannot
// start or cannot go on. Returns the exit code.
int run_node(const NodeOptions& options);

}  // namespace ethnet::app
