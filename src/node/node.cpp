#include "node.hpp"

#include <algorithm>
#include <utility>

#include <chain/event_text.hpp>
#include <crypto/keccak.hpp>
#include <types/enr.hpp>

#include "agreed.hpp"

namespace ethnet::node {
namespace {

// Each part counts its jobs from 1; outside, a job is named by that and whose it is.
enum class JobOwner : std::uint64_t { sessions, sync, das, discovery, udp_discovery };
constexpr std::uint64_t kJobOwners = 5;

Job outside(Job job, JobOwner owner) {
  job.id = job.id * kJobOwners + static_cast<std::uint64_t>(owner);
  return job;
}

// A third of the places is for those that we dial.
std::size_t most_inbound(const NodeConfig& config) {
  return std::max<std::size_t>(1, config.max_peers - config.max_peers / 3);
}

session::Config session_config(const NodeConfig& config) {
  session::Config out;
  out.max_peers = config.max_peers;
  out.max_memory_bytes = config.session_memory_bytes;
  out.trusted = config.trusted;
  out.visit_capabilities = {std::string{kDiscvLite}};
  out.max_inbound = most_inbound(config);
  return out;
}

session::Capability capability(std::string_view literal) {
  auto parsed = session::Capability::parse(literal);
  CHECK(parsed.has_value());
  return *std::move(parsed);
}

// What our Hello offers.
std::vector<session::Capability> capabilities_of(const NodeConfig& config) {
  std::vector<session::Capability> out = config.sync_versions;
  if (out.empty()) out.push_back(capability(mini_sync::kCapability));
  if (config.das) out.push_back(capability(das_lite::kCapability));
  if (config.discovery) out.push_back(capability(discv_lite::kCapability));
  return out;
}

// Follows from the node key, so that after a restart we can still reset the connections of before,
// and peers need not wait for their pings (RFC 9000, 10.3.2). The signature is never given out.
ByteArray<32> reset_secret(const crypto::SecretKey& key) {
  constexpr std::string_view kLabel = "MiniEthNet QUIC stateless reset secret";
  const crypto::Digest32 digest = crypto::keccak256(text_bytes(kLabel));
  return crypto::keccak256(crypto::sign(key, digest));
}

quic::EndpointConfig quic_config(const NodeConfig& config, const crypto::SecretKey& key) {
  quic::EndpointConfig out;
  out.reset_secret = reset_secret(key);
  out.local = config.listen;
  out.pmtud = config.pmtud;
  out.upload = config.upload;
  out.download = config.download;
  if (config.retry_above) out.retry_above = *config.retry_above;
  return out;
}

}  // namespace

Result<std::unique_ptr<Node>> Node::make(Now now, NodeConfig config,
                                         std::shared_ptr<const crypto::SecretKey> key,
                                         SecureRng& rng, Prng prng, Log& log) {
  CHECK(!config.listen.empty() && key != nullptr);
  auto quic = TRY(quic::QuicEndpoint::make(now, quic_config(config, *key), rng, log));
  quic::QuicEndpoint* const endpoint = quic.get();
  auto node = TRY(make(now, std::move(config), std::move(key), rng, prng, log, std::move(quic)));
  node->quic_ = endpoint;
  return node;
}

Result<std::unique_ptr<Node>> Node::make(Now now, NodeConfig config,
                                         std::shared_ptr<const crypto::SecretKey> key,
                                         SecureRng& rng, Prng prng, Log& log,
                                         std::unique_ptr<transport::TransportMachine> transport) {
  CHECK(!config.listen.empty() && key != nullptr && transport != nullptr);
  auto rule = TRY(config.rules.make(config.fork_choice));
  // Until settle_record(): nobody is told this one.
  EnrBuilder record{0};
  const Endpoint& first = config.listen.front();
  if (!first.ip.is_unspecified()) record.ip(first.ip);
  record.quic(first.port);
  const VerifiedEnr signed_record = TRY(record.sign(*key));
  Bytes enr = to_bytes(signed_record.record().encoded());
  return std::make_unique<Node>(Private{}, now, std::move(config), std::move(key), rng, prng, log,
                                std::move(transport), std::move(rule), std::move(enr));
}

Node::Node(Private, Now now, NodeConfig config, std::shared_ptr<const crypto::SecretKey> key,
           SecureRng& rng, Prng prng, Log& log,
           std::unique_ptr<transport::TransportMachine> transport,
           std::unique_ptr<chain::ForkChoiceRule> rule, Bytes enr)
    : config_{std::move(config)},
      key_{std::move(key)},
      log_{log},
      transport_{std::move(transport)},
      chain_{config_.genesis, std::move(rule), config_.chain, rng.next()},
      schedule_{std::make_shared<const ForkSchedule>(config_.genesis.fork_schedule())},
      rotation_{prng.split("rotation"), now.mono},
      sessions_{std::make_unique<session::SessionManager>(session_config(config_), key_,
                                                          *transport_, rng, log, &gate_)},
      sync_{chain_, prng.split("mini-sync"), log},
      das_indices_{rng},
      scheduler_{std::max<std::size_t>(1, config_.max_peers / 3), prng.split("dial scheduler")},
      search_prng_{prng.split("search")},
      capabilities_{capabilities_of(config_)},
      dialer_{config_.peers, prng.split("dialer"), now.mono},
      producer_{config_.producer, sessions_->local_id().short_hex().substr(0, 6),
                prng.split("producer"), now.mono},
      made_at_{now},
      enr_{std::move(enr)},
      newest_enr_{enr_},
      upload_target_{config_.upload_per_day, config_.upload_day, now.mono} {
  limit_bandwidth();
  if (config_.das) das_.emplace(*config_.das, das_indices_, log);
  if (config_.discovery) {
    discovery_.emplace(now, sessions_->local_id(), prng.split("discovery"), log);
    discovery_->restrict_to(config_.netrestrict);
  }
  if (config_.udp_discovery) {
    config_.udp_discovery->nets = config_.netrestrict;
    udp_discovery_.emplace(now, *config_.udp_discovery, key_,
                           std::make_shared<const VerifiedEnr>(VerifiedEnr::decode(enr_).value()),
                           rng, prng.split("udp discovery"));
  }
  if (!config_.dns_trees.empty()) {
    dns_.emplace(rng, dns::ClientOptions{.walk = dns::Walk::random,
                                         .follow_links = true,
                                         .questions_per_second = dns::kQuestionsPerSecond});
  }
}

// What the protocols ask for and serve keeps to what the endpoint lets through.
void Node::limit_bandwidth() {
  sync_.set_serving(
      {.bytes_per_second = config_.upload.per_second, .near_head_only = upload_target_.used_up()});
  sync_.set_asking(config_.download.per_second);
  if (config_.das) config_.das->most_asked_bytes = config_.download.per_second;  // of one second
}

void Node::watch_upload(Now now) {
  if (quic_ == nullptr) return;  // no other transport counts what it sends
  if (!upload_target_.update(now.mono, quic_->counters().bytes_out)) return;
  const bool used_up = upload_target_.used_up();
  limit_bandwidth();
  if (das_) das_->set_serving(now, !used_up);
  log_.write(now, LogLevel::info,
             used_up ? "Upload target of the day reached: serving heads alone"
                     : "A new day of the upload target: serving again",
             {{"bytes", upload_target_.used()}, {"target", upload_target_.limit()}});
}

void Node::start(Now now) {
  chain_.finish_restore();
  settle_record(now);
  refresh_local(now);
  if (discovery_) start_discovery(now);
  if (udp_discovery_) start_udp_discovery(now);
  if (dns_) start_dns(now);
  started_ = true;
  route(now);
}

void Node::refresh_local(Now now) {
  const chain::BlockRef head = chain_.head();
  const auto header = chain_.pending_header(head.hash);
  CHECK(header.has_value());
  sessions_->set_local(now, {.client = config_.client,
                             .capabilities = capabilities_,
                             .genesis = chain_.genesis().hash,
                             .fork_id = schedule_->fork_id(head.number, header->timestamp),
                             .head_hash = head.hash,
                             .head_number = head.number,
                             .enr = enr_,
                             .forks = schedule_,
                             .head_time = header->timestamp});
}

void Node::handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept {
  // In runs, so that what is allowed stays a batch.
  while (!datagrams.empty()) {
    const auto is_outside = [&](const Datagram& d) {
      return !config_.netrestrict.allows(d.remote.ip);
    };
    const auto end = std::ranges::find_if(datagrams, is_outside);
    const auto run = static_cast<std::size_t>(end - datagrams.begin());
    if (run > 0) take_datagrams(now, datagrams.first(run));
    const bool all = run == datagrams.size();
    if (!all) ++counters_.outside_in;
    datagrams = datagrams.subspan(all ? run : run + 1);
  }
  route(now);
}

void Node::take_datagrams(Now now, std::span<const Datagram> datagrams) {
  // What comes in one batch came in on one socket.
  if (udp_discovery_ && udp_discovery_->owns(datagrams.front())) {
    udp_discovery_->host().handle_datagrams(now, datagrams);
  } else {
    transport_->handle_datagrams(now, datagrams);
  }
}

bool Node::may_dial(const Endpoint& endpoint) {
  const bool may = config_.netrestrict.allows(endpoint.ip);
  if (!may) ++counters_.outside_dials;
  return may;
}

Result<std::uint64_t> Node::dial(Now now, const Endpoint& endpoint,
                                 const std::optional<NodeId>& expected, session::Purpose purpose) {
  if (!may_dial(endpoint)) return fail(NodeError::outside_netrestrict);
  return sessions_->dial(now, endpoint, expected, purpose);
}

void Node::handle_deadline(Now now) noexcept {
  transport_->handle_deadline(now);
  sessions_->handle_deadline(now);
  sync_.handle_deadline(now);
  if (das_) das_->handle_deadline(now);
  if (discovery_) discovery_->handle_deadline(now);
  if (udp_discovery_) udp_discovery_->host().handle_deadline(now);
  if (dns_) dns_->handle_deadline(now);
  chain_.handle_deadline(now);
  produce(now);
  rotate(now);
  route(now);
  report_suppressed(now, false);
}

void Node::produce(Now now) {
  if (const auto sealed = producer_.seal(now, chain_, *key_); !sealed.empty()) {
    (void)chain_.import_headers(now, sealed, {"producer", "seal"});
  }
  if (const auto behind = producer_.behind(); behind.ns > 0 && clock_step_lines_.allow(now)) {
    log_.write(now, LogLevel::warn, "Not producing: the head is ahead of our clock",
               {{"seconds", behind.ns / seconds(1).ns}});
  }
}

void Node::handle_job_done(Now now, const JobResult& done) noexcept {
  JobResult inside = done;
  inside.id = done.id / kJobOwners;
  switch (static_cast<JobOwner>(done.id % kJobOwners)) {
    case JobOwner::sessions:
      sessions_->handle_job_done(now, inside);
      break;
    case JobOwner::sync:
      sync_.handle_job_done(now, inside);
      break;
    case JobOwner::discovery:
      CHECK(discovery_);
      discovery_->handle_job_done(now, inside);
      break;
    case JobOwner::udp_discovery:
      CHECK(udp_discovery_);
      udp_discovery_->host().handle_job_done(now, inside);
      break;
    case JobOwner::das:
      CHECK(das_);
      das_->handle_job_done(now, inside);
      break;
  }
  route(now);
}

void Node::handle_store_done(Now now, const StoreResult& done) noexcept {
  ++(done.ok ? counters_.batches_stored : counters_.store_errors);
  chain_.handle_store_done(now, done);
  route(now);
}

void Node::handle_resolved(Now now, std::size_t target, std::vector<Endpoint> endpoints) noexcept {
  std::erase_if(endpoints, [&](const Endpoint& endpoint) { return !may_dial(endpoint); });
  dialer_.handle_resolved(now, target, std::move(endpoints));
  route(now);
}

chain::ImportOutcome Node::import_headers(Now now, std::span<const chain::HeaderInput> headers,
                                          const chain::Cause& cause) {
  auto outcome = chain_.import_headers(now, headers, cause);
  route(now);
  return outcome;
}

void Node::shut_down(Now now) {
  stopping_ = true;
  producer_.stop();
  sessions_->shut_down(now);
  route(now);
  report_suppressed(now, true);
}

std::optional<Transmit> Node::poll_transmit(Now now, MutByteView out) {
  while (auto transmit = next_transmit(now, out)) {
    if (config_.netrestrict.allows(transmit->remote.ip)) return transmit;
    ++counters_.outside_out;
  }
  return std::nullopt;
}

std::optional<Transmit> Node::next_transmit(Now now, MutByteView out) {
  udp_sends_next_ = udp_discovery_ && !udp_sends_next_;  // in turns: neither holds the other up
  if (udp_sends_next_) {
    if (auto transmit = udp_discovery_->poll_transmit(now, out)) return transmit;
  }
  if (auto transmit = transport_->poll_transmit(now, out)) return transmit;
  return udp_discovery_ ? udp_discovery_->poll_transmit(now, out) : std::nullopt;
}
std::optional<Job> Node::poll_job() {
  // Handshakes first: they have a deadline.
  if (auto job = sessions_->poll_job()) return outside(std::move(*job), JobOwner::sessions);
  if (auto job = sync_.poll_job()) return outside(std::move(*job), JobOwner::sync);
  if (auto job = discovery_ ? discovery_->poll_job() : std::nullopt) {
    return outside(std::move(*job), JobOwner::discovery);
  }
  if (auto job = udp_discovery_ ? udp_discovery_->host().poll_job() : std::nullopt) {
    return outside(std::move(*job), JobOwner::udp_discovery);
  }
  if (auto job = das_ ? das_->poll_job() : std::nullopt) {
    return outside(std::move(*job), JobOwner::das);
  }
  return std::nullopt;
}
std::optional<StoreOp> Node::poll_store() { return chain_.poll_store(); }
std::optional<NodeEvent> Node::poll_event() {
  if (fatal_) return std::exchange(fatal_, std::nullopt);
  return events_.pop();
}

Instant Node::next_deadline() const {
  Instant next = std::min(transport_->next_deadline(), sessions_->next_deadline());
  next = std::min(next, sync_.next_deadline());
  if (das_) next = std::min(next, das_->next_deadline());
  if (discovery_) next = std::min(next, discovery_->next_deadline());
  if (udp_discovery_) next = std::min(next, udp_discovery_->host().next_deadline());
  if (dns_ && !stopping_) next = std::min(next, dns_->next_deadline());
  next = std::min(next, chain_.next_deadline());
  next = std::min(
      {next, producer_.next_deadline(), rotation_.next_deadline(), upload_target_.next_deadline()});
  next = std::min({next, session_lines_.next_deadline(), reorg_lines_.next_deadline(),
                   data_lines_.next_deadline()});
  return stopping_
             ? next
             : std::min({next, dialer_.next_deadline(), scheduler_.next_deadline(), search_at_});
}

void Node::tell(NodeEvent event) { (void)events_.push(std::move(event)); }

void Node::route(Now now) {
  if (!started_) return;
  watch_upload(now);
  bool moved = true;
  while (moved) {
    moved = route_transport(now);
    moved = route_sessions(now) || moved;
    moved = route_protocols(now) || moved;
    moved = route_chain(now) || moved;
    moved = route_udp_discovery(now) || moved;
    moved = route_dns(now) || moved;
    moved = route_dials(now) || moved;
    moved = route_candidates(now) || moved;
  }
}

bool Node::route_transport(Now now) {
  bool moved = false;
  while (const auto event = transport_->poll_event()) {
    sessions_->handle_conn_event(now, *event);
    moved = true;
  }
  return moved;
}

bool Node::route_sessions(Now now) {
  bool moved = false;
  while (auto event = sessions_->poll_event()) {
    if (session_tap_) session_tap_(*event);
    on_session_event(now, std::move(*event));
    moved = true;
  }
  return moved;
}

bool Node::route_chain(Now now) {
  bool moved = false;
  while (const auto event = chain_.poll_event()) {
    on_chain_event(now, *event);
    moved = true;
  }
  return moved;
}

bool Node::route_dials(Now now) {
  bool moved = false;
  if (stopping_) return moved;
  while (const auto wish = dialer_.next(now, connected_)) {
    moved = true;
    if (wish->resolve) {
      tell(ResolveWanted{wish->target, wish->host, wish->port});
      continue;
    }
    const auto begun = dial(now, wish->endpoint, wish->expected);
    if (begun) {
      dialer_.on_dialing(wish->target, *begun);
    } else {
      dialer_.on_dial_refused(now, wish->target);
    }
  }
  return moved;
}

bool Node::is_named(const NodeId& id) const {
  return config_.trusted.contains(id) || dialer_.names(id);
}

std::optional<session::DisconnectReason> Node::refuses(Now now, const NodeId& id) const {
  if (is_named(id)) return std::nullopt;
  if (scores_.is_banned(now, id)) return session::DisconnectReason::useless_peer;
  const bool full = sessions_->inbound_peer_count() >= most_inbound(config_) ||
                    sessions_->peer_count() >= config_.max_peers;
  if (full && rotation_.has_to_wait(now, id)) return session::DisconnectReason::too_many_peers;
  return std::nullopt;
}

void Node::rotate(Now now) {
  peers::Taken taken = peers::Taken::some;
  if (sessions_->inbound_peer_count() >= most_inbound(config_)) taken = peers::Taken::inbound;
  if (sessions_->peer_count() >= config_.max_peers) taken = peers::Taken::all;
  const auto leaves = rotation_.next(now, taken);
  const auto session = leaves ? sessions_->find(*leaves) : std::nullopt;
  if (session) sessions_->disconnect(now, *session, session::DisconnectReason::too_many_peers);
}

void Node::on_import(Now now, mini_sync::ImportRequest request) {
  std::vector<chain::HeaderInput> inputs;
  inputs.reserve(request.headers.size());
  for (mini_sync::CheckedHeader& header : request.headers) {
    inputs.push_back(
        {std::move(header.item.header), std::move(header.item.signature), header.block.hash});
  }
  const session::PeerInfo* peer = sessions_->find(request.session);
  const chain::Cause cause{
      peer == nullptr ? "peer gone" : "peer " + peer->id.short_hex(),
      request.cause == mini_sync::ImportCause::announcement ? "announcement" : "sync",
      peer == nullptr ? NodeId{} : peer->id};
  const auto outcome = chain_.import_headers(now, inputs, cause);
  counters_.imports_refused += outcome.refused;
  if (outcome.added > 0 && peer != nullptr) rotation_.on_useful(now, peer->id);
  mini_sync::ImportDone done{.id = request.id,
                             .accepted = outcome.refused == 0 && outcome.waiting == 0};
  if (outcome.invalid) {
    done.invalid_at = outcome.invalid->index;
    const std::string error = outcome.invalid->error.message();
    log_.write(now, LogLevel::debug, "Invalid header", {{"from", cause.source}, {"error", error}});
  }
  if (outcome.early > 0 && peer != nullptr) on_early(now, *peer, inputs);
  if (outcome.batch == 0) {
    sync_.handle_import_done(now, done);
  } else {
    awaited_.emplace(outcome.batch, done);
  }
}

void Node::on_chain_event(Now now, const chain::ChainEvent& event) {
  if (const auto* stored = std::get_if<chain::BatchStored>(&event)) {
    if (const auto it = awaited_.find(stored->batch); it != awaited_.end()) {
      sync_.handle_import_done(now, it->second);
      awaited_.erase(it);
    }
  } else if (const auto* extended = std::get_if<chain::HeadExtended>(&event)) {
    on_head(now, extended->new_head);
  } else if (const auto* reorg = std::get_if<chain::ReorgEvent>(&event)) {
    counters_.reorg_added += reorg->added.size();
    counters_.reorg_removed += reorg->removed.size();
    log_reorg(now, *reorg);
    tell(Reorganised{reorg->old_head.hash, reorg->new_head.hash, reorg->fork_point.hash,
                     reorg->new_head.number, reorg->removed, reorg->added,
                     reorg->cause.source + ", " + reorg->cause.announcement});
    on_head(now, reorg->new_head);
  } else if (const auto* fork = std::get_if<chain::ForkDetected>(&event)) {
    log_.write(now, LogLevel::debug, "Fork detected",
               {{"fork_point", fork->fork_point.hash.short_hex()},
                {"branch_head", fork->branch_head.hash.short_hex()},
                {"height", fork->branch_head.number}});
    tell(ForkSeen{fork->fork_point.hash, fork->branch_head.hash, fork->branch_head.number,
                  fork->cause.source + ", " + fork->cause.announcement});
    // Who announces a block must be able to serve it; this one may have been released.
    if (chain_.find(fork->branch_head.hash)) {
      sync_.handle_block_accepted(now, fork->branch_head, false);
    }
  } else if (const auto* failed = std::get_if<chain::StoreFailed>(&event)) {
    fatal_ = Fatal{"cannot write the header store", failed->os_error};
  }
}

void Node::on_head(Now now, const chain::BlockRef& head) {
  log_.write(now, LogLevel::debug, "Head moved",
             {{"head", head.hash.short_hex()}, {"height", head.number}});
  refresh_local(now);
  if (is_found_by_record()) refresh_fork_id(now);
  sync_.handle_block_accepted(now, head, true);
  tell(HeadMoved{head.hash, head.number});
}

// The chain found these headers right but for their time.
void Node::on_early(Now now, const session::PeerInfo& peer,
                    std::span<const chain::HeaderInput> headers) {
  Duration ahead;
  for (const chain::HeaderInput& input : headers) {
    const auto header = Header::decode(input.header);
    if (header) ahead = std::max(ahead, UnixTime::from_seconds(header->timestamp) - now.wall);
  }
  const auto warning = clock_check_.on_early_header(now, peer.id, ahead, connected_.size());
  if (!warning) return;
  clock_doubt_ = ClockDoubt{now.mono, -static_cast<std::int64_t>(warning->seconds)};
  log_.write(now, LogLevel::warn, "Peers disagree with the clock of this machine",
             {{"behind_seconds", warning->seconds}, {"peers", std::uint64_t{warning->peers}}});
}

// At info level although a peer can cause them: they are what a node is run for. Hence limited.
void Node::log_session(Now now, std::string_view message, std::initializer_list<LogField> fields) {
  if (session_lines_.allow(now)) log_.write(now, LogLevel::info, message, fields);
}

void Node::log_reorg(Now now, const chain::ReorgEvent& reorg) {
  if (!reorg_lines_.allow(now)) return;
  const auto label = config_.full_hashes ? chain::full_label : chain::short_label;
  log_.write(now, LogLevel::info, chain::fork_line(reorg, label));
  log_.write(now, LogLevel::info, chain::reorg_line(reorg, label));
}

void Node::report_suppressed(Now now, bool all) {
  const auto report = [&](LineLimit& limit, std::string_view what) {
    const std::uint64_t count = all ? limit.flush() : limit.take_due(now);
    if (count > 0) log_.write(now, LogLevel::info, what, {{"count", count}});
  };
  report(session_lines_, "Session lines not shown");
  report(reorg_lines_, "Reorganisations not shown");
  report(data_lines_, "Samplings not shown");
}

}  // namespace ethnet::node
