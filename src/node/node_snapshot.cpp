#include <algorithm>
#include <array>
#include <string_view>

#include "node.hpp"

namespace ethnet::node {
namespace {

// Those that mini-sync has; a new one belongs here too.
constexpr std::array kMisbehaviours{
    mini_sync::Misbehaviour::malformed_message,  mini_sync::Misbehaviour::unsolicited_response,
    mini_sync::Misbehaviour::oversized_response, mini_sync::Misbehaviour::unlinked_headers,
    mini_sync::Misbehaviour::invalid_header,     mini_sync::Misbehaviour::bad_signature,
    mini_sync::Misbehaviour::too_many_requests,  mini_sync::Misbehaviour::wrong_genesis,
    mini_sync::Misbehaviour::unresponsive,       mini_sync::Misbehaviour::side_headers};
static_assert(kMisbehaviours.size() ==
              static_cast<std::size_t>(mini_sync::Misbehaviour::side_headers) + 1);

std::string counter_name(std::string_view before, std::string_view what, std::string_view after) {
  std::string name{what};
  std::ranges::replace(name, ' ', '_');
  name.insert(0, before);
  name.append(after);
  return name;
}

class CounterList {
 public:
  void add(std::string name, std::uint64_t value) { counters_.push_back({std::move(name), value}); }
  // One counter for each reason, also where it is 0: observers see every name from the start.
  void add_reasons(std::string_view before, std::string_view after,
                   const std::vector<session::ReasonCount>& counts) {
    for (const session::DisconnectReason reason : session::kAllDisconnectReasons) {
      const auto it = std::ranges::find(counts, reason, &session::ReasonCount::reason);
      add(counter_name(before, session::to_string(reason), after),
          it == counts.end() ? 0 : it->count);
    }
  }
  [[nodiscard]] std::vector<Counter> take() && { return std::move(counters_); }

