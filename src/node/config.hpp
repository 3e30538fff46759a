// What a node is told at its start. Plain data; the runtime reads it from flags and files.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <base/instant.hpp>
#include <chain/chain_manager.hpp>
#include <chain/fork_choice/rule_book.hpp>
#include <discovery/dns/tree.hpp>
#include <protocol/das_lite/engine.hpp>
#include <session/capability.hpp>
#include <transport/quic/config.hpp>
#include <types/endpoint.hpp>
#include <types/genesis.hpp>
#include <types/hash.hpp>
#include <types/net_list.hpp>

#include "static_peer.hpp"
#include "udp_discovery.hpp"

namespace ethnet::node {

struct ProducerConfig {
  bool enabled = false;
  bool forks = false;            // a second branch now and then
  Duration period = seconds(2);  // at least 1 s: timestamps are whole seconds
};

struct DiscoveryConfig {
  Bytes saved;                       // what Node::saved_nodes() gave an earlier run, or nothing
  std::optional<Endpoint> external;  // where others reach us, if that is known
};

struct NodeConfig {
  std::vector<Endpoint> listen;  // as bound; at least one
  std::string client = "MiniEthNet/v0.1.0";
  Genesis genesis;
  chain::RuleChoice fork_choice;
  chain::RuleBook rules;  // what fork_choice is looked up in
  chain::ChainLimits chain;
  std::vector<StaticPeer> peers;
  // Only these networks: nobody else is dialled, accepted, asked, answered or known. None: anybody.
  NetList netrestrict;
  std::size_t max_peers = 50;
  // Get a place though all are taken, and are never banned; session::kMaxTrusted at most.
  std::set<NodeId> trusted;
  std::size_t session_memory_bytes = 256 * 1024 * 1024;  // of all sessions and their connections
  ProducerConfig producer;
  bool full_hashes = false;  // in [FORK] and [REORG] lines: JSON logs
  bool pmtud = true;
  // Bytes of UDP payload, over all sessions.
  quic::RateLimit upload;
  quic::RateLimit download;
  std::uint64_t upload_per_day = 0;  // then only what follows the head is served; 0: no target
  Duration upload_day = seconds(24 * 3'600);  // another one in tests
  std::optional<std::size_t> retry_above;  // half-open handshakes; more prove their address (QUIC)
  // What Node::own_record() and Node::known_lists() gave an earlier run, or nothing.
  Bytes own_record;
  Bytes known_lists;
  std::optional<DiscoveryConfig> discovery;         // discv-lite is offered when there is one
  std::optional<UdpDiscoveryConfig> udp_discovery;  // discv5 and discv4, where there is one
  std::vector<dns::Link> dns_trees;     // lists of nodes in the DNS; dns::kMaxTrees at most (CHECK)
  std::optional<das_lite::Config> das;  // das-lite is offered when there is one
  // Versions of mini-sync that we offer, all with the messages of this build; a session takes the
  // highest that both sides have. None: mini_sync::kCapability.
  std::vector<session::Capability> sync_versions;
};

inline constexpr std::size_t kMaxNodeEvents = 4096;  // queued for the observer; the rest is counted
inline constexpr std::size_t kMaxStaticPeers = 256;  // peers that we dial and dial again
// Lines at info level that a peer can cause; what is over is counted and reported.
inline constexpr std::uint64_t kMaxSessionLines = 100;  // in a window: sessions opened and closed
inline constexpr std::uint64_t kMaxReorgLines = 50;  // in a window: reorganisations, two lines each
inline constexpr std::uint64_t kMaxDataLines = 20;   // in a window: data sets sampled
inline constexpr Duration kLineWindow = seconds(10);
inline constexpr Duration kClockStepLineWindow = seconds(60);  // one line: the head is ahead of us

}  // namespace ethnet::node
