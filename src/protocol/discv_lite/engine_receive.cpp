// What comes in: requests within their budget, answers judged against what was asked, and records
// that wait here until their signatures are judged.
#include <algorithm>
#include <utility>

#include "engine.hpp"

namespace ethnet::discv_lite {

void Engine::handle_message(Now now, SessionHandle session, ByteView payload) noexcept {
  Peer* peer = find(session);
  if (peer == nullptr || peer->condemned) return;
  const auto code = peek_code(payload);
  if (!code) {
    blame(now, session, Misbehaviour::malformed_message);
    route(now);
    return;
  }
  discovery_.handle_traffic(now, peer->id);
  switch (*code) {
    case Code::ping:
      on_ping(now, session, *peer, payload);
      break;
    case Code::pong:
      on_pong(now, session, *peer, payload);
      break;
    case Code::find_nodes:
      on_find_nodes(now, session, *peer, payload);
      break;
    case Code::nodes:
      on_nodes(now, session, *peer, payload);
      break;
  }
  route(now);
}

// Judged before it is decoded: has it tokens left, and does it take what we answer?
bool Engine::may_ask(Now now, SessionHandle session, Peer& peer) {
  if (peer.bucket.take(now.mono) && peer.outgoing.size() < kMaxQueuedPerPeer) return true;
  blame(now, session, Misbehaviour::too_many_requests);
  return false;
}

void Engine::on_ping(Now now, SessionHandle session, Peer& peer, ByteView payload) {
  if (!may_ask(now, session, peer)) return;
  const auto ping = decode_ping(payload);
  if (!ping) {
    blame(now, session, Misbehaviour::malformed_message);
    return;
  }
  ++counters_.requests_served;
  send(session, peer, encode(Pong{ping->request_id, local_for(peer).seq, peer.remote}));
  discovery_.handle_seq(now, peer.id, ping->enr_seq);
}

void Engine::on_find_nodes(Now now, SessionHandle session, Peer& peer, ByteView payload) {
  if (!may_ask(now, session, peer)) return;
  const auto request = decode_find_nodes(payload);
  if (!request) {
    blame(now, session, Misbehaviour::malformed_message);
    return;
  }
  Nodes answer{.request_id = request->request_id, .records = {}};
  const bool wants_ours = std::ranges::find(request->distances, 0) != request->distances.end();
  const LocalRecord& ours = local_for(peer);
  if (wants_ours && !ours.encoded.empty()) answer.records.push_back(ours.encoded);
  for (const RecordPtr& record : discovery_.answer(peer.id, request->distances)) {
    if (answer.records.size() == lite::kMaxNodesPerAnswer) break;
    answer.records.push_back(record->encoded());
  }
  ++counters_.requests_served;
  counters_.records_served += answer.records.size();
  send(session, peer, encode(answer));
}

std::optional<std::uint64_t> Engine::accept(Now now, SessionHandle session, Peer& peer, Code code,
                                            ByteView payload) {
  const auto id = peek_request_id(payload);
  if (!id) {
    blame(now, session, Misbehaviour::malformed_message);
    return std::nullopt;
  }
  const auto request =
      requests_.accept(session, *id, static_cast<std::uint64_t>(code), payload.size());
  if (!request) {
    // An answer that came after its deadline is late, not hostile; once.
    if (peer.expired.erase(*id) > 0) {
      ++counters_.late_answers;
    } else {
      blame(now, session, Misbehaviour::unsolicited_response);
    }
    return std::nullopt;
  }
  const auto token = tokens_.find(*id);
  CHECK(token != tokens_.end());
  const std::uint64_t question = token->second;
  tokens_.erase(token);
  return question;
}

void Engine::on_pong(Now now, SessionHandle session, Peer& peer, ByteView payload) {
  const auto token = accept(now, session, peer, Code::pong, payload);
  if (!token) return;
  ++counters_.answers_decoded;
  const auto pong = decode_pong(payload);
  if (!pong) {
    discovery_.handle_no_answer(now, *token, true);
    blame(now, session, Misbehaviour::malformed_message);
    return;
  }
  discovery_.handle_pong(now, *token, pong->enr_seq, pong->seen_at);
}

void Engine::on_nodes(Now now, SessionHandle session, Peer& peer, ByteView payload) {
  const auto token = accept(now, session, peer, Code::nodes, payload);
  if (!token) return;
  const auto refuse = [&](Misbehaviour what) {
    discovery_.handle_no_answer(now, *token, true);
    blame(now, session, what);
  };
  const auto count = peek_records_count(payload);
  if (count && *count > lite::kMaxNodesPerAnswer) {
    refuse(Misbehaviour::oversized_response);
    return;
  }
  ++counters_.answers_decoded;
  const auto message = decode_nodes(payload);
  if (!message) {
    refuse(Misbehaviour::malformed_message);
    return;
  }
  Judging judging{.purpose = Purpose::answer, .session = session, .records = {}, .batch = {}};
  judging.token = *token;
  for (const Bytes& record : message->records) {
    if (collect(judging, record)) continue;
    refuse(Misbehaviour::bad_record);
    return;
  }
  judge(now, std::move(judging));
}

// False when it is no record at all.
bool Engine::collect(Judging& judging, ByteView record) {
  if (RecordPtr known = cache_.find(record)) {
    ++counters_.records_known;
    judging.records.push_back(std::move(known));
    return true;
  }
  if (!judging.batch.add(record)) return false;
  judging.records.push_back(nullptr);
  return true;
}

void Engine::judge(Now now, Judging judging) {
  if (judging.batch.size() == 0) {
    on_judged(now, std::move(judging));
    return;
  }
  if (judging_records_ + judging.batch.size() > kMaxJudgingRecords) {
    counters_.judgements_refused += judging.batch.size();
    // Nobody is to blame: look-ups go on with others, a record is told again.
    if (judging.purpose == Purpose::answer) {
      discovery_.handle_no_answer(now, judging.token, false);
    }
    return;
  }
  judging_records_ += judging.batch.size();
  const std::uint64_t id = next_job_id_++;
  jobs_.push_back({id, "discv-lite judge records", judging.batch.work()});
  judging_.emplace(id, std::move(judging));
}

std::optional<Job> Engine::poll_job() {
  if (jobs_.empty()) return std::nullopt;
  std::optional<Job> job{std::move(jobs_.front())};
  jobs_.pop_front();
  return job;
}

void Engine::handle_job_done(Now now, const JobResult& done) noexcept {
  const auto it = judging_.find(done.id);
  if (it == judging_.end()) return;  // its session is gone
  Judging judging = std::move(it->second);
  judging_.erase(it);
  judging_records_ -= judging.batch.size();
  counters_.records_judged += judging.batch.size();
  bool all_right = true;
  std::vector<RecordPtr> records;
  auto judged = judging.batch.judged(done.output);
  auto next = judged.begin();
  for (RecordPtr& record : judging.records) {
    if (record == nullptr) {
      CHECK(next != judged.end());
      all_right = all_right && next->verdict != kbucket::RecordVerdict::malformed;
      if (next->verdict == kbucket::RecordVerdict::no_endpoint) {
        ++counters_.records_without_endpoint;
      }
      record = std::move(next->record);
      ++next;
      if (record == nullptr) continue;
      cache_.add(record);
    }
    records.push_back(std::move(record));
  }
  judging.records = std::move(records);
  if (!all_right && judging.purpose != Purpose::restored) {
    if (judging.purpose == Purpose::answer) discovery_.handle_no_answer(now, judging.token, true);
    blame(now, judging.session, Misbehaviour::bad_record);
  } else {
    on_judged(now, std::move(judging));
  }
  route(now);
}

void Engine::on_judged(Now now, Judging judging) {
  switch (judging.purpose) {
    case Purpose::answer:
      discovery_.handle_nodes(now, judging.token, judging.records);
      break;
    case Purpose::hello: {
      const Peer* peer = find(judging.session);
      if (peer == nullptr) return;
      for (const RecordPtr& record : judging.records) {
        discovery_.handle_own_record(now, peer->id, record);
      }
      break;
    }
    case Purpose::restored:
      for (const RecordPtr& record : judging.records) {
        discovery_.handle_restored(now, record, judging.anchors);
      }
      break;
  }
}

// The session is gone or condemned: nobody waits for these any more.
void Engine::drop_judging(Now now, SessionHandle session) {
  for (auto it = judging_.begin(); it != judging_.end();) {
    const Judging& judging = it->second;
    if (judging.purpose == Purpose::restored || judging.session != session) {
      ++it;
      continue;
    }
    judging_records_ -= judging.batch.size();
    std::erase_if(jobs_, [&](const Job& job) { return job.id == it->first; });
    if (judging.purpose == Purpose::answer) {
      discovery_.handle_no_answer(now, judging.token, false);
    }
    it = judging_.erase(it);
  }
}

}  // namespace ethnet::discv_lite
