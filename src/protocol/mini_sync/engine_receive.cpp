// What comes in: announcements, requests, and answers judged against what was asked.
#include <algorithm>
#include <iterator>
#include <utility>

#include "engine.hpp"

namespace ethnet::mini_sync {
namespace {

// Descending headers that hash-link from `expected` downwards, numbers included.
bool links_down(Hash32 expected, const std::vector<CheckedHeader>& headers) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (headers[i].block.hash != expected) return false;
    if (i > 0 && headers[i].block.number + 1 != headers[i - 1].block.number) return false;
    expected = headers[i].parent;
  }
  return true;
}

std::uint64_t saturating_add(std::uint64_t a, std::uint64_t b) {
  return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

// Ascending headers of which each is the parent of the next.
bool links_up(const std::vector<CheckedHeader>& headers) {
  for (std::size_t i = 1; i < headers.size(); ++i) {
    if (headers[i].parent != headers[i - 1].block.hash) return false;
    if (headers[i].block.number != headers[i - 1].block.number + 1) return false;
  }
  return true;
}

}  // namespace

void Engine::handle_message(Now now, SessionHandle session, ByteView payload) noexcept {
  begin(now);
  Peer* peer = find(session);
  if (peer == nullptr || peer->condemned) return;
  const auto code = peek_code(payload);
  if (!code) {
    blame(session, Misbehaviour::malformed_message);
    return;
  }
  switch (*code) {
    case Code::status:
      on_status(now, session, *peer, payload);
      break;
    case Code::get_headers:
      on_get_headers(session, *peer, payload);
      break;
    case Code::headers:
      on_headers(now, session, *peer, payload);
      break;
    case Code::new_block_hashes:
      on_new_block_hashes(session, *peer, payload);
      break;
    case Code::new_block:
      on_new_block(now, session, *peer, payload);
      break;
  }
  schedule_all(now);
}

void Engine::on_status(Now, SessionHandle session, Peer& peer, ByteView payload) {
  const auto status = decode_status(payload);
  if (!status) {
    blame(session, Misbehaviour::malformed_message);
    return;
  }
  if (status->genesis != chain_.genesis().hash) {
    blame(session, Misbehaviour::wrong_genesis);
    return;
  }
  peer.head = status->head;
  peer.earliest = status->earliest;
  peer.known.add(status->head.hash);
  add_target(session, peer, status->head);
}

void Engine::on_get_headers(SessionHandle session, Peer& peer, ByteView payload) {
  auto request = decode_get_headers(payload);
  if (!request) {
    blame(session, Misbehaviour::malformed_message);
    return;
  }
  if (peer.asked.size() >= kMaxQueuedRequests) {
    blame(session, Misbehaviour::too_many_requests);
    return;
  }
  peer.asked_at = now_;
  peer.asked.push_back(std::move(*request));
  serve(session, peer);
  if (serve_queue_.is_waiting(session)) ++counters_.answers_put_off;
}

void Engine::on_new_block_hashes(SessionHandle session, Peer& peer, ByteView payload) {
  const auto message = decode_new_block_hashes(payload);
  if (!message) {
    blame(session, Misbehaviour::malformed_message);
    return;
  }
  for (const chain::BlockRef& block : message->blocks) {
    peer.known.add(block.hash);
    if (block.number > peer.head.number) peer.head = block;
    add_target(session, peer, block);
  }
}

void Engine::on_new_block(Now now, SessionHandle session, Peer& peer, ByteView payload) {
  auto message = decode_new_block(payload);
  if (!message) {
    blame(session, Misbehaviour::malformed_message);
    return;
  }
  auto header = check_header(std::move(message->item));
  if (!header) {
    blame(session, Misbehaviour::malformed_message);
    return;
  }
  peer.known.add(header->block.hash);
  if (header->block.number > peer.head.number) peer.head = header->block;
  std::vector<CheckedHeader> batch;
  batch.push_back(std::move(*header));
  // One that is of no use now is not worth a judgement, unless one before it may be its parent.
  if (peer.judging.empty() && !importable(batch.front())) {
    add_target(session, peer, batch.front().block);
    return;
  }
  judge(now, session, peer, false, std::move(batch));
}

