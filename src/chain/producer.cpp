#include "producer.hpp"

#include <algorithm>

#include <types/address_of.hpp>
#include <types/hash_of.hpp>

#include "fees.hpp"
#include "validation.hpp"

namespace ethnet::chain {

Header seal_header(const ChainConfig& config, const Header& parent, std::uint64_t timestamp,
                   const Address& beneficiary, std::string_view tag) {
  Header h;
  h.parent_hash = parent.hash();
  h.number = parent.number + 1;
  h.timestamp = std::max(timestamp, parent.timestamp + 1);
  h.ommers_hash = kEmptyListHash;
  h.beneficiary = beneficiary;
  h.state_root = parent.state_root;
  h.transactions_root = kEmptyTrieRoot;
  h.receipts_root = kEmptyTrieRoot;
  h.extra_data = to_bytes(text_bytes(tag.substr(0, kMaxSealedExtraData)));
  const auto active = [&](Fork fork) { return config.is_active(fork, h.number, h.timestamp); };
  // The first London block holds twice the gas, so that the target is what the limit was.
  const bool first_london = active(Fork::london) && !parent.base_fee_per_gas;
  h.gas_limit = first_london ? parent.gas_limit * kElasticity : parent.gas_limit;
  if (active(Fork::london)) h.base_fee_per_gas = next_base_fee(parent).value_or(UINT64_MAX);
  if (active(Fork::shanghai)) h.withdrawals_root = kEmptyTrieRoot;
  if (active(Fork::cancun)) {
    h.blob_gas_used = 0;
    h.excess_blob_gas = next_excess_blob_gas(config, parent, h.number, h.timestamp);
    h.parent_beacon_block_root = Hash32{};
  }
  if (active(Fork::prague)) h.requests_hash = kEmptyRequestsHash;
  if (active(Fork::amsterdam)) {
    h.block_access_list_hash = kEmptyListHash;
    h.slot_number = parent.slot_number ? *parent.slot_number + 1 : 0;
  }
  return h;
}

HeaderInput seal_signed(const ChainConfig& config, const Header& parent, std::uint64_t timestamp,
                        const crypto::SecretKey& key, std::string_view tag) {
  const Header header = seal_header(config, parent, timestamp, address_of(key.public_key()), tag);
  Bytes encoded = header.encode();
  const auto signature = crypto::sign(key, crypto::keccak256(encoded));
  return {std::move(encoded), to_bytes(signature)};
}

Genesis dev_genesis() {
  Genesis genesis;
  ChainConfig& config = genesis.config;
  config.chain_id = 1337;
  config.terminal_total_difficulty = Uint256{};
  for (auto fork = Fork::homestead; fork <= Fork::prague;
       fork = static_cast<Fork>(static_cast<int>(fork) + 1)) {
    config.set_begin(fork, 0);
  }
  Header& h = genesis.header;
  h.ommers_hash = kEmptyListHash;
  h.state_root = kEmptyTrieRoot;
  h.transactions_root = kEmptyTrieRoot;
  h.receipts_root = kEmptyTrieRoot;
  h.gas_limit = 30'000'000;
  h.extra_data = to_bytes(text_bytes("MiniEthNet development chain"));
  h.base_fee_per_gas = kInitialBaseFee;
  h.withdrawals_root = kEmptyTrieRoot;
  h.blob_gas_used = 0;
  h.excess_blob_gas = 0;
  h.parent_beacon_block_root = Hash32{};
  h.requests_hash = kEmptyRequestsHash;
  genesis.hash = h.hash();
  return genesis;
}

}  // namespace ethnet::chain
