#include "engine.hpp"

#include <algorithm>
#include <utility>

#include "serve.hpp"

namespace ethnet::mini_sync {

std::string_view describe(Misbehaviour what) {
  switch (what) {
    case Misbehaviour::malformed_message:
      return "malformed message";
    case Misbehaviour::unsolicited_response:
      return "unsolicited response";
    case Misbehaviour::oversized_response:
      return "more headers than asked for";
    case Misbehaviour::unlinked_headers:
      return "headers do not link";
    case Misbehaviour::invalid_header:
      return "header breaks a rule";
    case Misbehaviour::bad_signature:
      return "wrong producer signature";
    case Misbehaviour::too_many_requests:
      return "too many requests";
    case Misbehaviour::wrong_genesis:
      return "another genesis";
    case Misbehaviour::unresponsive:
      return "unresponsive";
    case Misbehaviour::side_headers:
      return "too many side headers";
  }
  return "unknown";
}

bool KnownBlocks::add(const Hash32& hash) {
  const auto at = std::ranges::lower_bound(members_, hash);
  if (at != members_.end() && *at == hash) return false;
  members_.insert(at, hash);
  order_.push_back(hash);
  if (order_.size() > kMaxKnownBlocks) {
    members_.erase(std::ranges::lower_bound(members_, order_.front()));
    order_.pop_front();
  }
  return true;
}

Engine::Engine(const chain::ChainView& chain, Prng prng, Log& log)
    : chain_{chain}, prng_{prng}, log_{log}, requests_{kMaxOutstanding, 1} {}

Peer* Engine::find(SessionHandle session) {
  const auto it = peers_.find(session);
  return it == peers_.end() ? nullptr : &it->second;
}

// The queue is sized so that the node, which drains it after every input, cannot meet its end; a
// peer cannot cause more than a handful of events an input.
void Engine::emit(Event event) { CHECK(events_.push(std::move(event))); }

// Said once: what a condemned peer still sends until its session is closed is not looked at.
void Engine::blame(SessionHandle session, Misbehaviour what) {
  Peer* peer = find(session);
  if (peer == nullptr || peer->condemned) return;
  peer->condemned = true;
  drop_judging(*peer);
  release_request(session, *peer, true);
  ++counters_.misbehaved;
  emit(PeerMisbehaved{session, what});
}

void Engine::handle_session_opened(Now now, SessionHandle session, const chain::BlockRef& head,
                                   const Endpoint& source, bool favoured) noexcept {
  begin(now);
  Peer& peer = peers_[session];
  serve_queue_.join(session, source);
  peer.head = head;
  peer.favoured = favoured;
  peer.side_seen_at = chain_.head().number;
  peer.anchor_after = now.mono;
  peer.control.push_back(encode_status(peer));
  owe(session);
  add_target(session, peer, head);
  schedule(now, session, peer);
}

Bytes Engine::encode_status(Peer& peer) const {
  peer.told_earliest = floor_for(peer);
  return encode(Status{chain_.genesis().hash, chain_.head(), peer.told_earliest});
}

void Engine::handle_session_closed(Now now, SessionHandle session) noexcept {
  begin(now);
  Peer* peer = find(session);
  if (peer == nullptr) return;
  drop_judging(*peer);
  release_request(session, *peer, true);
  const bool was_anchor = download_ && download_->anchor() == session;
  peers_.erase(session);
  wanting_.erase(session);
  owed_.erase(session);
  serve_queue_.leave(now_, session);
  // The marks are hashes: what the anchor gave stays good, others go on with it.
  if (was_anchor && peers_.empty()) abort_download(now);
  schedule_all(now);
}

void Engine::handle_send_refused(Now now, Outgoing message) noexcept {
  begin(now);
  Peer* peer = find(message.session);
  if (peer == nullptr) return;
  peer->blocked = true;
  auto& queue = message.priority == Priority::normal ? peer->control : peer->responses;
  queue.push_front(std::move(message.payload));
}

void Engine::handle_writable(Now now, SessionHandle session) noexcept {
  begin(now);
  Peer* peer = find(session);
  if (peer == nullptr) return;
  peer->blocked = false;
  owe(session);
  serve(session, *peer);
}

void Engine::handle_import_done(Now now, const ImportDone& done) noexcept {
  begin(now);
  const auto it = imports_.find(done.id);
  if (it == imports_.end()) return;
  const Import import = it->second;
  imports_.erase(it);
  Peer* peer = find(import.session);
  const bool of_this_download = import.download != 0 && import.download == download_id_;
  if (of_this_download) --download_imports_;
  if (peer != nullptr && import.download == 0) --peer->imports;
  if (peer != nullptr) {
    // It won, with all that is below it.
    const auto last = chain_.find(import.last);
    if (last && last->canonical) peer->side_headers = 0;
  }
  if (done.invalid_at) blame(import.session, Misbehaviour::invalid_header);
  if (of_this_download && (done.invalid_at || !done.accepted)) abort_download(now);
  finish_download_if_done();
  schedule_all(now);
}

void Engine::handle_block_accepted(Now now, const chain::BlockRef& block, bool is_head) noexcept {
  begin(now);
  std::vector<SessionHandle> audience;
  for (auto& [session, peer] : peers_) {
    const std::uint64_t floor = floor_for(peer);
    const bool says_more =
        floor < peer.told_earliest || floor >= peer.told_earliest + kEarliestStep;
    if (is_head && says_more && peer.control.size() < kMaxQueuedControl) {
      peer.control.push_back(encode_status(peer));
      owe(session);
    }
    if (!peer.condemned && !peer.known.contains(block.hash)) audience.push_back(session);
  }
  // The header goes to the square root of the audience, the hash to the rest (devp2p, "Block
  // propagation"). Whom is drawn, so that no peer is always served last.
  std::size_t with_header = 0;
  while (with_header * with_header < audience.size()) ++with_header;
  for (std::size_t i = 0; i < audience.size(); ++i) {
    std::swap(audience[i], audience[i + prng_.below(audience.size() - i)]);
    Peer& peer = peers_.at(audience[i]);
    peer.known.add(block.hash);
    peer.announcements.emplace_back(block, is_head && i < with_header);
    owe(audience[i]);
    if (peer.announcements.size() > kMaxQueuedAnnouncements) {
      ++counters_.announcements_dropped;
      peer.announcements.pop_front();
    }
  }
}

void Engine::handle_deadline(Now now) noexcept {
  begin(now);
  serve_waiting();
  std::vector<SessionHandle> silent;
  for (const session::PendingRequest& late : requests_.expire(now)) {
    Peer* peer = find(late.session);
    if (peer == nullptr) continue;
    ++counters_.timeouts;
    peer->expired.insert(late.id);
    log_.write(now, LogLevel::debug, "mini-sync request timed out",
               {{"session", std::uint64_t{late.session.index}}, {"id", late.id}});
    release_request(late.session, *peer, true);
    request_timed_out(now, late.session, *peer);
    silent.push_back(late.session);
  }
  // What the silent have announced is asked of others first.
  if (!silent.empty()) schedule_wanting(now, silent);
  schedule_all(now);
}

std::optional<Event> Engine::poll_event() { return events_.pop(); }

Bytes Engine::encode_announcement(const chain::BlockRef& block, bool with_header) const {
  const ByteView header = chain_.encoded(block.hash);
  if (with_header && !header.empty()) {
    return encode(NewBlock{{to_bytes(header), to_bytes(chain_.producer_signature(block.hash))}});
  }
  return encode(NewBlockHashes{{block}});
}

// What a peer is owed, most urgent first: announcements, our requests, responses.
std::optional<Outgoing> Engine::next_from(SessionHandle session, Peer& peer) {
  if (peer.blocked || peer.condemned) return std::nullopt;
  if (!peer.announcements.empty()) {
    const auto [block, with_header] = peer.announcements.front();
    peer.announcements.pop_front();
    ++counters_.announcements_sent;
    return Outgoing{session, Priority::head, encode_announcement(block, with_header)};
  }
  if (!peer.control.empty()) {
    Bytes payload = std::move(peer.control.front());
    peer.control.pop_front();
    return Outgoing{session, Priority::normal, std::move(payload)};
  }
  if (!peer.responses.empty()) {
    Bytes payload = std::move(peer.responses.front());
    peer.responses.pop_front();
    serve(session, peer);
    return Outgoing{session, Priority::bulk, std::move(payload)};
  }
  return std::nullopt;
}

std::optional<Outgoing> Engine::poll_outgoing() {
  while (!owed_.empty()) {
    auto it = owed_.upper_bound(last_served_);
    if (it == owed_.end()) it = owed_.begin();
    const SessionHandle session = *it;
    Peer* const peer = find(session);
    CHECK(peer != nullptr);
    if (auto out = next_from(session, *peer)) {
      last_served_ = session;
      return out;
    }
    owed_.erase(it);
  }
  return std::nullopt;
}

void Engine::set_serving(const Serving& serving) {
  const bool changes = serving_.near_head_only != serving.near_head_only;
  serving_ = serving;
  if (!changes) return;
  for (auto& [session, peer] : peers_) {
    if (peer.told_earliest == floor_for(peer) || peer.control.size() >= kMaxQueuedControl) continue;
    peer.control.push_back(encode_status(peer));
    owe(session);
  }
}

std::uint64_t Engine::floor_for(const Peer& peer) const {
  const std::uint64_t kept = chain_.earliest().number;
  const std::uint64_t head = chain_.head().number;
  if (!is_bound_to_head(peer) || head <= kServedNearHead) return kept;
  return std::max(kept, head - kServedNearHead);
}

Headers Engine::headers_for(Peer& peer, const GetHeaders& request) {
  if (!is_bound_to_head(peer)) return serve_headers(chain_, request, most_answer_bytes());
  if (!peer.near_head.take(now_)) {
    ++counters_.refused_near_head;
    Headers nothing;
    nothing.request_id = request.request_id;
    return nothing;
  }
  return serve_headers(chain_, request, std::min(kNearHeadBytes, most_answer_bytes()),
                       floor_for(peer));
}

// What is under way to all must reach them before they give up, and not stand long before a head.
std::size_t Engine::most_answer_bytes() const {
  if (serving_.bytes_per_second == 0) return kMaxResponseBytes;
  const auto busy = std::ranges::count_if(peers_, [&](const auto& entry) {
    return !entry.second.asked.empty() || entry.second.asked_at + kAskedOfLate > now_;
  });
  const std::uint64_t ahead =
      serving_.bytes_per_second * static_cast<std::uint64_t>(kServedAhead.ns / seconds(1).ns);
  return std::clamp<std::size_t>(
      ahead / static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(1, busy)), kLeastAnswerBytes,
      kMaxResponseBytes);
}

bool Engine::can_be_answered(const Peer& peer) {
  return !peer.condemned && !peer.asked.empty() && peer.responses.size() < kMaxQueuedResponses;
}

// Builds responses while there is room for them; a peer that does not read gets no more built.
void Engine::serve(SessionHandle session, const Peer& peer) {
  if (can_be_answered(peer)) serve_queue_.wait(session);
  serve_waiting();
}

void Engine::serve_waiting() {
  while (const auto session = serve_queue_.next(now_)) {
    Peer* const peer = find(*session);
    std::uint64_t cost = 0;
    if (peer != nullptr && can_be_answered(*peer)) {
      cost = answer(*peer);
      owe(*session);
    }
    serve_queue_.charge(now_, *session, cost);
    if (peer != nullptr && can_be_answered(*peer)) serve_queue_.wait(*session);
  }
}

std::uint64_t Engine::answer(Peer& peer) {
  const Headers response = headers_for(peer, peer.asked.front());
  peer.asked.pop_front();
  ++counters_.requests_served;
  counters_.headers_served += response.items.size();
  peer.responses.push_back(encode(response));
  return peer.responses.back().size() + (1 + response.items.size()) * kLookupCost;
}

}  // namespace ethnet::mini_sync
