// Look-ups, and what keeps the table alive: who is noted there, refresh, revalidation.
#include <algorithm>
#include <utility>

#include <crypto/keccak.hpp>

#include "engine.hpp"

namespace ethnet::discv4 {
namespace {

using kbucket::TableEntry;

NodeId id_of(const KeyBytes& key) { return NodeId{crypto::keccak256(key)}; }

// The port of RLPx of a record.
std::uint16_t tcp_of(const RecordPtr& record) {
  const auto enr = Enr::decode(record->encoded());
  CHECK(enr.has_value());
  const auto tcp6 = record->endpoint().ip.is_v4() ? std::nullopt : enr->tcp6();
  return tcp6.value_or(enr->tcp().value_or(0));
}

}  // namespace

std::uint64_t Engine::start_lookup(Now now, const KeyBytes& target) noexcept {
  const std::uint64_t command = next_command();
  return begin_lookup(now, target, command) ? command : 0;
}

std::uint64_t Engine::start_random_lookup(Now now) noexcept {
  KeyBytes target{};
  rng_.fill(target);
  return start_lookup(now, target);
}

void Engine::bootstrap(Now now, std::span<const V4Node> nodes) noexcept {
  for (const V4Node& node : nodes) {
    if (boot_nodes_.size() < kMaxDiscv4BootNodes && node.id != self_) boot_nodes_.push_back(node);
  }
  if (config_.keeps_table) refresh(now);
}

bool Engine::begin_lookup(Now now, const KeyBytes& target, std::uint64_t command) {
  if (lookups_.size() >= kMaxDiscv4Lookups) {
    ++counters_.lookups_refused;
    return false;
  }
  ++counters_.lookups;
  const std::uint64_t number = next_lookup_++;
  ActiveLookup lookup{
      .command = command, .target = target, .nodes = {self_, id_of(target)}, .places = {}};
  seed(now, lookup);
  lookups_.emplace(number, std::move(lookup));
  advance_lookup(now, number);
  return true;
}

void Engine::seed(Now now, ActiveLookup& active) {
  std::vector<NodeId> ids;
  const auto add = [&](const V4Node& node) {
    ids.push_back(node.id);
    static_cast<void>(learn_place(now, active, node));
    active.nodes.know(node.id, first_place(active, node));
  };
  for (const RecordPtr& record : kbucket::lookup_seeds(table_, active.nodes.target())) {
    if (const V4Node* node = member(record)) {
      add(*node);
    } else {
      const Endpoint& at = record->endpoint();
      add({record->public_key(), record->id(), {at.ip, at.port, tcp_of(record)}});
    }
  }
  if (ids.size() < kbucket::kLookupResults) std::ranges::for_each(boot_nodes_, add);
  active.nodes.add(ids);
}

void Engine::advance_lookup(Now now, std::uint64_t number) {
  const auto it = lookups_.find(number);
  if (it == lookups_.end()) return;
  ActiveLookup& active = it->second;
  active.nodes.ask_next(
      [&](const NodeId&, const V4Node& node) { return ask_everywhere(now, number, active, node); });
  if (!active.nodes.finished()) return;
  LookupDone done{.command = active.command,
                  .target = active.nodes.target(),
                  .nearest = active.nodes.nearest()};
  lookups_.erase(it);
  if (done.command != 0) emit(std::move(done));
}

NamedBy Engine::named_by(const V4Node& node) const {
  const bool is_boot_node = std::ranges::find(boot_nodes_, node) != boot_nodes_.end();
  return is_boot_node ? NamedBy::us : NamedBy::others;
}

// What others tell may be old, or a lie: it counts beside what the node itself has shown.
bool Engine::learn_place(Now now, ActiveLookup& active, const V4Node& told) {
  std::vector<Place>& places = active.places[told.id].places;
  const auto learn = [&](const Place& at) {
    const bool is_known = std::ranges::any_of(
        places, [&](const Place& other) { return other.endpoint() == at.endpoint(); });
    if (is_known || places.size() >= kMaxPlacesPerNode) return false;
    places.push_back(at);
    return true;
  };
  std::optional<Place> of_record;  // its port of RLPx is signed
  if (const TableEntry* const entry = table_.find_any(told.id)) {
    const Endpoint& at = entry->record->endpoint();
    of_record = Place{at.ip, at.port, tcp_of(entry->record)};
  }
  bool has_learnt = false;
  if (const auto at = bonds_.place_of(now, told.id)) {
    const bool is_in_record = of_record && of_record->endpoint() == *at;
    has_learnt |= learn(is_in_record ? *of_record : Place{at->ip, at->port, told.at.tcp});
  }
  if (of_record) has_learnt |= learn(*of_record);
  has_learnt |= learn(told.at);
  return has_learnt;
}

V4Node Engine::first_place(const ActiveLookup& active, const V4Node& node) const {
  return {node.key, node.id, active.places.at(node.id).places.front()};
}

bool Engine::ask_everywhere(Now now, std::uint64_t number, ActiveLookup& active,
                            const V4Node& node) {
  Whereabouts& where = active.places.at(node.id);
  bool is_asked = false;
  for (const Place& place : std::span{where.places}.subspan(where.tried)) {
    const V4Node there{node.key, node.id, place};
    if (is_asked) {
      knock(now, there, named_by(there));
    } else {
      is_asked =
          ask(now, there, AskNodes{.lookup = number, .target = active.target}, named_by(there));
    }
  }
  if (is_asked) where.tried = where.places.size();
  return is_asked;
}

// Of one that this look-up is asking.
void Engine::knock_at_new_places(Now now, ActiveLookup& active, const V4Node& node) {
  Whereabouts& where = active.places.at(node.id);
  if (where.tried == 0) return;
  for (; where.tried < where.places.size(); ++where.tried) {
    const V4Node there{node.key, node.id, where.places[where.tried]};
    if (!knock(now, there, named_by(there))) return;
  }
}

void Engine::on_nodes(Now now, std::uint64_t number, const V4Node& from,
                      std::span<const V4Node> nodes) {
  const auto it = lookups_.find(number);
  if (it == lookups_.end()) return;
  ActiveLookup& active = it->second;
  std::vector<NodeId> ids;
  std::vector<V4Node> at_new_places;
  for (const V4Node& node : nodes) {
    ids.push_back(node.id);
    if (learn_place(now, active, node)) at_new_places.push_back(node);
    active.nodes.know(node.id, first_place(active, node));
  }
  active.nodes.on_answer_at(from.id, from, ids);
  for (const V4Node& node : at_new_places) {
    const bool was_in_vain = active.nodes.know_again(node.id, node);
    if (!was_in_vain) knock_at_new_places(now, active, node);
  }
  advance_lookup(now, number);
}

void Engine::on_lookup_failure(Now now, std::uint64_t number, const NodeId& from) {
  const auto it = lookups_.find(number);
  if (it == lookups_.end()) return;
  it->second.nodes.on_failure(from);
  advance_lookup(now, number);
}

// --- the table ---

void Engine::note(Now now, const RecordPtr& record, const V4Node& node, Standing standing) {
  const TableEntry* const before = table_.find_any(record->id());
  const bool was_relayable = before != nullptr && before->relayable();
  static_cast<void>(table_.add(now, record, standing));
  const TableEntry* const after = table_.find_any(record->id());
  if (after == nullptr || after->record->endpoint() != node.at.endpoint()) return;
  remember_member({node.key, node.id, {node.at.ip, node.at.udp, tcp_of(after->record)}});
  if (after->relayable() && !was_relayable) emit(NodeSeen{after->record, after->standing});
}

// It answered us, or asked and is proven. Where its record says that it is there, it is alive.
void Engine::note_alive(Now now, const V4Node& node, Standing standing) {
  const TableEntry* const entry = table_.find_any(node.id);
  if (entry == nullptr || entry->record->endpoint() != node.at.endpoint()) return;
  note(now, RecordPtr{entry->record}, node, standing);
}

// A node that does not say that it has one (EIP-868) is not asked.
bool Engine::wants_record(const NodeId& node, const std::optional<std::uint64_t>& enr_seq) const {
  if (!enr_seq) return false;
  const TableEntry* const entry = table_.find_any(node);
  return entry == nullptr || entry->record->seq() < *enr_seq;
}

const V4Node* Engine::member(const RecordPtr& record) const {
  const auto it = members_.find(record->id());
  const bool is_there = it != members_.end() && it->second.at.endpoint() == record->endpoint();
  return is_there ? &it->second : nullptr;
}

void Engine::remember_member(const V4Node& node) {
  members_.insert_or_assign(node.id, node);
  if (members_.size() <= kMaxMembers) return;
  std::erase_if(members_,
                [&](const auto& entry) { return table_.find_any(entry.first) == nullptr; });
}

// --- upkeep ---

void Engine::refresh(Now now) {
  const bool has_somebody = !members_.empty();
  const bool early = refreshes_ < kbucket::kEarlyRefreshes || !has_somebody;
  refresh_at_ =
      now.mono + (early ? kbucket::draw(prng_, kFirstRefreshMin, kFirstRefreshMax)
                        : kbucket::draw(prng_, kbucket::kRefreshMin, kbucket::kRefreshMax));
  if (!has_somebody && boot_nodes_.empty() && table_.size() == 0) return;
  KeyBytes target = own_key_;  // first our own neighbourhood, then anywhere
  if (refreshes_++ != 0) rng_.fill(target);
  static_cast<void>(begin_lookup(now, target, 0));
}

// Of two drawn, the one that was not heard of for longer.
void Engine::revalidate(Now now) {
  revalidate_at_ =
      now.mono + kbucket::draw(prng_, kbucket::kRevalidateMin, kbucket::kRevalidateMax);
  std::erase_if(members_, [&](const auto& entry) {
    const TableEntry* const there = table_.find_any(entry.first);
    return there == nullptr || member(there->record) == nullptr;
  });
  if (members_.empty()) return;
  const auto drawn = [&] {
    const auto steps = static_cast<std::ptrdiff_t>(prng_.below(members_.size()));
    return std::next(members_.begin(), steps);
  };
  const auto a = drawn();
  const auto b = drawn();
  const bool a_first = table_.find_any(a->first)->last_seen <= table_.find_any(b->first)->last_seen;
  const V4Node node = a_first ? a->second : b->second;
  // Not while it is being asked elsewhere: that it answers there does not make its record right.
  const AskPing ping{.command = 0, .of_this_place = true};
  if (ask(now, node, ping, NamedBy::us)) ++counters_.revalidations;
}

}  // namespace ethnet::discv4
