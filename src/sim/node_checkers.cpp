#include "node_checkers.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <base/check.hpp>
#include <fmt/format.h>

#include "naive_head.hpp"
#include "sim_node.hpp"

namespace ethnet::sim {
namespace {

using Wrong = std::optional<std::string>;

constexpr std::string_view kMaxPeersReached = "a node had max_peers sessions";

// A counter of a node's snapshot that is not 0 shows that a branch was taken.
struct Branch {
  std::string_view counter;
  std::string_view name;
};
constexpr std::array kBranches{
    Branch{"quic.retries_sent", "a Retry (QUIC) was sent"},
    Branch{"quic.resets_sent", "a stateless reset was sent"},
    Branch{"session.refused.already_connected.inbound", "a second session was refused, inbound"},
    Branch{"session.refused.already_connected.outbound", "a second session was refused, outbound"},
    Branch{"session.refused.self_connection.inbound", "a node met itself"},
    Branch{"session.refused.handshake_timeout.inbound", "a handshake was given up, inbound"},
    Branch{"session.refused.handshake_timeout.outbound", "a handshake was given up, outbound"},
    Branch{"session.refused.too_many_peers.inbound", "a peer too many was refused"},
    Branch{"session.closed.ping_timeout", "a ping was not answered"},
    Branch{"session.closed.useless_peer", "a peer was closed as useless"},
    Branch{"mini_sync.timeouts", "a mini-sync request timed out"},
    Branch{"mini_sync.headers_served", "headers were served"},
    Branch{"chain.orphans", "an orphan waited for its parent"},
    Branch{"chain.early", "an early header was parked"},
    Branch{"chain.forks", "a fork was seen"},
    Branch{"chain.waiting_dropped", "a header that waited had to make room"},
    Branch{"chain.invalid", "an invalid header was refused"},
    Branch{"quic.black_holes", "a black hole was found"},
    Branch{"session.closed.ping_flood", "a flood of pings ended a session"},
    Branch{"session.closed.protocol_breach", "a breach of protocol ended a session"},
    Branch{"session.closed.capability_not_shared", "a foreign capability ended a session"},
    Branch{"session.closed.write_timeout", "a peer that does not read lost its session"},
    Branch{"session.refused.wrong_genesis.inbound", "another genesis was refused"},
    Branch{"session.refused.incompatible_fork.inbound", "another fork was refused"},
    Branch{"session.refused.no_shared_capability.inbound", "nothing shared was refused"},
    Branch{"session.refused.too_many_pending_connections.inbound",
           "a handshake too many was refused"},
    Branch{"mini_sync.out_of_reach", "a branch was given up as out of reach"},
    Branch{"mini_sync.targets_dropped", "an announcement too many was forgotten"},
    Branch{"mini_sync.bad_signatures", "a bad signature was found"},
    Branch{"dialer.not_started", "a dial was not started"},
    Branch{"peers.bans", "a peer was banned"},
    Branch{"peers.dials.table", "a node was found and dialled"},
    Branch{"session.refused.useless_peer.inbound", "a banned peer was not let in"},
    Branch{"producer.ahead_of_clock", "a producer waited for its clock"},
};

// From the root to `head`, by number.
std::vector<Hash32> branch_to(const chain::HeaderTree& tree, chain::NodeIndex head) {
  std::vector<Hash32> branch;
  for (auto at = head; at != chain::kNoNode; at = tree.node(at).parent) {
    branch.push_back(tree.node(at).hash);
  }
  std::ranges::reverse(branch);
  return branch;
}

class NodeChecker : public Checker {
 public:
  [[nodiscard]] Wrong check(const World& world) final {
    if (!world.touched()) return std::nullopt;
    const HostId host = *world.touched();
    const auto* machine = world.machine<SimNode>(host);
    if (machine == nullptr) return std::nullopt;
    if (auto wrong = check_node(world, host, machine->node())) {
      return fmt::format("node {}: {}", host, *wrong);
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] virtual Wrong check_node(const World& world, HostId host,
                                         const node::Node& node) = 0;
};

class OneSessionAnIdentity final : public NodeChecker {
 public:
  OneSessionAnIdentity(NodeWatch& watch, const NodeCheckOptions& options)
      : watch_{watch}, options_{options} {}
  [[nodiscard]] std::string_view name() const override { return "one session an identity"; }

