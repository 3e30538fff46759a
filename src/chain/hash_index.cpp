#include "hash_index.hpp"

#include <utility>

namespace ethnet::chain {

void HashIndex::put(const Entry& entry) {
  std::size_t at = home_of(entry.tag);
  while (entries_[at].node != kEmpty) at = after(at);
  entries_[at] = entry;
}

void HashIndex::insert(const Hash32& hash, std::uint32_t node) {
  CHECK(node != kEmpty);
  if (2 * (size_ + 1) > entries_.size()) {
    const std::vector<Entry> old = std::exchange(entries_, std::vector<Entry>(2 * entries_.size()));
    for (const Entry& entry : old) {
      if (entry.node != kEmpty) put(entry);
    }
  }
  put({tag_of(hash), node});
  ++size_;
}

void HashIndex::erase(const Hash32& hash, std::uint32_t node) {
  std::size_t hole = home_of(tag_of(hash));
  while (entries_[hole].node != node) {
    CHECK(entries_[hole].node != kEmpty);
    hole = after(hole);
  }
  // Whatever follows without a gap and may lie in the hole moves there: no look-up ends early.
  for (std::size_t at = after(hole); entries_[at].node != kEmpty; at = after(at)) {
    const std::size_t mask = entries_.size() - 1;
    const std::size_t from_home = (at - home_of(entries_[at].tag)) & mask;
    if (from_home < ((at - hole) & mask)) continue;
    entries_[hole] = entries_[at];
    hole = at;
  }
  entries_[hole] = Entry{};
  --size_;
}

}  // namespace ethnet::chain
