// Claim, Proof, Hello: from an open connection to two parties who know each other.
#include <algorithm>

#include "manager.hpp"
#include "record.hpp"

namespace ethnet::session {

using transport::Side;

Side SessionManager::Impl::our_side(const Entry& entry) const {
  return entry.inbound() ? Side::acceptor : Side::dialler;
}

void SessionManager::Impl::begin_handshake(Entry& entry) {
  if (entry.inbound()) return;  // the dialler speaks first
  const auto stream = transport_.open_stream(entry.conn(), transport::StreamKind::bidirectional);
  if (!stream) return end(entry.handle(), DisconnectReason::transport_error, EndedBy::us);
  entry.control.stream = *stream;
  if (!send_claim(entry)) return;
  // Who knows whom it wants proves itself first; a stranger gets no proof of ours unasked.
  if (entry.expected) start_proof(entry);
}

bool SessionManager::Impl::have_exporter(Entry& entry) {
  Handshake& hs = *entry.handshake;
  if (hs.exporter) return true;
  Exporter exporter{};
  if (!transport_.export_key(entry.conn(), kExporterLabel, exporter)) return false;
  hs.exporter = exporter;
  return true;
}

bool SessionManager::Impl::send_claim(Entry& entry) {
  Claim claim;
  claim.id = local_id_;
  if (!entry.inbound()) claim.wanted = entry.expected;
  entry.handshake->claim_sent = true;
  return send_frame(entry, encode_frame(claim));
}

// Signs for the other side that we know of: the one that we want, or the one that claimed.
bool SessionManager::Impl::start_proof(Entry& entry) {
  Handshake& hs = *entry.handshake;
  CHECK(!hs.proof_started && (hs.claim || entry.expected));
  if (!have_exporter(entry)) {
    end(entry.handle(), DisconnectReason::transport_error, EndedBy::us);
    return false;
  }
  hs.proof_started = true;
  const NodeId& other = hs.claim ? hs.claim->id : *entry.expected;
  const Hash32 digest = proof_digest(our_side(entry), *hs.exporter, local_id_, other);
  start_job(entry, JobKind::sign_proof, "session sign proof", sign_work(key_, digest));
  return true;
}

bool SessionManager::Impl::read_control(Entry& entry) {
  const SessionHandle handle = entry.handle();
  const transport::ConnHandle conn = entry.conn();
  const transport::StreamId stream = *entry.control.stream;
  while (!entry.handshake || !entry.handshake->paused) {
    const ByteView arrived = transport_.read(conn, stream);
    if (arrived.empty()) {
      if (!transport_.at_end(conn, stream)) return true;
      end(handle, DisconnectReason::protocol_breach, EndedBy::us);
      return false;
    }
    const auto taken = entry.control.reader.feed(arrived);
    if (!taken) {
      end(handle, DisconnectReason::protocol_breach, EndedBy::us);
      return false;
    }
    transport_.consume(conn, stream, *taken);
    const auto frame = entry.control.reader.take();
    if (frame && !handle_frame(entry, *frame)) return false;
  }
  return true;
}

bool SessionManager::Impl::handle_frame(Entry& entry, const Frame& frame) {
  const SessionHandle handle = entry.handle();
  entry.control.last_heard = now_.mono;
  if (frame.type == FrameType::disconnect) {
    const auto reason = decode_disconnect(frame.body);
    if (reason) {
      end(handle, *reason, EndedBy::peer);
    } else {
      end(handle, DisconnectReason::protocol_breach, EndedBy::us);
    }
    return false;
  }
  if (entry.state() == SessionState::active) return handle_active_frame(entry, frame);
  return handle_handshake_frame(entry, frame);
}

// Each frame once, in the order Claim, Proof, Hello, Activate.
bool SessionManager::Impl::handle_handshake_frame(Entry& entry, const Frame& frame) {
  Handshake& hs = *entry.handshake;
  switch (frame.type) {
    case FrameType::claim: {
      const auto claim = decode_claim(frame.body);
      if (claim && !hs.claim) return handle_claim(entry, *claim);
      break;
    }
    case FrameType::proof: {
      const auto proof = decode_proof(frame.body);
      if (proof && hs.claim && !hs.verifier) return handle_proof(entry, *proof);
      break;
    }
    case FrameType::hello: {
      auto hello = decode_hello(frame.body);
      if (hello && entry.peer() && !hs.hello) return handle_hello(entry, *std::move(hello));
      break;
    }
    case FrameType::activate: {
      const auto token = decode_activate(frame.body);
      if (token && hs.ready && !we_decide(entry)) return handle_activate(entry, *token);
      break;
    }
    case FrameType::ping:
    case FrameType::pong:
    case FrameType::disconnect:
      break;
  }
  end(entry.handle(), DisconnectReason::protocol_breach, EndedBy::us);
  return false;
}

bool SessionManager::Impl::handle_claim(Entry& entry, const Claim& claim) {
  const auto refuse = [&](DisconnectReason reason) {
    end(entry.handle(), reason, EndedBy::us);
    return false;
  };
  if (claim.version != kProtocolVersion) return refuse(DisconnectReason::incompatible_version);
  if (claim.id == local_id_) return refuse(DisconnectReason::self_connection);
  if (!entry.inbound()) {
    if (claim.wanted) return refuse(DisconnectReason::protocol_breach);
    if (entry.expected && claim.id != *entry.expected) {
      return refuse(DisconnectReason::unexpected_identity);
    }
    entry.handshake->claim = claim;
    return true;  // its proof follows
  }
  if (claim.wanted && *claim.wanted != local_id_) {
    return refuse(DisconnectReason::unexpected_identity);
  }
  entry.handshake->claim = claim;
  if (claim.wanted) return true;  // it proves itself first
  return send_claim(entry) && start_proof(entry);
}

bool SessionManager::Impl::handle_proof(Entry& entry, const Proof& proof) {
  Handshake& hs = *entry.handshake;
  if (!have_exporter(entry)) {
    end(entry.handle(), DisconnectReason::transport_error, EndedBy::us);
    return false;
  }
  const Side theirs = entry.inbound() ? Side::dialler : Side::acceptor;
  const Hash32 digest = proof_digest(theirs, *hs.exporter, hs.claim->id, local_id_);
  hs.verifier.emplace(digest, hs.claim->id, proof);
  hs.paused = true;  // what follows is read once the proof holds
  start_job(entry, JobKind::verify_proof, "session verify proof", hs.verifier->work());
  return true;
}

bool SessionManager::Impl::on_signed(Entry& entry, ByteView signature) {
  Proof proof;
  CHECK(signature.size() == proof.signature.size());  // our own job
  copy_into(proof.signature, signature);
  entry.handshake->proof_sent = true;
  return send_frame(entry, encode_frame(proof)) && send_hello_when_due(entry);
}

bool SessionManager::Impl::on_verified(Entry& entry, ByteView output) {
  Handshake& hs = *entry.handshake;
  const auto peer = hs.verifier->finish(output);
  if (!peer) {
    end(entry.handle(), DisconnectReason::bad_proof, EndedBy::us);
    return false;
  }
  table_.on_proven(entry, *peer);
  if (const auto reason = gate_ != nullptr ? gate_->refuses(now_, peer->id()) : std::nullopt) {
    end(entry.handle(), *reason, EndedBy::us);
    return false;
  }
  if (!hs.claim_sent && !send_claim(entry)) return false;
  if (!hs.proof_started && !start_proof(entry)) return false;
  if (!send_hello_when_due(entry)) return false;
  hs.paused = false;
  return read_control(entry);
}

// A twin of an active peer needs no further place: the arbiter keeps one of the two.
bool SessionManager::Impl::is_full_for(const Entry& entry) {
  if (entry.handshake->visit || config_.trusted.contains(entry.peer()->id())) return false;
  const Entry* const twin = table_.active_of(entry.peer()->id());
  if (twin != nullptr && !twin->is_visit()) return false;
  if (!entry.needs_inbound_place()) return table_.peers() >= config_.max_peers;
  const std::size_t kept = kept_places_.for_others(now_.mono, entry.peer()->id());
  return table_.peers() + kept >= config_.max_peers ||
         table_.active_inbound() + kept >= config_.max_inbound;
}

bool SessionManager::Impl::is_for_visits(const Capability& capability) const {
  return std::ranges::find(config_.visit_capabilities, capability.name) !=
         config_.visit_capabilities.end();
}

// After both proofs, so that only the one who may know learns what we are.
bool SessionManager::Impl::send_hello_when_due(Entry& entry) {
  Handshake& hs = *entry.handshake;
  if (hs.hello_sent || !hs.proof_sent || !entry.peer()) return true;
  Hello hello;
  hello.client = local_.client;
  hello.capabilities = local_.capabilities;
  if (entry.is_visit_of_ours()) {
    std::erase_if(hello.capabilities, [&](const Capability& c) { return !is_for_visits(c); });
  }
  hello.genesis = local_.genesis;
  hello.fork_id = local_.fork_id;
  hello.head_hash = local_.head_hash;
  hello.head_number = local_.head_number;
  hello.enr = local_.enr;
  hs.offered = hello.capabilities;  // set_local may change them before the answer
  hs.hello_sent = true;
  entry.hello_order = ++last_hello_;
  return send_frame(entry, encode_frame(hello));
}

bool SessionManager::Impl::handle_hello(Entry& entry, Hello hello) {
  Handshake& hs = *entry.handshake;
  const auto refuse = [&](DisconnectReason reason) {
    end(entry.handle(), reason, EndedBy::us);
    return false;
  };
  // A Hello comes only from one who verified our proof and therefore has it.
  if (!hs.hello_sent) return refuse(DisconnectReason::protocol_breach);
  hs.hello = std::move(hello);
  // Beside what it is made of, the list of what was agreed, and the record under judgement.
  hs.hello_bytes = 2 * hs.hello->memory_bytes();
  if (config_.require_same_genesis && hs.hello->genesis != local_.genesis) {
    return refuse(DisconnectReason::wrong_genesis);
  }
  if (!follows_our_forks(hs.hello->fork_id)) return refuse(DisconnectReason::incompatible_fork);
  hs.agreed = intersect(hs.offered, hs.hello->capabilities);
  if (hs.agreed.empty()) return refuse(DisconnectReason::no_shared_capability);
  hs.visit = std::ranges::all_of(hs.agreed, [&](const Capability& c) { return is_for_visits(c); });
  if (is_full_for(entry)) return refuse(DisconnectReason::too_many_peers);
  if (hs.hello->enr.empty()) return accept_hello(entry);
  hs.paused = true;
  start_job(entry, JobKind::verify_record, "session verify record", record_work(hs.hello->enr));
  return true;
}

// Judged by the head of now: the remote may have been right when ours was lower.
bool SessionManager::Impl::follows_our_forks(const ForkId& remote) const {
  return !local_.forks ||
         local_.forks->judge(remote, local_.head_number, local_.head_time) == ForkIdVerdict::accept;
}

bool SessionManager::Impl::on_record_verified(Entry& entry, ByteView output) {
  if (!equal(output, entry.peer()->id().view())) {
    end(entry.handle(), DisconnectReason::protocol_breach, EndedBy::us);
    return false;
  }
  entry.handshake->paused = false;
  if (!accept_hello(entry)) return false;
  return read_control(entry);
}

bool SessionManager::Impl::accept_hello(Entry& entry) {
  entry.handshake->ready = true;
  return !we_decide(entry) || on_ready(entry);
}

}  // namespace ethnet::session
