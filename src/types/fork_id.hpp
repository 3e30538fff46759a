// ForkId and the filter over it: which chain, and which of its forks, a node is on.
// EIP-2124 (CRC-32 over the genesis hash and the fork numbers passed), EIP-6122 (fork times too).
// Threading: values; a ForkSchedule is immutable after it is made.
// Limits: a schedule comes from local configuration and holds a few dozen forks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <codec/rlp_reader.hpp>
#include <codec/rlp_writer.hpp>

#include "hash.hpp"

namespace ethnet {

struct ForkId {
  ByteArray<4> hash{};
  std::uint64_t next = 0;  // block number or time of the next known fork; 0: none known

  // The next item of `in`: [hash, next], nothing else. On error `in` stays. Errors: rlp::RlpError.
  [[nodiscard]] static Result<ForkId> decode(rlp::Reader& in);
  void encode(rlp::Writer& out) const;
  [[nodiscard]] std::string to_string() const;  // "0xfc64ec04/1150000"
  friend bool operator==(const ForkId&, const ForkId&) = default;
};

enum class ForkIdVerdict : std::uint8_t {
  accept,
  remote_stale,       // the remote must update: it does not know a fork that we passed
  local_incompatible  // another chain, or we are the one who must update
};
[[nodiscard]] std::string_view to_string(ForkIdVerdict);

// A next fork above this can be a time as well as a block number (mainnet's genesis time).
inline constexpr std::uint64_t kForkTimeThreshold = 1'438'269'973;

class ForkSchedule {
 public:
  // The forks of a chain's configuration in any order. Duplicates, block 0 and times up to
  // genesis_time (active from the beginning) do not count.
  ForkSchedule(const Hash32& genesis_hash, std::uint64_t genesis_time,
               std::vector<std::uint64_t> fork_blocks, std::vector<std::uint64_t> fork_times);

  // What a node whose head has this number and timestamp announces.
  [[nodiscard]] ForkId fork_id(std::uint64_t head_number, std::uint64_t head_time) const;
  // The judgement of that node on a remote's announcement.
  [[nodiscard]] ForkIdVerdict judge(const ForkId& remote, std::uint64_t head_number,
                                    std::uint64_t head_time) const;

  // The forks that count, ascending.
  [[nodiscard]] const std::vector<std::uint64_t>& fork_blocks() const { return blocks_; }
  [[nodiscard]] const std::vector<std::uint64_t>& fork_times() const { return times_; }

 private:
  [[nodiscard]] std::size_t passed(std::uint64_t head_number, std::uint64_t head_time) const;
  [[nodiscard]] std::uint64_t fork_at(std::size_t index) const;

  std::vector<std::uint64_t> blocks_;
  std::vector<std::uint64_t> times_;
  std::vector<std::uint32_t> checksums_;  // before any fork, after the first, ...
};

}  // namespace ethnet
