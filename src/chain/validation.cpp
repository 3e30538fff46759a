#include "validation.hpp"

#include <algorithm>
#include <array>

#include <types/hash_of.hpp>

#include "difficulty.hpp"
#include "fees.hpp"

namespace ethnet::chain {
namespace {

// In the order of HeaderRule.
constexpr std::array<std::string_view, 36> kTexts{
    "unknown",
    "number is not the parent's plus one",
    "timestamp is not after the parent's",
    "timestamp is too far in the future",
    "extra data longer than 32 bytes",
    "gas limit moved too far from the parent's",
    "gas limit out of range",
    "gas used above gas limit",
    "base fee missing",
    "base fee before London",
    "wrong base fee",
    "base fee above 2^64 - 1 wei",
    "difficulty after the merge",
    "nonce after the merge",
    "ommers after the merge",
    "no difficulty before merge",
    "wrong difficulty",
    "difficulty above 2^64 - 1",
    "withdrawals root missing",
    "withdrawals root before Shanghai",
    "blob gas used missing",
    "blob gas used before Cancun",
    "excess blob gas missing",
    "excess blob gas before Cancun",
    "blob gas used is not whole blobs",
    "more blobs than the schedule allows",
    "wrong excess blob gas",
    "parent beacon block root missing",
    "beacon root before Cancun",
    "requests hash missing",
    "requests hash before Prague",
    "block access list hash missing",
    "access list hash before Amsterdam",
    "slot number missing",
    "slot number before Amsterdam",
    "slot number is not after the parent's",
};

std::string_view describe(std::uint16_t code) { return kTexts[code < kTexts.size() ? code : 0]; }
static_assert(kTexts.size() == static_cast<std::size_t>(HeaderRule::slot_not_after_parent) + 1);
constexpr ErrorDomain kDomain{"header", describe};

struct Judged {
  const HeaderView& header;
  const HeaderView& parent;
  const ChainConfig& config;
  [[nodiscard]] bool active(Fork fork) const {
    return config.is_active(fork, header.number, header.timestamp);
  }
};

Result<void> check_ancestry(const Judged& j) {
  if (j.parent.number == UINT64_MAX || j.header.number != j.parent.number + 1) {
    return fail(HeaderRule::number_not_next);
  }
  if (j.header.timestamp <= j.parent.timestamp) {
    return fail(HeaderRule::timestamp_not_after_parent);
  }
  if (j.header.extra_data.size() > kMaxSealedExtraData) {
    return fail(HeaderRule::extra_data_too_long);
  }
  return {};
}

Result<void> check_gas(const Judged& j) {
  const HeaderView& h = j.header;
  if (h.gas_limit < kMinGasLimit || h.gas_limit > kMaxGasLimit) {
    return fail(HeaderRule::gas_limit_out_of_range);
  }
  const bool first_london = j.active(Fork::london) && !j.parent.base_fee_per_gas;
  const std::uint64_t before = first_london ? j.parent.gas_limit * kElasticity : j.parent.gas_limit;
  const std::uint64_t step = h.gas_limit > before ? h.gas_limit - before : before - h.gas_limit;
  if (step >= before / kGasLimitBound) return fail(HeaderRule::gas_limit_step);
  if (h.gas_used > h.gas_limit) return fail(HeaderRule::gas_used_above_limit);
  return {};
}

Result<void> check_base_fee(const Judged& j) {
  const auto& fee = j.header.base_fee_per_gas;
  if (!j.active(Fork::london)) {
    if (fee) return fail(HeaderRule::forbidden_base_fee);
    return {};
  }
  if (!fee) return fail(HeaderRule::missing_base_fee);
  const auto expected = next_base_fee(j.parent);
  if (!expected || !fee->to_u64()) return fail(HeaderRule::base_fee_too_large);
  if (fee->to_u64() != expected) return fail(HeaderRule::wrong_base_fee);
  return {};
}

Result<void> check_difficulty(const Judged& j) {
  const HeaderView& h = j.header;
  if (j.config.free_difficulty) {
    if (!h.difficulty.to_u64()) return fail(HeaderRule::difficulty_too_large);
    return {};
  }
  const auto expected = next_difficulty(j.config, j.parent, h.number, h.timestamp);
  if (!expected || !h.difficulty.to_u64()) return fail(HeaderRule::difficulty_too_large);
  if (h.difficulty.to_u64() != expected) return fail(HeaderRule::wrong_difficulty);
  return {};
}

// EIP-3675. Where the configuration does not say which block the merge is at, a difficulty of zero
// says it; there is no way back.
Result<void> check_merge(const Judged& j) {
  const HeaderView& h = j.header;
  const bool merged = j.active(Fork::paris) || j.active(Fork::shanghai) ||
                      (j.parent.number > 0 && j.parent.difficulty.is_zero());
  if (merged && !h.difficulty.is_zero()) return fail(HeaderRule::difficulty_after_merge);
  if (!h.difficulty.is_zero()) return check_difficulty(j);
  const bool may_merge = merged || j.config.terminal_total_difficulty.has_value();
  if (!may_merge) return fail(HeaderRule::no_difficulty_before_merge);
  if (!equal(h.nonce, ByteArray<8>{})) return fail(HeaderRule::nonce_after_merge);
  if (!equal(h.ommers_hash, kEmptyListHash.view())) return fail(HeaderRule::ommers_after_merge);
  return {};
}

Result<void> check_presence(bool present, bool required, HeaderRule missing, HeaderRule forbidden) {
  if (required && !present) return fail(missing);
  if (!required && present) return fail(forbidden);
  return {};
}

Result<void> check_fork_fields(const Judged& j) {
  const HeaderView& h = j.header;
  const bool cancun = j.active(Fork::cancun);
  const bool amsterdam = j.active(Fork::amsterdam);
  TRY(check_presence(h.withdrawals_root.has_value(), j.active(Fork::shanghai),
                     HeaderRule::missing_withdrawals_root, HeaderRule::forbidden_withdrawals_root));
  TRY(check_presence(h.blob_gas_used.has_value(), cancun, HeaderRule::missing_blob_gas_used,
                     HeaderRule::forbidden_blob_gas_used));
  TRY(check_presence(h.excess_blob_gas.has_value(), cancun, HeaderRule::missing_excess_blob_gas,
                     HeaderRule::forbidden_excess_blob_gas));
  TRY(check_presence(h.parent_beacon_block_root.has_value(), cancun,
                     HeaderRule::missing_parent_beacon_root,
                     HeaderRule::forbidden_parent_beacon_root));
  TRY(check_presence(h.requests_hash.has_value(), j.active(Fork::prague),
                     HeaderRule::missing_requests_hash, HeaderRule::forbidden_requests_hash));
  TRY(check_presence(h.block_access_list_hash.has_value(), amsterdam,
                     HeaderRule::missing_block_access_list_hash,
                     HeaderRule::forbidden_block_access_list_hash));
  return check_presence(h.slot_number.has_value(), amsterdam, HeaderRule::missing_slot_number,
                        HeaderRule::forbidden_slot_number);
}

Result<void> check_blob_gas(const Judged& j) {
  const HeaderView& h = j.header;
  if (!h.blob_gas_used || !h.excess_blob_gas) return {};
  if (*h.blob_gas_used % kGasPerBlob != 0) return fail(HeaderRule::blob_gas_not_whole_blobs);
  const auto schedule = j.config.blob_schedule_at(h.timestamp);
  const std::uint64_t max = schedule ? schedule->max : 0;
  if (*h.blob_gas_used / kGasPerBlob > max) return fail(HeaderRule::blob_gas_above_max);
  if (*h.excess_blob_gas != next_excess_blob_gas(j.config, j.parent, h.number, h.timestamp)) {
    return fail(HeaderRule::wrong_excess_blob_gas);
  }
  return {};
}

}  // namespace

const ErrorDomain& error_domain(HeaderRule) { return kDomain; }

Result<void> validate_header(const HeaderView& header, const HeaderView& parent,
                             const ChainConfig& config, std::optional<UnixTime> wall) {
  const Judged j{header, parent, config};
  TRY(check_ancestry(j));
  TRY(check_gas(j));
  TRY(check_merge(j));
  TRY(check_fork_fields(j));
  TRY(check_base_fee(j));
  TRY(check_blob_gas(j));
  if (header.slot_number && parent.slot_number && *header.slot_number <= *parent.slot_number) {
    return fail(HeaderRule::slot_not_after_parent);
  }
  // Last: a header that is early is right in everything else.
  if (wall && header.timestamp > (*wall + kMaxFuture).whole_seconds()) {
    return fail(HeaderRule::future_block);
  }
  return {};
}

}  // namespace ethnet::chain
