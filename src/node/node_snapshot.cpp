#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <string_view>

#include <types/enode_url.hpp>
#include <types/enr.hpp>

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

constexpr std::array kDiscoveryMisbehaviours{
    discv_lite::Misbehaviour::malformed_message, discv_lite::Misbehaviour::unsolicited_response,
    discv_lite::Misbehaviour::oversized_response, discv_lite::Misbehaviour::bad_record,
    discv_lite::Misbehaviour::too_many_requests};
static_assert(kDiscoveryMisbehaviours.size() ==
              static_cast<std::size_t>(discv_lite::Misbehaviour::too_many_requests) + 1);

constexpr std::array kDasMisbehaviours{
    das_lite::Misbehaviour::malformed_message, das_lite::Misbehaviour::unsolicited_response,
    das_lite::Misbehaviour::wrong_chunk, das_lite::Misbehaviour::false_sizes,
    das_lite::Misbehaviour::too_many_requests};
static_assert(kDasMisbehaviours.size() ==
              static_cast<std::size_t>(das_lite::Misbehaviour::too_many_requests) + 1);

// Data sets looked at for a snapshot, of which the first kMaxViewedDataSets are shown: all that 64
// peers can announce.
constexpr std::size_t kMaxLookedAtDataSets = 64 * das_lite::kMaxAnnouncedPerPeer;

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
  // What may fall again.
  void gauge(std::string name, std::uint64_t value) {
    counters_.push_back({std::move(name), value, CounterKind::gauge});
  }
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
  out.add("quic.bytes_in", q.bytes_in);
  out.add("quic.bytes_out", q.bytes_out);
  out.add("quic.download_waits", q.download_waits);
  out.add("quic.upload_waits", q.upload_waits);
  out.add("quic.upload_put_off", q.upload_put_off);
  out.gauge("quic.connections", endpoint.connection_count());
}

void add_sessions(CounterList& out, const session::SessionSnapshot& s) {
  out.add("session.opened", s.opened);
  out.gauge("session.dialing", s.dialing);
  out.gauge("session.handshaking", s.handshaking);
  out.gauge("session.proven", s.proven);
  out.gauge("session.active.inbound", s.active_inbound);
  out.gauge("session.active.outbound", s.active_outbound);
  out.gauge("session.visits", s.visits);
  out.gauge("session.closing", s.closing);
  out.add("session.messages_in", s.messages_in);
  out.add("session.messages_out", s.messages_out);
  out.gauge("session.memory_bytes", s.memory_bytes);
  out.gauge("session.accounted_bytes", s.accounted_bytes);
  out.gauge("session.transport_bytes", s.transport_bytes);
  out.gauge("session.memory_limit_bytes", s.memory_limit_bytes);
  out.gauge("session.queued_events", s.queued_events);
  out.gauge("session.pending_jobs", s.pending_jobs);
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
  out.add("mini_sync.refused_near_head", m.refused_near_head);  // kNearHeadBurst
  out.add("mini_sync.answers_put_off", m.answers_put_off);      // kServePerSecond
  // kMaxJudgingPerPeer, kMaxJudgingHeaders
  out.add("mini_sync.judgements_refused", m.judgements_refused);
  out.gauge("mini_sync.judging_headers", sync.judging_headers());
  out.gauge("mini_sync.held", sync.held());
}

void add_das(CounterList& out, const das_lite::Engine& das) {
  const das_lite::Counters& d = das.counters();
  out.add("das.announcements_sent", d.announcements_sent);
  out.add("das.announcements_dropped", d.announcements_dropped);  // kMaxQueuedNews
  out.add("das.announcements_received", d.announcements_received);
  out.add("das.announcements_ignored", d.announcements_ignored);
  out.add("das.announcements_forgotten", d.announcements_forgotten);  // kMaxAnnouncedPerPeer
  out.add("das.chunks_asked", d.chunks_asked);
  out.add("das.chunks_received", d.chunks_received);
  out.add("das.chunks_missing", d.chunks_missing);
  out.add("das.chunks_wrong", d.chunks_wrong);
  out.add("das.chunks_late", d.chunks_late);
  out.add("das.late_answers", d.late_answers);
  out.add("das.chunks_not_kept", d.chunks_not_kept);
  out.add("das.verified_bytes", d.verified_bytes);
  out.add("das.chunks_served", d.chunks_served);
  out.add("das.bytes_served", d.bytes_served);
  out.add("das.chunks_not_held", d.chunks_not_held);
  out.add("das.serving_put_off", d.serving_put_off);
  out.add("das.chunks_refused", d.chunks_refused);
  out.add("das.samplings_begun", d.samplings_begun);
  out.add("das.samplings_put_off", d.samplings_put_off);
  out.add("das.lapses", d.lapses);
  out.gauge("das.store.bytes", das.store().bytes());
  out.gauge("das.store.pinned_bytes", das.store().pinned_bytes());
  out.gauge("das.store.sets", das.store().set_count());
  out.add("das.store.refused", das.store().counters().refused);
  out.add("das.store.evicted", das.store().counters().evicted);  // kMaxStoredSets
  out.add("das.store.expired", das.store().counters().expired);
  out.gauge("das.held", das.held());
}

