// Which of two connections to one identity lives, and what an active session does.
#include <utility>

#include "manager.hpp"

namespace ethnet::session {

// The side with the lower node id is the arbiter.
bool SessionManager::Impl::we_decide(const Entry& entry) const {
  return local_id_ < entry.peer()->id();
}

bool SessionManager::Impl::on_ready(Entry& entry) {
  Entry* const active = table_.active_of(entry.peer()->id());
  const bool decided = active == nullptr || outranks(entry, *active);
  return decided ? activate_by_us(entry) : join_probe(*active, entry);
}

bool SessionManager::Impl::outranks(const Entry& newcomer, const Entry& twin) {
  return twin.is_visit() && !newcomer.handshake->visit;
}

void SessionManager::Impl::inherit_place(Entry& newcomer, const Entry& twin) {
  if (!newcomer.handshake->visit && !twin.is_visit()) newcomer.take_place_of(twin);
}

// The peer may have lost the session that we hold (restart, new address): ask that one.
bool SessionManager::Impl::join_probe(Entry& active, Entry& newcomer) {
  const SessionHandle handle = newcomer.handle();
  ActiveSession& session = *active.active();
  const bool running = session.probe.has_value();
  if (!running) session.probe.emplace();
  session.probe->newcomers.push_back(handle);
  if (!running) send_probe_ping(active);
  // The ping may have ended the old session and so decided for the newcomer.
  Entry* const still_active = table_.find(handle);
  return still_active != nullptr;
}

// Now, or as soon as the ping bucket that the peer grants us allows it.
bool SessionManager::Impl::send_probe_ping(Entry& active) {
  Probe& probe = *active.active()->probe;
  probe.ping_at = active.control.pings_out.next();
  if (probe.ping_at > now_.mono) {
    rearm(active);
    return true;
  }
  if (!send_ping(active)) return false;
  probe.ping_sent = true;
  probe.pongs_wanted = active.control.pings_sent;
  probe.deadline = now_.mono + config_.probe_timeout;
  rearm(active);
  return true;
}

void SessionManager::Impl::finish_probe_alive(Entry& active) {
  const std::vector<SessionHandle> newcomers = std::move(active.active()->probe->newcomers);
  active.active()->probe.reset();
  rearm(active);
  for (const SessionHandle newcomer : newcomers) {
    if (table_.find(newcomer) != nullptr) {
      end(newcomer, DisconnectReason::already_connected, EndedBy::us);
    }
  }
}

// The newest of the newcomers takes over, in one step: the old one ends only when a newcomer has
// been told that it is the one.
void SessionManager::Impl::finish_probe_silent(SessionHandle handle) {
  Entry* const found = table_.find(handle);
  CHECK(found != nullptr);
  Entry& active = *found;
  std::vector<SessionHandle> newcomers = std::move(active.active()->probe->newcomers);
  active.active()->probe.reset();
  std::erase_if(newcomers, [&](SessionHandle h) { return table_.find(h) == nullptr; });
  if (newcomers.empty()) {
    rearm(active);
    return;
  }
  while (!newcomers.empty()) {
    Entry* const newest = table_.find(newcomers.back());
    newcomers.pop_back();
    CHECK(newest != nullptr);
    // It may have taken over and ended at once, for what it had said before: then nothing is left
    // of the old one to go on with.
    if (activate_by_us(*newest) || table_.find(handle) == nullptr) return readmit(newcomers);
  }
  rearm(active);
}

// The newest first; the others then meet that one.
void SessionManager::Impl::readmit(const std::vector<SessionHandle>& newcomers) {
  for (std::size_t i = newcomers.size(); i-- > 0;) {
    if (Entry* const entry = table_.find(newcomers[i])) on_ready(*entry);
  }
}

bool SessionManager::Impl::activate_by_us(Entry& entry) {
  Entry* const old = table_.active_of(entry.peer()->id());
  if (old != nullptr) inherit_place(entry, *old);
  if (is_full_for(entry)) {
    end(entry.handle(), DisconnectReason::too_many_peers, EndedBy::us);
    return false;
  }
  ++last_token_.sequence;
  const Activate token = last_token_;
  if (!send_frame(entry, encode_frame(token))) return false;
  if (old == nullptr) return become_active(entry, token);
  // Those that wait for the old one's answer must not take its place when it ends: this one does.
  std::vector<SessionHandle> waiting;
  if (auto& probe = old->active()->probe) waiting = std::exchange(probe->newcomers, {});
  end(old->handle(), DisconnectReason::replaced, EndedBy::us);
  const SessionHandle handle = entry.handle();
  (void)become_active(entry, token);
  readmit(waiting);
  const Entry* const still_active = table_.find(handle);
  return still_active != nullptr;
}

// The arbiter's newest word is not the one that arrives last: connections deliver at their own
// pace. Words of one run are ordered by their sequence. Words of two runs are ordered by our
// Hellos: an arbiter speaks after it has our Hello, and we say Hello after its Proof; so the Hello
// of a connection to an earlier run went out before a later run could prove anything.
bool SessionManager::Impl::is_newer(const Entry& entry, const Activate& token, const Entry& old) {
  const Activate& held = old.active()->token();
  return held.epoch == token.epoch ? token.sequence > held.sequence
                                   : entry.hello_order > old.hello_order;
}

bool SessionManager::Impl::handle_activate(Entry& entry, const Activate& token) {
  Entry* const old = table_.active_of(entry.peer()->id());
  if (old != nullptr && !is_newer(entry, token, *old)) {
    end(entry.handle(), DisconnectReason::already_connected, EndedBy::us);
    return false;
  }
  if (is_full_for(entry)) {
    end(entry.handle(), DisconnectReason::too_many_peers, EndedBy::us);
    return false;
  }
  if (old != nullptr) {
    inherit_place(entry, *old);
    end(old->handle(), DisconnectReason::replaced, EndedBy::us);
  }
  return become_active(entry, token);
}

bool SessionManager::Impl::become_active(Entry& entry, const Activate& token) {
  const SessionHandle handle = entry.handle();
  Handshake& hs = *entry.handshake;
  PeerInfo info;
  info.id = entry.peer()->id();
  info.remote = entry.remote;
  info.inbound = entry.inbound();
  info.visit = hs.visit;
  info.client = std::move(hs.hello->client);
  info.agreed = std::move(hs.agreed);
  info.genesis = hs.hello->genesis;
  info.fork_id = hs.hello->fork_id;
  info.head_hash = hs.hello->head_hash;
  info.head_number = hs.hello->head_number;
  info.enr = std::move(hs.hello->enr);
  info.connected = now_.mono;
  const std::set<transport::StreamId> waiting = std::move(hs.streams);
  ActiveSession& session = table_.activate(entry, std::move(info), mux_limits(), token);
  entry.control.last_heard = now_.mono;
  session.last_message = now_.mono;
  session.hello_bytes = bytes_of(session.info);
  ++opened_;
  if (!session.info.visit) kept_places_.forget(session.info.id);
  log_.write(now_, LogLevel::debug, "session opened",
             {{"peer", std::string_view{session.info.id.hex()}},
              {"inbound", entry.inbound()},
              {"visit", session.info.visit},
              {"client", std::string_view{session.info.client}}});
  events_.push_back({SessionOpened{handle, session.info, entry.dial_id}});
  rearm(entry);
  flush(entry);
  // Judged only now: until here they stayed in the transport's initial window.
  for (const transport::StreamId stream : waiting) {
    if (!read_stream(entry, stream)) return false;
  }
  return true;
}

bool SessionManager::Impl::handle_active_frame(Entry& entry, const Frame& frame) {
  if (frame.type == FrameType::ping) {
    if (entry.control.pings_in.take(now_.mono)) return send_frame(entry, encode_pong());
    end(entry.handle(), DisconnectReason::ping_flood, EndedBy::us);
    return false;
  }
  if (frame.type == FrameType::pong) return handle_pong(entry);
  end(entry.handle(), DisconnectReason::protocol_breach, EndedBy::us);
  return false;
}

bool SessionManager::Impl::handle_pong(Entry& entry) {
  ControlChannel& control = entry.control;
  if (control.pongs_received == control.pings_sent) {
    end(entry.handle(), DisconnectReason::protocol_breach, EndedBy::us);
    return false;
  }
  ++control.pongs_received;
  control.oldest_ping = now_.mono;  // a later one was sent after this, at most
  const auto& probe = entry.active()->probe;
  if (probe && probe->ping_sent && control.pongs_received >= probe->pongs_wanted) {
    finish_probe_alive(entry);
  } else {
    rearm(entry);
  }
  return true;
}

bool SessionManager::Impl::send_ping(Entry& entry) {
  ControlChannel& control = entry.control;
  if (!control.pings_out.take(now_.mono)) return true;
  if (control.pings_sent == control.pongs_received) control.oldest_ping = now_.mono;
  ++control.pings_sent;
  return send_frame(entry, encode_ping());
}

Instant SessionManager::Impl::active_deadline(const Entry& entry) const {
  const ControlChannel& control = entry.control;
  const bool waiting = control.pings_sent != control.pongs_received;
  Instant earliest =
      waiting ? control.oldest_ping + config_.ping_timeout
              : std::max(control.last_heard + config_.ping_interval, control.pings_out.next());
  earliest = std::min({earliest, control.stall.deadline(config_.write_timeout),
                       entry.active()->writer.stall_deadline(config_.write_timeout)});
  if (entry.is_visit()) {
    earliest = std::min(earliest, entry.active()->last_message + config_.visit_idle_timeout);
  }
  if (const auto& probe = entry.active()->probe) {
    earliest = std::min(earliest, probe->ping_sent ? probe->deadline : probe->ping_at);
  }
  return earliest;
}

bool SessionManager::Impl::on_active_deadline(Entry& entry) {
  const SessionHandle handle = entry.handle();
  const ControlChannel& control = entry.control;
  const auto& probe = entry.active()->probe;
  if (control.stall.deadline(config_.write_timeout) <= now_.mono ||
      entry.active()->writer.stall_deadline(config_.write_timeout) <= now_.mono) {
    end(handle, DisconnectReason::write_timeout, EndedBy::us);
    return false;
  }
  if (entry.is_visit() && entry.active()->last_message + config_.visit_idle_timeout <= now_.mono) {
    end(handle, DisconnectReason::requested, EndedBy::us);
    return false;
  }
  if (probe && probe->ping_sent && probe->deadline <= now_.mono) {
    finish_probe_silent(handle);
    return table_.find(handle) != nullptr;
  }
  if (probe && !probe->ping_sent && probe->ping_at <= now_.mono) return send_probe_ping(entry);
  if (control.pings_sent != control.pongs_received) {
    if (control.oldest_ping + config_.ping_timeout <= now_.mono) {
      end(handle, DisconnectReason::ping_timeout, EndedBy::us);
      return false;
    }
  } else if (control.last_heard + config_.ping_interval <= now_.mono && !send_ping(entry)) {
    return false;
  }
  rearm(entry);
  return true;
}

bool SessionManager::Impl::read_stream(Entry& entry, transport::StreamId stream) {
  const SessionHandle handle = entry.handle();
  ActiveSession& session = *entry.active();
  delivered_.clear();
  const auto read = session.reader.read(transport_, entry.conn(), stream, delivered_);
  if (!delivered_.empty()) {
    entry.control.last_heard = session.last_message = now_.mono;
    rearm(entry);  // or a timer would find, after every message, that nobody was silent
  }
  for (Delivered& message : delivered_) {
    ++messages_in_;
    events_.push_back(
        {MessageReceived{handle, session.info.agreed[message.lane], std::move(message.payload)},
         message.lane});
  }
  if (read) return true;
  end(handle, read.error(), EndedBy::us);
  return false;
}

}  // namespace ethnet::session
