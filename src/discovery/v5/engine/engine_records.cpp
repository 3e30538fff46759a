// What we are told: records, judged before they count, and what they and their nodes' answers mean
// for the table.
#include <algorithm>
#include <utility>

#include <discovery/kbucket/scope.hpp>

#include "engine.hpp"

namespace ethnet::discv5 {

using kbucket::AddOutcome;
using kbucket::may_relay;
using kbucket::RecordVerdict;
using kbucket::scope_of;
using kbucket::TableEntry;

// --- records of answers ---

void Engine::judge(Now now, Call call) {
  ++counters_.calls_answered;
  on_alive(now, call);
  counters_.records_left_out += call.nodes.left_out();
  Judging judging{.call = std::move(call), .records = {}};
  for (const Bytes& encoded : judging.call.nodes.records()) {
    FoundRecord found{.id = {}, .encoded = encoded, .record = cache_.find(encoded)};
    if (found.record != nullptr) {
      found.id = found.record->id();
    } else if (!judging.batch.add(encoded)) {
      ++counters_.bad_records;
      continue;
    }
    judging.records.push_back(std::move(found));
  }
  const std::size_t unknown = judging.batch.size();
  const bool has_room = judging_records_ + unknown <= kMaxDiscv5Judging;
  if (!has_room) {
    counters_.judgements_refused += unknown;
    std::erase_if(judging.records, [](const FoundRecord& f) { return f.record == nullptr; });
  }
  if (unknown == 0 || !has_room) {
    on_judged(now, judging.call, judging.records);
    return;
  }
  judging_records_ += unknown;
  const std::uint64_t id = next_job_++;
  jobs_.push_back({id, "discv5 judge records", judging.batch.work()});
  judging_.emplace(id, std::move(judging));
}

void Engine::handle_job_done(Now now, const JobResult& done) noexcept {
  const auto it = judging_.find(done.id);
  if (it == judging_.end()) return;
  Judging judging = std::move(it->second);
  judging_.erase(it);
  judging_records_ -= judging.batch.size();
  const auto judged = judging.batch.judged(done.output);
  auto next = judged.begin();
  std::vector<FoundRecord> records;
  for (FoundRecord& found : judging.records) {
    if (found.record == nullptr) {
      CHECK(next != judged.end());
      const auto& verdict = *next++;
      if (verdict.verdict == RecordVerdict::malformed) {
        ++counters_.bad_records;
        continue;
      }
      found.id = verdict.id;
      found.record = verdict.record;
      if (found.record != nullptr) cache_.add(found.record);
    }
    records.push_back(std::move(found));
  }
  on_judged(now, judging.call, records);
}

// What a peer tells is believed as far as it was asked for and can mean the same to it and to us.
bool Engine::acceptable(const Call& call, const FoundRecord& found) {
  const unsigned distance = log_distance(call.to->id(), found.id);
  if (std::ranges::find(call.question.distances, distance) == call.question.distances.end()) {
    ++counters_.wrong_distance;
    return false;
  }
  const bool has_address = found.record != nullptr;
  if (has_address && !may_relay(scope_of(call.at.ip), scope_of(found.record->endpoint().ip))) {
    ++counters_.wrong_scope;
    return false;
  }
  return !has_address || table_.admits(found.record->endpoint().ip);
}

void Engine::on_judged(Now now, const Call& call, const std::vector<FoundRecord>& records) {
  std::vector<FoundRecord> good;
  for (const FoundRecord& found : records) {
    if (!acceptable(call, found)) continue;
    const auto same = [&](const FoundRecord& other) { return other.id == found.id; };
    if (std::ranges::any_of(good, same)) {
      ++counters_.repeated;
      continue;
    }
    ++counters_.records;
    if (found.id == call.to->id()) {
      on_own_record(now, call, found);
    } else if (found.record == nullptr) {
      ++counters_.without_address;
    } else {
      note(now, found.record, Standing::claimed);
    }
    good.push_back(found);
  }
  if (call.question.purpose == CallFor::user) {
    emit(NodesReceived{.call = call.id, .node = call.to->id(), .records = std::move(good)});
  } else if (call.question.purpose == CallFor::lookup) {
    on_lookup_answer(now, call, good);
  }
}

// What a node says of itself.
void Engine::on_own_record(Now now, const Call& call, const FoundRecord& found) {
  if (found.record == nullptr) {
    ++counters_.without_address;
    const TableEntry* known = table_.find_any(found.id);
    const auto enr = Enr::decode(found.encoded);
    const bool is_newer = known != nullptr && enr && enr->seq() > known->record->seq();
    if (is_newer) table_.remove(now, found.id);
    return;
  }
  Standing standing = Standing::claimed;
  if (found.record->endpoint() == call.at) {
    standing = call.unsolicited ? Standing::reached : Standing::met;
  }
  note(now, found.record, standing);
}

// --- nodes that are there ---

// It proved its identity by a handshake.
void Engine::on_established(Now now, const Peer& peer, const EnrPtr& enr) {
  const RecordPtr record = kbucket::NodeRecord::of(enr, kbucket::RecordPort::udp);
  if (record == nullptr) {
    ++counters_.without_address;
    return;
  }
  if (!may_relay(scope_of(peer.at.ip), scope_of(record->endpoint().ip))) {
    ++counters_.wrong_scope;
    return;
  }
  const bool is_there = record->endpoint() == peer.at;
  const TableEntry* before = table_.find_any(peer.id);
  const bool came_by_itself = before == nullptr || before->standing != Standing::reached;
  if (came_by_itself && calls_.count(peer) == 0 && scope_of(peer.at.ip) == kbucket::Scope::wan) {
    emit(kbucket::Arrival{peer.at});
  }
  const bool was_relayable = before != nullptr && before->relayable();
  note(now, record, is_there ? Standing::met : Standing::claimed);
  const TableEntry* after = table_.find(peer.id);
  if (was_relayable || after == nullptr || !after->relayable()) return;
  if (newcomers_.size() == kMaxNewcomers) newcomers_.pop_front();
  newcomers_.push_back(peer.id);
  upkeep_.revalidate_by(now.mono + kbucket::draw(prng_, kNewcomerMin, kNewcomerMax));
}

// It answered a question of ours.
void Engine::on_alive(Now now, const Call& call) {
  if (call.unsolicited) probes_.prove(call.at);
  const TableEntry* known = table_.find_any(call.to->id());
  const RecordPtr record = known != nullptr ? known->record : call.to;
  if (record->endpoint() != call.at) return;
  note(now, record, call.unsolicited ? Standing::reached : Standing::met);
}

// It sent something under its keys.
void Engine::note_heard(Now now, const Peer& peer) {
  const TableEntry* known = table_.find(peer.id);
  if (known == nullptr || known->record->endpoint() != peer.at) return;
  if (known->relayable() && known->last_seen + kNoteInterval > now.mono) return;
  const RecordPtr record = known->record;
  note(now, record, Standing::met);
}

void Engine::note(Now now, const RecordPtr& record, Standing standing) {
  const TableEntry* before = table_.find_any(record->id());
  const bool was_relayable = before != nullptr && before->relayable();
  const std::uint64_t had_seq = before == nullptr ? 0 : before->record->seq();
  const AddOutcome outcome = table_.add(now, record, standing);
  if (outcome == AddOutcome::subnet_limit) ++counters_.subnet_limit;
  const TableEntry* after = table_.find_any(record->id());
  if (after == nullptr || !after->relayable()) return;
  if (was_relayable && after->record->seq() == had_seq) return;
  emit(NodeSeen{after->record, after->standing});
  upkeep_.on_alive(now);
}

// A PING or a PONG says which number its record has. One question at a time, and few: the number is
// whatever the peer likes.
void Engine::note_seq(Now now, const Peer& peer, std::uint64_t seq) {
  const TableEntry* known = table_.find_any(peer.id);
  if (known == nullptr || seq <= known->record->seq()) return;
  if (calls_.asks(peer, CallFor::own_record)) return;
  Asked* asked = asked_.use(peer.id);
  if (asked == nullptr) {
    asked_.insert(peer.id, Asked{});
    asked = asked_.find(peer.id);
  }
  CHECK(asked != nullptr);
  if (seq <= asked->seq || !asked->budget.take(now.mono)) return;
  asked->seq = seq;
  ask_nodes(now, known->record,
            Question{.purpose = CallFor::own_record, .distances = {0}, .at = peer.at});
}

}  // namespace ethnet::discv5
