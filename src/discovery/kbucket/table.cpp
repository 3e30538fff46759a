#include "table.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "scope.hpp"

namespace ethnet::kbucket {
namespace {

// Who of two makes way first: less standing, then one that failed, then the newer, since a node
// that was there long will most likely be there tomorrow (Kademlia, 4.1).
bool weaker(const TableEntry& a, const TableEntry& b) {
  if (a.standing != b.standing) return a.standing < b.standing;
  if (a.failures != b.failures) return a.failures > b.failures;
  return a.added > b.added;
}

bool of_one_subnet(const IpAddress& a, const IpAddress& b) {
  const auto subnet = limited_subnet(a);
  return subnet && subnet == limited_subnet(b);
}

const TableEntry* weakest_of(const std::vector<TableEntry>& list, const IpAddress* subnet) {
  const TableEntry* found = nullptr;
  for (const TableEntry& entry : list) {
    if (subnet != nullptr && !of_one_subnet(*subnet, entry.record->endpoint().ip)) continue;
    if (found == nullptr || weaker(entry, *found)) found = &entry;
  }
  return found;
}

void note_seen(TableEntry& entry, Now now) {
  entry.failures = 0;
  ++entry.checks;
  entry.last_seen = now.mono;
  entry.last_seen_wall = now.wall;
}

}  // namespace

Table::Table(const NodeId& self) : self_{self} {}

std::size_t Table::bucket_index(const NodeId& id) const {
  const unsigned distance = log_distance(self_, id);
  return distance <= kLowestDistance ? 0 : distance - kLowestDistance;
}

Table::Entries::iterator Table::position(Entries& list, const NodeId& id) {
  return std::ranges::find_if(list, [&](const TableEntry& entry) { return entry.id() == id; });
}

AddOutcome Table::add(Now now, const RecordPtr& record, Standing standing) {
  CHECK(record != nullptr);
  if (record->id() == self_) return AddOutcome::ourselves;
  if (scope_of(record->endpoint().ip) == Scope::special) return AddOutcome::special_address;
  if (!admits(record->endpoint().ip)) return AddOutcome::other_net;
  Bucket& bucket = buckets_[bucket_index(record->id())];
  for (const bool is_replacement : {false, true}) {
    Entries& list = is_replacement ? bucket.replacements : bucket.entries;
    const auto it = position(list, record->id());
    if (it == list.end()) continue;
    return update(now, bucket, it, is_replacement, record, standing);
  }
  TableEntry entry{.record = record,
                   .standing = standing,
                   .added = now.mono,
                   .last_seen = {},
                   .last_seen_wall = {}};
  if (standing != Standing::claimed) note_seen(entry, now);
  return insert(bucket, std::move(entry));
}

AddOutcome Table::update(Now now, Bucket& bucket, Entries::iterator it, bool is_replacement,
                         const RecordPtr& record, Standing standing) {
  if (record->seq() < it->record->seq()) return AddOutcome::stale;
  const bool newer = record->seq() > it->record->seq();
  const bool moved = newer && record->endpoint() != it->record->endpoint();
  TableEntry entry = *it;
  if (newer) entry.record = record;
  if (moved) {
    entry.standing = Standing::claimed;
    entry.failures = 0;
    entry.checks = 0;
  }
  // Of two records with one number the first one stays, and what was seen at the other's address
  // says nothing about this one's.
  if (standing != Standing::claimed && entry.record->endpoint() == record->endpoint()) {
    note_seen(entry, now);
    entry.standing = std::max(entry.standing, standing);
  }
  const bool changed = newer || entry.standing != it->standing;
  if (!moved && !(is_replacement && changed)) {
    *it = std::move(entry);
    return changed ? AddOutcome::updated : AddOutcome::unchanged;
  }
  // It competes for a place again: at another address, or with a standing that it did not have.
  if (is_replacement) {
    bucket.replacements.erase(it);
  } else {
    take_out(bucket, it);
  }
  const AddOutcome outcome = insert(bucket, std::move(entry));
  promote(bucket);
  return outcome == AddOutcome::added ? AddOutcome::updated : outcome;
}

std::optional<std::vector<NodeId>> Table::who_makes_way(const Bucket& bucket,
                                                        const TableEntry& newcomer,
                                                        AddOutcome& why_not) const {
  const IpAddress& ip = newcomer.record->endpoint().ip;
  std::vector<NodeId> leaving;
  const auto leave = [&](const TableEntry* entry) {
    if (entry == nullptr || entry->standing >= newcomer.standing) return false;
    leaving.push_back(entry->id());
    return true;
  };
  if (!bucket.limits.has_room(ip) && !leave(weakest_of(bucket.entries, &ip))) {
    why_not = AddOutcome::subnet_limit;
    return std::nullopt;
  }
  // Who leaves this bucket's share of the subnet leaves the table's too.
  if (!limits_.has_room(ip) && leaving.empty()) {
    const TableEntry* weakest = nullptr;
    for (const Bucket& other : buckets_) {
      const TableEntry* candidate = weakest_of(other.entries, &ip);
      if (candidate == nullptr) continue;
      if (weakest == nullptr || weaker(*candidate, *weakest)) weakest = candidate;
    }
    if (!leave(weakest)) {
      why_not = AddOutcome::subnet_limit;
      return std::nullopt;
    }
  }
  const auto leaves_here = [&](const TableEntry& entry) {
    return std::ranges::find(leaving, entry.id()) != leaving.end();
  };
  const bool full = bucket.entries.size() >= kMaxBucketEntries &&
                    std::ranges::none_of(bucket.entries, leaves_here);
  if (full && !leave(weakest_of(bucket.entries, nullptr))) {
    why_not = AddOutcome::full;
    return std::nullopt;
  }
  return leaving;
}

AddOutcome Table::insert(Bucket& bucket, TableEntry entry) {
  AddOutcome why_not = AddOutcome::full;
  const auto leaving = who_makes_way(bucket, entry, why_not);
  if (!leaving) {
    return why_not == AddOutcome::full ? insert_replacement(bucket, std::move(entry)) : why_not;
  }
  for (const NodeId& id : *leaving) {
    Bucket& theirs = buckets_[bucket_index(id)];
    const auto it = position(theirs.entries, id);
    CHECK(it != theirs.entries.end());
    TableEntry loser = *it;
    take_out(theirs, it);
    static_cast<void>(insert_replacement(theirs, std::move(loser)));
  }
  const IpAddress& ip = entry.record->endpoint().ip;
  const bool has_room = bucket.limits.add(ip) && limits_.add(ip);
  CHECK(has_room && bucket.entries.size() < kMaxBucketEntries);
  bucket.entries.push_back(std::move(entry));
  ++size_;
  return AddOutcome::added;
}

AddOutcome Table::insert_replacement(Bucket& bucket, TableEntry entry) {
  // The same share of the list as of the bucket, or one network would own the list.
  const IpAddress& ip = entry.record->endpoint().ip;
  const auto of_its_subnet = std::ranges::count_if(bucket.replacements, [&](const TableEntry& r) {
    return of_one_subnet(ip, r.record->endpoint().ip);
  });
  const bool crowded = static_cast<std::size_t>(of_its_subnet) >= kMaxBucketPerSubnet;
  if (crowded || bucket.replacements.size() >= kMaxReplacements) {
    // Of equals the oldest claim goes: what was heard last is most likely still true.
    const TableEntry* oldest = nullptr;
    for (const TableEntry& other : bucket.replacements) {
      if (crowded && !of_one_subnet(ip, other.record->endpoint().ip)) continue;
      if (oldest == nullptr || other.standing < oldest->standing) oldest = &other;
    }
    CHECK(oldest != nullptr);
    if (oldest->standing > entry.standing) {
      return crowded ? AddOutcome::subnet_limit : AddOutcome::full;
    }
    bucket.replacements.erase(position(bucket.replacements, oldest->id()));
  }
  bucket.replacements.push_back(std::move(entry));
  return AddOutcome::replacement;
}

void Table::take_out(Bucket& bucket, Entries::iterator it) {
  const IpAddress ip = it->record->endpoint().ip;
  bucket.limits.remove(ip);
  limits_.remove(ip);
  bucket.entries.erase(it);
  --size_;
}

// Free places go to those who wait, the highest standing first, then the newest.
void Table::promote(Bucket& bucket) {
  while (bucket.entries.size() < kMaxBucketEntries) {
    auto best = bucket.replacements.end();
    for (auto it = bucket.replacements.begin(); it != bucket.replacements.end(); ++it) {
      const IpAddress& ip = it->record->endpoint().ip;
      if (!bucket.limits.has_room(ip) || !limits_.has_room(ip)) continue;
      if (best == bucket.replacements.end() || it->standing >= best->standing) best = it;
    }
    if (best == bucket.replacements.end()) return;
    TableEntry entry = std::move(*best);
    bucket.replacements.erase(best);
    const AddOutcome outcome = insert(bucket, std::move(entry));
    CHECK(outcome == AddOutcome::added);
  }
}

bool Table::seen(Now now, const NodeId& id, const Endpoint& endpoint, Standing standing) {
  const TableEntry* entry = find_any(id);
  if (entry == nullptr) return false;
  const RecordPtr record = entry->record;
  if (record->endpoint() == endpoint) static_cast<void>(add(now, record, standing));
  return true;
}

AddOutcome Table::restore(Now now, const RecordPtr& record) {
  const bool is_new = find_any(record->id()) == nullptr;
  const AddOutcome outcome = add(now, record, Standing::claimed);
  Bucket& bucket = buckets_[bucket_index(record->id())];
  for (Entries* list : {&bucket.entries, &bucket.replacements}) {
    const auto it = position(*list, record->id());
    if (it != list->end() && is_new) it->checks = 1;
  }
  return outcome;
}

bool Table::failed(Now now, const NodeId& id, bool may_remove) {
  Bucket& bucket = buckets_[bucket_index(id)];
  for (Entries* list : {&bucket.entries, &bucket.replacements}) {
    const auto it = position(*list, id);
    if (it == list->end()) continue;
    // What was only claimed was wrong; nobody has to be given a second chance.
    const bool is_bare_claim = it->checks == 0;
    it->failures = std::min(it->failures + 1, kMaxNodeFailures);
    if (!is_bare_claim && (!may_remove || it->failures < kMaxNodeFailures)) return true;
    remove(now, id);
    return false;
  }
  return false;
}

void Table::remove(Now, const NodeId& id) {
  Bucket& bucket = buckets_[bucket_index(id)];
  std::erase_if(bucket.replacements, [&](const TableEntry& r) { return r.id() == id; });
  const auto it = position(bucket.entries, id);
  if (it == bucket.entries.end()) return;
  take_out(bucket, it);
  promote(bucket);
}

const TableEntry* Table::find(const NodeId& id) const {
  const Bucket& bucket = buckets_[bucket_index(id)];
  const auto it = std::ranges::find_if(bucket.entries,
                                       [&](const TableEntry& entry) { return entry.id() == id; });
  return it == bucket.entries.end() ? nullptr : &*it;
}

const TableEntry* Table::find_any(const NodeId& id) const {
  const Bucket& bucket = buckets_[bucket_index(id)];
  for (const Entries* list : {&bucket.entries, &bucket.replacements}) {
    const auto it =
        std::ranges::find_if(*list, [&](const TableEntry& entry) { return entry.id() == id; });
    if (it != list->end()) return &*it;
  }
  return nullptr;
}

std::vector<RecordPtr> Table::closest(const NodeId& target, std::size_t count,
                                      bool with_claimed) const {
  std::vector<RecordPtr> out;
  out.reserve(size_);
  for_each([&](const TableEntry& entry) {
    if (with_claimed || entry.relayable()) out.push_back(entry.record);
  });
  const auto nearer = [&](const RecordPtr& a, const RecordPtr& b) {
    return closer(target, a->id(), b->id());
  };
  std::ranges::sort(out, nearer);
  if (out.size() > count) out.resize(count);
  return out;
}

std::vector<RecordPtr> Table::relayable_at(unsigned distance) const {
  std::vector<RecordPtr> out;
  if (distance == 0 || distance > 256) return out;
  const std::size_t index = distance <= kLowestDistance ? 0 : distance - kLowestDistance;
  for (const TableEntry& entry : buckets_[index].entries) {
    if (!entry.relayable() || log_distance(self_, entry.id()) != distance) continue;
    out.push_back(entry.record);
  }
  return out;
}

std::vector<const TableEntry*> Table::seen_last_first() const {
  std::vector<const TableEntry*> out;
  for_each([&](const TableEntry& entry) {
    if (entry.checks > 0) out.push_back(&entry);
  });
  std::ranges::sort(out, [](const TableEntry* a, const TableEntry* b) {
    if (a->last_seen != b->last_seen) return a->last_seen > b->last_seen;
    return a->id() < b->id();
  });
  return out;
}

std::size_t Table::replacements() const {
  std::size_t sum = 0;
  for (const Bucket& bucket : buckets_) sum += bucket.replacements.size();
  return sum;
}

std::string_view Table::broken() const {
  IpLimits all{kMaxTablePerSubnet};
  std::size_t count = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    const Bucket& bucket = buckets_[i];
    if (bucket.entries.size() > kMaxBucketEntries) return "bucket above its limit";
    if (bucket.replacements.size() > kMaxReplacements) return "replacements above their limit";
    IpLimits mine{kMaxBucketPerSubnet};
    for (const TableEntry& entry : bucket.entries) {
      ++count;
      const IpAddress& ip = entry.record->endpoint().ip;
      if (entry.id() == self_) return "we are in our own table";
      if (bucket_index(entry.id()) != i) return "a node in another bucket than its own";
      if (!mine.add(ip)) return "more of one subnet in a bucket than allowed";
      if (!all.add(ip)) return "more of one subnet in the table than allowed";
      const auto same = [&](const TableEntry& other) { return other.id() == entry.id(); };
      if (std::ranges::count_if(bucket.entries, same) != 1) return "a node twice in a bucket";
      if (std::ranges::any_of(bucket.replacements, same)) return "a node beside its replacement";
      if (bucket.limits.count(ip) != 0 && limits_.count(ip) == 0) return "counts that differ";
    }
    if (mine.subnets() != bucket.limits.subnets()) return "a bucket's count of subnets is wrong";
  }
  if (count != size_) return "the count of nodes is wrong";
  if (all.subnets() != limits_.subnets()) return "the table's count of subnets is wrong";
  return {};
}

}  // namespace ethnet::kbucket