 private:
  [[nodiscard]] Wrong check_node(const World&, HostId host, const node::Node& node) override {
    return is_due(host, node.sessions()) ? check_all(host, node) : std::nullopt;
  }

  // What a host's sessions were like when they were last looked at one by one.
  struct Looked {
    std::uint64_t changes = 0;
    std::size_t sessions = 0;
    std::size_t peers = 0;
    std::uint32_t events = 0;  // since
  };

  [[nodiscard]] bool is_due(HostId host, const session::SessionManager& sessions) {
    if (looked_.size() <= host) looked_.resize(host + 1);
    Looked& looked = looked_[host];
    const bool same = looked.changes == watch_.session_changes(host) &&
                      looked.sessions == sessions.session_count() &&
                      looked.peers == sessions.peer_count();
    if (same && ++looked.events < kSessionStride) return false;
    looked = {watch_.session_changes(host), sessions.session_count(), sessions.peer_count(), 0};
    return true;
  }

  [[nodiscard]] Wrong check_all(HostId host, const node::Node& node) {
    const session::SessionManager& sessions = node.sessions();
    SessionView view{.sessions = sessions.sessions(), .exceeded_limit = {}, .banned = {}};
    if (options_.falsify) options_.falsify(view);
    std::vector<NodeId> seen;
    std::vector<NodeId> peers;  // and not visits, of which observers are not told
    for (const session::SessionHandle handle : view.sessions) {
      const session::PeerInfo* peer = sessions.find(handle);
      if (peer == nullptr) return "a session without a peer";
      if (peer->id == node.id()) return "a session with itself";
      seen.push_back(peer->id);
      if (sessions.find(peer->id) != handle) return "an identity leads to another session";
      if (!peer->visit) peers.push_back(peer->id);
      watch_.see_remote(host, handle, peer->remote);
    }
    std::ranges::sort(seen);
    const auto twice = std::ranges::adjacent_find(seen);
    if (twice != seen.end()) return "two sessions with " + twice->short_hex();
    if (seen.size() != sessions.session_count()) return "session_count() differs from sessions()";
    const std::size_t max_peers = options_.max_peers(host);
    if (peers.size() > max_peers) return fmt::format("{} peers of {}", peers.size(), max_peers);
    if (peers.size() == max_peers) watch_.note(kMaxPeersReached);
    std::ranges::sort(peers);
    if (!std::ranges::equal(peers, watch_.connected(host))) {
      return fmt::format("events tell of {} peers, it has {}, or others",
                         watch_.connected(host).size(), peers.size());
    }
    return std::nullopt;
  }

  NodeWatch& watch_;
  NodeCheckOptions options_;
  std::vector<Looked> looked_;
};

class OnlyWhatWasAgreed final : public NodeChecker {
 public:
  explicit OnlyWhatWasAgreed(NodeWatch& watch) : watch_{watch} {}
  [[nodiscard]] std::string_view name() const override { return "only what was agreed"; }

 private:
  [[nodiscard]] Wrong check_node(const World&, HostId host, const node::Node&) override {
    return watch_.foreign(host);
  }

  NodeWatch& watch_;
};

class QueuesWithinLimits final : public NodeChecker {
 public:
  explicit QueuesWithinLimits(const NodeCheckOptions& options) : options_{options} {}
  [[nodiscard]] std::string_view name() const override { return "queues within limits"; }

 private:
  [[nodiscard]] Wrong check_node(const World&, HostId, const node::Node& node) override {
    SessionView view{
        .sessions = {}, .exceeded_limit = node.sessions().exceeded_limit(), .banned = {}};
    if (options_.falsify) options_.falsify(view);
    if (view.exceeded_limit) return fmt::format("too many: {}", *view.exceeded_limit);
    return std::nullopt;
  }

  NodeCheckOptions options_;
};

class NobodyHonestIsBanned final : public NodeChecker {
 public:
  NobodyHonestIsBanned(NodeWatch& watch, const NodeCheckOptions& options)
      : watch_{watch}, options_{options} {}
  [[nodiscard]] std::string_view name() const override { return "nobody honest is banned"; }

