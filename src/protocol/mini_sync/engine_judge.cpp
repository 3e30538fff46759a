// Headers wait here until their producers' signatures are judged: nothing that a peer signed is
// imported, and so relayed, before. What one peer gave is looked at in the order in which it came.
#include <utility>

#include "engine.hpp"
#include "signatures.hpp"

namespace ethnet::mini_sync {

void Engine::judge(Now now, SessionHandle session, Peer& peer, bool answer,
                   std::vector<CheckedHeader> headers) {
  const bool is_signed = any_signed(headers);
  if (!is_signed && peer.judging.empty()) {
    on_judged(now, session, peer, answer, std::move(headers));
    return;
  }
  const bool peer_full = !answer && peer.judging.size() >= kMaxJudgingPerPeer;
  if (peer_full || judging_headers_ + headers.size() > kMaxJudgingHeaders) {
    ++counters_.judgements_refused;
    // Nobody is to blame: it is asked for again when there is room.
    answer ? release_request(session, peer, false)
           : add_target(session, peer, headers.front().block);
    return;
  }
  judging_headers_ += headers.size();
  Judging entry{.job = 0, .judged = !is_signed, .answer = answer, .headers = std::move(headers)};
  if (is_signed) {
    entry.job = next_job_id_++;
    judges_.emplace(entry.job, session);
    jobs_.push_back({entry.job, "mini-sync judge signatures", judge_work(entry.headers)});
  }
  peer.judging.push_back(std::move(entry));
}

std::optional<Job> Engine::poll_job() {
  if (jobs_.empty()) return std::nullopt;
  std::optional<Job> job{std::move(jobs_.front())};
  jobs_.pop_front();
  return job;
}

void Engine::handle_job_done(Now now, const JobResult& done) noexcept {
  begin(now);
  const auto it = judges_.find(done.id);
  if (it == judges_.end()) return;  // its session is gone
  const SessionHandle session = it->second;
  judges_.erase(it);
  Peer* peer = find(session);
  CHECK(peer != nullptr);
  if (!all_right(done.output)) {
    ++counters_.bad_signatures;
    blame(session, Misbehaviour::bad_signature);
  } else {
    for (Judging& entry : peer->judging) {
      if (entry.job == done.id) entry.judged = true;
    }
    release_judged(now, session, *peer);
  }
  schedule_all(now);
}

// Jobs may come back in any order; a peer's headers do not.
void Engine::release_judged(Now now, SessionHandle session, Peer& peer) {
  while (!peer.judging.empty() && peer.judging.front().judged) {
    Judging entry = std::move(peer.judging.front());
    peer.judging.pop_front();
    judging_headers_ -= entry.headers.size();
    on_judged(now, session, peer, entry.answer, std::move(entry.headers));
  }
}

// The peer is gone or condemned: nobody waits for these any more.
void Engine::drop_judging(Peer& peer) {
  for (const Judging& entry : peer.judging) {
    judging_headers_ -= entry.headers.size();
    judges_.erase(entry.job);
    std::erase_if(jobs_, [&](const Job& job) { return job.id == entry.job; });
  }
  peer.judging.clear();
}

}  // namespace ethnet::mini_sync
