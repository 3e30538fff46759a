#include "header.hpp"

#include <array>

#include "hash_of.hpp"

namespace ethnet {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<HeaderError>(code)) {
    case HeaderError::too_few_fields:
      return "fewer than 15 header fields";
    case HeaderError::too_many_fields:
      return "more header fields than any fork has";
    case HeaderError::extra_data_too_long:
      return "extra data too long to decode";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"header", describe};

Result<void> read_base(rlp::Reader& in, Header& out) {
  TRY(in.read_into(out.parent_hash.bytes));
  TRY(in.read_into(out.ommers_hash.bytes));
  TRY(in.read_into(out.beneficiary.bytes));
  TRY(in.read_into(out.state_root.bytes));
  TRY(in.read_into(out.transactions_root.bytes));
  TRY(in.read_into(out.receipts_root.bytes));
  TRY(in.read_into(out.logs_bloom));
  out.difficulty = TRY(Uint256::read(in));
  out.number = TRY(in.read_uint<std::uint64_t>());
  out.gas_limit = TRY(in.read_uint<std::uint64_t>());
  out.gas_used = TRY(in.read_uint<std::uint64_t>());
  out.timestamp = TRY(in.read_uint<std::uint64_t>());
  const std::uint64_t extra_at = in.offset();
  const ByteView extra = TRY(in.read_bytes());
  if (extra.size() > kMaxExtraData) return fail(HeaderError::extra_data_too_long, extra_at);
  out.extra_data = to_bytes(extra);
  TRY(in.read_into(out.mix_hash.bytes));
  TRY(in.read_into(out.nonce));
  return {};
}

// Reads into an optional field unless the list has ended.
Result<void> read_optional(rlp::Reader& in, std::optional<Hash32>& out) {
  if (!in.at_end()) TRY(in.read_into(out.emplace().bytes));
  return {};
}
Result<void> read_optional(rlp::Reader& in, std::optional<std::uint64_t>& out) {
  if (in.at_end()) return {};
  out = TRY(in.read_uint<std::uint64_t>());
  return {};
}
Result<void> read_optional(rlp::Reader& in, std::optional<Uint256>& out) {
  if (in.at_end()) return {};
  out = TRY(Uint256::read(in));
  return {};
}

void write_optional(rlp::Writer& out, const std::optional<Hash32>& field) {
  if (field) out.write_bytes(field->view());
}
void write_optional(rlp::Writer& out, const std::optional<std::uint64_t>& field) {
  if (field) out.write_uint(*field);
}
void write_optional(rlp::Writer& out, const std::optional<Uint256>& field) {
  if (field) out.write_uint_bytes(field->bytes());
}

// The optional fields in the order of the wire.
template <class H, class F>
void for_each_optional(H& header, F f) {
  f(header.base_fee_per_gas);
  f(header.withdrawals_root);
  f(header.blob_gas_used);
  f(header.excess_blob_gas);
  f(header.parent_beacon_block_root);
  f(header.requests_hash);
  f(header.block_access_list_hash);
  f(header.slot_number);
}

}  // namespace

const ErrorDomain& error_domain(HeaderError) { return kDomain; }

Result<Header> Header::decode(rlp::Reader& in) {
  rlp::Reader after = in;
  rlp::Reader list = TRY(after.enter_list());
  const std::size_t fields = TRY(list.count_items());
  if (fields < kHeaderBaseFields) return fail(HeaderError::too_few_fields, in.offset());
  if (fields > kHeaderMaxFields) return fail(HeaderError::too_many_fields, in.offset());
  Header out;
  TRY(read_base(list, out));
  Result<void> optionals;
  for_each_optional(out, [&](auto& field) {
    if (optionals) optionals = read_optional(list, field);
  });
  TRY(optionals);
  TRY(list.expect_end());
  in = after;
  return out;
}

Result<Header> Header::decode(ByteView encoded) {
  rlp::Reader in{encoded};
  Header out = TRY(decode(in));
  TRY(in.expect_end());
  return out;
}

bool Header::optionals_consecutive() const {
  bool ended = false;
  bool consecutive = true;
  for_each_optional(*this, [&](const auto& field) {
    if (field && ended) consecutive = false;
    if (!field) ended = true;
  });
  return consecutive;
}

void Header::encode(rlp::Writer& out) const {
  CHECK(optionals_consecutive());
  CHECK(extra_data.size() <= kMaxExtraData);
  const auto list = out.begin_list();
  for (const Hash32& hash : {parent_hash, ommers_hash}) out.write_bytes(hash.view());
  out.write_bytes(beneficiary.view());
  for (const Hash32& root : {state_root, transactions_root, receipts_root}) {
    out.write_bytes(root.view());
  }
  out.write_bytes(logs_bloom);
  out.write_uint_bytes(difficulty.bytes());
  for (const std::uint64_t value : {number, gas_limit, gas_used, timestamp}) out.write_uint(value);
  out.write_bytes(extra_data);
  out.write_bytes(mix_hash.view());
  out.write_bytes(nonce);
  for_each_optional(*this, [&](const auto& field) { write_optional(out, field); });
  out.end_list(list);
}

Bytes Header::encode() const {
  constexpr std::size_t kUsualSize = 768;
  rlp::Writer out{kUsualSize + extra_data.size()};
  encode(out);
  return std::move(out).take();
}

Hash32 Header::hash() const { return hash_of(encode()); }

}  // namespace ethnet
