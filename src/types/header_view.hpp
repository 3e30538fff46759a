// HeaderView: an Ethereum block header as it lies in its encoding. Validated as Header::decode
// does, without a copy: byte strings are views, integers of 64 bits are values. For who judges a
// header and hands its encoding on.
//
// Threading: a value. Valid as long as what it views. Limits: those of header.hpp.
#pragma once

#include <cstdint>
#include <optional>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <codec/rlp_reader.hpp>

#include "header.hpp"

namespace ethnet {

// An integer of up to 256 bits: big-endian digits without leading zeros.
class UintView {
 public:
  UintView() = default;
  explicit UintView(ByteView digits) : digits_{digits} {}
  [[nodiscard]] ByteView digits() const { return digits_; }
  [[nodiscard]] bool is_zero() const { return digits_.empty(); }
  // Nothing when it needs more than 64 bits.
  [[nodiscard]] std::optional<std::uint64_t> to_u64() const {
    if (digits_.size() > 8) return {};
    std::uint64_t value = 0;
    for (const std::byte b : digits_) value = (value << 8) | std::to_integer<std::uint64_t>(b);
    return value;
  }

 private:
  ByteView digits_;
};

// The fields and their order are Header's.
struct HeaderView {
  ByteView parent_hash;
  ByteView ommers_hash;
  ByteView beneficiary;
  ByteView state_root;
  ByteView transactions_root;
  ByteView receipts_root;
  ByteView logs_bloom;
  UintView difficulty;
  std::uint64_t number = 0;
  std::uint64_t gas_limit = 0;
  std::uint64_t gas_used = 0;
  std::uint64_t timestamp = 0;
  ByteView extra_data;
  ByteView mix_hash;
  ByteView nonce;
  std::optional<UintView> base_fee_per_gas;
  std::optional<ByteView> withdrawals_root;
  std::optional<std::uint64_t> blob_gas_used;
  std::optional<std::uint64_t> excess_blob_gas;
  std::optional<ByteView> parent_beacon_block_root;
  std::optional<ByteView> requests_hash;
  std::optional<ByteView> block_access_list_hash;
  std::optional<std::uint64_t> slot_number;

  HeaderView() = default;
  // Of a header that outlives it.
  // NOLINTNEXTLINE(google-explicit-constructor): what takes a view takes a header
  HeaderView(const Header& header);

  // `encoded` is exactly one header. Errors: HeaderError, rlp::RlpError, as Header::decode.
  [[nodiscard]] static Result<HeaderView> decode(ByteView encoded);
  // The next item of `in`; on error `in` stays.
  [[nodiscard]] static Result<HeaderView> decode(rlp::Reader& in);

  // A copy of the parent's hash.
  [[nodiscard]] Hash32 parent() const;
  // A copy of everything.
  [[nodiscard]] Header to_header() const;
};

}  // namespace ethnet
