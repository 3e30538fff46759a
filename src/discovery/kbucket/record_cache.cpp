#include "record_cache.hpp"

#include <algorithm>

namespace ethnet::kbucket {
namespace {

// After the prefixes of the list and of the signature.
constexpr std::size_t kMarkAt = 5;

// Of a shorter one, which is no record: 0.
std::uint64_t mark_of(ByteView encoded) {
  if (encoded.size() < kMarkAt + sizeof(std::uint64_t)) return 0;
  return load_be<std::uint64_t>(encoded.subspan(kMarkAt, sizeof(std::uint64_t)));
}

}  // namespace

RecordCache::Entries::const_iterator RecordCache::place_of(ByteView encoded) const {
  const std::uint64_t mark = mark_of(encoded);
  return std::ranges::partition_point(records_, [&](const Entry& entry) {
    if (entry.mark != mark) return entry.mark < mark;
    return lex_less(entry.record->encoded(), encoded);
  });
}

bool RecordCache::is_at(Entries::const_iterator place, ByteView encoded) const {
  return place != records_.end() && equal(place->record->encoded(), encoded);
}

RecordPtr RecordCache::find(ByteView encoded) const {
  const auto place = place_of(encoded);
  return is_at(place, encoded) ? place->record : nullptr;
}

void RecordCache::add(const RecordPtr& record) {
  const ByteView encoded = record->encoded();
  if (is_at(place_of(encoded), encoded)) return;
  if (order_.size() == kMaxCachedRecords) {
    records_.erase(place_of(order_.front()->encoded()));
    order_.pop_front();
  }
  records_.insert(place_of(encoded), {mark_of(encoded), record});
  order_.push_back(record);
}

}  // namespace ethnet::kbucket
