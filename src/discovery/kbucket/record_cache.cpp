#include "record_cache.hpp"

namespace ethnet::kbucket {

RecordPtr RecordCache::find(ByteView encoded) const {
  const auto it = records_.find(encoded);
  return it == records_.end() ? nullptr : it->second;
}

void RecordCache::add(const RecordPtr& record) {
  if (!records_.emplace(ByteView{record->encoded()}, record).second) return;
  order_.push_back(record);
  if (order_.size() <= kMaxCachedRecords) return;
  records_.erase(ByteView{order_.front()->encoded()});
  order_.pop_front();
}

}  // namespace ethnet::kbucket
