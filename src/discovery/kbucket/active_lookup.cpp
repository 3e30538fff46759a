#include "active_lookup.hpp"

#include <utility>

namespace ethnet::kbucket {

const IpAddress& ip_of(const RecordPtr& node) { return node->endpoint().ip; }

std::vector<RecordPtr> lookup_seeds(const Table& table, const NodeId& target) {
  std::vector<RecordPtr> out;
  for (const bool with_claimed : {false, true}) {
    IpLimits limits{kMaxLookupPerSubnet};
    const std::size_t most = out.size() + kLookupResults;
    for (RecordPtr& record : table.closest(target, table.size(), with_claimed)) {
      if (out.size() == most) break;
      if (limits.add(ip_of(record))) out.push_back(std::move(record));
    }
  }
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