bool Engine::importable(const CheckedHeader& announced) const {
  return !chain_.find(announced.block.hash) && chain_.find(announced.parent) &&
         imports_.size() < kMaxPendingImports;
}

void Engine::on_announced(SessionHandle session, Peer& peer, std::vector<CheckedHeader> headers) {
  if (!importable(headers.front())) {
    add_target(session, peer, headers.front().block);
    return;
  }
  start_import(session, &peer, std::move(headers), ImportCause::announcement, false);
}

// Judged before it is decoded: is this the answer to the request that is out?
std::optional<std::vector<CheckedHeader>> Engine::accept_headers(SessionHandle session, Peer& peer,
                                                                 ByteView payload) {
  const auto id = peek_request_id(payload);
  if (!id) {
    blame(session, Misbehaviour::malformed_message);
    return std::nullopt;
  }
  const auto pending =
      requests_.accept(session, *id, static_cast<std::uint64_t>(Code::headers), payload.size());
  if (!pending) {
    // An answer that came after its deadline is late, not hostile; once.
    if (peer.expired.erase(*id) == 0) blame(session, Misbehaviour::unsolicited_response);
    return std::nullopt;
  }
  const auto count = peek_headers_count(payload);
  if (count && *count > pending->max_items) {
    blame(session, Misbehaviour::oversized_response);
    return std::nullopt;
  }
  ++counters_.answers_decoded;
  auto message = decode_headers(payload, pending->max_items);
  if (!message) {
    blame(session, Misbehaviour::malformed_message);
    return std::nullopt;
  }
  auto headers = check_headers(std::move(message->items));
  if (!headers) {
    blame(session, Misbehaviour::malformed_message);
    return std::nullopt;
  }
  counters_.headers_received += headers->size();
  return std::move(*headers);
}

void Engine::on_headers(Now now, SessionHandle session, Peer& peer, ByteView payload) {
  auto headers = accept_headers(session, peer, payload);
  if (!headers) return;
  if (std::holds_alternative<SkeletonRequest>(peer.request->kind)) {
    // Only the marks are of use: no header of it is imported, so no signature is judged.
    on_judged(now, session, peer, true, std::move(*headers));
  } else {
    judge(now, session, peer, true, std::move(*headers));
  }
}

// The request that this answers is kept until now, so that the peer is not asked for more.
void Engine::on_judged(Now now, SessionHandle session, Peer& peer, bool answer,
                       std::vector<CheckedHeader> headers) {
  if (!answer) {
    on_announced(session, peer, std::move(headers));
    return;
  }
  CHECK(peer.request.has_value());
  const RequestKind kind = peer.request->kind;
  if (const auto* segment = std::get_if<SegmentRequest>(&kind)) {
    peer.request.reset();
    on_segment(now, session, peer, *segment, std::move(headers));
    return;
  }
  release_request(session, peer, false);
  if (const auto* branch = std::get_if<BranchRequest>(&kind)) {
    on_branch(now, session, peer, *branch, std::move(headers));
  } else if (const auto* forward = std::get_if<ForwardRequest>(&kind)) {
    on_forward(now, session, peer, *forward, std::move(headers));
  } else if (const auto* skeleton = std::get_if<SkeletonRequest>(&kind)) {
    on_skeleton(now, session, peer, *skeleton, headers);
  }
}

