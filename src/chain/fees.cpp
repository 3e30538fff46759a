#include "fees.hpp"

#include <algorithm>

namespace ethnet::chain {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kBaseFeeChangeDenominator = 8;
constexpr std::uint64_t kBlobBaseCost = 8'192;  // EIP-7918, 2^13

}  // namespace

std::optional<std::uint64_t> next_base_fee(const HeaderView& parent) {
  if (!parent.base_fee_per_gas) return kInitialBaseFee;
  const auto fee = parent.base_fee_per_gas->to_u64();
  if (!fee) return std::nullopt;
  const std::uint64_t target = parent.gas_limit / kElasticity;
  if (parent.gas_used == target || target == 0) return fee;
  const bool more = parent.gas_used > target;
  const std::uint64_t distance = more ? parent.gas_used - target : target - parent.gas_used;
  const Wide change = Wide{*fee} * distance / target / kBaseFeeChangeDenominator;
  if (!more) return change >= *fee ? 0 : *fee - static_cast<std::uint64_t>(change);
  const Wide next = Wide{*fee} + std::max<Wide>(change, 1);
  if (next > UINT64_MAX) return std::nullopt;
  return static_cast<std::uint64_t>(next);
}

std::uint64_t blob_base_fee(std::uint64_t excess, std::uint64_t fraction) {
  // Beyond this the result is e^65536 or more, whatever the schedule.
  constexpr std::uint64_t kCertainlyHuge = std::uint64_t{1} << 40;
  if (fraction == 0 || excess >= kCertainlyHuge) return UINT64_MAX;
  const Wide limit = Wide{UINT64_MAX} * fraction;
  Wide output = 0;
  Wide term = fraction;
  for (std::uint64_t i = 1; term > 0; ++i) {
    output += term;
    if (output >= limit) return UINT64_MAX;
    term = term * excess / (Wide{fraction} * i);
  }
  return static_cast<std::uint64_t>(output / fraction);
}

std::uint64_t next_excess_blob_gas(const ChainConfig& config, const HeaderView& parent,
                                   std::uint64_t child_number, std::uint64_t child_time) {
  const auto schedule = config.blob_schedule_at(child_time);
  if (!schedule) return 0;
  const std::uint64_t excess = parent.excess_blob_gas.value_or(0);
  const std::uint64_t used = parent.blob_gas_used.value_or(0);
  const Wide sum = Wide{excess} + used;
  const Wide target = Wide{schedule->target} * kGasPerBlob;
  if (sum < target) return 0;
  Wide next = sum - target;
  if (config.is_active(Fork::osaka, child_number, child_time) && parent.base_fee_per_gas &&
      schedule->max > schedule->target) {
    // EIP-7918: below the reserve price the excess does not fall.
    const Wide reserve =
        Wide{parent.base_fee_per_gas->to_u64().value_or(UINT64_MAX)} * kBlobBaseCost;
    const Wide price =
        Wide{blob_base_fee(excess, schedule->base_fee_update_fraction)} * kGasPerBlob;
    if (reserve > price) {
      next = Wide{excess} + Wide{used} * (schedule->max - schedule->target) / schedule->max;
    }
  }
  return static_cast<std::uint64_t>(std::min<Wide>(next, UINT64_MAX));
}

}  // namespace ethnet::chain
