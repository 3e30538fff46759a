// What the node does for the protocols of its sessions: their messages in and out, what they
// report, and what is held against a peer. A session's protocols are those that it agreed on; none
// hears of another's sessions.
#include <algorithm>
#include <utility>

#include "agreed.hpp"
#include "behaviour.hpp"
#include "node.hpp"

namespace ethnet::node {
namespace {

Hash32 hash_of(const das::DataId& id) { return Hash32{id.bytes}; }

}  // namespace

bool Node::route_protocols(Now now) {
  bool moved = route_sync(now);
  if (das_) moved = route_das(now) || moved;
  if (discovery_) {
    moved = route_discovery(now) || moved;
    moved = route_outgoing(now, *discovery_, kDiscvLite) || moved;
  }
  return moved;
}

template <class Engine>
bool Node::route_outgoing(Now now, Engine& engine, std::string_view name) {
  bool moved = false;
  while (auto out = engine.poll_outgoing()) {
    moved = true;
    const session::PeerInfo* peer = sessions_->find(out->session);
    const session::Capability* version = peer == nullptr ? nullptr : agreed(*peer, name);
    if (version == nullptr) {
      ++counters_.sends_dropped;
      continue;
    }
    const auto sent =
        sessions_->send(now, out->session, *version, out->priority, std::move(out->payload));
    if (!sent && sent.error().is(session::SessionError::would_block)) {
      ++counters_.sends_deferred;
      engine.handle_send_refused(now, std::move(*out));
    } else if (!sent) {
      ++counters_.sends_dropped;
    }
  }
  return moved;
}

bool Node::route_sync(Now now) {
  bool moved = false;
  while (auto event = sync_.poll_event()) {
    on_sync_event(now, std::move(*event));
    moved = true;
  }
  return route_outgoing(now, sync_, kMiniSync) || moved;
}

bool Node::route_das(Now now) {
  bool moved = false;
  while (const auto event = das_->poll_event()) {
    on_das_event(now, *event);
    moved = true;
  }
  return route_outgoing(now, *das_, kDasLite) || moved;
}

void Node::on_session_event(Now now, session::SessionEvent event) {
  if (const auto* opened = std::get_if<session::SessionOpened>(&event)) {
    on_session_opened(now, *opened);
  } else if (const auto* closed = std::get_if<session::SessionClosed>(&event)) {
    on_session_closed(now, *closed);
  } else if (const auto* message = std::get_if<session::MessageReceived>(&event)) {
    if (message->capability.name == kMiniSync) {
      sync_.handle_message(now, message->session, message->payload);
    } else if (das_ && message->capability.name == kDasLite) {
      das_->handle_message(now, message->session, message->payload);
    } else if (discovery_ && message->capability.name == kDiscvLite) {
      discovery_->handle_message(now, message->session, message->payload);
    }
  } else if (const auto* writable = std::get_if<session::SessionWritable>(&event)) {
    if (writable->capability.name == kMiniSync) {
      sync_.handle_writable(now, writable->session);
    } else if (das_ && writable->capability.name == kDasLite) {
      das_->handle_writable(now, writable->session);
    } else if (discovery_ && writable->capability.name == kDiscvLite) {
      discovery_->handle_writable(now, writable->session);
    }
  } else if (const auto* moved = std::get_if<session::SessionMoved>(&event)) {
    if (discovery_) discovery_->handle_session_moved(now, moved->session, moved->remote);
  } else if (const auto* failed = std::get_if<session::DialFailed>(&event)) {
    const bool met_ourselves = failed->reason == session::DisconnectReason::self_connection;
    dialer_.on_dial_failed(now, failed->dial_id, failed->proven, met_ourselves);
    (void)scheduler_.on_failed(now, failed->dial_id);
    on_contact_failed(now, *failed);
  }
}

void Node::on_session_opened(Now now, const session::SessionOpened& opened) {
  const session::PeerInfo& peer = opened.peer;
  contacts_.erase(opened.dial_id);
  if (dialer_.take_unwanted(opened.dial_id) && !is_named(peer.id)) {
    sessions_->disconnect(now, opened.session, session::DisconnectReason::requested);
  }
  if (discovery_) on_link_opened(now, opened);
  if (peer.visit) return;  // discovery's alone
  connected_.insert(peer.id);
  scheduler_.on_opened(now, peer.id, peer.inbound);
  dialer_.on_session_opened(now, peer.id, peer.remote, peer.inbound);
  rotation_.on_opened(now, peer.id, peer.inbound, is_named(peer.id));
  const bool trusted = config_.trusted.contains(peer.id);
  if (agreed(peer, kMiniSync) != nullptr) {
    sync_.handle_session_opened(now, opened.session, {peer.head_hash, peer.head_number},
                                peer.remote, trusted);
  }
  if (das_ && agreed(peer, kDasLite) != nullptr) {
    das_->handle_session_opened(now, opened.session, peer.remote, trusted);
  }
  log_session(now, "Session opened",
              {{"peer", peer.id.short_hex()},
               {"remote", peer.remote.to_string()},
               {"inbound", peer.inbound},
               {"client", peer.client}});
  tell(SessionUp{peer.id, peer.remote, peer.inbound, peer.client});
}

void Node::on_session_closed(Now now, const session::SessionClosed& closed) {
  if (discovery_) discovery_->handle_session_closed(now, closed.session);
  if (connected_.erase(closed.id) == 0) return;  // it was a visit
  scheduler_.on_closed(now, closed.id);
  rotation_.on_closed(closed.id);
  sync_.handle_session_closed(now, closed.session);
  if (das_) das_->handle_session_closed(now, closed.session);
  dialer_.on_session_closed(now, closed.id);
  const std::string reason{session::to_string(closed.reason)};
  log_session(now, "Session closed",
              {{"peer", closed.id.short_hex()}, {"reason", reason}, {"by_peer", closed.by_peer}});
  tell(SessionDown{closed.id, reason, closed.by_peer});
}

void Node::on_sync_event(Now now, mini_sync::Event event) {
  if (auto* import = std::get_if<mini_sync::ImportRequest>(&event)) {
    on_import(now, std::move(*import));
  } else if (const auto* bad = std::get_if<mini_sync::PeerMisbehaved>(&event)) {
    ++counters_.misbehaved[bad->what];
    log_.write(now, LogLevel::debug, "Peer misbehaved", {{"what", mini_sync::describe(bad->what)}});
    judge(now, bad->session, behaviour_of(bad->what), true);
  } else if (const auto* progress = std::get_if<mini_sync::SyncProgress>(&event)) {
    on_sync_progress(*progress);
  }
}

void Node::on_sync_progress(const mini_sync::SyncProgress& progress) {
  if (progress.done) {
    syncing_.reset();
  } else {
    if (!syncing_) syncing_ = SyncView{.start = chain_.head().number};
    syncing_->target = progress.target;
  }
  tell(SyncMoved{progress.imported, progress.target, progress.done});
}

void Node::on_das_event(Now now, const das_lite::Event& event) {
  if (const auto* bad = std::get_if<das_lite::PeerMisbehaved>(&event)) {
    ++counters_.das_misbehaved[bad->what];
    log_.write(now, LogLevel::debug, "Peer misbehaved", {{"what", das_lite::describe(bad->what)}});
    judge(now, bad->session, behaviour_of(bad->what), true);
  } else if (const auto* lapse = std::get_if<das_lite::PeerScored>(&event)) {
    judge(now, lapse->session, peers::Behaviour::broken_promise, false);
  } else if (const auto* verdict = std::get_if<das_lite::DasVerdict>(&event)) {
    const Hash32 id = hash_of(verdict->key.id);
    if (verdict->done && data_lines_.allow(now)) {
      const std::string tally = das_lite::to_text(*verdict);
      log_.write(now, LogLevel::info, "Data set sampled: " + tally, {{"data", id.short_hex()}});
    }
    tell(DataSampled{verdict->run, verdict->automatic, id, verdict->requested, verdict->received,
                     verdict->confidence, verdict->fooled_probability, verdict->done});
  } else if (const auto* published = std::get_if<das_lite::DataPublished>(&event)) {
    tell(DataPublished{published->run, hash_of(published->key.id), published->kept});
  } else if (const auto* progress = std::get_if<das_lite::GetProgress>(&event)) {
    tell(DataFetched{progress->run, hash_of(progress->key.id), progress->received, progress->total,
                     progress->done});
  }
}

void Node::judge(Now now, session::SessionHandle session, peers::Behaviour what, bool ends) {
  const session::PeerInfo* peer = sessions_->find(session);
  if (peer == nullptr) return;
  const auto verdict = scores_.report(now, peer->id, what, is_named(peer->id));
  if (verdict == peers::Verdict::ban) {
    log_.write(now, LogLevel::debug, "Peer banned",
               {{"peer", peer->id.short_hex()}, {"for", peers::describe(what)}});
  }
  if (ends || verdict != peers::Verdict::none) {
    sessions_->disconnect(now, session, reason_for(what));
  }
}

}  // namespace ethnet::node
