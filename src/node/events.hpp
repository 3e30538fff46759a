// What a node tells its observers in the same process. Plain data: base and types only, so that
// gRPC, metrics and pages can include it without the node.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <types/endpoint.hpp>
#include <types/hash.hpp>

namespace ethnet::node {

struct SessionUp {
  NodeId peer;
  Endpoint remote;
  bool inbound = false;
  std::string client;  // sanitised
};
struct SessionDown {
  NodeId peer;
  std::string reason;
  bool by_peer = false;
};
struct HeadMoved {
  Hash32 hash;
  std::uint64_t number = 0;
};
struct ForkSeen {
  Hash32 fork_point;
  Hash32 branch_head;
  std::uint64_t height = 0;
  std::string cause;
};
struct Reorganised {
  Hash32 old_head;
  Hash32 new_head;
  Hash32 fork_point;
  std::uint64_t height = 0;     // of the new head
  std::vector<Hash32> removed;  // lowest height first, without the fork point; never cut
  std::vector<Hash32> added;
  std::string cause;
};
struct SyncMoved {
  std::uint64_t imported = 0;
  std::uint64_t target = 0;
  bool done = false;
};
// The host name of a static peer has to be looked up: answer with Node::handle_resolved.
struct ResolveWanted {
  std::size_t target = 0;
  std::string host;
  std::uint16_t port = 0;
};
// The node cannot go on: say this line and stop. Never dropped, whatever else is queued.
struct Fatal {
  std::string what;
  int os_error = 0;  // errno, where the system said why
};

using NodeEvent = std::variant<SessionUp, SessionDown, HeadMoved, ForkSeen, Reorganised, SyncMoved,
                               ResolveWanted, Fatal>;

}  // namespace ethnet::node
