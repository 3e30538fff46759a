// The state of a node at one instant, as plain data: a name and a number for each counter, limit
// and refusal, and what an observer asks of the chain and of the peers. Immutable once made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <types/endpoint.hpp>
#include <types/hash.hpp>

namespace ethnet::node {

// Whether a number only grows while the process lives, or may fall: observers draw the two apart.
enum class CounterKind : std::uint8_t { counter, gauge };

struct Counter {
  std::string name;  // "session.refused.already_connected.inbound"
  std::uint64_t value = 0;
  CounterKind kind = CounterKind::counter;
};

// One active session. At most max_peers of them, and the visits.
struct PeerView {
  NodeId id;
  Endpoint remote;
  bool inbound = false;
  bool visit = false;
  std::string client;                     // sanitised
  std::vector<std::string> capabilities;  // agreed: "mini-sync/0.1"
  Hash32 head;                            // as its hello said
  std::uint64_t head_number = 0;
};

// A long download that is under way: block numbers.
struct SyncView {
  std::uint64_t start = 0;  // of our head when it began
  std::uint64_t target = 0;
};

struct NodeSnapshot {
  NodeId id;
  std::string client;  // "MiniEthNet/v0.1.0/..."
  std::string enode;   // how others dial it, where its address is known; loopback otherwise
  std::string enr;     // "enr:..."
  Endpoint listen;
  std::uint64_t chain_id = 0;
  Hash32 genesis;
  Hash32 head;
  std::uint64_t head_number = 0;
  std::optional<SyncView> syncing;
  std::size_t sessions = 0;
  std::vector<PeerView> peers;
  std::vector<Counter> counters;  // in a fixed order
};

}  // namespace ethnet::node
