#include "engine.hpp"

#include <algorithm>
#include <utility>

namespace ethnet::das_lite {
namespace {

std::string_view describe_error(std::uint16_t code) {
  switch (static_cast<CommandError>(code)) {
    case CommandError::unknown_data:
      return "no such data set is known";
    case CommandError::too_many_samples:
      return "more samples than allowed";
    case CommandError::busy:
      return "too much is under way";
    case CommandError::no_room:
      return "no room for it";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"das-lite", describe_error};

}  // namespace

const ErrorDomain& error_domain(CommandError) { return kDomain; }

std::string_view describe(Misbehaviour what) {
  switch (what) {
    case Misbehaviour::malformed_message:
      return "malformed message";
    case Misbehaviour::unsolicited_response:
      return "unsolicited response";
    case Misbehaviour::wrong_chunk:
      return "wrong chunk";
    case Misbehaviour::false_sizes:
      return "false sizes";
    case Misbehaviour::too_many_requests:
      return "too many requests";
  }
  return "unknown";
}

std::string_view describe(Lapse what) {
  switch (what) {
    case Lapse::missing_chunk:
      return "missing chunk";
    case Lapse::late_chunk:
      return "late chunk";
  }
  return "unknown";
}

std::string to_text(const DasVerdict& verdict) {
  return das::to_text(das::Tally{verdict.received, verdict.requested});
}

Engine::Engine(const Config& config, das::IndexSource& indices, Log& log)
    : config_{config}, indices_{indices}, log_{log}, store_{config.store} {
  config_.samples = std::min(config_.samples, kMaxSamples);
}

Peer* Engine::find(SessionHandle session) {
  const auto it = peers_.find(session);
  return it == peers_.end() ? nullptr : &it->second;
}

// The queue is sized so that the node, which drains it after every input, cannot meet its end.
void Engine::emit(Event event) { CHECK(events_.push(std::move(event))); }

// Said once: what a condemned peer still sends until its session is closed is not looked at.
void Engine::blame(SessionHandle session, Misbehaviour what) {
  Peer* peer = find(session);
  if (peer == nullptr || peer->condemned) return;
  let_go(session, *peer);
  peer->condemned = true;
  ++counters_.misbehaved;
  emit(PeerMisbehaved{session, what});
}

void Engine::score(SessionHandle session, Peer& peer, const das::DataKey& key, Lapse what) {
  if (peer.condemned || !peer.lapsed.insert(key).second) return;
  ++counters_.lapses;
  emit(PeerScored{session, what, key.id});
}

// Everything that waits for a peer, or that the peer waits for, ends.
void Engine::let_go(SessionHandle session, Peer& peer) {
  for (const session::PendingRequest& request : requests_.drop(session)) {
    const auto it = asked_.find(request.id);
    CHECK(it != asked_.end());
    asked_ids_.erase({session, ChunkName{it->second.key.id, it->second.index}});
    asked_.erase(it);
  }
  for (const das::DataKey& key : peer.announced) {
    known_.at(key).fetch.remove_source(source_of(session));
    touched_.insert(key);
  }
  sample_queue_.erase(session);
  ready_.erase(session);
  peer = Peer{};
}

void Engine::handle_session_opened(Now now, SessionHandle session, const Endpoint& source,
                                   bool favoured) noexcept {
  now_ = now.mono;
  Peer& peer = peers_[session];
  serve_queue_.join(session, source);
  peer.favoured = favoured;
  if (serving_ || favoured) announce_own(session, peer);
  finish_input(now);
}

// Who came meanwhile has heard of nothing, and hearing of it twice does no harm.
void Engine::set_serving(Now now, bool serving) noexcept {
  now_ = now.mono;
  if (std::exchange(serving_, serving) == serving) return;
  for (auto& [session, peer] : peers_) {
    if (serving && !peer.favoured && !peer.condemned) announce_own(session, peer);
  }
  finish_input(now);
}

void Engine::announce_own(SessionHandle session, Peer& peer) {
  const std::size_t skipped = own_.size() - std::min(own_.size(), kMaxQueuedNews);
  counters_.announcements_dropped += skipped;
  peer.news.assign(own_.begin() + static_cast<std::ptrdiff_t>(skipped), own_.end());
  refresh_ready(session, peer);
}

void Engine::handle_session_closed(Now now, SessionHandle session) noexcept {
  now_ = now.mono;
  Peer* peer = find(session);
  if (peer == nullptr) return;
  let_go(session, *peer);
  peers_.erase(session);
  serve_queue_.leave(now_, session);
  finish_input(now);
}

void Engine::handle_send_refused(Now now, Outgoing message) noexcept {
  now_ = now.mono;
  Peer* peer = find(message.session);
  if (peer == nullptr || peer->condemned) return;
  peer->blocked = true;
  peer->refused.push_front(std::move(message.payload));
  refresh_ready(message.session, *peer);
}

void Engine::handle_writable(Now now, SessionHandle session) noexcept {
  now_ = now.mono;
  Peer* peer = find(session);
  if (peer == nullptr || peer->condemned) return;
  peer->blocked = false;
  refresh_ready(session, *peer);
}

void Engine::handle_deadline(Now now) noexcept {
  now_ = now.mono;
  expire_requests(now);
  store_.expire(now);
  serve_waiting();
  finish_input(now);
}

void Engine::expire_requests(Now now) {
  for (const session::PendingRequest& late : requests_.expire(now)) {
    const auto it = asked_.find(late.id);
    CHECK(it != asked_.end());
    const Asked asked = it->second;
    const ChunkName name{asked.key.id, asked.index};
    asked_ids_.erase({asked.session, name});
    asked_.erase(it);
    Peer* peer = find(asked.session);
    CHECK(peer != nullptr);
    ++counters_.chunks_late;
    // What the session never took was not asked of anybody: it is not the peer's fault.
    if (peer->to_ask.remove(name) == 0) {
      forgive(*peer, name);
      score(asked.session, *peer, asked.key, Lapse::late_chunk);
    }
    known_.at(asked.key).fetch.failed(asked.index, source_of(asked.session));
    touched_.insert(asked.key);
  }
}

Instant Engine::next_deadline() const {
  return std::min(
      {requests_.next_deadline(), store_.next_deadline(), serve_queue_.next_deadline(), auto_at_});
}

std::optional<Event> Engine::poll_event() { return events_.pop(); }

std::optional<Job> Engine::poll_job() {
  if (jobs_.empty()) return std::nullopt;
  std::optional<Job> job{std::move(jobs_.front())};
  jobs_.pop_front();
  return job;
}

void Engine::refresh_ready(SessionHandle session, const Peer& peer) {
  const bool has_something = !peer.refused.empty() || !peer.news.empty() || !peer.to_ask.empty() ||
                             !peer.responses.empty();
  if (has_something && !peer.blocked && !peer.condemned) {
    ready_.insert(session);
  } else {
    ready_.erase(session);
  }
}

// What a peer is owed: what the session refused, announcements, our requests, responses.
std::optional<Bytes> Engine::next_from(Peer& peer) {
  if (!peer.refused.empty()) {
    Bytes payload = std::move(peer.refused.front());
    peer.refused.pop_front();
    return payload;
  }
  if (!peer.news.empty()) {
    const das::DataKey key = peer.news.front();
    peer.news.pop_front();
    if (std::ranges::find(own_, key) == own_.end()) return std::nullopt;  // gone meanwhile
    ++counters_.announcements_sent;
    return encode(AnnounceData{key});
  }
  if (!peer.to_ask.empty()) {
    RequestChunk request{peer.to_ask.front().data_id, {}};
    peer.to_ask.remove_if([&](const ChunkName& name) {
      if (name.data_id != request.data_id || request.indices.size() == kMaxBatch) return false;
      request.indices.push_back(name.index);
      return true;
    });
    std::ranges::sort(request.indices);
    return encode(request);
  }
  if (!peer.responses.empty()) {
    Bytes payload = std::move(peer.responses.front());
    peer.responses.pop_front();
    return payload;
  }
  return std::nullopt;
}

std::optional<Outgoing> Engine::poll_outgoing() {
  while (!ready_.empty()) {
    auto it = ready_.upper_bound(last_served_);
    if (it == ready_.end()) it = ready_.begin();
    const SessionHandle session = *it;
    last_served_ = session;
    Peer* peer = find(session);
    CHECK(peer != nullptr);
    std::optional<Bytes> payload = next_from(*peer);
    serve(session, *peer);
    if (payload) return Outgoing{session, Priority::bulk, std::move(*payload)};
  }
  return std::nullopt;
}

bool Engine::can_be_answered(const Peer& peer) {
  return !peer.condemned && !peer.asked.empty() && peer.responses.size() < kMaxBuiltResponses;
}

// Builds responses while there is room and budget for them: a peer that does not read, or asks for
// much, gets no more built.
void Engine::serve(SessionHandle session, const Peer& peer) {
  if (can_be_answered(peer)) serve_queue_.wait(session);
  serve_waiting();
  refresh_ready(session, peer);
}

void Engine::serve_waiting() {
  while (const auto session = serve_queue_.next(now_)) {
    Peer* const peer = find(*session);
    std::uint64_t cost = 0;
    if (peer != nullptr && can_be_answered(*peer)) cost = answer(*peer);
    serve_queue_.charge(now_, *session, cost);
    if (peer == nullptr) continue;
    if (can_be_answered(*peer)) serve_queue_.wait(*session);
    refresh_ready(*session, *peer);
  }
}

std::uint64_t Engine::answer(Peer& peer) {
  const ChunkName name = peer.asked.front();
  peer.asked.pop_front();
  auto held = store_.find(name.data_id, name.index);
  if (held && !serving_ && !peer.favoured) {
    ++counters_.chunks_refused;
    held.reset();
  }
  ChunkResponse response{name.data_id, name.index, {}, {}};
  if (held) {
    response.bytes = to_bytes(held->bytes);
    response.proof = held->proof;
  }
  ++(held ? counters_.chunks_served : counters_.chunks_not_held);
  peer.responses.push_back(encode(response));
  counters_.bytes_served += peer.responses.back().size();
  return std::max(peer.responses.back().size(), kEmptyResponseCost);
}

std::size_t Engine::held() const {
  const auto unbacked =
      std::ranges::count_if(known_, [&](const auto& entry) { return !is_backed(entry.first); });
  return peers_.size() + requests_.size() + runs_.size() + publishing_.size() + jobs_.size() +
         events_.size() + static_cast<std::size_t>(unbacked);
}

}  // namespace ethnet::das_lite