void Engine::on_branch(Now now, SessionHandle session, Peer& peer, const BranchRequest& request,
                       std::vector<CheckedHeader> headers) {
  if (headers.empty()) {
    const bool below =
        !peer.branch.empty() && peer.earliest > 0 &&
        peer.branch.back().block.number <= saturating_add(peer.earliest, kEarliestStep);
    if (below) {  // it has released the rest; somebody else may have it
      ++counters_.out_of_reach;
      drop_target(peer);
    } else {
      request_failed(now, session, peer);
    }
    return;
  }
  const bool first = peer.branch.empty();
  if (!links_down(request.expected, headers) ||
      (first && headers.front().block.number != peer.targets.front().number) ||
      (!first && headers.front().block.number + 1 != peer.branch.back().block.number)) {
    blame(session, Misbehaviour::unlinked_headers);
    drop_target(peer);
    return;
  }
  peer.failures = 0;
  const auto known = std::ranges::find_if(
      headers, [&](const CheckedHeader& h) { return chain_.find(h.block.hash).has_value(); });
  headers.erase(known, headers.end());
  std::ranges::move(headers, std::back_inserter(peer.branch));
  if (peer.branch.empty()) {  // imported meanwhile
    drop_target(peer);
    return;
  }
  if (!chain_.find(peer.branch.back().parent)) {
    const std::uint64_t floor = chain_.earliest().number;
    if (floor > 0 && peer.branch.back().block.number <= floor) {
      // It left our chain below what we keep: the chain would refuse it.
      ++counters_.out_of_reach;
      drop_target(peer);
      return;
    }
    const bool too_deep = peer.branch.size() >= kMaxBranchHeaders;
    if (too_deep || peer.branch.back().block.number == 0) {
      peer.branch.clear();
      peer.forward = true;
    }
    return;  // schedule() asks for the next step
  }
  std::vector<CheckedHeader> ascending = std::move(peer.branch);
  std::ranges::reverse(ascending);
  drop_target(peer);
  start_import(session, &peer, std::move(ascending), ImportCause::sync, false);
}

void Engine::on_forward(Now now, SessionHandle session, Peer& peer, const ForwardRequest& request,
                        std::vector<CheckedHeader> headers) {
  if (headers.empty()) {
    request_failed(now, session, peer);
    return;
  }
  const bool from_locator = std::ranges::any_of(request.locator, [&](const chain::BlockRef& b) {
    return b.hash == headers.front().parent && b.number + 1 == headers.front().block.number;
  });
  if (!from_locator || !links_up(headers)) {
    blame(session, Misbehaviour::unlinked_headers);
    drop_target(peer);
    return;
  }
  const chain::BlockRef last = headers.back().block;
  const bool moved = !peer.forward_from || last.number > peer.forward_from->number;
  std::erase_if(headers, [&](const CheckedHeader& h) { return chain_.find(h.block.hash); });
  if (headers.empty() && !moved) {  // the peer's chain does not hold what it announced
    request_failed(now, session, peer);
    return;
  }
  peer.failures = 0;
  peer.forward_from = last;
  if (!headers.empty()) {
    start_import(session, &peer, std::move(headers), ImportCause::sync, false);
  }
}

void Engine::on_skeleton(Now now, SessionHandle session, Peer& peer, const SkeletonRequest& request,
                         const std::vector<CheckedHeader>& headers) {
  if (headers.empty()) {
    request_failed(now, session, peer);
    return;
  }
  const std::uint64_t first = headers.front().block.number;
  const auto origin = std::ranges::find_if(request.locator, [&](const chain::BlockRef& b) {
    return b.number + kSegmentHeaders == first;
  });
  std::vector<chain::BlockRef> marks;
  for (const CheckedHeader& header : headers) marks.push_back(header.block);
  const auto wrong_step = std::ranges::adjacent_find(
      marks, [](const auto& a, const auto& b) { return a.number + kSegmentHeaders != b.number; });
  if (origin == request.locator.end() || wrong_step != marks.end()) {
    blame(session, Misbehaviour::unlinked_headers);
    drop_target(peer);
    return;
  }
  if (download_) return;  // cannot be: one skeleton request is out at a time
  peer.failures = 0;
  ++download_id_;
  download_imports_ = 0;
  download_.emplace(session, *origin, marks);
  report_progress(origin->number, std::max(peer.head.number, marks.back().number));
}

void Engine::on_segment(Now now, SessionHandle session, Peer& peer, const SegmentRequest& request,
                        std::vector<CheckedHeader> headers) {
  if (!download_ || request.download != download_id_) return;
  if (!headers.empty()) peer.failures = 0;
  switch (download_->complete(request.segment, session, std::move(headers))) {
    case SkeletonDownload::Verdict::ok:
      break;
    case SkeletonDownload::Verdict::peer_lied:
      blame(session, Misbehaviour::unlinked_headers);
      download_->release(request.segment, session, true);
      break;
    case SkeletonDownload::Verdict::anchor_lied:
      blame(download_->anchor(), Misbehaviour::unlinked_headers);
      abort_download(now);
      break;
  }
}

}  // namespace ethnet::mini_sync
