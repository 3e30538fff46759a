#include "header.hpp"

#include <array>

#include "hash_of.hpp"
#include "header_view.hpp"

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
  const HeaderView view = TRY(HeaderView::decode(in));
  return view.to_header();
}

Result<Header> Header::decode(ByteView encoded) {
  const HeaderView view = TRY(HeaderView::decode(encoded));
  return view.to_header();
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