 private:
  std::vector<Counter> counters_;
};

void add_transport(CounterList& out, const quic::QuicEndpoint& endpoint) {
  const quic::Counters& q = endpoint.counters();
  out.add("quic.datagrams", q.datagrams);
  out.add("quic.undecodable", q.undecodable);
  out.add("quic.accepted", q.accepted);
  out.add("quic.dialled", q.dialled);
  out.add("quic.confirmed", q.confirmed);
  out.add("quic.retries_sent", q.retries_sent);
  out.add("quic.bad_tokens", q.bad_tokens);
  out.add("quic.dropped_half_open", q.dropped_half_open);
  out.add("quic.dropped_source", q.dropped_source);
  out.add("quic.dropped_batch", q.dropped_batch);
  out.add("quic.dropped_full", q.dropped_full);
  out.add("quic.resets_sent", q.resets_sent);
  out.add("quic.resets_dropped", q.resets_dropped);  // kMaxResetsPerSource
  // kMaxQueuedStateless, kMaxRetriesPerWindow
  out.add("quic.stateless_dropped", q.stateless_dropped);
  out.add("quic.closing_forgotten", q.closing_forgotten);
  out.add("quic.closed_memory", q.closed_memory);  // kMaxConnectionMemory
  out.add("quic.key_updates", q.key_updates);      // kMaxKeyPackets
  out.add("quic.black_holes", q.black_holes);
  out.add("quic.certificates", q.certificates);
  out.add("quic.connections", endpoint.connection_count());
}

void add_sessions(CounterList& out, const session::SessionSnapshot& s) {
  out.add("session.opened", s.opened);
  out.add("session.dialing", s.dialing);
  out.add("session.handshaking", s.handshaking);
  out.add("session.proven", s.proven);
  out.add("session.active.inbound", s.active_inbound);
  out.add("session.active.outbound", s.active_outbound);
  out.add("session.visits", s.visits);
  out.add("session.closing", s.closing);
  out.add("session.messages_in", s.messages_in);
  out.add("session.messages_out", s.messages_out);
  out.add("session.memory_bytes", s.memory_bytes);
  out.add("session.accounted_bytes", s.accounted_bytes);
  out.add("session.transport_bytes", s.transport_bytes);
  out.add("session.memory_limit_bytes", s.memory_limit_bytes);
  out.add("session.queued_events", s.queued_events);
  out.add("session.pending_jobs", s.pending_jobs);
  // kMaxCapabilities, kMaxPeerStreams
  out.add_reasons("session.refused.", ".inbound", s.refused_inbound);
  out.add_reasons("session.refused.", ".outbound", s.refused_outbound);
  // kMaxControlQueueBytes
  out.add_reasons("session.closed.", "", s.closed);
}

void add_sync(CounterList& out, const mini_sync::Engine& sync) {
  const mini_sync::Counters& m = sync.counters();
  out.add("mini_sync.requests_sent", m.requests_sent);
  out.add("mini_sync.requests_served", m.requests_served);
  out.add("mini_sync.headers_served", m.headers_served);
  out.add("mini_sync.headers_received", m.headers_received);
  out.add("mini_sync.answers_decoded", m.answers_decoded);
  out.add("mini_sync.announcements_sent", m.announcements_sent);
  out.add("mini_sync.announcements_dropped", m.announcements_dropped);  // kMaxQueuedAnnouncements
  out.add("mini_sync.timeouts", m.timeouts);
  out.add("mini_sync.misbehaved", m.misbehaved);
  out.add("mini_sync.targets_dropped", m.targets_dropped);  // kMaxTargets
  out.add("mini_sync.out_of_reach", m.out_of_reach);
  out.add("mini_sync.bad_signatures", m.bad_signatures);
  // kMaxJudgingPerPeer, kMaxJudgingHeaders
  out.add("mini_sync.judgements_refused", m.judgements_refused);
  out.add("mini_sync.judging_headers", sync.judging_headers());
  out.add("mini_sync.held", sync.held());
}

void add_node(CounterList& out, const NodeCounters& n) {
  for (const mini_sync::Misbehaviour what : kMisbehaviours) {
    const auto it = n.misbehaved.find(what);
    // kMaxQueuedRequests, kMaxConsecutiveFailures, kMaxBranchHeaders, kMaxSideHeaders,
    // kMaxUnprovenHeaders
    out.add(counter_name("mini_sync.misbehaved.", mini_sync::describe(what), ""),
            it == n.misbehaved.end() ? 0 : it->second);
  }
  out.add("node.sends_deferred", n.sends_deferred);
  out.add("node.sends_dropped", n.sends_dropped);
  out.add("node.imports_refused", n.imports_refused);
  out.add("store.batches", n.batches_stored);
  out.add("store.errors", n.store_errors);
}

void add_chain(CounterList& out, const chain::ChainManager& chain) {
  const chain::ChainCounters& c = chain.counters();
  out.add("chain.headers", c.headers);
  out.add("chain.invalid", c.invalid);
  out.add("chain.orphans", c.orphans);
  out.add("chain.early", c.early);
  out.add("chain.waiting", chain.waiting_count());
  // kMaxWaiting, kMaxWaitingBytes, kMaxWaitingPerSource
  out.add("chain.waiting_dropped", chain.waiting_dropped());
  out.add("chain.pending_batches", chain.pending_batches());
  out.add("chain.below_retained", c.below_retained);
  out.add("chain.memory_refused", c.memory_refused);
  out.add("chain.released", c.released);
  out.add("chain.kept", chain.tree().size());
  out.add("chain.memory_bytes", chain.tree().memory_bytes());
  out.add("chain.reorgs", c.reorgs);
  out.add("chain.forks", c.forks);
}

void add_dialer(CounterList& out, const DialerCounters& d) {
  out.add("dialer.dials", d.dials);
  out.add("dialer.failed", d.failed);
  out.add("dialer.not_started", d.not_started);
  out.add("dialer.look_ups", d.look_ups);
  out.add("dialer.look_ups_failed", d.look_ups_failed);
}

void add_peers(CounterList& out, const peers::ScoreBook& scores, const peers::Rotation& rotation) {
  for (const peers::Price& price : peers::kPrices) {
    out.add(counter_name("peers.reported.", peers::describe(price.what), ""),
            scores.reports(price.what));
  }
  out.add("peers.scores", scores.size());
  out.add("peers.scores_forgotten", scores.forgotten());  // kMaxScores
  out.add("peers.bans", scores.bans());
  out.add("peers.rotated", rotation.rotated());
  out.add("peers.nobody_to_rotate", rotation.nobody_to_leave());
}

}  // namespace

NodeSnapshot Node::snapshot() const {
  CounterList counters;
  add_transport(counters, *quic_);
  add_sessions(counters, sessions_->snapshot());
  add_sync(counters, sync_);
  add_chain(counters, chain_);
  add_dialer(counters, dialer_.counters());
  add_peers(counters, scores_, rotation_);
  counters.add("producer.sealed", producer_.sealed());
  counters.add("producer.ahead_of_clock", producer_.ahead_of_clock());
  add_node(counters, counters_);
  counters.add("node.awaited_imports", awaited_.size());
  counters.add("node.clock_warnings", clock_check_.warnings());
  counters.add("node.clock_witnesses_ignored", clock_check_.ignored());  // kMaxClockWitnesses
  counters.add("node.events_dropped", events_.refused());                // kMaxNodeEvents
  counters.add("node.session_lines_suppressed",
               session_lines_.suppressed_total());                               // kMaxSessionLines
  counters.add("node.reorg_lines_suppressed", reorg_lines_.suppressed_total());  // kMaxReorgLines
  NodeSnapshot out;
  out.id = sessions_->local_id();
  out.genesis = chain_.genesis().hash;
  out.head = chain_.head().hash;
  out.head_number = chain_.head().number;
  out.sessions = sessions_->peer_count();
  out.counters = std::move(counters).take();
  return out;
}

}  // namespace ethnet::node
