#include "rotation.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace ethnet::peers {

Rotation::Rotation(Prng prng, Instant start) : prng_{prng} { plan(start); }

void Rotation::plan(Instant now) {
  at_ = now + nanoseconds(prng_.between(kRotationLeast.ns, kRotationMost.ns));
}

void Rotation::on_opened(Now now, const NodeId& id, bool inbound, bool named_by_operator) {
  peers_[id] =
      Peer{.since = now.mono, .inbound = inbound, .named = named_by_operator, .window = now.mono};
}

void Rotation::set_named(const NodeId& id, bool named) {
  if (const auto it = peers_.find(id); it != peers_.end()) it->second.named = named;
}

void Rotation::on_useful(Now now, const NodeId& id) {
  const auto it = peers_.find(id);
  if (it == peers_.end()) return;
  move_window(it->second, now.mono);
  ++it->second.useful;
}

// Two windows of half of kUsefulFor: what is older than both is forgotten.
void Rotation::move_window(Peer& peer, Instant now) {
  const Duration length = kUsefulFor / 2;
  if (now - peer.window < length) return;
  const bool next = now - peer.window < length * 2;
  peer.useful_before = next ? peer.useful : 0;
  peer.useful = 0;
  peer.window = next ? peer.window + length : now;
}

std::optional<NodeId> Rotation::next(Now now, Taken taken) {
  if (at_ > now.mono) return std::nullopt;
  plan(now.mono);
  if (taken == Taken::some) return std::nullopt;
  const auto leaves = choose(now, taken == Taken::inbound);
  ++(leaves ? rotated_ : nobody_);
  if (leaves) remember(now, *leaves);
  return leaves;
}

std::optional<NodeId> Rotation::choose(Now now, bool inbound_only) {
  std::vector<std::pair<std::uint64_t, NodeId>> may_leave;
  for (auto& [id, peer] : peers_) {
    move_window(peer, now.mono);
    if (peer.named || now.mono - peer.since < kRotationMinAge) continue;
    if (inbound_only && !peer.inbound) continue;
    may_leave.emplace_back(peer.useful + peer.useful_before, id);
  }
  std::ranges::sort(may_leave, std::ranges::greater{});
  std::size_t kept = 0;
  while (kept < may_leave.size() && may_leave[kept].first > 0 && kept < peers_.size() / 2) ++kept;
  const std::size_t rest = may_leave.size() - kept;
  if (rest == 0) return std::nullopt;
  return may_leave[kept + prng_.below(rest)].second;
}

void Rotation::remember(Now now, const NodeId& id) {
  std::erase_if(rotated_out_, [&](const auto& out) { return out.second <= now.mono; });
  if (rotated_out_.size() >= kMaxRotatedOut) {
    rotated_out_.erase(
        std::ranges::min_element(rotated_out_, {}, [](const auto& out) { return out.second; }));
  }
  rotated_out_[id] = now.mono + kRotationPause;
}

bool Rotation::has_to_wait(Now now, const NodeId& id) const {
  const auto it = rotated_out_.find(id);
  return it != rotated_out_.end() && it->second > now.mono;
}

}  // namespace ethnet::peers
