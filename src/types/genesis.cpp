#include "genesis.hpp"

#include <map>

#include <codec/rlp_writer.hpp>
#include <trie/merkle_patricia.hpp>

#include "genesis_json.hpp"
#include "hash_of.hpp"

namespace ethnet {
namespace genesis_json {
namespace {

// Secure trie of 32-byte slots; a slot of zero is no slot.
Read<Hash32> read_storage(const json& storage, const std::string& path) {
  TRY(need_object(storage, path));
  std::map<Uint256, Uint256> slots;
  for (const auto& [key, value] : storage.items()) {
    const std::string at = join(path, key);
    const Uint256 slot = TRY(read_word(key, at));
    if (!value.is_string()) return fault(at, "expected hex text");
    const Uint256 word = TRY(read_word(value.get_ref<const std::string&>(), at));
    if (!slots.emplace(slot, word).second) return fault(at, "slot given twice");
  }
  std::vector<trie::Entry> entries;
  for (const auto& [slot, word] : slots) {
    if (word.is_zero()) continue;
    rlp::Writer value;
    value.write_uint_bytes(word.bytes());
    entries.push_back({to_bytes(slot.bytes()), std::move(value).take()});
  }
  return trie::secure_root_of(std::move(entries));
}

// The account as the state trie holds it: [nonce, balance, storage root, code hash].
Read<Bytes> read_account(const json& account, const std::string& path) {
  TRY(need_object(account, path));
  const json* balance_value = member(account, "balance");
  if (balance_value == nullptr) return fault(join(path, "balance"), "missing");
  const Uint256 balance = TRY(read_uint256(*balance_value, join(path, "balance")));
  std::uint64_t nonce = 0;
  if (const json* value = member(account, "nonce"); value != nullptr) {
    nonce = TRY(read_u64(*value, join(path, "nonce")));
  }
  Hash32 code_hash = kEmptyCodeHash;
  if (const json* value = member(account, "code"); value != nullptr) {
    const Bytes code = TRY(read_bytes(*value, join(path, "code")));
    code_hash = hash_of(code);
  }
  Hash32 storage_root = kEmptyTrieRoot;
  if (const json* value = member(account, "storage"); value != nullptr) {
    storage_root = TRY(read_storage(*value, join(path, "storage")));
  }
  rlp::Writer out;
  const auto list = out.begin_list();
  out.write_uint(nonce);
  out.write_uint_bytes(balance.bytes());
  out.write_bytes(storage_root.view());
  out.write_bytes(code_hash.view());
  out.end_list(list);
  return std::move(out).take();
}

// The field under `key`, or what `out` holds already.
Read<void> optional_u64(const json& root, const std::string& key, std::uint64_t& out) {
  if (const json* value = member(root, key); value != nullptr) out = TRY(read_u64(*value, key));
  return {};
}
Read<void> optional_fixed(const json& root, const std::string& key, MutByteView out) {
  if (const json* value = member(root, key); value != nullptr) TRY(read_fixed(*value, key, out));
  return {};
}

constexpr std::uint64_t kDefaultGasLimit = 4'712'388;  // go-ethereum's, where a file says 0

Read<void> read_base_fields(const json& root, Header& out) {
  const json* gas_limit = member(root, "gasLimit");
  if (gas_limit == nullptr) return fault("gasLimit", "missing");
  out.gas_limit = TRY(read_u64(*gas_limit, "gasLimit"));
  if (out.gas_limit == 0) out.gas_limit = kDefaultGasLimit;
  const json* difficulty = member(root, "difficulty");
  if (difficulty == nullptr) return fault("difficulty", "missing");
  out.difficulty = TRY(read_uint256(*difficulty, "difficulty"));
  TRY(optional_u64(root, "number", out.number));
  if (out.number != 0) return fault("number", "a genesis block has number 0");
  TRY(optional_u64(root, "timestamp", out.timestamp));
  TRY(optional_u64(root, "gasUsed", out.gas_used));
  TRY(optional_fixed(root, "mixHash", out.mix_hash.bytes));
  TRY(optional_fixed(root, "coinbase", out.beneficiary.bytes));
  TRY(optional_fixed(root, "parentHash", out.parent_hash.bytes));
  std::uint64_t nonce = 0;
  TRY(optional_u64(root, "nonce", nonce));
  store_be(out.nonce, nonce);
  if (const json* extra = member(root, "extraData"); extra != nullptr) {
    out.extra_data = TRY(read_bytes(*extra, "extraData"));
    if (out.extra_data.size() > kMaxExtraData) return fault("extraData", "too long");
  }
  out.ommers_hash = kEmptyListHash;
  out.transactions_root = kEmptyTrieRoot;
  out.receipts_root = kEmptyTrieRoot;
  return {};
}

// What each fork that is active at genesis adds.
Read<void> read_fork_fields(const json& root, const ChainConfig& config, Header& out) {
  const auto active = [&](Fork fork) { return config.is_active(fork, 0, out.timestamp); };
  if (!active(Fork::london)) return {};
  constexpr std::uint64_t kInitialBaseFee = 1'000'000'000;  // EIP-1559, wei
  out.base_fee_per_gas = Uint256{kInitialBaseFee};
  if (const json* fee = member(root, "baseFeePerGas"); fee != nullptr) {
    out.base_fee_per_gas = TRY(read_uint256(*fee, "baseFeePerGas"));
  }
  if (!active(Fork::shanghai)) return {};
  out.withdrawals_root = kEmptyTrieRoot;
  if (!active(Fork::cancun)) return {};
  TRY(optional_u64(root, "blobGasUsed", out.blob_gas_used.emplace(0)));
  TRY(optional_u64(root, "excessBlobGas", out.excess_blob_gas.emplace(0)));
  out.parent_beacon_block_root = Hash32{};
  if (!active(Fork::prague)) return {};
  out.requests_hash = kEmptyRequestsHash;
  if (!active(Fork::amsterdam)) return {};
  out.block_access_list_hash = kEmptyListHash;
  TRY(optional_u64(root, "slotNumber", out.slot_number.emplace(0)));
  return {};
}

}  // namespace

Read<State> read_alloc(const json& alloc) {
  TRY(need_object(alloc, "alloc"));
  std::map<Address, Bytes> accounts;
  for (const auto& [key, value] : alloc.items()) {
    const std::string path = join("alloc", key);
    const auto address = Address::parse(key);
    if (!address) return fault(path, "not an address: " + address.error().message());
    Bytes account = TRY(read_account(value, path));
    if (!accounts.emplace(*address, std::move(account)).second) {
      return fault(path, "account given twice");
    }
  }
  std::vector<trie::Entry> entries;
  entries.reserve(accounts.size());
  for (auto& [address, account] : accounts) {
    entries.push_back({to_bytes(address.view()), std::move(account)});
  }
  State out;
  out.accounts = entries.size();
  out.root = trie::secure_root_of(std::move(entries));
  return out;
}

}  // namespace genesis_json

std::expected<Genesis, GenesisFault> read_genesis(std::string_view json_text) {
  using namespace genesis_json;
  if (json_text.size() > kMaxGenesisBytes) return fault("", "file too large");
  const json root = TRY(parse_document(json_text));
  TRY(need_object(root, ""));
  const json* config = member(root, "config");
  if (config == nullptr) return fault("config", "missing");
  Genesis out;
  out.config = TRY(read_config(*config));
  TRY(read_base_fields(root, out.header));
  TRY(read_fork_fields(root, out.config, out.header));
  const json* alloc = member(root, "alloc");
  if (alloc == nullptr) return fault("alloc", "missing");
  const State state = TRY(read_alloc(*alloc));
  out.header.state_root = state.root;
  out.accounts = state.accounts;
  out.hash = out.header.hash();
  return out;
}

}  // namespace ethnet
