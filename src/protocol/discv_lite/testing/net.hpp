// Engines joined by a made-up network, for tests of discv-lite: no sessions, no sockets, virtual
// time. A dial takes a handshake, a message its latency, a dead node five seconds; two nodes have
// one session at most, as the session layer sees to.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <base/prng.hpp>
#include <discovery/kbucket/testing/records.hpp>

#include "../engine.hpp"

namespace ethnet::discv_lite::testing {

using namespace kbucket::testing;

class Net {
 public:
  struct Node {
    Node(Now now, std::uint64_t node_number, const Endpoint& where, std::uint64_t seed)
        : number{node_number},
          endpoint{where},
          enr{enr_of(node_number, where)},
          engine{now, enr.node_id(), Prng{seed}, log} {
      engine.set_local_record(kbucket::scope_of(where.ip), enr);
      engine.set_own_address(where);
    }
    std::uint64_t number;
    Endpoint endpoint;
    VerifiedEnr enr;
    NullLog log;
    Engine engine;
    bool alive = true;
    std::map<SessionHandle, std::pair<Node*, SessionHandle>> sessions;  // with whom
    Instant deadline = Instant::never();
    std::map<std::uint64_t, LookupDone> lookups;  // that have ended
    std::vector<Misbehaviour> blamed;
    std::size_t seen = 0;
    std::size_t most_short_sessions = 0;
  };

  explicit Net(std::uint64_t seed) : prng_{seed} {}

  Node& add(std::uint64_t number, const Endpoint& where) {
    nodes_.push_back(std::make_unique<Node>(now_, number, where, prng_.next()));
    Node& node = *nodes_.back();
    listening_[where] = &node;
    return node;
  }
  // It is gone at once; its peers find out after two seconds.
  void kill(Node& node) {
    node.alive = false;
    listening_.erase(node.endpoint);
    set_deadline(node, Instant::never());
    for (const auto& [mine, other] : node.sessions) {
      after(seconds(2), [this, peer = other.first, theirs = other.second] { end(*peer, theirs); });
    }
    node.sessions.clear();
  }

  void run(Duration time) {
    const Instant until = now_.mono + time;
    for (const auto& node : nodes_) {
      if (node->alive) drain(*node);
    }
    while (true) {
      const Instant action = actions_.empty() ? Instant::never() : actions_.begin()->first.first;
      const Instant deadline = deadlines_.empty() ? Instant::never() : deadlines_.begin()->first;
      const Instant next = std::min(action, deadline);
      if (next > until) break;
      move_to(next);
      if (action <= deadline) {
        const auto work = std::move(actions_.begin()->second);
        actions_.erase(actions_.begin());
        work();
      } else {
        Node& node = *deadlines_.begin()->second.second;
        node.engine.handle_deadline(now_);
        drain(node);
      }
    }
    move_to(until);
  }

  [[nodiscard]] Now now() const { return now_; }
  [[nodiscard]] Prng& prng() { return prng_; }
  [[nodiscard]] std::vector<Node*> alive() const {
    std::vector<Node*> out;
    for (const auto& node : nodes_) {
      if (node->alive) out.push_back(node.get());
    }
    return out;
  }
  [[nodiscard]] std::uint64_t messages() const { return messages_; }
  [[nodiscard]] std::uint64_t dials() const { return dials_; }

  void drain(Node& node) {
    while (auto job = node.engine.poll_job()) {
      node.engine.handle_job_done(now_, {job->id, job->work()});
    }
    while (auto event = node.engine.poll_event()) on_event(node, std::move(*event));
    while (auto out = node.engine.poll_outgoing()) {
      const auto session = node.sessions.find(out->session);
      if (session == node.sessions.end()) continue;
      ++messages_;
      after(latency(), [this, to = session->second.first, theirs = session->second.second,
                        payload = std::move(out->payload)] {
        if (!to->sessions.contains(theirs)) return;
        to->engine.handle_message(now_, theirs, payload);
        drain(*to);
      });
    }
    node.most_short_sessions =
        std::max(node.most_short_sessions, node.engine.discovery().short_sessions());
    set_deadline(node, node.engine.next_deadline());
  }

