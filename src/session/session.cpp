// Inputs, outputs, and the one exit of a session.
#include <algorithm>

#include "manager.hpp"

namespace ethnet::session {
namespace {

// Stream numbers as in RFC 9000, section 2.1: bit 0 is who opened it, bit 1 the kind.
bool is_bidirectional(transport::StreamId id) { return (id & 2) == 0; }
bool is_of_acceptor(transport::StreamId id) { return (id & 1) != 0; }
constexpr transport::StreamId kControlStream = 0;  // the dialler's first bidirectional one

DisconnectReason reason_of(const transport::Closed& closed) {
  switch (closed.cause) {
    case transport::CloseCause::peer:
      return reason_from_wire(closed.application_code);
    case transport::CloseCause::idle_timeout:
      return DisconnectReason::ping_timeout;
    case transport::CloseCause::handshake_timeout:
      return DisconnectReason::handshake_timeout;
    case transport::CloseCause::memory_limit:
      return DisconnectReason::memory_limit;
    case transport::CloseCause::local:
    case transport::CloseCause::refused:
    case transport::CloseCause::stateless_reset:
      return DisconnectReason::transport_error;
  }
  return DisconnectReason::transport_error;
}

}  // namespace

SessionManager::Impl::Impl(const Config& config, std::shared_ptr<const crypto::SecretKey> key,
                           transport::Transport& transport, SecureRng& rng, Log& log,
                           const Gate* gate)
    : config_{config},
      key_{std::move(key)},
      local_id_{NodeId{crypto::node_id_of(key_->public_key())}},
      transport_{transport},
      log_{log},
      gate_{gate},
      last_token_{rng.next(), 0} {
  CHECK(config_.trusted.size() <= kMaxTrusted);
}

void SessionManager::Impl::handle_conn_event(Now now, const transport::ConnEvent& event) {
  now_ = now;
  on_conn_event(event);
  measure(event.conn);
  shed_memory();
}

void SessionManager::Impl::on_conn_event(const transport::ConnEvent& event) {
  if (const auto* opened = std::get_if<transport::Opened>(&event.kind)) {
    return on_opened(event.conn, *opened);
  }
  Entry* const entry = table_.find(event.conn);
  if (const auto* closed = std::get_if<transport::Closed>(&event.kind)) {
    table_.on_closed(event.conn);
    if (entry != nullptr) on_closed(*entry, *closed);
    return;
  }
  if (entry == nullptr) return;  // we closed it; the transport has not finished yet
  if (const auto* readable = std::get_if<transport::Readable>(&event.kind)) {
    on_readable(*entry, readable->stream);
  } else if (std::holds_alternative<transport::Writable>(event.kind)) {
    if (ActiveSession* session = entry->active()) session->writer.on_writable();
    flush(*entry);
  } else if (std::holds_alternative<transport::StreamReset>(event.kind)) {
    end(entry->handle(), DisconnectReason::protocol_breach, EndedBy::us);
  } else if (const auto* moved = std::get_if<transport::PathChanged>(&event.kind)) {
    entry->remote = moved->remote;
    if (ActiveSession* session = entry->active()) {
      session->info.remote = moved->remote;
      events_.push_back({SessionMoved{entry->handle(), moved->remote}});
    }
  }
}

void SessionManager::Impl::on_opened(transport::ConnHandle conn, const transport::Opened& opened) {
  Entry* entry = table_.find(conn);
  if (opened.side == transport::Side::dialler) {
    if (entry == nullptr) return;  // we gave it up while it was opening
    table_.on_opened(*entry);
  } else {
    CHECK(entry == nullptr);
    const IpAddress& ip = opened.remote.ip;
    if (shut_down_) return refuse_connection(conn, opened.remote, DisconnectReason::quitting);
    if (is_memory_short()) {
      return refuse_connection(conn, opened.remote, DisconnectReason::memory_limit);
    }
    if (!make_room_for(ip)) {
      return refuse_connection(conn, opened.remote, DisconnectReason::pending_limit);
    }
    // The transport's handshake counts too, or a stranger could stretch one and then the other.
    entry = &table_.add_inbound(conn, opened.remote, opened.began);
  }
  rearm(*entry);
  begin_handshake(*entry);
}

// False when a stranger from there gets no pending place.
bool SessionManager::Impl::make_room_for(const IpAddress& ip) {
  if (table_.pending_from(ip) >= config_.max_pending_per_prefix) {
    // A visit has had its time; a neighbour of its own may come for longer.
    const auto visit = table_.oldest_visit_from(ip);
    if (visit) end(*visit, DisconnectReason::pending_limit, EndedBy::us);
    return visit.has_value();
  }
  const bool net_is_full = table_.pending_from_net(ip) >= config_.max_pending_per_net;
  if (!net_is_full && table_.pending() < config_.max_pending &&
      table_.pending_inbound() < config_.max_pending_inbound) {
    return true;
  }
  const auto displaced = net_is_full ? table_.displaced_in_net_by(ip) : table_.displaced_by(ip);
  if (displaced) end(*displaced, DisconnectReason::pending_limit, EndedBy::us);
  return displaced.has_value();
}

void SessionManager::Impl::refuse_connection(transport::ConnHandle conn, const Endpoint& remote,
                                             DisconnectReason reason) {
  table_.add_closing(conn);
  ++refused_inbound_[static_cast<std::size_t>(reason)];
  log_.write(now_, LogLevel::debug, "connection refused", {{"reason", to_string(reason)}});
  events_.push_back({SessionRefused{reason, true, remote, std::nullopt}});
  transport_.close(now_, conn, static_cast<std::uint64_t>(reason), to_string(reason));
}

void SessionManager::Impl::on_closed(Entry& entry, const transport::Closed& closed) {
  const bool by_peer = closed.cause == transport::CloseCause::peer ||
                       closed.cause == transport::CloseCause::stateless_reset;
  end(entry.handle(), reason_of(closed), by_peer ? EndedBy::transport : EndedBy::failure);
}

void SessionManager::Impl::on_readable(Entry& entry, transport::StreamId stream) {
  if (stream == kControlStream) {
    if (entry.inbound()) entry.control.stream = stream;
    read_control(entry);
    return;
  }
  const bool by_peer = is_of_acceptor(stream) != entry.inbound();
  const bool breach = is_bidirectional(stream) || !by_peer;
  if (breach) return end(entry.handle(), DisconnectReason::protocol_breach, EndedBy::us);
  if (entry.active() != nullptr) {
    read_stream(entry, stream);
    return;
  }
  entry.handshake->streams.insert(stream);  // unread until activation
  if (entry.handshake->streams.size() > kMaxPeerStreams) {
    end(entry.handle(), DisconnectReason::protocol_breach, EndedBy::us);
  }
}

void SessionManager::Impl::handle_job_done(Now now, const JobResult& done) {
  now_ = now;
  const auto session = on_job_done(done);
  if (!session) return;
  if (Entry* const entry = table_.find(*session)) measure(*entry);
  shed_memory();
}

// Whose it was, unless that is gone.
std::optional<SessionHandle> SessionManager::Impl::on_job_done(const JobResult& done) {
  const auto it = pending_jobs_.find(done.id);
  if (it == pending_jobs_.end()) return std::nullopt;  // its session is gone
  const PendingJob job = it->second;
  pending_jobs_.erase(it);
  Entry* const entry = table_.find(job.session);
  CHECK(entry != nullptr && entry->handshake);
  entry->jobs.erase(done.id);
  switch (job.kind) {
    case JobKind::sign_proof:
      on_signed(*entry, done.output);
      break;
    case JobKind::verify_proof:
      on_verified(*entry, done.output);
      break;
    case JobKind::verify_record:
      on_record_verified(*entry, done.output);
      break;
  }
  return job.session;
}

void SessionManager::Impl::start_job(Entry& entry, JobKind kind, std::string_view name,
                                     std::function<Bytes()> work) {
  const std::uint64_t id = next_job_id_++;
  pending_jobs_.emplace(id, PendingJob{entry.handle(), kind});
  entry.jobs.insert(id);
  jobs_.push_back({id, name, std::move(work)});
}

void SessionManager::Impl::handle_deadline(Now now) {
  now_ = now;
  while (const auto due = timers_.pop_due(now.mono)) {
    Entry* const entry = table_.find_index(due->id);
    CHECK(entry != nullptr);
    if (entry->active() != nullptr) {
      if (on_active_deadline(*entry)) measure(*entry);
    } else if (entry->started + config_.handshake_timeout <= now.mono) {
      end(entry->handle(), DisconnectReason::handshake_timeout, EndedBy::us);
    } else {
      rearm(*entry);
    }
  }
}

void SessionManager::Impl::rearm(Entry& entry) {
  timers_.set(entry.handle().index, entry.active() != nullptr
                                        ? active_deadline(entry)
                                        : entry.started + config_.handshake_timeout);
}

void SessionManager::Impl::set_local(LocalInfo local) {
  CHECK(local.client.size() <= kMaxClientBytes);
  CHECK(local.capabilities.size() <= kMaxCapabilities);
  CHECK(local.enr.size() <= kMaxEnrBytes);
  for (const Capability& capability : local.capabilities) {
    CHECK(Capability::parse(capability.to_string()) == capability);
  }
  local_ = std::move(local);
}

Result<std::uint64_t> SessionManager::Impl::dial(Now now, const Endpoint& remote,
                                                 std::optional<NodeId> expected, Purpose purpose) {
  now_ = now;
  TRY(may_dial(remote, expected, purpose));
  const auto conn = transport_.dial(now, remote);
  if (!conn) return fail(SessionError::transport);
  end_visits_to(remote, expected);
  const std::uint64_t dial_id = next_dial_id_++;
  rearm(table_.add_dial(*conn, remote, expected, purpose, dial_id, now.mono));
  return dial_id;
}

Result<void> SessionManager::Impl::may_dial(const Endpoint& remote,
                                            const std::optional<NodeId>& expected,
                                            Purpose purpose) {
  if (shut_down_) return fail(SessionError::shut_down);
  if (expected == local_id_) return fail(SessionError::self_connection);
  const bool visit = purpose == Purpose::visit;
  const Entry* const active = expected ? table_.active_of(*expected) : nullptr;
  if (active != nullptr && (visit || !active->is_visit())) {
    return fail(SessionError::already_connected);
  }
  if (table_.is_dialing(remote) || (expected && table_.is_dialing(*expected))) {
    return fail(SessionError::already_dialing);
  }
  if (visit && table_.dialled(remote) != nullptr) return fail(SessionError::already_connected);
  if (visit && table_.visits_of_ours() >= config_.max_visits) {
    return fail(SessionError::too_many_visits);
  }
  const bool trusted = expected && config_.trusted.contains(*expected);
  if (!visit && !trusted && table_.peers() >= config_.max_peers) {
    return fail(SessionError::too_many_peers);
  }
  if (table_.pending() >= config_.max_pending) return fail(SessionError::pending_limit);
  if (is_memory_short_for_a_dial()) return fail(SessionError::memory_limit);
  return {};
}

// Two dials to one address cannot be told apart, and one identity has one session.
void SessionManager::Impl::end_visits_to(const Endpoint& remote,
                                         const std::optional<NodeId>& expected) {
  const Entry* const there = table_.dialled(remote);
  if (there != nullptr) end(there->handle(), DisconnectReason::requested, EndedBy::us);
  const Entry* const twin = expected ? table_.active_of(*expected) : nullptr;
  const bool visit = twin != nullptr && twin->is_visit();
  if (visit) end(twin->handle(), DisconnectReason::requested, EndedBy::us);
}

Result<void> SessionManager::Impl::send(Now now, SessionHandle session,
                                        const Capability& capability, Priority priority,
                                        Bytes&& payload) {
  now_ = now;
  Entry* const entry = table_.find(session);
  if (entry == nullptr || entry->active() == nullptr) return fail(SessionError::unknown_session);
  ActiveSession& active = *entry->active();
  const auto& agreed = active.info.agreed;
  const auto lane = std::ranges::lower_bound(agreed, capability);
  if (lane == agreed.end() || *lane != capability) return fail(SessionError::not_agreed);
  const auto index = static_cast<std::size_t>(lane - agreed.begin());
  TRY(active.writer.push(index, priority, std::move(payload)));
  ++messages_out_;
  flush(*entry);
  measure(*entry);
  shed_memory();
  return {};
}

void SessionManager::Impl::flush(Entry& entry) {
  flush_control(entry);
  ActiveSession* const session = entry.active();
  if (session == nullptr) return;
  const std::uint64_t sent = session->writer.messages_sent();
  session->writer.flush(now_.mono, transport_, entry.conn());
  if (session->writer.messages_sent() != sent) session->last_message = now_.mono;
  while (const auto lane = session->writer.poll_writable()) {
    events_.push_back({SessionWritable{entry.handle(), session->info.agreed[*lane]}});
  }
  rearm(entry);
}

void SessionManager::Impl::flush_control(Entry& entry) {
  Bytes& out = entry.control.out;
  if (out.empty() || !entry.control.stream) return;
  const std::size_t taken = transport_.write(entry.conn(), *entry.control.stream, out);
  CHECK(taken <= out.size());
  out = to_bytes(ByteView{out}.subspan(taken));
  entry.control.stall.on_write(now_.mono, taken, !out.empty());
}

bool SessionManager::Impl::send_frame(Entry& entry, ByteView frame) {
  CHECK(entry.control.stream);
  append(entry.control.out, frame);
  flush_control(entry);
  if (entry.active() != nullptr) rearm(entry);
  if (entry.control.out.size() <= kMaxControlQueueBytes) return true;
  end(entry.handle(), DisconnectReason::ping_timeout, EndedBy::us);
  return false;
}

void SessionManager::Impl::disconnect(Now now, SessionHandle session, DisconnectReason reason) {
  now_ = now;
  const Entry* const entry = table_.find(session);
  if (entry != nullptr) end(session, reason, EndedBy::us);
}

void SessionManager::Impl::shut_down(Now now) {
  now_ = now;
  shut_down_ = true;
  std::vector<SessionHandle> all;
  table_.for_each([&](SessionHandle handle, const Entry&) { all.push_back(handle); });
  for (const SessionHandle handle : all) {
    if (table_.find(handle) != nullptr) end(handle, DisconnectReason::quitting, EndedBy::us);
  }
}

void SessionManager::Impl::end(SessionHandle handle, DisconnectReason reason, EndedBy by) {
  Entry* const found = table_.find(handle);
  CHECK(found != nullptr);
  Entry& entry = *found;
  const transport::ConnHandle conn = entry.conn();
  const bool close = by == EndedBy::us || by == EndedBy::peer;
  if (by == EndedBy::us && entry.control.stream) {
    // The close code says the same; the frame is for transports that carry none.
    append(entry.control.out, encode_disconnect(reason));
    flush_control(entry);
  }
  report_end(entry, reason, by);
  if (is_missed(entry, reason, by)) kept_places_.keep(now_.mono, entry.peer()->id());
  timers_.cancel(handle.index);
  for (const std::uint64_t job : entry.jobs) {
    pending_jobs_.erase(job);
    std::erase_if(jobs_, [&](const Job& waiting) { return waiting.id == job; });
  }
  std::vector<SessionHandle> newcomers;
  if (ActiveSession* session = entry.active()) {
    if (session->probe) newcomers = std::move(session->probe->newcomers);
    if (session->reader.holds_messages()) drop_messages(handle);
  }
  charged_bytes_ -= entry.charged_bytes;
  table_.release(handle, close);
  if (close) {
    transport_.close(now_, conn, static_cast<std::uint64_t>(reason), to_string(reason));
  }
  if (!shut_down_) readmit(newcomers);
}

bool SessionManager::Impl::is_missed(const Entry& entry, DisconnectReason reason,
                                     EndedBy by) const {
  const bool died = (reason == DisconnectReason::ping_timeout && by != EndedBy::peer) ||
                    (reason == DisconnectReason::transport_error && by == EndedBy::transport);
  return died && entry.active() != nullptr && !entry.is_visit() && entry.needs_inbound_place() &&
         entry.active()->info.connected + kKeptPlaceAfter <= now_.mono;
}

// Nobody will be given them any more: they must not wait for a drain to be freed.
void SessionManager::Impl::drop_messages(SessionHandle handle) {
  events_.remove_if([&](const Queued& queued) {
    const auto* message = std::get_if<MessageReceived>(&queued.event);
    return message != nullptr && message->session == handle;
  });
}

void SessionManager::Impl::report_end(const Entry& entry, DisconnectReason reason, EndedBy by) {
  const auto code = static_cast<std::size_t>(reason);
  const bool by_peer = by == EndedBy::peer || by == EndedBy::transport;
  if (const ActiveSession* session = entry.active()) {
    ++closed_[code];
    log_.write(now_, LogLevel::debug, "session closed",
               {{"peer", std::string_view{session->info.id.hex()}},
                {"reason", to_string(reason)},
                {"by_peer", by_peer}});
    events_.push_back({SessionClosed{entry.handle(), session->info.id, reason, by_peer}});
    return;
  }
  if (by == EndedBy::us) {
    ++(entry.inbound() ? refused_inbound_ : refused_outbound_)[code];
    log_refusal(entry, reason);
    events_.push_back({SessionRefused{reason, entry.inbound(), entry.remote, entry.proven_id()}});
  }
  if (!entry.inbound()) {
    events_.push_back({DialFailed{entry.dial_id, entry.remote, entry.expected, entry.proven_id(),
                                  reason, by_peer}});
  }
}

void SessionManager::Impl::log_refusal(const Entry& entry, DisconnectReason reason) {
  if (!log_.enabled(LogLevel::debug)) return;
  const bool duplicate = reason == DisconnectReason::already_connected;
  const std::string remote = entry.remote.to_string();
  const std::string peer = entry.peer() ? entry.peer()->id().hex() : "unproven";
  log_.write(now_, LogLevel::debug, duplicate ? "duplicate session rejected" : "session refused",
             {{"peer", std::string_view{peer}},
              {"remote", std::string_view{remote}},
              {"inbound", entry.inbound()},
              {"reason", to_string(reason)}});
}

std::optional<SessionEvent> SessionManager::Impl::poll_event() {
  if (events_.empty()) return std::nullopt;
  Queued next = std::move(events_.front());
  events_.pop_front();
  const auto* message = std::get_if<MessageReceived>(&next.event);
  if (message == nullptr) return std::move(next.event);
  Entry* const entry = table_.find(message->session);
  CHECK(entry != nullptr);  // the end of a session takes its messages along
  const auto again = entry->active()->reader.release(next.lane, message->payload.size());
  if (!again || read_stream(*entry, *again)) measure(*entry);
  return std::move(next.event);
}

std::optional<Job> SessionManager::Impl::poll_job() {
  if (jobs_.empty()) return std::nullopt;
  std::optional<Job> job{std::move(jobs_.front())};
  jobs_.pop_front();
  return job;
}

MuxLimits SessionManager::Impl::mux_limits() const {
  return {config_.out_budget_bytes, config_.out_budget_messages, config_.in_budget_bytes,
          config_.in_budget_messages};
}

std::vector<ReasonCount> SessionManager::Impl::nonzero(const ReasonCounts& counts) {
  std::vector<ReasonCount> out;
  for (const DisconnectReason reason : kAllDisconnectReasons) {
    const std::uint64_t count = counts[static_cast<std::size_t>(reason)];
    if (count > 0) out.push_back({reason, count});
  }
  return out;
}

transport::ConnStats SessionManager::Impl::stats(SessionHandle session) const {
  const Entry* const entry = table_.find(session);
  if (entry == nullptr || entry->active() == nullptr) return {};
  return transport_.stats(entry->conn());
}

SessionSnapshot SessionManager::Impl::snapshot() const {
  SessionSnapshot out;
  out.dialing = table_.in(SessionState::dialing).size();
  out.handshaking = table_.in(SessionState::handshaking).size();
  out.proven = table_.in(SessionState::proven).size();
  out.active_inbound = table_.active_inbound();
  out.active_outbound = table_.active_outbound();
  out.visits = table_.visits();
  out.closing = table_.closing();
  out.queued_events = events_.size();
  out.pending_jobs = pending_jobs_.size();
  out.timers = timers_.size();
  table_.for_each([&](SessionHandle, const Entry& entry) {
    out.accounted_bytes += accounted_bytes(entry);
    out.transport_bytes += transport_.memory_bytes(entry.conn());
  });
  out.memory_bytes = out.accounted_bytes + out.transport_bytes;
  out.memory_limit_bytes = config_.max_memory_bytes;
  out.opened = opened_;
  out.messages_in = messages_in_;
  out.messages_out = messages_out_;
  out.refused_inbound = nonzero(refused_inbound_);
  out.refused_outbound = nonzero(refused_outbound_);
  out.closed = nonzero(closed_);
  return out;
}

std::optional<std::string_view> SessionManager::Impl::exceeded_limit() const {
  if (table_.pending() > config_.max_pending) return "pending";
  if (table_.pending_inbound() > config_.max_pending_inbound) return "pending inbound";
  const auto in_place = [&](const NodeId& id) {
    const Entry* const entry = table_.active_of(id);
    return entry != nullptr && !entry->is_visit();
  };
  const auto trusted = static_cast<std::size_t>(std::ranges::count_if(config_.trusted, in_place));
  if (table_.peers() > config_.max_peers + trusted) return "peers";
  if (table_.active_inbound() > config_.max_inbound + trusted) return "inbound peers";
  if (table_.visits_of_ours() > config_.max_visits) return "visits";
  if (timers_.size() != table_.size()) return "timers";
  return std::nullopt;
}

SessionManager::SessionManager(const Config& config, std::shared_ptr<const crypto::SecretKey> key,
                               transport::Transport& transport, SecureRng& rng, Log& log,
                               const Gate* gate)
    : impl_{std::make_unique<Impl>(config, std::move(key), transport, rng, log, gate)} {}
SessionManager::~SessionManager() = default;

void SessionManager::handle_conn_event(Now now, const transport::ConnEvent& event) noexcept {
  impl_->handle_conn_event(now, event);
}
void SessionManager::handle_job_done(Now now, const JobResult& done) noexcept {
  impl_->handle_job_done(now, done);
}
void SessionManager::handle_deadline(Now now) noexcept { impl_->handle_deadline(now); }
void SessionManager::set_local(Now, LocalInfo local) { impl_->set_local(std::move(local)); }
Result<std::uint64_t> SessionManager::dial(Now now, const Endpoint& remote,
                                           std::optional<NodeId> expected, Purpose purpose) {
  return impl_->dial(now, remote, expected, purpose);
}
Result<void> SessionManager::send(Now now, SessionHandle session, const Capability& capability,
                                  Priority priority, Bytes&& payload) {
  return impl_->send(now, session, capability, priority, std::move(payload));
}
void SessionManager::disconnect(Now now, SessionHandle session, DisconnectReason reason) {
  impl_->disconnect(now, session, reason);
}
void SessionManager::shut_down(Now now) { impl_->shut_down(now); }
std::optional<SessionEvent> SessionManager::poll_event() { return impl_->poll_event(); }
std::optional<Job> SessionManager::poll_job() { return impl_->poll_job(); }
Instant SessionManager::next_deadline() const { return impl_->next_deadline(); }
const NodeId& SessionManager::local_id() const { return impl_->local_id(); }

const PeerInfo* SessionManager::find(SessionHandle session) const {
  const Entry* const entry = impl_->table().find(session);
  return entry == nullptr || entry->active() == nullptr ? nullptr : &entry->active()->info;
}
std::optional<SessionHandle> SessionManager::find(const NodeId& id) const {
  const Entry* const entry = impl_->table().active_of(id);
  return entry == nullptr ? std::nullopt : std::optional{entry->handle()};
}
bool SessionManager::is_dialing(const Endpoint& remote) const {
  return impl_->table().is_dialing(remote);
}
std::size_t SessionManager::session_count() const {
  return impl_->table().in(SessionState::active).size();
}
std::size_t SessionManager::peer_count() const { return impl_->table().peers(); }
std::size_t SessionManager::inbound_peer_count() const { return impl_->table().active_inbound(); }
std::vector<SessionHandle> SessionManager::sessions() const {
  const auto& active = impl_->table().in(SessionState::active);
  return {active.begin(), active.end()};
}
std::size_t SessionManager::memory_bytes(SessionHandle session) const {
  return impl_->memory_bytes(session);
}
transport::ConnStats SessionManager::stats(SessionHandle session) const {
  return impl_->stats(session);
}
SessionSnapshot SessionManager::snapshot() const { return impl_->snapshot(); }
std::optional<std::string_view> SessionManager::exceeded_limit() const {
  return impl_->exceeded_limit();
}

}  // namespace ethnet::session
