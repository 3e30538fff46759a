// Seals headers that obey every header rule of the schedule. There are no transactions and no
// state: roots are the parent's or those of nothing. For laboratories and tests.
#pragma once

#include <string_view>

#include <crypto/secp256k1.hpp>
#include <types/chain_config.hpp>
#include <types/genesis.hpp>
#include <types/header.hpp>

#include "header_input.hpp"

namespace ethnet::chain {

// A child of `parent`. `timestamp` in seconds, raised to parent + 1 where it is not after it; `tag`
// is the extra data, cut to 32 bytes. It tells siblings of one second apart.
[[nodiscard]] Header seal_header(const ChainConfig& config, const Header& parent,
                                 std::uint64_t timestamp, const Address& beneficiary,
                                 std::string_view tag);
// The same, encoded and signed over its hash by the producer.
[[nodiscard]] HeaderInput seal_signed(const ChainConfig& config, const Header& parent,
                                      std::uint64_t timestamp, const crypto::SecretKey& key,
                                      std::string_view tag);

// The chain that a node runs on when it was given no genesis: chain id 1337, every fork up to
// Prague active from the beginning, no accounts.
[[nodiscard]] Genesis dev_genesis();
// The chain of laboratories: as it was between London and the merge, except that a block has the
// difficulty that its scenario gives it (ChainConfig::free_difficulty).
[[nodiscard]] Genesis lab_genesis();

}  // namespace ethnet::chain