void add_discv4(CounterList& out, const discv4::Engine& engine) {
  const discv4::Counters& c = engine.counters();
  out.gauge("discv4.members", engine.members());
  out.add("discv4.contacts", c.contacts);
  out.add("discv4.contacts_failed", c.contacts_failed);
  out.add("discv4.contacts_refused", c.contacts_refused);
  out.add("discv4.unproven", c.unproven);
  out.add("discv4.unsolicited", c.unsolicited);
  out.add("discv4.lookups", c.lookups);
  out.add("discv4.revalidations", c.revalidations);
}

void add_discv5(CounterList& out, const discv5::Engine& engine) {
  const discv5::EngineCounters& c = engine.counters();
  out.gauge("discv5.sessions", engine.sessions());
  out.add("discv5.pings_served", c.pings);
  out.add("discv5.findnodes_served", c.findnodes);
  out.add("discv5.calls", c.calls);
  out.add("discv5.calls_failed", c.calls_failed);
  out.add("discv5.calls_refused", c.calls_refused);
  out.add("discv5.unasked", c.unasked);
  out.add("discv5.records", c.records);
  out.add("discv5.bad_records", c.bad_records);
  out.add("discv5.lookups", c.lookups);
  out.add("discv5.revalidations", c.revalidations);
  out.add("discv5.votes", c.votes);
}

void add_nodes_seen(CounterList& out, const std::string& part,
                    const std::map<Dialable, std::uint64_t>& nodes) {
  const auto seen = [&](Dialable verdict) {
    const auto it = nodes.find(verdict);
    return it == nodes.end() ? 0 : it->second;
  };
  out.add(part + ".nodes_dialable", seen(Dialable::yes));
  out.add(part + ".nodes_elsewhere", seen(Dialable::elsewhere));
  out.add(part + ".nodes_of_other_forks", seen(Dialable::other_fork));
  out.add(part + ".nodes_without_fork_id", seen(Dialable::no_fork_id));
  out.add(part + ".nodes_without_session_port", seen(Dialable::no_session_port));
}

void add_dns(CounterList& out, const dns::Client& client,
             const std::map<Dialable, std::uint64_t>& nodes) {
  const dns::ClientCounters& c = client.counters();
  out.gauge("dns.trees", client.trees());    // kMaxTrees
  out.gauge("dns.wanted", client.wanted());  // records
  out.add("dns.questions", c.questions);
  out.add("dns.answers", c.answers);
  out.add("dns.unasked_answers", c.unasked_answers);
  out.add("dns.timeouts", c.timeouts);
  out.add("dns.from_cache", c.from_cache);
  out.add("dns.roots", c.roots);
  out.add("dns.records", c.records);
  std::uint64_t refused = 0;
  for (const std::uint64_t of_a_kind : c.refused) refused += of_a_kind;
  out.add("dns.refused", refused);
  add_nodes_seen(out, "dns", nodes);
}

void add_udp_discovery(CounterList& out, const UdpDiscovery& udp,
                       const std::map<Dialable, std::uint64_t>& nodes) {
  const discovery::Host& host = udp.host();
  const discovery::HostCounters& c = host.counters();
  out.gauge("udp_discovery.table", host.table().size());
  out.add("udp_discovery.addresses_narrower", c.addresses_narrower);
  out.add("udp_discovery.addresses_overruled", c.addresses_overruled);
  out.add("udp_discovery.datagrams", c.datagrams);
  out.add("udp_discovery.filtered", c.filtered);
  out.add("udp_discovery.no_protocol", c.no_protocol);
  out.add("udp_discovery.records_changed", c.records_changed);
  out.add("udp_discovery.netrestrict_records", host.table().of_other_nets());
  add_nodes_seen(out, "udp_discovery", nodes);
  if (host.v4() != nullptr) add_discv4(out, *host.v4());
  if (host.v5() != nullptr) add_discv5(out, *host.v5());
}

