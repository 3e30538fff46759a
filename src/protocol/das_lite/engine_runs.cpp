// Samplings, gets and publications: what is looked for, and what came of it.
#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "engine.hpp"

namespace ethnet::das_lite {

// --- commands ---

Result<std::uint64_t> Engine::publish(Now now, Bytes data, std::uint32_t chunk_size) noexcept {
  now_ = now.mono;
  const das::Shape shape = TRY(das::split_shape(data.size(), chunk_size));
  if (publishing_.size() >= kMaxPublishing) return fail(CommandError::busy);
  const std::uint64_t run = next_run_++;
  auto blob = std::make_shared<const Bytes>(std::move(data));
  jobs_.push_back({run, "das hash data set", das::DataSet::hash_work(blob, shape)});
  publishing_.emplace(run, Publishing{std::move(blob), shape});
  return run;
}

void Engine::handle_job_done(Now now, const JobResult& done) noexcept {
  now_ = now.mono;
  const auto it = publishing_.find(done.id);
  if (it == publishing_.end()) return;
  das::DataSet data =
      das::DataSet::from_work(std::move(it->second.blob), it->second.shape, done.output);
  publishing_.erase(it);
  const das::DataKey key = data.key();
  if (!store_.shape_of(key.id)) blame_false_sizes(key);
  const bool kept = store_.put(now, std::move(data));
  emit(DataPublished{done.id, key, kept});
  if (kept) {
    Known& known = known_[key];
    for (const std::uint32_t index : known.fetch.wanted()) {
      drop_want(known, key, index);
      on_settled(known, index, true);
    }
    touched_.insert(key);
    on_own(key);
  }
  finish_input(now);
}

Result<std::uint64_t> Engine::sample(Now now, const das::DataId& id, std::uint32_t k) noexcept {
  now_ = now.mono;
  if (k > kMaxSamples) return fail(CommandError::too_many_samples);
  if (runs_.size() >= kMaxRuns) return fail(CommandError::busy);
  const auto chosen = choose(id);
  if (chosen == known_.end()) return fail(CommandError::unknown_data);
  const std::uint64_t run = next_run_;
  const das::DataKey key = chosen->first;
  begin_sampling(key, known_.at(key), k, false);
  finish_input(now);
  return run;
}

Result<std::uint64_t> Engine::get(Now now, const das::DataId& id) noexcept {
  now_ = now.mono;
  if (runs_.size() >= kMaxRuns) return fail(CommandError::busy);
  const auto chosen = choose(id);
  if (chosen == known_.end()) return fail(CommandError::unknown_data);
  const das::DataKey key = chosen->first;
  Known& known = known_.at(key);
  if (known.get) return fail(CommandError::busy);
  if (!store_.pin(now, key)) return fail(CommandError::no_room);
  const std::uint64_t run = next_run_++;
  known.get = Getting{.run = run};
  runs_.insert(run);
  touched_.insert(key);
  finish_input(now);
  return run;
}

// Of the shapes under a name: the one that a chunk has shown to be true, else one that no sampling
// found empty, else the one that most announced.
Engine::KnownMap::const_iterator Engine::choose(const das::DataId& id) const {
  const auto rank = [&](const KnownMap::value_type& entry) {
    const auto& verdict = entry.second.verdict;
    const bool fruitless = verdict && verdict->requested > 0 && verdict->received == 0;
    return std::tuple{is_backed(entry.first), !fruitless, entry.second.fetch.source_count()};
  };
  auto best = known_.end();
  for (auto it = known_.lower_bound({id, {}}); it != known_.end() && it->first.id == id; ++it) {
    if (best == known_.end() || rank(*it) > rank(*best)) best = it;
  }
  return best;
}

bool Engine::is_backed(const das::DataKey& key) const {
  return store_.shape_of(key.id) == key.shape;
}

// --- after each input ---

void Engine::finish_input(Now now) {
  do {
    drop_gone();
    while (!touched_.empty()) {
      const das::DataKey key = *touched_.begin();
      touched_.erase(touched_.begin());
      update(now, key);
      drop_gone();
    }
  } while (start_automatic(now));
  schedule(now);
}

// What the store no longer has is no longer announced, and a get of it has failed.
void Engine::drop_gone() {
  while (const auto id = store_.poll_gone()) {
    std::erase_if(own_, [&](const das::DataKey& key) { return key.id == *id; });
    for (auto it = known_.lower_bound({*id, {}}); it != known_.end() && it->first.id == *id; ++it) {
      touched_.insert(it->first);
    }
  }
}

void Engine::update(Now now, const das::DataKey& key) {
  const auto it = known_.find(key);
  if (it == known_.end()) return;
  Known& known = it->second;
  settle(known, key);
  report_samplings(now, key, known);
  report_get(now, key, known);
  if (known.fetch.open() > 0) {
    searching_.insert(key);
  } else {
    searching_.erase(key);
  }
  const bool idle = known.fetch.source_count() == 0 && known.samplings.empty() && !known.get;
  if (idle && !is_backed(key)) known_.erase(it);
}

// Until nothing more is wanted of a get, or there is somebody to ask for all that is wanted.
void Engine::settle(Known& known, const das::DataKey& key) {
  while (true) {
    want_more(known, key);
    const auto hopeless = known.fetch.take_hopeless();
    if (hopeless.empty()) return;
    for (const std::uint32_t index : hopeless) on_settled(known, index, false);
  }
}

void Engine::want_more(Known& known, const das::DataKey& key) {
  if (!known.get || known.get->lost) return;
  std::uint32_t& next = known.get->next;
  for (; next < key.shape.total_chunks && known.fetch.open() < kMaxWanted; ++next) {
    if (!store_.holds(key.id, next)) (void)known.fetch.want(next);
  }
}

void Engine::on_settled(Known& known, std::uint32_t index, bool came) {
  for (Sampling& sampling : known.samplings) {
    if (sampling.pending.erase(index) == 0) continue;
    sampling.tally.received += came ? 1U : 0U;
    sampling.changed = true;
  }
  if (known.get) {
    known.get->changed = true;
    known.get->lost = known.get->lost || !came;
  }
  if (came) {
    known.missing.erase(index);
  } else {
    known.missing.insert(index);
  }
}

void Engine::report_samplings(Now now, const das::DataKey& key, Known& known) {
  std::erase_if(known.samplings, [&](Sampling& sampling) {
    if (!sampling.changed) return false;
    sampling.changed = false;
    const das::Tally& tally = sampling.tally;
    const DasVerdict verdict{
        sampling.run,
        sampling.automatic,
        key,
        tally.requested,
        tally.received,
        das::confidence(tally),
        das::fooled_probability(key.shape.total_chunks, das::min_withheld(key.shape), tally),
        sampling.pending.empty()};
    emit(verdict);
    if (!verdict.done) return false;
    log_.write(now, LogLevel::debug, "das-lite verdict",
               {{"run", verdict.run},
                {"received", std::uint64_t{tally.received}},
                {"requested", std::uint64_t{tally.requested}}});
    known.verdict = verdict;
    runs_.erase(sampling.run);
    auto_runs_.erase(sampling.run);
    return true;
  });
}

void Engine::report_get(Now now, const das::DataKey& key, Known& known) {
  if (!known.get) return;
  const bool whole = is_backed(key) && store_.is_whole(key.id);
  const bool failed = !whole && (known.get->lost || !store_.is_pinned(key));
  if (!known.get->changed && !whole && !failed) return;
  known.get->changed = false;
  const std::uint32_t held = is_backed(key) ? store_.held_chunks(key.id) : 0;
  emit(GetProgress{known.get->run, key, held, key.shape.total_chunks, whole || failed});
  if (!whole && !failed) return;
  runs_.erase(known.get->run);
  known.get.reset();
  if (whole) {
    on_own(key);
    return;
  }
  // What only the get wanted is not looked for any more.
  for (const std::uint32_t index : known.fetch.wanted()) {
    const bool is_sampled = std::ranges::any_of(
        known.samplings, [&](const Sampling& one) { return one.pending.contains(index); });
    if (!is_sampled) drop_want(known, key, index);
  }
  store_.unpin(now, key);
  drop_gone();
}

void Engine::drop_want(Known& known, const das::DataKey& key, std::uint32_t index) {
  const auto source = known.fetch.drop(index);
  if (!source) return;
  const auto it = asked_ids_.find({session_of(*source), ChunkName{key.id, index}});
  CHECK(it != asked_ids_.end());
  cancel_asked(it);
}

// Whole, verified and to be kept: now it is announced.
void Engine::on_own(const das::DataKey& key) {
  if (std::ranges::find(own_, key) != own_.end()) return;
  own_.push_back(key);
  for (auto& [session, peer] : peers_) {
    const bool has_it = std::ranges::find(peer.announced, key) != peer.announced.end();
    if (peer.condemned || has_it) continue;
    if (!serving_ && !peer.favoured) continue;
    peer.news.push_back(key);
    if (peer.news.size() > kMaxQueuedNews) {
      ++counters_.announcements_dropped;
      peer.news.pop_front();
    }
    refresh_ready(session, peer);
  }
}

// --- sampling by itself ---

void Engine::begin_sampling(const das::DataKey& key, Known& known, std::uint32_t k,
                            bool automatic) {
  Sampling sampling{.run = next_run_++, .automatic = automatic, .pending = {}, .tally = {}};
  for (const std::uint32_t index : das::draw_indices(indices_, key.shape.total_chunks, k)) {
    ++sampling.tally.requested;
    if (is_backed(key) && store_.holds(key.id, index)) {
      ++sampling.tally.received;
    } else {
      sampling.pending.insert(index);
      (void)known.fetch.want(index);
    }
  }
  ++counters_.samplings_begun;
  runs_.insert(sampling.run);
  if (automatic) auto_runs_.insert(sampling.run);
  known.samplings.push_back(std::move(sampling));
  touched_.insert(key);
}

// The next data set whose time has come, of each peer in turn. Else auto_at_ says when one has.
std::optional<das::DataKey> Engine::next_to_sample(Now now) {
  auto_at_ = Instant::never();
  auto it = sample_queue_.upper_bound(last_sampled_);
  for (std::size_t left = sample_queue_.size(); left > 0; --left) {
    if (it == sample_queue_.end()) it = sample_queue_.begin();
    const SessionHandle session = *it;
    Fifo<ToSample>& waiting = peers_.at(session).to_sample;
    while (!waiting.empty() && known_.at(waiting.front().key).judged) waiting.pop_front();
    if (waiting.empty()) {
      it = sample_queue_.erase(it);
      continue;
    }
    if (waiting.front().at <= now.mono) {
      last_sampled_ = session;
      return waiting.front().key;
    }
    auto_at_ = std::min(auto_at_, waiting.front().at);
    ++it;
  }
  return std::nullopt;
}

// True when something was begun, of which something may have come already.
bool Engine::start_automatic(Now now) {
  bool begun = false;
  auto_at_ = Instant::never();
  while (auto_runs_.size() < kMaxAutoRuns && runs_.size() < kMaxRuns) {
    const auto key = next_to_sample(now);
    if (!key) break;
    Known& known = known_.at(*key);
    const std::int64_t cost =
        std::min(std::int64_t{std::min(config_.samples, key->shape.total_chunks)} *
                     std::int64_t{key->shape.chunk_size},
                 kAutoBurst);
    if (!auto_budget_.take(now, cost)) {
      ++counters_.samplings_put_off;
      auto_at_ = auto_budget_.next(cost);
      break;
    }
    known.judged = true;
    if (store_.is_whole(key->id)) continue;  // it became so while it waited
    begin_sampling(*key, known, config_.samples, true);
    begun = true;
  }
  return begun;
}

// --- asking ---

// One chunk of each data set in turn, so that a large get does not keep a sampling waiting.
void Engine::schedule(Now now) {
  if (searching_.empty()) return;
  std::vector<das::DataKey> keys{searching_.begin(), searching_.end()};
  std::ranges::rotate(keys, std::ranges::upper_bound(keys, last_searched_));
  bool asked = true;
  while (asked) {
    asked = false;
    for (const das::DataKey& key : keys) {
      if (!ask_one(now, key)) continue;
      asked = true;
      last_searched_ = key;
    }
  }
}

bool Engine::can_ask(das::SourceId source, const das::Shape& shape) {
  const std::size_t by_bytes = std::max<std::size_t>(1, kMaxAskedBytesPerPeer / shape.chunk_size);
  const std::size_t in_all =
      config_.most_asked_bytes == 0
          ? kMaxAsked
          : std::clamp<std::size_t>(config_.most_asked_bytes / shape.chunk_size, 1, kMaxAsked);
  return requests_.size() < in_all &&
         requests_.outstanding(session_of(source)) < std::min(kMaxAskedPerPeer, by_bytes);
}

bool Engine::ask_one(Now now, const das::DataKey& key) {
  das::Fetch& fetch = known_.at(key).fetch;
  const auto ask = fetch.next([&](das::SourceId source) { return can_ask(source, key.shape); });
  if (!ask) return false;
  const SessionHandle session = session_of(ask->source);
  const auto id =
      requests_.open(now, {.session = session,
                           .response_code = static_cast<std::uint64_t>(Code::chunk_response),
                           .max_bytes = kMaxChunkResponseBytes,
                           .max_items = 1,
                           .timeout = kChunkTimeout});
  CHECK(id.has_value());
  const ChunkName name{key.id, ask->index};
  const bool is_new = asked_ids_.emplace(std::pair{session, name}, *id).second;
  CHECK(is_new);
  asked_.emplace(*id, Asked{session, key, ask->index});
  Peer& peer = peers_.at(session);
  peer.to_ask.push_back(name);
  ++counters_.chunks_asked;
  refresh_ready(session, peer);
  return true;
}

// --- queries ---

DataSetView Engine::view_of(const das::DataKey& key, const Known& known) const {
  const bool backed = is_backed(key);
  return {key,
          backed ? store_.held_chunks(key.id) : 0,
          backed && store_.is_whole(key.id),
          backed && store_.is_pinned(key),
          known.fetch.source_count(),
          !known.samplings.empty() || known.get.has_value(),
          known.verdict};
}

std::vector<DataSetView> Engine::data_sets(std::size_t most) const {
  std::vector<DataSetView> out;
  const std::size_t room = std::min(most, known_.size());
  out.reserve(room);
  const std::set<das::DataKey> own(own_.begin(), own_.end());
  const auto add = [&](const das::DataKey& key) {
    const auto it = known_.find(key);
    if (it != known_.end() && out.size() < room) out.push_back(view_of(it->first, it->second));
  };
  for (const das::DataKey& key : own) add(key);
  for (const das::DataKey& key : searching_) {
    if (!own.contains(key)) add(key);
  }
  for (const auto& [key, known] : known_) {
    if (out.size() >= room) break;
    if (!own.contains(key) && !searching_.contains(key)) out.push_back(view_of(key, known));
  }
  return out;
}

std::vector<ChunkState> Engine::grid(const das::DataId& id) const {
  const auto chosen = choose(id);
  return chosen == known_.end() ? std::vector<ChunkState>{} : grid(chosen->first);
}

std::vector<ChunkState> Engine::grid(const das::DataKey& key) const {
  const auto it = known_.find(key);
  if (it == known_.end()) return {};
  const Known& known = it->second;
  const bool backed = is_backed(key);
  std::vector<ChunkState> out(key.shape.total_chunks, ChunkState::unknown);
  for (std::uint32_t i = 0; i < key.shape.total_chunks; ++i) {
    if (backed && store_.holds(key.id, i)) {
      out[i] = ChunkState::held;
    } else if (known.fetch.is_asked(i)) {
      out[i] = ChunkState::asked;
    } else if (known.fetch.is_wanted(i)) {
      out[i] = ChunkState::wanted;
    } else if (known.missing.contains(i)) {
      out[i] = ChunkState::missing;
    }
  }
  return out;
}

}  // namespace ethnet::das_lite
