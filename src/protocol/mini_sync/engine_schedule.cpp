// What the engine asks for, of whom, and what follows when an answer does not come.
#include <algorithm>
#include <utility>

#include "engine.hpp"
#include "serve.hpp"

namespace ethnet::mini_sync {
namespace {

std::vector<Hash32> hashes_of(const std::vector<chain::BlockRef>& blocks) {
  std::vector<Hash32> hashes;
  hashes.reserve(blocks.size());
  for (const chain::BlockRef& block : blocks) hashes.push_back(block.hash);
  return hashes;
}

}  // namespace

void Engine::add_target(SessionHandle session, Peer& peer, const chain::BlockRef& block) {
  if (chain_.find(block.hash)) return;
  const bool listed = std::ranges::any_of(
      peer.targets, [&](const chain::BlockRef& t) { return t.hash == block.hash; });
  if (listed) return;
  if (peer.targets.size() >= kMaxTargets) {
    ++counters_.targets_dropped;
    // The front may be in work. Of the others the lowest matters least: after a partition a peer
    // announces the tips of many branches that did not win, and its head must not be lost to them.
    const auto lowest = std::ranges::min_element(peer.targets.begin() + 1, peer.targets.end(), {},
                                                 &chain::BlockRef::number);
    if (lowest->number > block.number) return;
    peer.targets.erase(lowest);
  }
  peer.targets.push_back(block);
  wanting_.insert(session);
}

void Engine::drop_target(Peer& peer) {
  if (!peer.targets.empty()) peer.targets.pop_front();
  peer.branch.clear();
  peer.forward = false;
  peer.forward_from.reset();
  peer.skeleton_from.reset();
}

void Engine::drop_known_targets(Peer& peer) {
  while (!peer.targets.empty() && chain_.find(peer.targets.front().hash)) drop_target(peer);
}

bool Engine::fetched_by_another(SessionHandle session, const Hash32& hash) const {
  return std::ranges::any_of(peers_, [&](const auto& entry) {
    const Peer& other = entry.second;
    return entry.first != session && !other.condemned && !other.targets.empty() &&
           other.targets.front().hash == hash && (other.request || other.imports > 0);
  });
}

void Engine::schedule_all(Now now) {
  pump_download(now);
  if (asking_ == 0) {
    schedule_wanting(now, {});
  } else if (!asks_enough()) {
    auto it = peers_.upper_bound(last_asked_);  // who comes first must not be asked always
    for (std::size_t i = 0; i < peers_.size(); ++i, ++it) {
      if (it == peers_.end()) it = peers_.begin();
      schedule(now, it->first, it->second);
    }
  }
  finish_progress_if_done();
}

void Engine::schedule_wanting(Now now, const std::vector<SessionHandle>& silent) {
  const auto is_silent = [&](SessionHandle session) {
    return std::ranges::find(silent, session) != silent.end();
  };
  if (download_) {  // anybody may have a part of it
    for (auto& [session, peer] : peers_) {
      if (!is_silent(session)) schedule(now, session, peer);
    }
    return;
  }
  for (auto it = wanting_.begin(); it != wanting_.end();) {
    Peer* const peer = find(*it);
    CHECK(peer != nullptr);
    if (!is_silent(*it)) schedule(now, *it, *peer);
    it = peer->targets.empty() ? wanting_.erase(it) : std::next(it);
  }
}

bool Engine::asks_enough() const {
  if (asking_ == 0) return false;
  const std::uint64_t least = kLeastSegmentPart * kHeaderBytes;  // of an answer worth asking for
  const std::uint64_t at_once =
      asking_ * static_cast<std::uint64_t>(2 * kAskedAhead.ns / seconds(1).ns) / least;
  return requests_.size() >= std::max<std::uint64_t>(1, at_once);
}

std::uint64_t Engine::most_asked_headers() const {
  if (asking_ == 0) return kMaxHeadersPerResponse;
  const std::uint64_t ahead =
      asking_ * static_cast<std::uint64_t>(kAskedAhead.ns / seconds(1).ns) / kHeaderBytes;
  return std::clamp<std::uint64_t>(ahead / (requests_.size() + 1), kLeastSegmentPart,
                                   kMaxHeadersPerResponse);
}

void Engine::schedule(Now now, SessionHandle session, Peer& peer) {
  if (peer.condemned || peer.request || imports_.size() >= kMaxPendingImports) return;
  if (judging_headers_ >= kMaxJudgingHeaders || asks_enough()) return;
  if (download_) {
    if (const auto work = download_->assign(session, peer.earliest)) {
      ask(now, session, peer, {.locator = {work->from}, .amount = work->amount, .reverse = true},
          SegmentRequest{download_id_, work->segment});
      return;
    }
  }
  if (peer.imports == 0) schedule_target(now, session, peer);
}

// Nothing that it keeps links to anything of ours; when others have brought us further, it may.
bool Engine::out_of_reach(const Peer& peer) const {
  const std::uint64_t head = chain_.head().number;
  return peer.earliest > head && peer.earliest - head > 1;
}

void Engine::schedule_target(Now now, SessionHandle session, Peer& peer) {
  drop_known_targets(peer);
  if (peer.targets.empty()) return;
  const chain::BlockRef target = peer.targets.front();
  if (fetched_by_another(session, target.hash)) return;
  const std::uint64_t head = chain_.head().number;
  if (out_of_reach(peer)) return;
  const std::uint64_t gap = target.number > head ? target.number - head : 0;
  if (gap > kSkeletonGap) {
    if (download_ || skeleton_asked_) return;
    if (peer.anchor_after <= now.mono) {
      ask_skeleton(now, session, peer);
      return;
    }
    const bool another_may = std::ranges::any_of(peers_, [&](const auto& entry) {
      return !entry.second.condemned && entry.second.anchor_after <= now.mono &&
             !entry.second.targets.empty();
    });
    if (another_may) return;
    peer.forward = true;
  }
  peer.forward ? ask_forward(now, session, peer) : ask_branch(now, session, peer);
}

void Engine::ask(Now now, SessionHandle session, Peer& peer, GetHeaders request, RequestKind kind) {
  request.amount = std::min(request.amount, most_asked_headers());
  const auto id = requests_.open(now, {.session = session,
                                       .response_code = static_cast<std::uint64_t>(Code::headers),
                                       .max_bytes = kMaxResponsePayload,
                                       .max_items = static_cast<std::size_t>(request.amount),
                                       .timeout = kRequestTimeout});
  if (!id) {  // kMaxOutstanding: more sessions than this engine was made for
    release_request(session, peer, false);
    return;
  }
  request.request_id = *id;
  peer.request = Outstanding{*id, std::move(kind)};
  last_asked_ = session;
  peer.control.push_back(encode(request));
  owe(session);
  ++counters_.requests_sent;
}

void Engine::ask_branch(Now now, SessionHandle session, Peer& peer) {
  const Hash32 from = peer.branch.empty() ? peer.targets.front().hash : peer.branch.back().parent;
  // The usual case is one new block; each further step doubles what is asked for.
  const std::uint64_t wanted = std::max<std::uint64_t>(16, 2 * peer.branch.size());
  ask(now, session, peer,
      {.locator = {from},
       .amount = std::min<std::uint64_t>(wanted, kMaxHeadersPerResponse),
       .reverse = true},
      BranchRequest{from});
}

void Engine::ask_forward(Now now, SessionHandle session, Peer& peer) {
  std::vector<chain::BlockRef> locator;
  if (peer.forward_from) locator.push_back(*peer.forward_from);
  for (const chain::BlockRef& block : make_locator(chain_)) {
    if (locator.size() < kMaxLocatorHashes) locator.push_back(block);
  }
  GetHeaders request{.locator = hashes_of(locator), .amount = kMaxHeadersPerResponse};
  ask(now, session, peer, std::move(request), ForwardRequest{std::move(locator)});
}

// Where the peer's branch left ours is not known yet: it may be far below our head, so marks are
// asked for up to the target, and the next skeleton begins where this one ends.
void Engine::ask_skeleton(Now now, SessionHandle session, Peer& peer) {
  std::vector<chain::BlockRef> locator;
  if (peer.skeleton_from && chain_.find(peer.skeleton_from->hash)) {
    locator.push_back(*peer.skeleton_from);
  }
  for (const chain::BlockRef& block : make_locator(chain_)) {
    // Which of two of one number the peer used, its answer would not tell.
    const bool other = locator.empty() || locator.front().number != block.number;
    if (other && locator.size() < kMaxLocatorHashes) locator.push_back(block);
  }
  const std::uint64_t marks = peer.targets.front().number / kSegmentHeaders;
  GetHeaders request{.locator = hashes_of(locator),
                     .amount = std::min<std::uint64_t>(marks, kMaxHeadersPerResponse),
                     .skip = kSegmentHeaders - 1};
  skeleton_asked_ = session;
  ask(now, session, peer, std::move(request), SkeletonRequest{std::move(locator)});
}

void Engine::release_request(SessionHandle session, Peer& peer, bool declines) {
  if (!peer.request) return;
  const RequestKind kind = peer.request->kind;
  requests_.cancel(peer.request->id);
  peer.request.reset();
  if (skeleton_asked_ == session && std::holds_alternative<SkeletonRequest>(kind)) {
    skeleton_asked_.reset();
  }
  const auto* segment = std::get_if<SegmentRequest>(&kind);
  if (segment != nullptr && download_ && segment->download == download_id_) {
    download_->release(segment->segment, session, declines);
  }
}

void Engine::request_failed(Now now, SessionHandle session, Peer& peer) {
  peer.anchor_after = now.mono + kAnchorCooldown;
  drop_target(peer);
  ++peer.failures;
  if (peer.failures == kMaxConsecutiveFailures) blame(session, Misbehaviour::unresponsive);
}

// No answer says nothing about the target: it stays, to be asked for again, or it would be lost
// until the next announcement. A peer that stays silent is closed, and says its head when it comes
// back.
void Engine::request_timed_out(Now now, SessionHandle session, Peer& peer) {
  peer.anchor_after = now.mono + kAnchorCooldown;
  if (peer.targets.size() > 1) {
    const chain::BlockRef target = peer.targets.front();
    drop_target(peer);
    peer.targets.push_back(target);
  }
  ++peer.failures;
  if (peer.failures == kMaxConsecutiveFailures) blame(session, Misbehaviour::unresponsive);
}

// Everything that waits for the download goes its own way again.
void Engine::abort_download(Now now) {
  if (!download_) return;
  if (Peer* anchor = find(download_->anchor())) {
    anchor->anchor_after = now.mono + kAnchorCooldown;
  }
  download_.reset();
}

void Engine::finish_download_if_done() {
  if (!download_ || !download_->all_handed_over() || download_imports_ > 0) return;
  Peer* anchor = find(download_->anchor());
  if (anchor != nullptr && !anchor->targets.empty()) anchor->skeleton_from = download_->target();
  download_.reset();
}

// Begins with the first skeleton; what comes after the last full segment belongs to it.
void Engine::report_progress(std::uint64_t imported, std::uint64_t target) {
  SyncProgress next = progress_.value_or(SyncProgress{});
  next.imported = std::max(next.imported, imported);
  next.target = std::max({next.target, target, next.imported});
  if (progress_ == next) return;
  progress_ = next;
  if (next.imported < next.target) emit(next);  // else it is told when all is acknowledged
}

void Engine::finish_progress_if_done() {
  if (!progress_ || download_ || !imports_.empty()) return;
  const bool under_way = std::ranges::any_of(peers_, [&](const auto& entry) {
    const Peer& peer = entry.second;
    return !peer.condemned && !out_of_reach(peer) && (peer.request || !peer.targets.empty());
  });
  if (progress_->imported < progress_->target && under_way) return;
  progress_->done = true;
  emit(*progress_);
  progress_.reset();
}

void Engine::pump_download(Now now) {
  if (!download_) return;
  while (imports_.size() < kMaxPendingImports) {
    auto ready = download_->pop_ready();
    if (!ready) break;
    if (!start_import(download_->anchor(), nullptr, std::move(*ready), ImportCause::sync, true)) {
      abort_download(now);
      return;
    }
  }
  // The anchor announced a skeleton and does not serve what is under it, and nobody else does.
  std::vector<SessionHandle> sessions;
  for (const auto& [session, peer] : peers_) {
    if (!peer.condemned) sessions.push_back(session);
  }
  if (download_->stuck(sessions)) abort_download(now);
}

// A branch that ends below our head costs us its headers and gives us nothing (attack 56).
bool Engine::within_side_limit(Peer& giver, const std::vector<CheckedHeader>& headers,
                               bool segment) const {
  const std::uint64_t head = chain_.head().number;
  const std::uint64_t grown = head > giver.side_seen_at ? head - giver.side_seen_at : 0;
  giver.side_headers -= std::min(giver.side_headers, grown);
  giver.side_seen_at = head;
  giver.side_headers += static_cast<std::uint64_t>(std::ranges::count_if(
      headers, [&](const CheckedHeader& header) { return header.block.number <= head; }));
  const bool may_win = segment || headers.back().block.number > head ||
                       (!giver.targets.empty() && giver.targets.front().number > head);
  return giver.side_headers <= (may_win ? kMaxUnprovenHeaders : kMaxSideHeaders);
}

bool Engine::start_import(SessionHandle session, Peer* peer, std::vector<CheckedHeader> headers,
                          ImportCause cause, bool segment) {
  Peer* giver = find(session);
  if (giver != nullptr && !within_side_limit(*giver, headers, segment)) {
    blame(session, Misbehaviour::side_headers);
    return false;
  }
  const std::uint64_t id = next_import_id_++;
  imports_.emplace(id, Import{session, segment ? download_id_ : 0, headers.back().block.hash});
  if (peer != nullptr) ++peer->imports;
  if (segment) ++download_imports_;
  if (progress_ && cause == ImportCause::sync) report_progress(headers.back().block.number, 0);
  emit(ImportRequest{id, session, cause, std::move(headers)});
  return true;
}

}  // namespace ethnet::mini_sync