void add_discovery(CounterList& out, const discv_lite::Engine& engine) {
  const lite::Counters& d = engine.discovery().counters();
  const discv_lite::Counters& w = engine.counters();
  out.gauge("discovery.table", engine.discovery().table().size());
  out.gauge("discovery.replacements", engine.discovery().table().replacements());
  out.add("discovery.contacts_wanted", d.contacts_wanted);
  out.add("discovery.contacts_failed", d.contacts_failed);
  out.add("discovery.contacts_refused", d.contacts_refused);
  out.add("discovery.questions", d.questions);
  out.add("discovery.unanswered", d.unanswered);
  out.add("discovery.lookups", d.lookups);
  out.add("discovery.lookups_refused", d.lookups_refused);
  out.add("discovery.revalidations", d.revalidations);
  out.add("discovery.records", d.records);
  out.add("discovery.wrong_distance", d.wrong_distance);
  out.add("discovery.wrong_scope", d.wrong_scope);
  out.add("discovery.netrestrict_records", engine.discovery().table().of_other_nets());
  out.add("discovery.subnet_limit", d.subnet_limit);
  out.add("discovery.votes", d.votes);
  out.add("discovery.requests_sent", w.requests_sent);
  out.add("discovery.requests_served", w.requests_served);
  out.add("discovery.records_served", w.records_served);
  out.add("discovery.records_judged", w.records_judged);
  out.add("discovery.judgements_refused", w.judgements_refused);
  out.add("discovery.timeouts", w.timeouts);
  out.add("discovery.late_answers", w.late_answers);
  out.gauge("discovery.held", engine.held());
}

void add_scheduler(CounterList& out, const peers::DialScheduler& scheduler,
                   std::uint64_t searches) {
  const peers::DialCounters& c = scheduler.counters();
  out.add("peers.dials.anchors", c.dials[static_cast<std::size_t>(peers::Source::anchors)]);
  out.add("peers.dials.table", c.dials[static_cast<std::size_t>(peers::Source::table)]);
  out.add("peers.dials.lookups", c.dials[static_cast<std::size_t>(peers::Source::lookups)]);
  out.add("peers.dials.dns", c.dials[static_cast<std::size_t>(peers::Source::dns)]);
  out.add("peers.dials.failed", c.failed);
  out.add("peers.candidates_dropped", c.dropped);  // kMaxCandidates
  out.add("peers.candidates_crowded", c.crowded);  // kMaxDialledPerNet
  out.gauge("peers.dialing", scheduler.dialing());
  out.gauge("peers.connected", scheduler.connected());
  out.add("peers.searches", searches);
}

void add_node(CounterList& out, const NodeCounters& n) {
  for (const mini_sync::Misbehaviour what : kMisbehaviours) {
    const auto it = n.misbehaved.find(what);
    // kMaxQueuedRequests, kMaxConsecutiveFailures, kMaxBranchHeaders, kMaxSideHeaders,
    // kMaxUnprovenHeaders
    out.add(counter_name("mini_sync.misbehaved.", mini_sync::describe(what), ""),
            it == n.misbehaved.end() ? 0 : it->second);
  }
  for (const das_lite::Misbehaviour what : kDasMisbehaviours) {
    const auto it = n.das_misbehaved.find(what);
    out.add(counter_name("das.misbehaved.", das_lite::describe(what), ""),
            it == n.das_misbehaved.end() ? 0 : it->second);
  }
  for (const discv_lite::Misbehaviour what : kDiscoveryMisbehaviours) {
    const auto it = n.discovery_misbehaved.find(what);
    out.add(counter_name("discovery.misbehaved.", discv_lite::describe(what), ""),
            it == n.discovery_misbehaved.end() ? 0 : it->second);
  }
  out.add("node.sends_deferred", n.sends_deferred);
  out.add("node.sends_dropped", n.sends_dropped);
  out.add("node.netrestrict_datagrams_in", n.outside_in);
  out.add("node.netrestrict_datagrams_out", n.outside_out);
  out.add("node.netrestrict_dials", n.outside_dials);
  out.add("node.imports_refused", n.imports_refused);
  out.add("store.batches", n.batches_stored);
  out.add("store.errors", n.store_errors);
}

