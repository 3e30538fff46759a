// What must hold of every node at every moment, whatever the network and the machine do to it.
//
//   one session an identity   sessions() are of distinct identities, none our own, within
//   max_peers;
//                             SessionUp and SessionDown alternate and tell of the same sessions
//   head follows the rule     the served and the pending head are the longest chain's, recomputed
//                             naively over the whole tree; the index by number is the head's branch
//   events replay             HeadMoved and Reorganised, replayed one by one from the restored
//                             chain, connect and lead to the present head
//   acknowledged survives     after a crash every head that was told of is known, and the head is
//                             not lower
// The first and third run after every event, on the host that had it; the second when that host's
// tree or head changed; the last at every start. NodeWatch is what the observers saw: the scenario
// feeds it, the checkers judge. One thread, the world's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <node/events.hpp>
#include <node/node.hpp>

#include "scenario.hpp"

namespace ethnet::sim {

class NodeWatch {
 public:
  // The node has restored its records and has not been driven yet.
  void on_start(HostId host, const node::Node& node);
  void on_restore_failed(HostId host, std::string_view why);
  void on_event(HostId host, const node::NodeEvent& event);

  // Replays what was told since the last call.
  [[nodiscard]] std::optional<std::string> replay(HostId host, const node::Node& node);
  // What was found lost at a start, if anything.
  [[nodiscard]] const std::optional<std::string>& loss() const { return loss_; }
  // Whom the events say that the host has sessions with.
  [[nodiscard]] const std::set<NodeId>& connected(HostId host) { return hosts_[host].connected; }
  [[nodiscard]] std::uint64_t reorgs() const { return reorgs_; }

 private:
  struct Watched {
    std::vector<Hash32> chain;  // replayed, by number
    std::set<NodeId> connected;
    std::vector<node::NodeEvent> fresh;  // not replayed yet
    std::vector<Hash32> told;            // heads, over all incarnations
    std::uint64_t told_number = 0;       // number of the last head that was told
  };

  [[nodiscard]] static std::optional<std::string> replay_reorg(Watched& host,
                                                               const node::Reorganised& reorg,
                                                               const node::Node& node);
  [[nodiscard]] static std::optional<std::string> replay_head(Watched& host,
                                                              const node::HeadMoved& head,
                                                              const node::Node& node);

  std::map<HostId, Watched> hosts_;
  std::optional<std::string> loss_;
  std::uint64_t reorgs_ = 0;
};

// `watch` must outlive them.
[[nodiscard]] std::vector<std::unique_ptr<Checker>> make_node_checkers(NodeWatch& watch,
                                                                       std::size_t max_peers);

}  // namespace ethnet::sim
