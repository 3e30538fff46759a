// Records whose signature was judged lately. Nodes tell each other the same records over and over;
// one that is known byte for byte needs no second judgement. Forgets the oldest.
// One thread. Limit: kMaxCachedRecords.
#pragma once

#include <deque>
#include <map>

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
  struct LexLess {
    bool operator()(ByteView a, ByteView b) const { return lex_less(a, b); }
  };

  std::map<ByteView, RecordPtr, LexLess> records_;  // a key is a view of its own record
  std::deque<RecordPtr> order_;
};

}  // namespace ethnet::kbucket