  // A session that `from` opens to `to`; the peers may keep it, whatever discovery says.
  void open(Node& from, Node& to) {
    const SessionHandle ours{next_handle_++, 1};
    const SessionHandle theirs{next_handle_++, 1};
    from.sessions[ours] = {&to, theirs};
    to.sessions[theirs] = {&from, ours};
    from.engine.handle_session_opened(
        now_, ours,
        {.id = to.enr.node_id(), .remote = to.endpoint, .inbound = false, .enr = record_bytes(to)});
    to.engine.handle_session_opened(now_, theirs,
                                    {.id = from.enr.node_id(),
                                     .remote = from.endpoint,
                                     .inbound = true,
                                     .enr = record_bytes(from)});
    drain(from);
    drain(to);
  }

 private:
  static Bytes record_bytes(const Node& node) { return to_bytes(node.enr.record().encoded()); }
  [[nodiscard]] Duration latency() { return milliseconds(prng_.between(10, 100)); }

  void move_to(Instant when) {
    now_.wall = now_.wall + (when - now_.mono);
    now_.mono = when;
  }
  void after(Duration time, std::function<void()> work) {
    actions_.emplace(std::pair{now_.mono + time, next_action_++}, std::move(work));
  }
  void set_deadline(Node& node, Instant at) {
    if (node.deadline == at) return;
    deadlines_.erase({node.deadline, {node.number, &node}});
    node.deadline = at;
    if (!at.is_never()) deadlines_.insert({at, {node.number, &node}});
  }

  void on_event(Node& node, Event event) {
    if (const auto* wanted = std::get_if<ContactWanted>(&event)) {
      dial(node, *wanted);
    } else if (const auto* idle = std::get_if<SessionIdle>(&event)) {
      close(node, idle->session);
    } else if (auto* done = std::get_if<LookupDone>(&event)) {
      node.lookups.emplace(done->lookup, std::move(*done));
    } else if (const auto* bad = std::get_if<PeerMisbehaved>(&event)) {
      node.blamed.push_back(bad->what);
      close(node, bad->session);
    } else if (std::holds_alternative<NodeSeen>(event)) {
      ++node.seen;
    }
  }

  void close(Node& node, SessionHandle session) {
    const auto it = node.sessions.find(session);
    if (it == node.sessions.end()) return;
    const auto [other, theirs] = it->second;
    after(latency(), [this, other, theirs] { end(*other, theirs); });
    after(nanoseconds(0), [this, &node, session] { end(node, session); });
  }
  void end(Node& node, SessionHandle session) {
    if (node.sessions.erase(session) == 0) return;
    node.engine.handle_session_closed(now_, session);
    drain(node);
  }

  void dial(Node& from, const ContactWanted& wanted) {
    ++dials_;
    const Duration handshake = latency() * 4;
    const bool is_there = listening_.contains(wanted.endpoint);
    after(is_there ? handshake : seconds(5), [this, &from, wanted] { finish_dial(from, wanted); });
  }
  void finish_dial(Node& from, const ContactWanted& wanted) {
    if (!from.alive) return;
    const auto fail_with = [&](ContactFailure failure) {
      from.engine.handle_contact_failed(now_, wanted.contact, failure);
      drain(from);
    };
    const auto found = listening_.find(wanted.endpoint);
    if (found == listening_.end()) return fail_with(ContactFailure::unreachable);
    Node& to = *found->second;
    if (wanted.node && *wanted.node != to.enr.node_id()) {
      return fail_with(ContactFailure::wrong_node);
    }
    const bool has_session = std::ranges::any_of(
        from.sessions, [&](const auto& session) { return session.second.first == &to; });
    if (has_session) return fail_with(ContactFailure::busy);
    open(from, to);
  }

  Prng prng_;
  Now now_ = at(seconds(0));
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<Endpoint, Node*> listening_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> actions_;
  std::set<std::pair<Instant, std::pair<std::uint64_t, Node*>>> deadlines_;
  std::uint64_t next_action_ = 0;
  std::uint32_t next_handle_ = 1;
  std::uint64_t messages_ = 0;
  std::uint64_t dials_ = 0;
};

}  // namespace ethnet::discv_lite::testing
