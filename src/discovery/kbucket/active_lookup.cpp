#include "active_lookup.hpp"

namespace ethnet::kbucket {

std::vector<RecordPtr> lookup_seeds(const Table& table, const NodeId& target) {
  std::vector<RecordPtr> out = table.closest(target, kLookupResults, false);
  std::vector<RecordPtr> all = table.closest(target, kLookupResults, true);
  out.insert(out.end(), all.begin(), all.end());
  return out;
}

const RecordPtr& newest_of(const Table& table, const RecordPtr& told) {
  const TableEntry* known = table.find_any(told->id());
  return known != nullptr && known->record->seq() > told->seq() ? known->record : told;
}

ActiveLookup<RecordPtr> begin_lookup(const Table& table, const NodeId& target) {
  ActiveLookup<RecordPtr> out{table.self(), target};
  std::vector<NodeId> ids;
  for (const RecordPtr& record : lookup_seeds(table, target)) {
    ids.push_back(record->id());
    out.know(record->id(), record);
  }
  out.add(ids);
  return out;
}

}  // namespace ethnet::kbucket
