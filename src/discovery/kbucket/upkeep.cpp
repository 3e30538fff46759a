#include "upkeep.hpp"

#include <vector>

namespace ethnet::kbucket {

NodeId draw_target(Prng& prng) {
  NodeId id;
  for (std::size_t i = 0; i < id.bytes.size(); i += 8) {
    store_be<std::uint64_t>(MutByteView{id.bytes}.subspan(i, 8), prng.next());
  }
  return id;
}

bool knows_somebody(const Table& table) {
  bool found = false;
  table.for_each([&](const TableEntry& entry) { found = found || entry.relayable(); });
  return found;
}

RecordPtr pick_for_revalidation(const Table& table, Prng& prng) {
  std::vector<const TableEntry*> unsure;
  std::vector<const TableEntry*> sure;
  table.for_each(
      [&](const TableEntry& entry) { (entry.relayable() ? sure : unsure).push_back(&entry); });
  if (!unsure.empty() && (sure.empty() || prng.below(2) == 0)) {
    return unsure[prng.below(unsure.size())]->record;
  }
  if (sure.empty()) return nullptr;
  const TableEntry* a = sure[prng.below(sure.size())];
  const TableEntry* b = sure[prng.below(sure.size())];
  return (a->last_seen <= b->last_seen ? a : b)->record;
}

void Upkeep::set_refresh(Now now, Prng& prng, bool somebody) {
  if (!somebody) {
    refresh_at_ = now.mono + draw(prng, kBootMin, kBootMax) * (1 << lonely_tries_);
    lonely_tries_ = std::min(lonely_tries_ + 1, kBootDoublings);
    return;
  }
  lonely_tries_ = 0;
  const bool early = refreshes_ < kEarlyRefreshes;
  refresh_at_ = now.mono + (early ? draw(prng, kEarlyRefreshMin, kEarlyRefreshMax)
                                  : draw(prng, kRefreshMin, kRefreshMax));
}

}  // namespace ethnet::kbucket
