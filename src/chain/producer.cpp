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

namespace {

void activate_through(ChainConfig& config, Fork last) {
  for (auto fork = Fork::homestead; fork <= last;
       fork = static_cast<Fork>(static_cast<int>(fork) + 1)) {
    config.set_begin(fork, 0);
  }
}

// Number 0, no accounts, and what London asks for.
Header first_header(std::string_view text) {
  Header h;
  h.ommers_hash = kEmptyListHash;
  h.state_root = kEmptyTrieRoot;
  h.transactions_root = kEmptyTrieRoot;
  h.receipts_root = kEmptyTrieRoot;
  h.gas_limit = 30'000'000;
  h.extra_data = to_bytes(text_bytes(text));
  h.base_fee_per_gas = kInitialBaseFee;
  return h;
}

}  // namespace

Genesis dev_genesis() {
  Genesis genesis;
  genesis.config.chain_id = 1337;
  genesis.config.terminal_total_difficulty = Uint256{};
  activate_through(genesis.config, Fork::prague);
  genesis.header = first_header("MiniEthNet development chain");
  Header& h = genesis.header;
  h.withdrawals_root = kEmptyTrieRoot;
  h.blob_gas_used = 0;
  h.excess_blob_gas = 0;
  h.parent_beacon_block_root = Hash32{};
  h.requests_hash = kEmptyRequestsHash;
  genesis.hash = h.hash();
  return genesis;
}

Genesis lab_genesis() {
  Genesis genesis;
  genesis.config.chain_id = 1338;
  genesis.config.free_difficulty = true;
  activate_through(genesis.config, Fork::gray_glacier);
  genesis.header = first_header("MiniEthNet laboratory");
  genesis.hash = genesis.header.hash();
  return genesis;
}

}  // namespace ethnet::chain
