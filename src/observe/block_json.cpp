#include "block_json.hpp"

#include <base/check.hpp>
#include <base/hex.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <types/hash_of.hpp>
#include <types/header.hpp>

namespace ethnet::observe {
namespace {

using Json = nlohmann::ordered_json;

std::string quantity(std::uint64_t value) { return fmt::format("{:#x}", value); }

Header decode(const node::BlockAnswer& block) {
  auto header = Header::decode(ByteView{block.header});
  CHECK(header.has_value());
  return std::move(*header);
}

void put_optionals(const Header& header, Json& out) {
  if (header.base_fee_per_gas) out["baseFeePerGas"] = header.base_fee_per_gas->hex();
  if (header.withdrawals_root) out["withdrawalsRoot"] = header.withdrawals_root->hex();
  if (header.blob_gas_used) out["blobGasUsed"] = quantity(*header.blob_gas_used);
  if (header.excess_blob_gas) out["excessBlobGas"] = quantity(*header.excess_blob_gas);
  if (header.parent_beacon_block_root) {
    out["parentBeaconBlockRoot"] = header.parent_beacon_block_root->hex();
  }
  if (header.requests_hash) out["requestsHash"] = header.requests_hash->hex();
  if (header.block_access_list_hash) {
    out["blockAccessListHash"] = header.block_access_list_hash->hex();
  }
  if (header.slot_number) out["slotNumber"] = quantity(*header.slot_number);
}

Json header_object(const Header& header, const Hash32& hash) {
  Json out{{"number", quantity(header.number)},
           {"hash", hash.hex()},
           {"parentHash", header.parent_hash.hex()},
           {"sha3Uncles", header.ommers_hash.hex()},
           {"miner", header.beneficiary.hex()},
           {"stateRoot", header.state_root.hex()},
           {"transactionsRoot", header.transactions_root.hex()},
           {"receiptsRoot", header.receipts_root.hex()},
           {"logsBloom", to_hex_0x(header.logs_bloom)},
           {"difficulty", header.difficulty.hex()},
           {"gasLimit", quantity(header.gas_limit)},
           {"gasUsed", quantity(header.gas_used)},
           {"timestamp", quantity(header.timestamp)},
           {"extraData", to_hex_0x(header.extra_data)},
           {"mixHash", header.mix_hash.hex()},
           {"nonce", to_hex_0x(header.nonce)}};
  put_optionals(header, out);
  return out;
}

}  // namespace

std::string header_json(const node::BlockAnswer& block) {
  return header_object(decode(block), block.hash).dump();
}

std::string number_json(const node::BlockAnswer& block) {
  return Json(quantity(decode(block).number)).dump();
}

std::string block_json(const node::BlockAnswer& block) {
  const Header header = decode(block);
  Json out = header_object(header, block.hash);
  if (header.transactions_root == kEmptyTrieRoot) out["transactions"] = Json::array();
  if (header.ommers_hash == kEmptyListHash) out["uncles"] = Json::array();
  if (header.withdrawals_root == kEmptyTrieRoot) out["withdrawals"] = Json::array();
  return out.dump();
}

}  // namespace ethnet::observe