 private:
  [[nodiscard]] Wrong check_node(const World&, HostId, const node::Node& node) override {
    SessionView view{.sessions = {}, .exceeded_limit = {}, .banned = node.scores().banned()};
    if (options_.falsify) options_.falsify(view);
    const auto honest =
        std::ranges::find_if(view.banned, [&](const NodeId& id) { return watch_.is_honest(id); });
    if (honest != view.banned.end()) return "it bans " + honest->short_hex();
    return std::nullopt;
  }

  NodeWatch& watch_;
  NodeCheckOptions options_;
};

class HeadFollowsTheRule final : public NodeChecker {
 public:
  explicit HeadFollowsTheRule(const NodeCheckOptions& options) : options_{options} {}
  [[nodiscard]] std::string_view name() const override { return "head follows the rule"; }

 private:
  struct State {
    std::uint32_t incarnation = 0;
    std::size_t nodes = 0;
    Hash32 head;
    friend bool operator==(const State&, const State&) = default;
  };

  [[nodiscard]] Wrong check_node(const World& world, HostId host, const node::Node& node) override {
    const chain::ChainManager& chain = node.chain();
    const chain::HeaderTree& tree = chain.tree();
    const State state{world.incarnation(host), tree.size(), chain.head().hash};
    if (states_.size() <= host) states_.resize(host + 1);
    if (states_[host] == state) return std::nullopt;
    states_[host] = state;

    std::size_t served = 0;
    while (served < tree.size() &&
           chain.find(tree.node(static_cast<chain::NodeIndex>(served)).hash)) {
      ++served;
    }
    const chain::RuleChoice rule = options_.rule(host);
    if (has_naive_head(rule.name)) {
      const chain::NodeIndex pending = naive_head(tree, tree.size(), rule);
      if (chain.pending_head().hash != tree.node(pending).hash) {
        return fmt::format("the pending head is {}, the rule's is {}", chain.pending_head().number,
                           tree.node(pending).number);
      }
      const chain::NodeIndex head = naive_head(tree, served, rule);
      if (chain.head().hash != tree.node(head).hash) {
        return fmt::format("the head is {}, the rule's is {}", chain.head().number,
                           tree.node(head).number);
      }
    }
    const auto head = tree.find(chain.head().hash);
    if (!head) return "the head is not in the tree";
    const std::vector<Hash32> branch = branch_to(tree, *head);
    for (std::size_t number = 0; number < branch.size(); ++number) {
      if (chain.canonical_hash(number) != branch[number]) {
        return fmt::format("block {} is not the head's ancestor", number);
      }
    }
    if (chain.canonical_hash(branch.size())) return "a canonical block above the head";
    return std::nullopt;
  }

  NodeCheckOptions options_;
  std::vector<State> states_;
};

class EventsReplay final : public NodeChecker {
 public:
  explicit EventsReplay(NodeWatch& watch) : watch_{watch} {}
  [[nodiscard]] std::string_view name() const override { return "events replay"; }

 private:
  [[nodiscard]] Wrong check_node(const World&, HostId host, const node::Node& node) override {
    return watch_.replay(host, node);
  }

  NodeWatch& watch_;
};

class AcknowledgedSurvives final : public Checker {
 public:
  explicit AcknowledgedSurvives(const NodeWatch& watch) : watch_{watch} {}
  [[nodiscard]] std::string_view name() const override { return "what is acknowledged survives"; }
  [[nodiscard]] Wrong check(const World&) override { return watch_.loss(); }