void add_chain(CounterList& out, const chain::ChainManager& chain, const NodeCounters& n) {
  const chain::ChainCounters& c = chain.counters();
  out.add("chain.headers", c.headers);
  out.add("chain.invalid", c.invalid);
  out.add("chain.orphans", c.orphans);
  out.add("chain.early", c.early);
  out.gauge("chain.waiting", chain.waiting_count());
  // kMaxWaiting, kMaxWaitingBytes, kMaxWaitingPerSource
  out.add("chain.waiting_dropped", chain.waiting_dropped());
  out.gauge("chain.pending_batches", chain.pending_batches());
  out.add("chain.below_retained", c.below_retained);
  out.add("chain.memory_refused", c.memory_refused);
  out.add("chain.released", c.released);
  out.gauge("chain.kept", chain.tree().size());
  out.gauge("chain.memory_bytes", chain.tree().memory_bytes());
  out.add("chain.reorgs", c.reorgs);
  out.add("chain.reorg_headers_added", n.reorg_added);
  out.add("chain.reorg_headers_removed", n.reorg_removed);
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
  out.gauge("peers.scores", scores.size());
  out.add("peers.scores_forgotten", scores.forgotten());  // kMaxScores
  out.add("peers.bans", scores.bans());
  out.add("peers.rotated", rotation.rotated());
  out.add("peers.nobody_to_rotate", rotation.nobody_to_leave());
}

std::vector<PeerView> view_peers(Now now, const session::SessionManager& sessions,
                                 const peers::ScoreBook& scores) {
  std::vector<PeerView> out;
  for (const session::SessionHandle handle : sessions.sessions()) {
    const session::PeerInfo* peer = sessions.find(handle);
    CHECK(peer != nullptr);
    const transport::ConnStats stats = sessions.stats(handle);
    PeerView view{.id = peer->id,
                  .remote = peer->remote,
                  .inbound = peer->inbound,
                  .visit = peer->visit,
                  .client = peer->client,
                  .capabilities = {},
                  .head = peer->head_hash,
                  .head_number = peer->head_number,
                  .connected = peer->connected,
                  .rtt = stats.rtt,
                  .bytes_in = stats.bytes_in,
                  .bytes_out = stats.bytes_out,
                  .score = static_cast<double>(scores.points(now, peer->id))};
    for (const session::Capability& c : peer->agreed) view.capabilities.push_back(c.to_string());
    out.push_back(std::move(view));
  }
  return out;
}

static_assert(static_cast<int>(ChunkState::unknown) ==
              static_cast<int>(das_lite::ChunkState::unknown));
static_assert(static_cast<int>(ChunkState::wanted) ==
              static_cast<int>(das_lite::ChunkState::wanted));
static_assert(static_cast<int>(ChunkState::asked) == static_cast<int>(das_lite::ChunkState::asked));
static_assert(static_cast<int>(ChunkState::held) == static_cast<int>(das_lite::ChunkState::held));
static_assert(static_cast<int>(ChunkState::missing) ==
              static_cast<int>(das_lite::ChunkState::missing));

DataSetView view_data_set(const das_lite::DataSetView& set) {
  DataSetView out{.id = {set.key.id.bytes},
                  .total_chunks = set.key.shape.total_chunks,
                  .chunk_size = set.key.shape.chunk_size,
                  .total_bytes = set.key.shape.total_bytes,
                  .held = set.held,
                  .whole = set.whole,
                  .pinned = set.pinned,
                  .sampling = set.sampling,
                  .announcers = static_cast<std::uint32_t>(set.announcers),
                  .confidence = {},
                  .chunks = {}};
  if (set.verdict) {
    out.requested = set.verdict->requested;
    out.received = set.verdict->received;
    out.confidence = set.verdict->confidence;
    out.fooled_probability = set.verdict->fooled_probability;
  }
  return out;
}

// What this node holds or looks for comes first, so that announcements do not crowd it out.
void view_data_sets(const das_lite::Engine& das, NodeSnapshot& out) {
  const std::vector<das_lite::DataSetView> known = das.data_sets(kMaxLookedAtDataSets);
  out.data_sets_cut = known.size() >= kMaxLookedAtDataSets || known.size() > kMaxViewedDataSets;
  const auto is_ours = [](const das_lite::DataSetView& set) {
    return set.held > 0 || set.sampling || set.verdict.has_value();
  };
  std::vector<das_lite::DataSetView> sets;
  std::ranges::copy_if(known, std::back_inserter(sets), is_ours);
  std::ranges::copy_if(known, std::back_inserter(sets), std::not_fn(is_ours));
  sets.resize(std::min(sets.size(), kMaxViewedDataSets));
  std::size_t room = kMaxViewedChunks;
  for (const das_lite::DataSetView& set : sets) {
    DataSetView& view = out.data_sets.emplace_back(view_data_set(set));
    if (view.total_chunks > room) continue;
    room -= view.total_chunks;
    view.chunks.reserve(view.total_chunks);
    for (const das_lite::ChunkState state : das.grid(set.key)) {
      view.chunks.push_back(static_cast<ChunkState>(state));
    }
  }
}

}  // namespace

