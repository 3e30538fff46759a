// What we do: look-ups, revalidation, questions, and the short sessions for them.
#include <algorithm>

#include <discovery/kbucket/scope.hpp>

#include "discovery.hpp"

namespace ethnet::lite {

using kbucket::TableEntry;

Instant Discovery::next_deadline() const {
  const Instant next = std::min(upkeep_.next_deadline(), contacts_.next_deadline());
  return idle_.empty() ? next : std::min(next, idle_.begin()->first);
}

void Discovery::handle_deadline(Now now) noexcept {
  while (const auto contact = contacts_.overdue(now)) {
    give_up(now, *contact, ContactFailure::not_attempted);
  }
  while (!idle_.empty() && idle_.begin()->first <= now.mono) {
    const NodeId node = idle_.begin()->second;
    Link* link = find_link(node);
    CHECK(link != nullptr);
    set_idle(node, *link, Instant::never());
    if (link->is_short) --short_links_;
    link->is_short = false;
    emit(LinkIdle{node});
  }
  if (upkeep_.refresh_is_due(now)) {
    upkeep_.refresh(
        now, table_, prng_, [&] { ask_boot_nodes(now); },
        [&](const NodeId& target) { return start_lookup(now, target) != 0; });
  }
  if (upkeep_.revalidation_is_due(now)) revalidate(now);
  start_contacts(now);
}

void Discovery::ask_boot_nodes(Now now) {
  for (const RecordPtr& record : boot_records_) {
    note(now, record, Standing::claimed);
    ask(now, record, AskPing{}, true);
  }
  for (const Endpoint& endpoint : boot_endpoints_) {
    const bool linked = std::ranges::any_of(
        links_, [&](const auto& link) { return link.second.remote == endpoint; });
    if (linked || contacts_.find(endpoint) != nullptr) continue;
    if (contacts_.add(std::nullopt, endpoint, nullptr) == nullptr) ++counters_.contacts_refused;
  }
  start_contacts(now);
}

void Discovery::revalidate(Now now) {
  upkeep_.set_revalidation(now.mono +
                           kbucket::draw(prng_, kbucket::kRevalidateMin, kbucket::kRevalidateMax));
  const RecordPtr record = kbucket::pick_for_revalidation(table_, prng_);
  if (record != nullptr && ask(now, record, AskPing{}, false)) ++counters_.revalidations;
  ask_a_stranger(now);
}

// Whoever did not answer for a while has gone from the table, and its session may last all the
// same: then its record is asked for again, one link at a time.
void Discovery::ask_a_stranger(Now now) {
  const auto is_stranger = [&](const auto& entry) {
    const Link& link = entry.second;
    const bool lasts = link.opened + kStrangerAfter <= now.mono && link.askable_at <= now.mono;
    return lasts && table_.find_any(entry.first) == nullptr;
  };
  auto it = std::find_if(links_.upper_bound(last_stranger_), links_.end(), is_stranger);
  if (it == links_.end()) it = std::find_if(links_.begin(), links_.end(), is_stranger);
  if (it == links_.end()) return;
  last_stranger_ = it->first;
  if (!it->second.record_asks.take(now.mono)) return;
  ask_over_link(now, it->second, it->first,
                AskNodes{.lookup = 0, .round = 0, .distances = {0}, .again = false});
}

std::uint64_t Discovery::start_lookup(Now now, const NodeId& target) noexcept {
  if (lookups_.size() >= kMaxLookups) {
    ++counters_.lookups_refused;
    return 0;
  }
  ++counters_.lookups;
  const std::uint64_t id = next_lookup_++;
  lookups_.emplace(id, kbucket::begin_lookup(table_, target));
  advance(now, id);
  return id;
}

void Discovery::advance(Now now, std::uint64_t lookup) {
  const auto it = lookups_.find(lookup);
  if (it == lookups_.end()) return;
  ActiveLookup& active = it->second;
  active.ask_next([&](const NodeId& id, const RecordPtr& record) {
    AskNodes question{.lookup = lookup,
                      .round = 0,
                      .distances = kbucket::lookup_distances(id, active.target()),
                      .again = false};
    return ask(now, record, std::move(question), false);
  });
  if (!active.finished()) return;
  LookupDone done{.lookup = lookup, .target = active.target(), .nearest = active.nearest()};
  lookups_.erase(it);
  emit(std::move(done));
}

bool Discovery::ask_for_the_rest(Now now, ActiveLookup& active, const Pending& asked,
                                 std::span<const RecordPtr> answer) {
  const auto& question = std::get<AskNodes>(asked.ask);
  if (answer.size() < kMaxNodesPerAnswer || question.round + 1 >= kMaxRounds) return false;
  Link* link = find_link(asked.node);
  if (link == nullptr) return false;
  AskNodes rest{.lookup = question.lookup,
                .round = question.round + 1,
                .distances = active.rest(asked.node, question.distances, answer.back()->id())};
  return !rest.distances.empty() && ask_over_link(now, *link, asked.node, std::move(rest));
}

// What was proven costs nobody anything but us; what was not is the business of who is there.
bool Discovery::may_probe(Now now, const RecordPtr& record, bool trusted) {
  const TableEntry* known = table_.find_any(record->id());
  const bool proven = known != nullptr && known->standing != Standing::claimed &&
                      known->record->endpoint() == record->endpoint();
  if (probes_.is_proven(record->endpoint())) return true;
  return trusted || proven || probes_.take(now, record->endpoint().ip);
}

bool Discovery::ask(Now now, const RecordPtr& record, Ask ask, bool trusted) {
  const NodeId& node = record->id();
  if (Link* link = find_link(node)) return ask_over_link(now, *link, node, std::move(ask));
  Contact* contact = contacts_.find(node);
  if (contact == nullptr) {
    if (!may_probe(now, record, trusted)) return false;
    contact = contacts_.add(node, record->endpoint(), record);
  }
  if (contact == nullptr || contact->asks.size() >= kMaxQuestionsPerNode) {
    ++counters_.contacts_refused;
    return false;
  }
  contact->asks.push_back(std::move(ask));
  start_contacts(now);
  return true;
}

bool Discovery::ask_over_link(Now now, Link& link, const NodeId& node, Ask ask) {
  if (link.askable_at > now.mono || link.open_questions >= kMaxQuestionsPerNode) return false;
  const std::uint64_t token = next_token_++;
  pending_.emplace(token, Pending{node, ask});
  questions_.push_back({token, node, std::move(ask)});
  ++link.open_questions;
  ++counters_.questions;
  handle_traffic(now, node);
  return true;
}

std::optional<Question> Discovery::poll_question() {
  std::optional<Question> next;
  if (questions_.empty()) return next;
  Question& front = questions_.front();
  next.emplace(front.token, front.node, std::move(front.ask));
  questions_.pop_front();
  return next;
}

void Discovery::start_contacts(Now now) {
  while (contacts_.has_waiting()) {
    if (short_sessions() >= kMaxShortSessions && !retire_a_short_link()) return;
    Contact* contact = contacts_.start_next(now);
    CHECK(contact != nullptr);
    ++counters_.contacts_wanted;
    emit(ContactWanted{.contact = contact->id,
                       .node = contact->node,
                       .endpoint = contact->endpoint,
                       .record = contact->record});
  }
}

// The one that has been idle for longest makes room; it said all that it was asked for.
bool Discovery::retire_a_short_link() {
  for (const auto& [at, node] : idle_) {
    Link* link = find_link(node);
    CHECK(link != nullptr);
    if (!link->is_short || link->open_questions > 0) continue;
    link->is_short = false;
    --short_links_;
    const NodeId retired = node;
    set_idle(retired, *link, Instant::never());
    emit(LinkIdle{retired});
    return true;
  }
  return false;
}

void Discovery::set_idle(const NodeId& node, Link& link, Instant at) {
  if (!link.idle_at.is_never()) idle_.erase({link.idle_at, node});
  link.idle_at = at;
  if (!at.is_never()) idle_.emplace(at, node);
}

void Discovery::handle_contact_failed(Now now, std::uint64_t contact,
                                      ContactFailure failure) noexcept {
  give_up(now, contact, failure);
  start_contacts(now);
}

void Discovery::give_up(Now now, std::uint64_t contact, ContactFailure failure) {
  const auto failed = contacts_.take(contact);
  if (!failed) return;
  ++counters_.contacts_failed;
  if (!failed->node) return;
  const NodeId& node = *failed->node;
  const TableEntry* known = table_.find_any(node);
  const bool at_its_place = known != nullptr && known->record->endpoint() == failed->endpoint;
  switch (failure) {
    case ContactFailure::unreachable:
      if (at_its_place) fail_node(now, node);
      break;
    case ContactFailure::wrong_node:
      if (at_its_place) table_.remove(now, node);
      break;
    case ContactFailure::not_offered:
      table_.remove(now, node);
      break;
    case ContactFailure::busy:
      if (failed->record != nullptr) note(now, failed->record, Standing::reached);
      break;
    case ContactFailure::not_attempted:
      break;
  }
  for (const Ask& ask : failed->asks) fail_ask(now, node, ask);
}

// A short session may be closed by the other side just when we ask: nobody's fault, but a look-up
// must not miss a node for that.
bool Discovery::ask_again(Now now, const Pending& asked) {
  const auto* question = std::get_if<AskNodes>(&asked.ask);
  if (question == nullptr || question->again) return false;
  const auto active = lookups_.find(question->lookup);
  if (active == lookups_.end()) return false;
  const RecordPtr record = active->second.node(asked.node);
  AskNodes once_more = *question;
  once_more.again = true;
  return ask(now, record, std::move(once_more), false);
}

void Discovery::fail_node(Now now, const NodeId& node) {
  table_.failed(now, node, upkeep_.is_its_fault(now));
}

void Discovery::fail_ask(Now now, const NodeId& node, const Ask& ask) {
  const auto* nodes = std::get_if<AskNodes>(&ask);
  if (nodes == nullptr) return;
  const auto it = lookups_.find(nodes->lookup);
  if (it == lookups_.end()) return;
  it->second.on_failure(node);
  advance(now, nodes->lookup);
}

std::optional<Discovery::Pending> Discovery::end_question(std::uint64_t token) {
  const auto it = pending_.find(token);
  if (it == pending_.end()) return std::nullopt;
  std::optional<Pending> pending{std::move(it->second)};
  pending_.erase(it);
  if (Link* link = find_link(pending->node)) --link->open_questions;
  return pending;
}

void Discovery::handle_no_answer(Now now, std::uint64_t token, bool its_fault) noexcept {
  const auto pending = end_question(token);
  if (!pending) return;
  ++counters_.unanswered;
  if (its_fault) {
    Link* const link = find_link(pending->node);
    if (link != nullptr && ++link->silence >= kMaxSilence) {
      link->askable_at = now.mono + kSilencePause;
    }
    fail_node(now, pending->node);
  }
  fail_ask(now, pending->node, pending->ask);
  start_contacts(now);
}

}  // namespace ethnet::lite
