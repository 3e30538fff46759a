// What keeps the table alive: look-ups, refresh, revalidation.
#include <algorithm>
#include <utility>

#include "engine.hpp"

namespace ethnet::discv5 {

using kbucket::TableEntry;

bool Engine::add_boot_node(Now now, const RecordPtr& node) noexcept {
  CHECK(node != nullptr);
  if (boot_nodes_.size() == kMaxDiscv5BootNodes) return false;
  boot_nodes_.push_back(node);
  upkeep_.on_boot_node(now);
  return true;
}

void Engine::add_node(Now now, const RecordPtr& node) noexcept {
  CHECK(node != nullptr);
  note(now, node, Standing::claimed);
}

void Engine::restore_node(Now now, const RecordPtr& node, bool asks) noexcept {
  CHECK(node != nullptr);
  if (table_.restore(now, node) == kbucket::AddOutcome::subnet_limit) ++counters_.subnet_limit;
  const bool is_known = table_.find_any(node->id()) != nullptr;
  if (asks && is_known) (void)ask_ping(now, node, CallFor::liveness, true);
}

void Engine::ask_boot_nodes(Now now) {
  for (const RecordPtr& node : boot_nodes_) {
    note(now, node, Standing::claimed);
    const Peer peer{node->id(), node->endpoint()};
    if (!calls_.asks(peer, CallFor::liveness)) ask_ping(now, node, CallFor::liveness, true);
  }
}

// --- revalidation ---

// Who came to us lately and is still in the table.
RecordPtr Engine::pick_newcomer() {
  while (!newcomers_.empty()) {
    const NodeId id = newcomers_.front();
    newcomers_.pop_front();
    const TableEntry* entry = table_.find(id);
    if (entry != nullptr && entry->standing == Standing::met) return entry->record;
  }
  return nullptr;
}

void Engine::revalidate(Now now) {
  RecordPtr record = pick_newcomer();
  if (record == nullptr) record = kbucket::pick_for_revalidation(table_, prng_);
  const bool more = !newcomers_.empty();
  upkeep_.set_revalidation(
      now.mono + (more ? kbucket::draw(prng_, kNewcomerMin, kNewcomerMax)
                       : kbucket::draw(prng_, kbucket::kRevalidateMin, kbucket::kRevalidateMax)));
  if (record == nullptr) return;
  const Peer peer{record->id(), record->endpoint()};
  if (calls_.asks(peer, CallFor::liveness)) return;
  if (ask_ping(now, record, CallFor::liveness, false) != 0) ++counters_.revalidations;
}

// --- look-ups ---

std::uint64_t Engine::start_lookup(Now now, const NodeId& target) noexcept {
  if (lookups_.size() >= limits_.lookups) {
    ++counters_.lookups_refused;
    return 0;
  }
  ++counters_.lookups;
  const std::uint64_t id = next_lookup_++;
  lookups_.emplace(id, kbucket::begin_lookup(table_, target));
  advance(now, id);
  return id;
}

void Engine::advance(Now now, std::uint64_t lookup) {
  const auto it = lookups_.find(lookup);
  if (it == lookups_.end()) return;
  ActiveLookup& active = it->second;
  active.ask_next([&](const NodeId& id, const RecordPtr& record) {
    Question question{.purpose = CallFor::lookup,
                      .distances = kbucket::lookup_distances(id, active.target()),
                      .lookup = lookup,
                      .max_tries = 1};
    return ask_nodes(now, record, std::move(question)) != 0;
  });
  if (!active.finished()) return;
  LookupDone done{.lookup = lookup, .target = active.target(), .nearest = active.nearest()};
  lookups_.erase(it);
  emit(std::move(done));
}

void Engine::on_lookup_answer(Now now, const Call& call, const std::vector<FoundRecord>& records) {
  const auto it = lookups_.find(call.question.lookup);
  CHECK(it != lookups_.end());
  ActiveLookup& active = it->second;
  std::vector<NodeId> told;
  for (const FoundRecord& found : records) {
    if (found.record == nullptr || found.id == call.to->id()) continue;
    told.push_back(found.id);
    active.know(found.id, kbucket::newest_of(table_, found.record));
  }
  active.add(told);
  if (!ask_for_the_rest(now, active, call, records)) active.on_answer(call.to->id());
  advance(now, call.question.lookup);
}

bool Engine::ask_for_the_rest(Now now, ActiveLookup& active, const Call& call,
                              const std::vector<FoundRecord>& records) {
  const Question& asked = call.question;
  if (records.empty() || !call.nodes.full() || asked.round + 1 >= kMaxLookupRounds) return false;
  Question rest{.purpose = CallFor::lookup,
                .distances = active.rest(call.to->id(), asked.distances, records.back().id),
                .lookup = asked.lookup,
                .round = asked.round + 1,
                .max_tries = 1};
  return !rest.distances.empty() && ask_nodes(now, call.to, std::move(rest)) != 0;
}

void Engine::fail_lookup(Now now, const Call& call) {
  const auto it = lookups_.find(call.question.lookup);
  CHECK(it != lookups_.end());
  // What it said before counts, when only the rest did not come.
  if (call.question.round > 0) {
    it->second.on_answer(call.to->id());
  } else {
    it->second.on_failure(call.to->id());
  }
  advance(now, call.question.lookup);
}

}  // namespace ethnet::discv5
