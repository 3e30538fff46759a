// Header: an Ethereum block header with the fields of every fork up to Amsterdam, its RLP and its
// hash. https://ethereum.github.io/execution-specs (blocks); EIP-1559, 4895, 4844, 4788, 7685,
// 7928, 7843.
//
// Decoding judges form only: field sizes, canonical integers, field count. Which optional fields a
// fork requires or forbids, and every value, is for the header rules (chain/).
// Threading: a value. Limits: kMaxExtraData, kMaxHeaderBytes.
#pragma once

#include <cstdint>
#include <optional>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <codec/rlp_reader.hpp>
#include <codec/rlp_writer.hpp>

#include "address.hpp"
#include "hash.hpp"
#include "uint256.hpp"

namespace ethnet {

enum class HeaderError : std::uint16_t { too_few_fields = 1, too_many_fields, extra_data_too_long };
[[nodiscard]] const ErrorDomain& error_domain(HeaderError);

inline constexpr std::size_t kHeaderBaseFields = 15;
inline constexpr std::size_t kHeaderMaxFields = 23;
// Most extra data that decodes. The protocol's own limit, 32, is a header rule; this one only
// bounds memory and leaves room for proof-of-authority networks.
inline constexpr std::size_t kMaxExtraData = 1024;
// No header that decodes is longer than this.
inline constexpr std::size_t kMaxHeaderBytes = 2048;

using Bloom = ByteArray<256>;

struct Header {
  Hash32 parent_hash;
  Hash32 ommers_hash;
  Address beneficiary;
  Hash32 state_root;
  Hash32 transactions_root;
  Hash32 receipts_root;
  Bloom logs_bloom{};
  Uint256 difficulty;
  std::uint64_t number = 0;
  std::uint64_t gas_limit = 0;
  std::uint64_t gas_used = 0;
  std::uint64_t timestamp = 0;  // seconds since 1970
  Bytes extra_data;
  Hash32 mix_hash;  // prev_randao after the merge
  ByteArray<8> nonce{};
  // Present from their fork on; on the wire each one needs all before it.
  std::optional<Uint256> base_fee_per_gas;         // London, wei
  std::optional<Hash32> withdrawals_root;          // Shanghai
  std::optional<std::uint64_t> blob_gas_used;      // Cancun
  std::optional<std::uint64_t> excess_blob_gas;    // Cancun
  std::optional<Hash32> parent_beacon_block_root;  // Cancun
  std::optional<Hash32> requests_hash;             // Prague
  std::optional<Hash32> block_access_list_hash;    // Amsterdam
  std::optional<std::uint64_t> slot_number;        // Amsterdam

  // `encoded` is exactly one header. Errors: HeaderError, rlp::RlpError.
  [[nodiscard]] static Result<Header> decode(ByteView encoded);
  // The next item of `in`; on error `in` stays.
  [[nodiscard]] static Result<Header> decode(rlp::Reader& in);

  // True when no optional field is present without the one before it.
  [[nodiscard]] bool optionals_consecutive() const;
  // CHECK: optionals_consecutive(), extra data within kMaxExtraData.
  [[nodiscard]] Bytes encode() const;
  void encode(rlp::Writer& out) const;
  // Keccak-256 of encode(). Where the encoding is at hand, hash_of() on it is cheaper.
  [[nodiscard]] Hash32 hash() const;

  friend bool operator==(const Header&, const Header&) = default;
};

}  // namespace ethnet
