// What keeps the table alive: look-ups, refresh, revalidation.
#include <algorithm>
#include <utility>

#include <discovery/kbucket/distances.hpp>

#include "engine.hpp"

namespace ethnet::discv5 {

using kbucket::TableEntry;

namespace {

Duration draw(Prng& prng, Duration low, Duration high) {
  return nanoseconds(prng.between(low.ns, high.ns));
}

NodeId draw_target(Prng& prng) {
  NodeId id;
  for (std::size_t i = 0; i < id.bytes.size(); i += 8) {
    store_be<std::uint64_t>(MutByteView{id.bytes}.subspan(i, 8), prng.next());
  }
  return id;
}

}  // namespace

bool Engine::add_boot_node(Now now, const RecordPtr& node) noexcept {
  CHECK(node != nullptr);
  if (boot_nodes_.size() == kMaxDiscv5BootNodes) return false;
  boot_nodes_.push_back(node);
  if (is_lonely_) refresh_at_ = std::min(refresh_at_, now.mono);
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

bool Engine::knows_somebody() const {
  bool found = false;
  table_.for_each([&](const TableEntry& entry) { found = found || entry.relayable(); });
  return found;
}

// Our own neighbourhood and a random place by turns: the first keeps the near buckets right, which
// look-ups of others end in, the second the far ones.
void Engine::refresh(Now now) {
  const bool somebody = knows_somebody();
  is_lonely_ = !somebody;
  if (!somebody) ask_boot_nodes(now);
  if (table_.size() > 0) {
    const NodeId target = refreshes_ % 2 == 0 ? self() : draw_target(prng_);
    if (start_lookup(now, target) != 0) ++refreshes_;
  }
  if (somebody) lonely_tries_ = 0;
  if (!somebody) {
    refresh_at_ = now.mono + draw(prng_, kBootMin, kBootMax) * (1 << lonely_tries_);
    lonely_tries_ = std::min(lonely_tries_ + 1, kBootDoublings);
  } else if (refreshes_ < kEarlyRefreshes) {
    refresh_at_ = now.mono + draw(prng_, kEarlyRefreshMin, kEarlyRefreshMax);
  } else {
    refresh_at_ = now.mono + draw(prng_, kRefreshMin, kRefreshMax);
  }
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

// One time in two somebody of whom we are not sure; else of two at random the one that was not
// seen for longer.
RecordPtr Engine::pick_for_revalidation() {
  std::vector<const TableEntry*> unsure;
  std::vector<const TableEntry*> sure;
  table_.for_each(
      [&](const TableEntry& entry) { (entry.relayable() ? sure : unsure).push_back(&entry); });
  if (!unsure.empty() && (sure.empty() || prng_.below(2) == 0)) {
    return unsure[prng_.below(unsure.size())]->record;
  }
  if (sure.empty()) return nullptr;
  const TableEntry* a = sure[prng_.below(sure.size())];
  const TableEntry* b = sure[prng_.below(sure.size())];
  return (a->last_seen <= b->last_seen ? a : b)->record;
}

void Engine::revalidate(Now now) {
  RecordPtr record = pick_newcomer();
  if (record == nullptr) record = pick_for_revalidation();
  const bool more = !newcomers_.empty();
  revalidate_at_ = now.mono + draw(prng_, more ? kNewcomerMin : kRevalidateMin,
                                   more ? kNewcomerMax : kRevalidateMax);
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
  const auto [it, added] = lookups_.emplace(
      id, ActiveLookup{.iterator = kbucket::Lookup{self(), target}, .records = {}});
  CHECK(added);
  std::vector<NodeId> seeds;
  // The known ones whatever was claimed: a table full of claims must not keep us from asking them.
  for (const bool with_claimed : {false, true}) {
    for (const RecordPtr& record : table_.closest(target, kbucket::kLookupResults, with_claimed)) {
      seeds.push_back(record->id());
      it->second.records.try_emplace(record->id(), record);
    }
  }
  it->second.iterator.add(seeds);
  advance(now, id);
  return id;
}

void Engine::advance(Now now, std::uint64_t lookup) {
  const auto it = lookups_.find(lookup);
  if (it == lookups_.end()) return;
  ActiveLookup& active = it->second;
  std::erase_if(active.records,
                [&](const auto& entry) { return !active.iterator.knows(entry.first); });
  while (const auto node = active.iterator.next()) {
    const RecordPtr record = active.records.at(*node);
    Question question{.purpose = CallFor::lookup,
                      .distances = kbucket::lookup_distances(*node, active.iterator.target()),
                      .lookup = lookup,
                      .max_tries = 1};
    if (ask_nodes(now, record, std::move(question)) == 0) active.iterator.on_failure(*node);
  }
  if (!active.iterator.finished()) return;
  LookupDone done{.lookup = lookup, .target = active.iterator.target(), .nearest = {}};
  for (const NodeId& id : active.iterator.closest()) done.nearest.push_back(active.records.at(id));
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
    // An old record, told again, must not lead us to where the node no longer is.
    const TableEntry* known = table_.find_any(found.id);
    const bool is_old = known != nullptr && known->record->seq() > found.record->seq();
    active.records.try_emplace(found.id, is_old ? known->record : found.record);
  }
  active.iterator.add(told);
  if (!ask_for_the_rest(now, active, call, records)) active.iterator.on_answer(call.to->id(), {});
  advance(now, call.question.lookup);
}

// The nearest nodes know each other; what one of them leaves out, the result may lack.
bool Engine::ask_for_the_rest(Now now, ActiveLookup& active, const Call& call,
                              const std::vector<FoundRecord>& records) {
  const Question& asked = call.question;
  if (records.empty() || !call.nodes.full() || asked.round + 1 >= kMaxLookupRounds) return false;
  if (!active.iterator.is_near(call.to->id())) return false;
  const unsigned distance = log_distance(call.to->id(), records.back().id);
  Question rest{.purpose = CallFor::lookup,
                .distances = kbucket::remaining_distances(asked.distances, distance),
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
    it->second.iterator.on_answer(call.to->id(), {});
  } else {
    it->second.iterator.on_failure(call.to->id());
  }
  advance(now, call.question.lookup);
}

}  // namespace ethnet::discv5
