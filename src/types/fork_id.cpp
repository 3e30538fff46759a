#include "fork_id.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ethnet {
namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1) != 0 ? 0xedb8'8320U ^ (value >> 1) : value >> 1;
    }
    table[i] = value;
  }
  return table;
}

// CRC-32 (IEEE 802.3) of what gave `checksum` followed by `more`; 0 is that of nothing.
std::uint32_t crc32(std::uint32_t checksum, ByteView more) {
  static constexpr auto kTable = make_crc_table();
  std::uint32_t state = ~checksum;
  for (const std::byte b : more) {
    state = kTable[(state ^ std::to_integer<std::uint32_t>(b)) & 0xff] ^ (state >> 8);
  }
  return ~state;
}

void normalise(std::vector<std::uint64_t>& forks, std::uint64_t active_up_to) {
  std::ranges::sort(forks);
  const auto duplicates = std::ranges::unique(forks);
  forks.erase(duplicates.begin(), duplicates.end());
  std::erase_if(forks, [=](std::uint64_t fork) { return fork <= active_up_to; });
}

}  // namespace

Result<ForkId> ForkId::decode(rlp::Reader& in) {
  rlp::Reader after = in;
  rlp::Reader list = TRY(after.enter_list());
  ForkId out;
  TRY(list.read_into(out.hash));
  out.next = TRY(list.read_uint<std::uint64_t>());
  TRY(list.expect_end());
  in = after;
  return out;
}

void ForkId::encode(rlp::Writer& out) const {
  const auto list = out.begin_list();
  out.write_bytes(hash);
  out.write_uint(next);
  out.end_list(list);
}

std::string ForkId::to_string() const { return fmt::format("{}/{}", to_hex_0x(hash), next); }

std::string_view to_string(ForkIdVerdict verdict) {
  switch (verdict) {
    case ForkIdVerdict::accept:
      return "accept";
    case ForkIdVerdict::remote_stale:
      return "remote stale";
    case ForkIdVerdict::local_incompatible:
      return "local incompatible or stale";
  }
  return "unknown";
}

ForkSchedule::ForkSchedule(const Hash32& genesis_hash, std::uint64_t genesis_time,
                           std::vector<std::uint64_t> fork_blocks,
                           std::vector<std::uint64_t> fork_times)
    : blocks_{std::move(fork_blocks)}, times_{std::move(fork_times)} {
  normalise(blocks_, 0);
  normalise(times_, genesis_time);
  checksums_.push_back(crc32(0, genesis_hash.view()));
  for (std::size_t i = 0; i < blocks_.size() + times_.size(); ++i) {
    ByteArray<8> digits{};
    store_be(digits, fork_at(i));
    checksums_.push_back(crc32(checksums_.back(), digits));
  }
}

std::uint64_t ForkSchedule::fork_at(std::size_t index) const {
  if (index < blocks_.size()) return blocks_[index];
  return times_[index - blocks_.size()];
}

// How many forks a head has passed. Times count only once every block fork is passed.
std::size_t ForkSchedule::passed(std::uint64_t head_number, std::uint64_t head_time) const {
  std::size_t count = 0;
  while (count < blocks_.size() && blocks_[count] <= head_number) ++count;
  if (count < blocks_.size()) return count;
  for (const std::uint64_t time : times_) {
    if (time > head_time) break;
    ++count;
  }
  return count;
}

ForkId ForkSchedule::fork_id(std::uint64_t head_number, std::uint64_t head_time) const {
  const std::size_t count = passed(head_number, head_time);
  ForkId out;
  store_be(out.hash, checksums_[count]);
  if (count + 1 < checksums_.size()) out.next = fork_at(count);
  return out;
}

// The four rules of EIP-2124, "validation rules".
ForkIdVerdict ForkSchedule::judge(const ForkId& remote, std::uint64_t head_number,
                                  std::uint64_t head_time) const {
  const auto theirs = load_be<std::uint32_t>(remote.hash);
  const std::size_t count = passed(head_number, head_time);
  if (checksums_[count] == theirs) {
    // Same state: they must not announce as future a fork that we passed without noticing.
    // A chain without time forks counts in blocks for ever.
    const bool in_blocks = count < blocks_.size() || times_.empty();
    const std::uint64_t head = in_blocks ? head_number : head_time;
    const bool passed_by_head = head >= remote.next;
    const bool passed_by_time = remote.next > kForkTimeThreshold && head_time >= remote.next;
    const bool missed = remote.next > 0 && (passed_by_head || passed_by_time);
    return missed ? ForkIdVerdict::local_incompatible : ForkIdVerdict::accept;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (checksums_[i] != theirs) continue;
    // They are behind: fine while they know where our next fork after theirs was.
    return fork_at(i) == remote.next ? ForkIdVerdict::accept : ForkIdVerdict::remote_stale;
  }
  for (std::size_t i = count + 1; i < checksums_.size(); ++i) {
    if (checksums_[i] == theirs) return ForkIdVerdict::accept;  // they are ahead of us
  }
  return ForkIdVerdict::local_incompatible;
}

}  // namespace ethnet
