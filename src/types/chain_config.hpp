// ChainConfig: which fork is active where, and the blob parameters of each. Data only; the header
// rules that follow from it are in chain/.
// EIP-7892 (blob-parameter-only forks), EIP-7840 (blob schedule in configuration).
// Threading: a value, not changed after it is read. Limits: local configuration, fixed size.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fork_id.hpp"
#include "hash.hpp"
#include "uint256.hpp"

namespace ethnet {

// In the order in which a chain passes them. Up to paris they begin at a block, then at a time.
enum class Fork : std::uint8_t {
  frontier,
  homestead,
  dao,
  tangerine_whistle,
  eip155,
  spurious_dragon,
  byzantium,
  constantinople,
  petersburg,
  istanbul,
  muir_glacier,
  berlin,
  london,
  arrow_glacier,
  gray_glacier,
  paris,  // the merge
  shanghai,
  cancun,
  prague,
  osaka,
  bpo1,
  bpo2,
  bpo3,
  bpo4,
  bpo5,
  amsterdam
};
inline constexpr std::size_t kForkCount = 26;
[[nodiscard]] std::string_view to_string(Fork);
// Whether it begins at a timestamp (true) or at a block number (false).
[[nodiscard]] constexpr bool begins_at_time(Fork fork) { return fork >= Fork::shanghai; }

struct BlobSchedule {
  std::uint64_t target = 0;  // blobs a block
  std::uint64_t max = 0;     // blobs a block
  std::uint64_t base_fee_update_fraction = 0;
  friend bool operator==(const BlobSchedule&, const BlobSchedule&) = default;
};

class ChainConfig {
 public:
  std::uint64_t chain_id = 0;
  std::optional<Uint256> terminal_total_difficulty;
  // Of a laboratory: a block before the merge has whatever difficulty it states. No file sets it.
  bool free_difficulty = false;

  // Block number or time at which a fork begins; nothing when the chain does not have it.
  [[nodiscard]] std::optional<std::uint64_t> begin_of(Fork fork) const {
    return begin_[index(fork)];
  }
  void set_begin(Fork fork, std::uint64_t block_or_time) { begin_[index(fork)] = block_or_time; }
  void set_blob_schedule(Fork fork, BlobSchedule schedule) { blobs_[index(fork)] = schedule; }

  // The greatest fork whose rules hold for a header of this number and timestamp. Blob-parameter
  // forks count: compare with >=, never with ==. The merge itself has no number in a configuration:
  // paris holds from mergeNetsplitBlock on, from genesis where the terminal total difficulty is 0,
  // and below every fork that begins at a time; anywhere else a header of difficulty 0 tells.
  [[nodiscard]] Fork active_fork(std::uint64_t number, std::uint64_t time) const;
  // Whether `fork` itself has begun.
  [[nodiscard]] bool is_active(Fork fork, std::uint64_t number, std::uint64_t time) const;

  // The blob parameters at `time`: those of the fork that began last among the forks that have
  // some. Nothing before Cancun.
  [[nodiscard]] std::optional<BlobSchedule> blob_schedule_at(std::uint64_t time) const;

  // The forks as EIP-2124 counts them.
  [[nodiscard]] ForkSchedule fork_schedule(const Hash32& genesis_hash,
                                           std::uint64_t genesis_time) const;

  friend bool operator==(const ChainConfig&, const ChainConfig&) = default;

 private:
  [[nodiscard]] static constexpr std::size_t index(Fork fork) {
    return static_cast<std::size_t>(fork);
  }
  [[nodiscard]] std::optional<BlobSchedule> blob_schedule_of(Fork fork) const;

  std::array<std::optional<std::uint64_t>, kForkCount> begin_{};
  std::array<std::optional<BlobSchedule>, kForkCount> blobs_{};
};

}  // namespace ethnet
