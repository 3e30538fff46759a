// What a node tells its observers in the same process. Plain data: base and types only, so that
// gRPC, metrics and pages can include it without the node.
#pragma once

#include <cstdint>
#include <optional>
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
// A sampling of a data set moved; `done` is told once.
struct DataSampled {
  std::uint64_t run = 0;
  bool automatic = false;  // begun by the node itself
  Hash32 data_id;
  std::uint32_t requested = 0;       // distinct chunks
  std::uint32_t received = 0;        // of these, verified in time
  std::optional<double> confidence;  // received / requested; nothing: unknown
  // How likely such a result is though the data set cannot be had.
  double fooled_probability = 1;
  bool done = false;
};
struct DataPublished {
  std::uint64_t run = 0;
  Hash32 data_id;
  bool kept = false;  // false: there was no room for it
};
// Chunks of a data set that is fetched; it has succeeded when it is done and all are there.
struct DataFetched {
  std::uint64_t run = 0;
  Hash32 data_id;
  std::uint32_t received = 0;
  std::uint32_t total = 0;
  bool done = false;
};
// The host name of a static peer has to be looked up: answer with Node::handle_resolved.
struct ResolveWanted {
  std::size_t target = 0;
  std::string host;
  std::uint16_t port = 0;
};
// The texts (TXT records) of a name in the DNS are wanted: answer with Node::handle_texts.
struct TextsWanted {
  std::uint64_t question = 0;
  std::string name;
};
enum class TextsOutcome : std::uint8_t {
  found,
  none,    // there is no such name, or it has no texts
  failed,  // no answer, or one that says so
};
// The node cannot go on: say this line and stop. Never dropped, whatever else is queued.
struct Fatal {
  std::string what;
  int os_error = 0;  // errno, where the system said why
};

using NodeEvent =
    std::variant<SessionUp, SessionDown, HeadMoved, ForkSeen, Reorganised, SyncMoved, DataSampled,
                 DataPublished, DataFetched, ResolveWanted, TextsWanted, Fatal>;

}  // namespace ethnet::node