std::uint16_t Node::discovery_port() const {
  return udp_discovery_ ? udp_discovery_->local_port() : config_.listen.front().port;
}

std::string Node::local_enode() const {
  const Endpoint& listen = config_.listen.front();
  return EnodeUrl{.key = key_->public_key(),
                  .ip = listen.ip.is_unspecified() ? IpAddress::loopback_v4() : listen.ip,
                  .host_name = {},
                  .tcp = listen.port,
                  .udp = discovery_port()}
      .to_string();
}

std::string Node::enode() const {
  const auto record = Enr::decode(enr_);
  const auto at = record ? kbucket::endpoint_of(*record, kbucket::RecordPort::quic) : std::nullopt;
  if (!at) return local_enode();
  const auto udp = at->ip.is_v4() ? record->endpoint_v4("udp") : record->endpoint_v6("udp");
  std::uint16_t discovery = at->port;
  if (udp_discovery_) discovery = udp ? udp->port : discovery_port();
  return EnodeUrl{
      .key = key_->public_key(), .ip = at->ip, .host_name = {}, .tcp = at->port, .udp = discovery}
      .to_string();
}

std::vector<Counter> Node::counters() const {
  CounterList counters;
  if (quic_ != nullptr) add_transport(counters, *quic_);
  add_sessions(counters, sessions_->snapshot());
  add_sync(counters, sync_);
  if (das_) add_das(counters, *das_);
  if (discovery_) add_discovery(counters, *discovery_);
  if (udp_discovery_) add_udp_discovery(counters, *udp_discovery_, counters_.udp_nodes);
  if (dns_) add_dns(counters, *dns_, counters_.dns_nodes);
  add_scheduler(counters, scheduler_, counters_.searches);
  add_chain(counters, chain_, counters_);
  add_dialer(counters, dialer_.counters());
  add_peers(counters, scores_, rotation_);
  counters.add("producer.sealed", producer_.sealed());
  counters.add("producer.ahead_of_clock", producer_.ahead_of_clock());
  add_node(counters, counters_);
  counters.gauge("node.upload_rate_limit", config_.upload.per_second);
  counters.gauge("node.download_rate_limit", config_.download.per_second);
  counters.gauge("node.upload_target", upload_target_.limit());
  counters.gauge("node.upload_today", upload_target_.used());
  counters.add("node.upload_target_reached", upload_target_.reached());
  counters.gauge("node.awaited_imports", awaited_.size());
  counters.add("node.clock_warnings", clock_check_.warnings());
  counters.add("node.clock_suspicions", counters_.clock_suspicions);
  counters.add("node.clock_witnesses_ignored", clock_check_.ignored());  // kMaxClockWitnesses
  counters.add("node.events_dropped", events_.refused());                // kMaxNodeEvents
  counters.add("node.session_lines_suppressed",
               session_lines_.suppressed_total());                               // kMaxSessionLines
  counters.add("node.data_lines_suppressed", data_lines_.suppressed_total());    // kMaxDataLines
  counters.add("node.reorg_lines_suppressed", reorg_lines_.suppressed_total());  // kMaxReorgLines
  return std::move(counters).take();
}

NodeSnapshot Node::snapshot(Now now) {
  NodeSnapshot out;
  out.taken = now;
  out.started = made_at_;
  out.id = sessions_->local_id();
  out.client = config_.client;
  out.listen = config_.listen.front();
  out.discovery_port = discovery_port();
  out.enode = enode();
  if (observed_) out.observed = observed_->endpoint;
  if (const auto record = Enr::decode(enr_)) out.enr = record->text();
  out.chain_id = config_.genesis.config.chain_id;
  out.genesis = chain_.genesis().hash;
  out.head = chain_.head().hash;
  out.head_number = chain_.head().number;
  out.earliest = chain_.earliest().number;
  out.reorgs = chain_.counters().reorgs;
  out.syncing = syncing_;
  if (clock_doubt_ && now.mono - clock_doubt_->at < kClockDoubtHolds) {
    out.clock_ahead_seconds = clock_doubt_->ahead_seconds;
  }
  out.sessions = sessions_->peer_count();
  out.max_peers = config_.max_peers;
  out.refusals = refusals_.refresh(now, sessions_->snapshot());
  if (discovery_) out.discovered = discovery_->discovery().table().size();
  out.peers = view_peers(now, *sessions_, scores_);
  const BlockViews::View& tree = block_views_.refresh(chain_);
  out.blocks = tree.blocks;
  out.blocks_cut = tree.cut;
  if (das_) view_data_sets(*das_, out);
  out.counters = counters();
  return out;
}

}  // namespace ethnet::node
