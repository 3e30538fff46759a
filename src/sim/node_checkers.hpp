// What must hold of every node at every moment, whatever the network and the machine do to it.
//
//   one session an identity   sessions() are of distinct identities, none our own, within
//                             max_peers; SessionUp and SessionDown alternate and tell of the same
//   only what was agreed      every message is of a session that is open, and of a capability that
//                             was agreed at its opening; what was agreed is what the two offered
//   queues within limits      no table or queue of the sessions is above its limit
//   nobody honest is banned   no node has banned the identity of another node of the scenario that
//                             is not hostile, whatever the network made of its messages
//   head follows the rule     the served and the pending head are those of the node's rule,
//                             recomputed naively over the whole tree (naive_head.hpp); the index by
//                             number is the head's branch
//   events replay             HeadMoved and Reorganised, replayed one by one from the restored
//                             chain, connect and lead to the present head
//   acknowledged survives     after a crash every head that was told of is known, and the head is
//                             not lower where the rule goes by height; but for a host whose disk
//                             was lost
// They run after every event, on the host that had it; the head when that host's tree or head
// changed; the sessions one by one when one came or went, and every kSessionStride events of the
// host all the same, their numbers always; the last at every start. NodeWatch is what the observers
// saw: the scenario feeds it, the checkers judge, and it notes which rare branches were reached.
// One thread, the world's.
//
// Each has a name that a violation begins with, and a planted bug that it must find
// (scenarios/planted_bug.hpp).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <base/slab.hpp>
#include <node/events.hpp>
#include <node/node.hpp>

#include "scenario.hpp"

namespace ethnet::sim {

inline constexpr std::uint32_t kSessionStride = 128;

class NodeWatch {
 public:
  explicit NodeWatch(Reached& reached) : reached_{reached} {}

  // The node has restored its records and has not been driven yet.
  void on_start(HostId host, const node::Node& node);
  // Before that: the disk has lost what was acknowledged, and nobody can ask for it.
  void on_lost_disk(HostId host);
  // What this identity offers; of those who were not told, nothing is known.
  void set_offer(const NodeId& id, std::vector<session::Capability> offer) {
    offers_[id] = std::move(offer);
  }
  void on_restore_failed(HostId host, std::string_view why);
  void on_event(HostId host, const node::NodeEvent& event);
  // From the node's session tap.
  void on_session_event(HostId host, const session::SessionEvent& event);
  // The incarnation is over; its counters are read.
  void on_end(const node::Node& node);

  // A node of the scenario's own, started at least once.
  [[nodiscard]] bool is_honest(const NodeId& id) const { return honest_.contains(id); }
  // Replays what was told since the last call.
  [[nodiscard]] std::optional<std::string> replay(HostId host, const node::Node& node);
  // The first message that should not have come, if any.
  [[nodiscard]] const std::optional<std::string>& foreign(HostId host) { return at(host).foreign; }
  // What was found lost at a start, if anything.
  [[nodiscard]] const std::optional<std::string>& loss() const { return loss_; }
  // Whom the events say that the host has sessions with.
  [[nodiscard]] const std::set<NodeId>& connected(HostId host) { return at(host).connected; }
  // Sessions that came or went, as the host told, and its starts: a number that grows.
  [[nodiscard]] std::uint64_t session_changes(HostId host) { return at(host).session_changes; }
  // Where the peer of an open session is now.
  void see_remote(HostId host, session::SessionHandle handle, const Endpoint& remote);
  void note(std::string_view name) { reached_.note(name); }

 private:
  struct OpenSession {
    NodeId peer;
    Endpoint remote;
    std::vector<session::Capability> agreed;
  };
  struct Watched {
    std::vector<Hash32> chain;  // replayed, by number
    std::set<NodeId> connected;
    std::vector<node::NodeEvent> fresh;  // not replayed yet
    std::vector<Hash32> told;            // heads, over all incarnations
    std::uint64_t told_number = 0;       // number of the last head that was told
    NodeId id;
    std::unordered_map<session::SessionHandle, OpenSession, HandleHash> open;  // never iterated
    std::optional<std::string> foreign;
    std::uint64_t session_changes = 0;
  };

  [[nodiscard]] Watched& at(HostId host) {
    while (hosts_.size() <= host) hosts_.emplace_back();
    return hosts_[host];
  }
  [[nodiscard]] static std::optional<std::string> replay_reorg(Watched& host,
                                                               const node::Reorganised& reorg,
                                                               const node::Node& node);
  [[nodiscard]] static std::optional<std::string> replay_head(Watched& host,
                                                              const node::HeadMoved& head,
                                                              const node::Node& node);

  // Naively: of each name the highest version that both offer.
  [[nodiscard]] std::optional<std::vector<session::Capability>> expected_agreement(
      const NodeId& a, const NodeId& b) const;
  void note_event(const Watched& host, const node::NodeEvent& event);

  Reached& reached_;
  std::deque<Watched> hosts_;
  std::map<NodeId, std::vector<session::Capability>> offers_;
  std::set<NodeId> honest_;
  std::optional<std::string> loss_;
};

// What the checkers see of a node's sessions after an event.
struct SessionView {
  std::vector<session::SessionHandle> sessions;
  std::optional<std::string_view> exceeded_limit;
  std::vector<NodeId> banned;
};
struct NodeCheckOptions {
  std::function<std::size_t(HostId)> max_peers;
  std::function<chain::RuleChoice(HostId)> rule;  // that the node was given
  // Test only: makes the checkers see what is not so.
  std::function<void(SessionView&)> falsify;
};

// `watch` must outlive them.
[[nodiscard]] std::vector<std::unique_ptr<Checker>> make_node_checkers(NodeWatch& watch,
                                                                       NodeCheckOptions options);

}  // namespace ethnet::sim
