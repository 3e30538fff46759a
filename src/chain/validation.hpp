// Header rules that need no state: what a header must be, given its parent and the fork schedule.
// Yellow Paper 4.3.4 and the EIPs named beside each rule. Before the merge the difficulty is
// verified and the proof of work that it asks for is not. Total difficulty is not counted: where
// the configuration does not say at which block the merge is, the first header of difficulty 0 is
// taken for it, whatever the chain has summed up to by then. Pure.
#pragma once

#include <base/instant.hpp>
#include <base/result.hpp>
#include <types/chain_config.hpp>
#include <types/header_view.hpp>

namespace ethnet::chain {

enum class HeaderRule : std::uint16_t {
  number_not_next = 1,
  timestamp_not_after_parent,
  future_block,  // more than kMaxFuture ahead of our clock: not invalid, early; judged last
  extra_data_too_long,
  gas_limit_step,          // moved by parent / 1024 or more
  gas_limit_out_of_range,  // below 5000 or above 2^63 - 1
  gas_used_above_limit,
  missing_base_fee,  // EIP-1559
  forbidden_base_fee,
  wrong_base_fee,
  base_fee_too_large,      // ours: above 2^64 - 1 wei
  difficulty_after_merge,  // EIP-3675
  nonce_after_merge,
  ommers_after_merge,
  no_difficulty_before_merge,
  wrong_difficulty,          // EIP-2, EIP-100 and the delays of the bomb (difficulty.hpp)
  difficulty_too_large,      // ours: above 2^64 - 1
  missing_withdrawals_root,  // EIP-4895
  forbidden_withdrawals_root,
  missing_blob_gas_used,  // EIP-4844
  forbidden_blob_gas_used,
  missing_excess_blob_gas,
  forbidden_excess_blob_gas,
  blob_gas_not_whole_blobs,
  blob_gas_above_max,  // EIP-7691, EIP-7892
  wrong_excess_blob_gas,
  missing_parent_beacon_root,  // EIP-4788
  forbidden_parent_beacon_root,
  missing_requests_hash,  // EIP-7685
  forbidden_requests_hash,
  missing_block_access_list_hash,  // EIP-7928
  forbidden_block_access_list_hash,
  missing_slot_number,  // EIP-7843
  forbidden_slot_number,
  slot_not_after_parent,
};
[[nodiscard]] const ErrorDomain& error_domain(HeaderRule);

inline constexpr Duration kMaxFuture = seconds(15);     // clocks differ; as geth
inline constexpr std::size_t kMaxSealedExtraData = 32;  // bytes; Yellow Paper
inline constexpr std::uint64_t kMinGasLimit = 5000;
inline constexpr std::uint64_t kMaxGasLimit = INT64_MAX;  // gas; as every client
inline constexpr std::uint64_t kGasLimitBound = 1024;

// `wall`: our clock; nothing: do not judge the future (replay of what was accepted before).
[[nodiscard]] Result<void> validate_header(const HeaderView& header, const HeaderView& parent,
                                           const ChainConfig& config, std::optional<UnixTime> wall);

}  // namespace ethnet::chain
