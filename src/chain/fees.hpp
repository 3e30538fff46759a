// What a header's fee fields must be, given its parent: EIP-1559, EIP-4844, EIP-7691, EIP-7892,
// EIP-7918. Pure functions. Fees above 2^64 - 1 wei are refused elsewhere (validation.hpp).
#pragma once

#include <cstdint>
#include <optional>

#include <types/chain_config.hpp>
#include <types/header_view.hpp>

namespace ethnet::chain {

inline constexpr std::uint64_t kGasPerBlob = 131'072;  // 2^17
inline constexpr std::uint64_t kInitialBaseFee = 1'000'000'000;
inline constexpr std::uint64_t kElasticity = 2;

// The base fee of a child of `parent`; the initial one where the parent has none (first London
// block). Nothing when it leaves 64 bits.
[[nodiscard]] std::optional<std::uint64_t> next_base_fee(const HeaderView& parent);

// The excess blob gas of a child of `parent` at `child_time`, Cancun or later.
[[nodiscard]] std::uint64_t next_excess_blob_gas(const ChainConfig& config,
                                                 const HeaderView& parent,
                                                 std::uint64_t child_number,
                                                 std::uint64_t child_time);

// e^(excess / fraction) wei as EIP-4844 approximates it; UINT64_MAX when it is more.
[[nodiscard]] std::uint64_t blob_base_fee(std::uint64_t excess, std::uint64_t fraction);

}  // namespace ethnet::chain
