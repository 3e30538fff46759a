// Headers for tests: one that has every field up to Prague, and random ones of any fork.
#pragma once

#include <rapidcheck.h>

#include "../header.hpp"

namespace ethnet::testing {

inline Header sample_header() {
  Header header;
  header.number = 19'000'000;
  header.gas_limit = 30'000'000;
  header.gas_used = 12'345'678;
  header.timestamp = 1'700'000'000;
  header.extra_data = Bytes(32, std::byte{7});
  header.base_fee_per_gas = Uint256{1'000'000'000};
  header.withdrawals_root = Hash32{};
  header.blob_gas_used = 131'072;
  header.excess_blob_gas = 393'216;
  header.parent_beacon_block_root = Hash32{};
  header.requests_hash = Hash32{};
  return header;
}

inline Hash32 draw_hash() {
  Hash32 out;
  for (std::byte& b : out.bytes) b = std::byte{*rc::gen::arbitrary<std::uint8_t>()};
  return out;
}

// `optionals`: how many fields beyond the first 15.
inline Header draw_header(std::size_t optionals) {
  const auto u64 = [] { return *rc::gen::arbitrary<std::uint64_t>(); };
  Header out;
  out.parent_hash = draw_hash();
  out.ommers_hash = draw_hash();
  copy_into(out.beneficiary.bytes, draw_hash().view().first(20));
  out.state_root = draw_hash();
  out.transactions_root = draw_hash();
  out.receipts_root = draw_hash();
  out.logs_bloom.back() = std::byte{7};
  out.difficulty = Uint256::from_bytes(draw_hash().view().first(*rc::gen::inRange(0U, 33U)));
  out.number = u64();
  out.gas_limit = u64();
  out.gas_used = u64();
  out.timestamp = u64();
  out.extra_data.resize(*rc::gen::inRange<std::size_t>(0, kMaxExtraData + 1));
  out.mix_hash = draw_hash();
  copy_into(out.nonce, draw_hash().view().first(8));
  if (optionals > 0) out.base_fee_per_gas = Uint256{u64()};
  if (optionals > 1) out.withdrawals_root = draw_hash();
  if (optionals > 2) out.blob_gas_used = u64();
  if (optionals > 3) out.excess_blob_gas = u64();
  if (optionals > 4) out.parent_beacon_block_root = draw_hash();
  if (optionals > 5) out.requests_hash = draw_hash();
  if (optionals > 6) out.block_access_list_hash = draw_hash();
  if (optionals > 7) out.slot_number = u64();
  return out;
}

inline Header draw_header() {
  return draw_header(*rc::gen::inRange<std::size_t>(0, kHeaderMaxFields - kHeaderBaseFields + 1));
}

}  // namespace ethnet::testing