 private:
  const NodeWatch& watch_;
};

}  // namespace

void NodeWatch::on_start(HostId host, const node::Node& node) {
  Watched& watched = at(host);
  watched.id = node.id();
  ++watched.session_changes;
  honest_.insert(node.id());
  watched.open.clear();
  const chain::ChainManager& chain = node.chain();
  watched.fresh.clear();
  watched.connected.clear();
  watched.chain = branch_to(chain.tree(), *chain.tree().find(chain.head().hash));
  if (never_sinks(chain.rule().name()) && chain.head().number < watched.told_number) {
    loss_ = fmt::format("node {} had told of head {} and restarts with {}", host,
                        watched.told_number, chain.head().number);
  }
  const bool all_known = std::ranges::all_of(
      watched.told, [&](const Hash32& hash) { return chain.find(hash).has_value(); });
  if (!all_known) loss_ = fmt::format("node {} restarts without a head it told of", host);
}

void NodeWatch::on_lost_disk(HostId host) {
  at(host).told.clear();
  at(host).told_number = 0;
  note("a disk was lost");
}

void NodeWatch::on_restore_failed(HostId host, std::string_view why) {
  loss_ = fmt::format("node {} cannot restore its records: {}", host, why);
}

void NodeWatch::on_event(HostId host, const node::NodeEvent& event) {
  Watched& watched = at(host);
  if (const auto* head = std::get_if<node::HeadMoved>(&event)) {
    watched.told.push_back(head->hash);
    watched.told_number = head->number;
  }
  note_event(watched, event);
  const bool is_session = std::holds_alternative<node::SessionUp>(event) ||
                          std::holds_alternative<node::SessionDown>(event);
  if (is_session) ++watched.session_changes;
  watched.fresh.push_back(event);
}

void NodeWatch::note_event(const Watched& host, const node::NodeEvent& event) {
  if (const auto* reorg = std::get_if<node::Reorganised>(&event)) {
    note("a reorganisation");
    if (reorg->removed.size() >= 3) note("a reorganisation of depth 3 or more");
  } else if (const auto* down = std::get_if<node::SessionDown>(&event)) {
    if (down->reason != session::to_string(session::DisconnectReason::replaced)) return;
    // Of two, the one with the lower id decides: it replaces a session that its probe found silent.
    const bool decides = host.id < down->peer && !down->by_peer;
    note(decides ? "a probe found the old session silent" : "a session was replaced");
  }
}

void NodeWatch::on_session_event(HostId host, const session::SessionEvent& event) {
  Watched& watched = at(host);
  if (const auto* opened = std::get_if<session::SessionOpened>(&event)) {
    const session::PeerInfo& peer = opened->peer;
    ++watched.session_changes;
    watched.open[opened->session] = {peer.id, peer.remote, peer.agreed};
    auto expected = expected_agreement(watched.id, peer.id);
    if (expected && peer.visit) {
      note("a visit was made");
      std::erase_if(*expected, [](const auto& one) { return one.name != "discv-lite"; });
    }
    if (expected && *expected != peer.agreed) {
      watched.foreign = fmt::format("agreed on {} capabilities with {}, both offer {}",
                                    peer.agreed.size(), peer.id.short_hex(), expected->size());
    }
    if (expected && expected->size() > 1) note("a session carries two capabilities");
    if (expected && expected->front().version > 1) note("a session carries a later version");
  } else if (const auto* closed = std::get_if<session::SessionClosed>(&event)) {
    ++watched.session_changes;
    watched.open.erase(closed->session);
  } else if (const auto* message = std::get_if<session::MessageReceived>(&event)) {
    const auto session = watched.open.find(message->session);
    if (session == watched.open.end()) {
      watched.foreign = "a message of no open session";
    } else if (std::ranges::find(session->second.agreed, message->capability) ==
               session->second.agreed.end()) {
      watched.foreign = fmt::format("a message of {} from {}", message->capability.to_string(),
                                    session->second.peer.short_hex());
    }
  }
}

std::optional<std::vector<session::Capability>> NodeWatch::expected_agreement(
    const NodeId& a, const NodeId& b) const {
  const auto ours = offers_.find(a);
  const auto theirs = offers_.find(b);
  if (ours == offers_.end() || theirs == offers_.end()) return std::nullopt;
  std::map<std::string, session::Capability> common;
  for (const session::Capability& one : ours->second) {
    for (const session::Capability& other : theirs->second) {
      if (one != other) continue;
      session::Capability& best = common.try_emplace(one.name, one).first->second;
      if (one.version > best.version) best = one;
    }
  }
  std::vector<session::Capability> agreed;
  for (const auto& [name, capability] : common) agreed.push_back(capability);
  return agreed;
}

void NodeWatch::see_remote(HostId host, session::SessionHandle handle, const Endpoint& remote) {
  const auto session = at(host).open.find(handle);
  if (session == at(host).open.end() || session->second.remote == remote) return;
  session->second.remote = remote;
  note("a session survived a NAT rebinding");
}

void NodeWatch::on_end(const node::Node& node) {
  const std::vector<node::Counter> counters = node.counters();
  for (const Branch& branch : kBranches) {
    if (node.endpoint() == nullptr && branch.counter.starts_with("quic.")) continue;
    const auto counter = std::ranges::find(counters, branch.counter, &node::Counter::name);
    CHECK(counter != counters.end());  // renamed: rename it above
    reached_.note(branch.name, counter->value);
  }
}

Wrong NodeWatch::replay(HostId host, const node::Node& node) {
  Watched& watched = at(host);
  Wrong wrong;
  for (const node::NodeEvent& event : std::exchange(watched.fresh, {})) {
    if (const auto* up = std::get_if<node::SessionUp>(&event)) {
      if (!watched.connected.insert(up->peer).second) wrong = "SessionUp twice";
    } else if (const auto* down = std::get_if<node::SessionDown>(&event)) {
      if (watched.connected.erase(down->peer) == 0) wrong = "SessionDown without SessionUp";
    } else if (const auto* reorg = std::get_if<node::Reorganised>(&event)) {
      wrong = replay_reorg(watched, *reorg, node);
    } else if (const auto* head = std::get_if<node::HeadMoved>(&event)) {
      wrong = replay_head(watched, *head, node);
    }
    if (wrong) return wrong;
  }
  if (watched.chain.back() != node.chain().head().hash) {
    return fmt::format("events lead to block {}, the head is {}", watched.chain.size() - 1,
                       node.chain().head().number);
  }
  return std::nullopt;
}

Wrong NodeWatch::replay_reorg(Watched& host, const node::Reorganised& reorg,
                              const node::Node& node) {
  if (reorg.old_head != host.chain.back()) return "a reorganisation of what was not the head";
  if (reorg.removed.empty() || reorg.added.empty()) return "a reorganisation without a branch";
  if (reorg.removed.size() >= host.chain.size()) return "a reorganisation of the root";
  const std::size_t kept = host.chain.size() - reorg.removed.size();
  if (!std::ranges::equal(std::span{host.chain}.subspan(kept), reorg.removed)) {
    return "a reorganisation removes what was not canonical";
  }
  host.chain.resize(kept);
  if (host.chain.back() != reorg.fork_point) return "a reorganisation's fork point is another";
  const chain::HeaderTree& tree = node.chain().tree();
  for (const Hash32& hash : reorg.added) {
    const auto at = tree.find(hash);
    if (!at) return "a reorganisation adds an unknown block";
    if (tree.node(tree.node(*at).parent).hash != host.chain.back()) {
      return "a reorganisation's new blocks do not connect";
    }
    host.chain.push_back(hash);
  }
  if (host.chain.back() != reorg.new_head || host.chain.size() != reorg.height + 1) {
    return "a reorganisation does not lead to its new head";
  }
  return std::nullopt;
}

Wrong NodeWatch::replay_head(Watched& host, const node::HeadMoved& head, const node::Node& node) {
  const chain::HeaderTree& tree = node.chain().tree();
  const auto at = tree.find(head.hash);
  if (!at || tree.node(*at).number != head.number) return "HeadMoved to an unknown block";
  const std::vector<Hash32> branch = branch_to(tree, *at);
  if (branch.size() < host.chain.size() ||
      !std::ranges::equal(std::span{branch}.first(host.chain.size()), host.chain)) {
    return "HeadMoved off the branch without a reorganisation";
  }
  host.chain = branch;
  return std::nullopt;
}

std::vector<std::unique_ptr<Checker>> make_node_checkers(NodeWatch& watch,
                                                         NodeCheckOptions options) {
  std::vector<std::unique_ptr<Checker>> checkers;
  checkers.push_back(std::make_unique<AcknowledgedSurvives>(watch));
  checkers.push_back(std::make_unique<EventsReplay>(watch));  // before those that read the watch
  checkers.push_back(std::make_unique<OnlyWhatWasAgreed>(watch));
  checkers.push_back(std::make_unique<QueuesWithinLimits>(options));
  checkers.push_back(std::make_unique<OneSessionAnIdentity>(watch, options));
  checkers.push_back(std::make_unique<NobodyHonestIsBanned>(watch, options));
  checkers.push_back(std::make_unique<HeadFollowsTheRule>(options));
  return checkers;
}

}  // namespace ethnet::sim
