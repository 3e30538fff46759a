// Records whose signature was judged lately. Nodes tell each other the same records over and over;
// one that is known byte for byte needs no second judgement. Forgets the oldest.
// One thread. Limit: kMaxCachedRecords.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "record.hpp"

namespace ethnet::kbucket {

// Above what a full table and a few look-ups hold; 300 bytes each.
inline constexpr std::size_t kMaxCachedRecords = 512;

class RecordCache {
 public:
  // Null when it is not there.
  [[nodiscard]] RecordPtr find(ByteView encoded) const;
  void add(const RecordPtr& record);
  [[nodiscard]] std::size_t size() const { return order_.size(); }

 private:
  // In the order of the marks, bytes of their signatures, and of two alike in that of the records:
  // most comparisons look at the marks alone.
  struct Entry {
    std::uint64_t mark = 0;
    RecordPtr record;
  };
  using Entries = std::vector<Entry>;
  // The first that is not before it.
  [[nodiscard]] Entries::const_iterator place_of(ByteView encoded) const;
  [[nodiscard]] bool is_at(Entries::const_iterator place, ByteView encoded) const;

  Entries records_;
  std::deque<RecordPtr> order_;  // the oldest first
};

}  // namespace ethnet::kbucket
