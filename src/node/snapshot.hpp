// The state of a node at one instant, as plain data: a name and a number for each counter, limit
// and refusal. Immutable once made.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <types/hash.hpp>

namespace ethnet::node {

struct Counter {
  std::string name;  // "session.refused.already_connected.inbound"
  std::uint64_t value = 0;
};

struct NodeSnapshot {
  NodeId id;
  Hash32 genesis;
  Hash32 head;
  std::uint64_t head_number = 0;
  std::size_t sessions = 0;
  std::vector<Counter> counters;  // in a fixed order
};

}  // namespace ethnet::node
