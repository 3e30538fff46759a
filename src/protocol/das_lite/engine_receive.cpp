// What comes in: announcements, requests, and chunks judged against what was asked.
#include <algorithm>
#include <utility>

#include "engine.hpp"

namespace ethnet::das_lite {

void Engine::handle_message(Now now, SessionHandle session, ByteView payload) noexcept {
  now_ = now.mono;
  Peer* peer = find(session);
  if (peer == nullptr || peer->condemned) return;
  const auto code = peek_code(payload);
  if (!code) {
    blame(session, Misbehaviour::malformed_message);
  } else {
    switch (*code) {
      case Code::announce_data:
        on_announce_data(now, session, *peer, payload);
        break;
      case Code::request_chunk:
        on_request_chunk(session, *peer, payload);
        break;
      case Code::chunk_response:
        on_chunk_response(now, session, *peer, payload);
        break;
    }
  }
  finish_input(now);
}

void Engine::on_announce_data(Now now, SessionHandle session, Peer& peer, ByteView payload) {
  const auto message = decode_announce_data(payload);
  if (!message) {
    blame(session, Misbehaviour::malformed_message);
    return;
  }
  const das::DataKey& key = message->key;
  ++counters_.announcements_received;
  const bool known_of_peer = std::ranges::find(peer.announced, key) != peer.announced.end();
  if (!peer.announce_budget.take(now, 1) || known_of_peer) {
    ++counters_.announcements_ignored;
    return;
  }
  const auto proven = store_.shape_of(key.id);
  const bool contradicts_itself =
      std::ranges::any_of(peer.announced, [&](const auto& other) { return other.id == key.id; });
  if (contradicts_itself || (proven && *proven != key.shape)) {
    blame(session, Misbehaviour::false_sizes);
    return;
  }
  if (peer.announced.size() == kMaxAnnouncedPerPeer) forget_oldest_announcement(session, peer);
  peer.announced.push_back(key);
  Known& known = known_[key];
  known.fetch.add_source(source_of(session));
  touched_.insert(key);
  if (config_.auto_sample && !known.judged && !store_.is_whole(key.id)) {
    peer.to_sample.push_back({now.mono + kGatherTime, key});
    sample_queue_.insert(session);
  }
}

void Engine::forget_oldest_announcement(SessionHandle session, Peer& peer) {
  const das::DataKey key = peer.announced.front();
  peer.announced.pop_front();
  ++counters_.announcements_forgotten;
  auto it = asked_ids_.lower_bound({session, ChunkName{key.id, 0}});
  while (it != asked_ids_.end() && it->first.first == session &&
         it->first.second.data_id == key.id) {
    it = cancel_asked(it);
  }
  known_.at(key).fetch.remove_source(source_of(session));
  peer.lapsed.erase(key);
  peer.to_sample.remove_if([&](const ToSample& waiting) { return waiting.key == key; });
  touched_.insert(key);
}

// Nobody waits for the answer any more: it is not a breach when it comes, nor when it does not.
Engine::AskedIds::iterator Engine::cancel_asked(AskedIds::iterator it) {
  const auto& [session, name] = it->first;
  Peer& peer = peers_.at(session);
  if (peer.to_ask.remove(name) == 0) forgive(peer, name);
  requests_.cancel(it->second);
  asked_.erase(it->second);
  return asked_ids_.erase(it);
}

void Engine::forgive(Peer& peer, const ChunkName& name) {
  peer.forgiven.push_back(name);
  if (peer.forgiven.size() > kMaxForgiven) peer.forgiven.pop_front();
}

void Engine::on_request_chunk(SessionHandle session, Peer& peer, ByteView payload) {
  const auto message = decode_request_chunk(payload);
  if (!message) {
    blame(session, Misbehaviour::malformed_message);
    return;
  }
  if (peer.asked.size() + message->indices.size() > kMaxQueuedChunks) {
    blame(session, Misbehaviour::too_many_requests);
    return;
  }
  for (const std::uint32_t index : message->indices) {
    peer.asked.push_back({message->data_id, index});
  }
  serve(session, peer);
  if (serve_queue_.is_waiting(session)) ++counters_.serving_put_off;
}

// The request that a response answers, which is then over.
std::optional<Engine::Asked> Engine::take_asked(SessionHandle session, const ChunkName& name) {
  const auto id = asked_ids_.find({session, name});
  if (id == asked_ids_.end()) return std::nullopt;
  const auto it = asked_.find(id->second);
  CHECK(it != asked_.end());
  const Asked asked = it->second;
  requests_.cancel(id->second);
  asked_.erase(it);
  asked_ids_.erase(id);
  return asked;
}

// Judged in the order of what it costs: was it asked for, does it decode, is it as long as it must
// be, and only then by its hash.
void Engine::on_chunk_response(Now now, SessionHandle session, Peer& peer, ByteView payload) {
  const auto name = peek_chunk_name(payload);
  if (!name) {
    blame(session, Misbehaviour::malformed_message);
    return;
  }
  const auto asked = take_asked(session, *name);
  if (!asked) {
    const auto late = std::ranges::find(peer.forgiven, *name);
    if (late == peer.forgiven.end()) {
      blame(session, Misbehaviour::unsolicited_response);
    } else {
      ++counters_.late_answers;
      peer.forgiven.erase(late);
    }
    return;
  }
  touched_.insert(asked->key);
  known_.at(asked->key)
      .fetch.failed(asked->index, source_of(session));  // unless on_chunk() drops it
  auto response = decode_chunk_response(payload);
  if (!response) {
    blame(session, Misbehaviour::malformed_message);
    return;
  }
  if (response->bytes.empty()) {
    ++counters_.chunks_missing;
    score(session, peer, asked->key, Lapse::missing_chunk);
    return;
  }
  const std::size_t size = response->bytes.size();
  auto chunk = das::verify_chunk(asked->key, asked->index, std::move(response->bytes),
                                 std::move(response->proof));
  const bool was_hashed = chunk || chunk.error().is(das::DasError::not_of_data_set);
  if (was_hashed) counters_.verified_bytes += size;
  if (!chunk) {
    ++counters_.chunks_wrong;
    log_.write(now, LogLevel::debug, "das-lite chunk is wrong",
               {{"session", std::uint64_t{session.index}}, {"what", chunk.error().what()}});
    blame(session, Misbehaviour::wrong_chunk);
    return;
  }
  on_chunk(now, *asked, std::move(*chunk));
}

void Engine::on_chunk(Now now, const Asked& asked, das::VerifiedChunk chunk) {
  ++counters_.chunks_received;
  if (!store_.shape_of(asked.key.id)) blame_false_sizes(asked.key);
  if (!store_.put(now, std::move(chunk))) ++counters_.chunks_not_kept;
  Known& known = known_.at(asked.key);
  known.fetch.drop(asked.index);
  on_settled(known, asked.index, true);
}

// One name has one shape: whoever announced another has none of its chunks.
void Engine::blame_false_sizes(const das::DataKey& proven) {
  std::vector<SessionHandle> liars;
  for (const auto& [session, peer] : peers_) {
    const bool lied = std::ranges::any_of(peer.announced, [&](const das::DataKey& key) {
      return key.id == proven.id && key.shape != proven.shape;
    });
    if (lied) liars.push_back(session);
  }
  for (const SessionHandle session : liars) blame(session, Misbehaviour::false_sizes);
}

}  // namespace ethnet::das_lite
