// What we know: links, records, the table, the vote; and what others may be told of it.
#include "discovery.hpp"

#include <algorithm>

#include <discovery/kbucket/scope.hpp>

namespace ethnet::lite {

using kbucket::AddOutcome;
using kbucket::may_relay;
using kbucket::Scope;
using kbucket::scope_of;
using kbucket::TableEntry;

Discovery::Discovery(Now now, const NodeId& self, Prng prng)
    : self_{self}, prng_{prng}, table_{self}, upkeep_{now} {}

void Discovery::add_boot_node(const RecordPtr& record) {
  if (boot_records_.size() < kMaxBootNodes) boot_records_.push_back(record);
}

void Discovery::add_boot_node(const Endpoint& endpoint) {
  if (boot_endpoints_.size() < kMaxBootNodes) boot_endpoints_.push_back(endpoint);
}

Discovery::Link* Discovery::find_link(const NodeId& node) {
  const auto it = links_.find(node);
  return it == links_.end() ? nullptr : &it->second;
}

// The queue is sized so that the node, which drains it after every input, cannot meet its end.
void Discovery::emit(Event event) { CHECK(events_.push(std::move(event))); }

// `record` is a copy: that of an entry would be gone, or another's, once the table has moved it.
void Discovery::note(Now now, RecordPtr record, Standing standing) {
  const TableEntry* before = table_.find_any(record->id());
  const bool was_relayable = before != nullptr && before->relayable();
  const AddOutcome outcome = table_.add(now, record, standing);
  if (outcome == AddOutcome::subnet_limit) ++counters_.subnet_limit;
  const TableEntry* after = table_.find_any(record->id());
  if (after == nullptr || !after->relayable() || was_relayable) return;
  emit(NodeSeen{after->record, after->standing});
  upkeep_.on_alive(now);
}

void Discovery::handle_restored(Now now, const RecordPtr& record, bool is_anchor) noexcept {
  if (table_.restore(now, record) == AddOutcome::subnet_limit) ++counters_.subnet_limit;
  if (is_anchor) ask(now, record, AskPing{}, true);
}

void Discovery::handle_link_opened(Now now, const NodeId& node, const Endpoint& remote,
                                   bool we_dialled) noexcept {
  handle_link_closed(now, node);  // one that it replaces
  upkeep_.on_heard(now);
  Link& link = links_[node];
  link.remote = remote;
  link.we_dialled = we_dialled;
  link.opened = now.mono;
  if (we_dialled) probes_.prove(remote);
  Contact* contact = contacts_.find(node);
  if (contact == nullptr && we_dialled) contact = contacts_.find(remote);
  std::optional<Contact> arrived;
  if (contact != nullptr) arrived = contacts_.take(contact->id);
  link.is_short = we_dialled && arrived && arrived->dialling;
  if (link.is_short) ++short_links_;
  set_idle(node, link, now.mono + (we_dialled ? kIdle : kPeerIdle));
  const Standing standing = we_dialled ? Standing::reached : Standing::met;
  const TableEntry* known = table_.find_any(node);
  if (known != nullptr && known->record->endpoint() == remote) {
    note(now, known->record, standing);
  } else if (arrived && arrived->record != nullptr && arrived->endpoint == remote) {
    note(now, arrived->record, standing);
  }
  if (arrived) {
    for (Ask& ask : arrived->asks) {
      if (!ask_over_link(now, link, node, ask)) fail_ask(now, node, ask);
    }
  }
  // Without an address we are nobody to others: whoever comes first can tell us where we are.
  const bool asks_already = link.open_questions > 0;
  if (!asks_already && !knows_own_address(remote.ip)) ask_over_link(now, link, node, AskPing{});
  start_contacts(now);
}

bool Discovery::knows_own_address(const IpAddress& towards) const {
  return vote_.current(scope_of(towards), !towards.is_v4()).has_value();
}

void Discovery::handle_local_record_changed(Now now) noexcept {
  for (auto& [node, link] : links_) ask_over_link(now, link, node, AskPing{});
}

void Discovery::handle_link_closed(Now now, const NodeId& node) noexcept {
  Link* link = find_link(node);
  if (link == nullptr) return;
  if (link->is_short) --short_links_;
  set_idle(node, *link, Instant::never());
  links_.erase(node);
  std::erase_if(questions_, [&](const Question& question) { return question.node == node; });
  std::vector<std::uint64_t> lost;
  for (const auto& [token, pending] : pending_) {
    if (pending.node == node) lost.push_back(token);
  }
  for (const std::uint64_t token : lost) {
    const Pending asked = *end_question(token);
    ++counters_.unanswered;
    if (!ask_again(now, asked)) fail_ask(now, asked.node, asked.ask);
  }
  start_contacts(now);
}

void Discovery::handle_link_moved(Now now, const NodeId& node, const Endpoint& remote) noexcept {
  Link* const link = find_link(node);
  if (link == nullptr || link->remote == remote) return;
  link->remote = remote;
  link->we_dialled = false;  // not to this address
  const TableEntry* const known = table_.find_any(node);
  if (known != nullptr && known->record->endpoint() == remote) {
    note(now, known->record, Standing::met);
  }
}

void Discovery::handle_own_record(Now now, const NodeId& node, const RecordPtr& record) noexcept {
  const Link* link = find_link(node);
  if (link == nullptr || record->id() != node) return;
  if (!may_relay(scope_of(link->remote.ip), scope_of(record->endpoint().ip))) {
    ++counters_.wrong_scope;
    return;
  }
  Standing standing = Standing::claimed;
  if (record->endpoint() == link->remote) {
    standing = link->we_dialled ? Standing::reached : Standing::met;
  }
  note(now, record, standing);
}

void Discovery::handle_traffic(Now now, const NodeId& node) noexcept {
  Link* link = find_link(node);
  if (link == nullptr) return;
  set_idle(node, *link, now.mono + (link->we_dialled ? kIdle : kPeerIdle));
}

void Discovery::handle_seq(Now now, const NodeId& node, std::uint64_t seq) noexcept {
  Link* link = find_link(node);
  if (link == nullptr) return;
  const TableEntry* known = table_.find_any(node);
  const std::uint64_t have = known == nullptr ? 0 : known->record->seq();
  if (seq <= have || seq <= link->asked_seq || !link->record_asks.take(now.mono)) return;
  link->asked_seq = seq;
  ask_over_link(now, *link, node,
                AskNodes{.lookup = 0, .round = 0, .distances = {0}, .again = false});
}

void Discovery::handle_pong(Now now, std::uint64_t token, std::uint64_t seq,
                            const Endpoint& we_are_seen_at) noexcept {
  const auto it = pending_.find(token);
  if (it == pending_.end() || !std::holds_alternative<AskPing>(it->second.ask)) return;
  const auto pending = end_question(token);
  Link* link = find_link(pending->node);
  CHECK(link != nullptr);
  link->silence = 0;
  upkeep_.on_heard(now);
  const Standing standing = link->we_dialled ? Standing::reached : Standing::met;
  const TableEntry* known = table_.find_any(pending->node);
  if (known != nullptr && known->record->endpoint() == link->remote) {
    note(now, known->record, standing);
  }
  const bool is_wan = scope_of(link->remote.ip) == Scope::wan;
  if (is_wan && !link->we_dialled) {
    ++counters_.votes_of_strangers;
  } else {
    ++counters_.votes;
    if (auto changed = vote_.on_vote(now, link->remote.ip, we_are_seen_at)) emit(*changed);
  }
  handle_seq(now, pending->node, seq);
}

void Discovery::handle_misbehaved(Now now, const NodeId& node) noexcept {
  table_.remove(now, node);
}

// What a peer tells is believed as far as it was asked for and can mean the same to it and to us.
bool Discovery::acceptable(const Pending& asked, const Link& link, const RecordPtr& record) {
  const auto& distances = std::get<AskNodes>(asked.ask).distances;
  const unsigned distance = log_distance(asked.node, record->id());
  if (std::ranges::find(distances, distance) == distances.end()) {
    ++counters_.wrong_distance;
    return false;
  }
  if (!may_relay(scope_of(link.remote.ip), scope_of(record->endpoint().ip))) {
    ++counters_.wrong_scope;
    return false;
  }
  return table_.admits(record->endpoint().ip);
}

void Discovery::handle_nodes(Now now, std::uint64_t token,
                             std::span<const RecordPtr> records) noexcept {
  const auto it = pending_.find(token);
  if (it == pending_.end() || !std::holds_alternative<AskNodes>(it->second.ask)) return;
  const Pending pending = *end_question(token);
  Link* link = find_link(pending.node);
  CHECK(link != nullptr);
  link->silence = 0;
  upkeep_.on_heard(now);
  const std::uint64_t lookup = std::get<AskNodes>(pending.ask).lookup;
  const auto active = lookups_.find(lookup);
  std::vector<NodeId> told;
  for (const RecordPtr& record : records.first(std::min(records.size(), kMaxNodesPerAnswer))) {
    if (!acceptable(pending, *link, record)) continue;
    if (std::ranges::find(told, record->id()) != told.end()) {
      ++counters_.repeated;
      continue;
    }
    ++counters_.records;
    if (record->id() == pending.node) {
      handle_own_record(now, pending.node, record);
      continue;
    }
    told.push_back(record->id());
    note(now, record, Standing::claimed);
    if (active != lookups_.end()) {
      active->second.know(record->id(), kbucket::newest_of(table_, record));
    }
  }
  if (const TableEntry* known = table_.find_any(pending.node);
      known != nullptr && known->record->endpoint() == link->remote) {
    note(now, known->record, link->we_dialled ? Standing::reached : Standing::met);
  }
  if (active != lookups_.end()) {
    active->second.add(told);
    if (!ask_for_the_rest(now, active->second, pending, records)) {
      active->second.on_answer(pending.node);
    }
    advance(now, lookup);
  }
}

std::vector<RecordPtr> Discovery::answer(const NodeId& asker,
                                         std::span<const std::uint16_t> distances) const {
  std::vector<RecordPtr> out;
  const auto link = links_.find(asker);
  if (link == links_.end()) return out;
  const Scope between = scope_of(link->second.remote.ip);
  for (const std::uint16_t distance : distances) {
    for (const RecordPtr& record : table_.relayable_at(distance)) {
      if (out.size() == kMaxNodesPerAnswer) return out;
      if (record->id() == asker) continue;
      if (may_relay(between, scope_of(record->endpoint().ip))) out.push_back(record);
    }
  }
  return out;
}

kbucket::SavedNodes Discovery::save() const {
  std::vector<const TableEntry*> seen = table_.seen_last_first();
  kbucket::SavedNodes out;
  for (const TableEntry* entry : seen) {
    out.nodes.push_back({entry->record->encoded(), entry->last_seen_wall.whole_seconds()});
  }
  // Anchors: peers that we keep and that we dialled ourselves, then those that were there longest.
  std::ranges::sort(seen, [&](const TableEntry* a, const TableEntry* b) {
    const auto is_kept = [&](const TableEntry* entry) {
      const auto link = links_.find(entry->id());
      return link != links_.end() && link->second.we_dialled && !link->second.is_short;
    };
    if (is_kept(a) != is_kept(b)) return is_kept(a);
    if (a->standing != b->standing) return a->standing > b->standing;
    if (a->checks != b->checks) return a->checks > b->checks;
    return a->id() < b->id();
  });
  for (const TableEntry* entry : seen) {
    if (out.anchors.size() == kbucket::kMaxAnchors) break;
    out.anchors.push_back(entry->record->encoded());
  }
  return out;
}

}  // namespace ethnet::lite
