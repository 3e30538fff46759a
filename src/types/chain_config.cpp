#include "chain_config.hpp"

namespace ethnet {
namespace {

constexpr std::array<std::string_view, kForkCount> kNames{"frontier",     "homestead",
                                                          "dao",          "tangerine whistle",
                                                          "eip-155",      "spurious dragon",
                                                          "byzantium",    "constantinople",
                                                          "petersburg",   "istanbul",
                                                          "muir glacier", "berlin",
                                                          "london",       "arrow glacier",
                                                          "gray glacier", "paris",
                                                          "shanghai",     "cancun",
                                                          "prague",       "osaka",
                                                          "bpo1",         "bpo2",
                                                          "bpo3",         "bpo4",
                                                          "bpo5",         "amsterdam"};
static_assert(static_cast<std::size_t>(Fork::amsterdam) + 1 == kForkCount);

constexpr Fork fork_of(std::size_t index) { return static_cast<Fork>(index); }

// Where a configuration names none: the values of the fork's own EIPs (4844, 7691).
constexpr BlobSchedule kCancunBlobs{3, 6, 3'338'477};
constexpr BlobSchedule kPragueBlobs{6, 9, 5'007'716};

}  // namespace

std::string_view to_string(Fork fork) { return kNames[static_cast<std::size_t>(fork)]; }

bool ChainConfig::is_active(Fork fork, std::uint64_t number, std::uint64_t time) const {
  if (fork == Fork::frontier) return true;
  if (fork == Fork::paris && terminal_total_difficulty && terminal_total_difficulty->is_zero()) {
    return true;
  }
  const auto begin = begin_of(fork);
  return begin && *begin <= (begins_at_time(fork) ? time : number);
}

Fork ChainConfig::active_fork(std::uint64_t number, std::uint64_t time) const {
  for (std::size_t i = kForkCount; i-- > 1;) {
    if (is_active(fork_of(i), number, time)) return fork_of(i);
  }
  return Fork::frontier;
}

std::optional<BlobSchedule> ChainConfig::blob_schedule_of(Fork fork) const {
  if (blobs_[index(fork)]) return blobs_[index(fork)];
  if (fork == Fork::cancun) return kCancunBlobs;
  if (fork == Fork::prague) return kPragueBlobs;
  return {};  // the fork keeps what holds before it
}

std::optional<BlobSchedule> ChainConfig::blob_schedule_at(std::uint64_t time) const {
  std::optional<BlobSchedule> latest;
  std::uint64_t latest_begin = 0;
  for (std::size_t i = index(Fork::cancun); i < kForkCount; ++i) {
    const auto begin = begin_of(fork_of(i));
    const auto schedule = blob_schedule_of(fork_of(i));
    if (!begin || *begin > time || !schedule || *begin < latest_begin) continue;
    latest = schedule;
    latest_begin = *begin;
  }
  return latest;
}

ForkSchedule ChainConfig::fork_schedule(const Hash32& genesis_hash,
                                        std::uint64_t genesis_time) const {
  std::vector<std::uint64_t> blocks;
  std::vector<std::uint64_t> times;
  for (std::size_t i = 1; i < kForkCount; ++i) {
    const auto begin = begin_of(fork_of(i));
    if (!begin) continue;
    (begins_at_time(fork_of(i)) ? times : blocks).push_back(*begin);
  }
  return {genesis_hash, genesis_time, std::move(blocks), std::move(times)};
}

}  // namespace ethnet
