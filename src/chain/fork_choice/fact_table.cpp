#include "fact_table.hpp"

#include <base/check.hpp>

namespace ethnet::chain {
namespace {

// No header is shorter: its bloom and hashes alone take more.
constexpr std::size_t kLeastHeaderBytes = 500;

// A slot is new or was released; the tree gives new ones in order.
template <class T>
void put(std::deque<T>& table, NodeIndex index, const T& value) {
  CHECK(index <= table.size());
  if (index == table.size()) {
    table.push_back(value);
  } else {
    table[index] = value;
  }
}

}  // namespace

std::uint64_t FactTable::tree_share(std::uint64_t limit) const {
  const std::uint64_t here = bytes_per_header();
  if (here == 0) return limit;
  return limit - limit / (HeaderTree::cost_of(kLeastHeaderBytes) + here) * here;
}

void FactTable::add(NodeIndex index, NodeIndex parent, const HeaderView& header) {
  if (keeps_totals_) {
    const TotalDifficulty below = parent == kNoNode ? TotalDifficulty{} : totals_[parent];
    put(totals_, index, below + TotalDifficulty::of(header.difficulty));
  }
  if (keeps_facts_) {
    BlockFacts facts{.timestamp = header.timestamp, .producer = {}};
    copy_into(facts.producer.bytes, header.beneficiary);
    put(facts_, index, facts);
  }
}

const TotalDifficulty& FactTable::total_difficulty(NodeIndex index) const {
  CHECK(keeps_totals_);
  return totals_[index];
}

const BlockFacts& FactTable::facts(NodeIndex index) const {
  CHECK(keeps_facts_);
  return facts_[index];
}

}  // namespace ethnet::chain
