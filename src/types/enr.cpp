#include "enr.hpp"

#include <array>

#include <codec/base64url.hpp>
#include <codec/rlp_writer.hpp>
#include <crypto/keccak.hpp>

#include "node_id.hpp"

namespace ethnet {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<EnrError>(code)) {
    case EnrError::too_large:
      return "record above 300 bytes";
    case EnrError::incomplete_list:
      return "no signature or no sequence number";
    case EnrError::incomplete_pair:
      return "key without a value";
    case EnrError::key_order:
      return "keys not sorted";
    case EnrError::duplicate_key:
      return "duplicate key";
    case EnrError::identity_scheme:
      return "identity scheme is not v4";
    case EnrError::public_key:
      return "no valid secp256k1 key";
    case EnrError::signature:
      return "bad signature";
    case EnrError::text_prefix:
      return "text does not begin with enr:";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"enr", describe};

constexpr std::string_view kTextPrefix = "enr:";
constexpr std::string_view kIdKey = "id";
constexpr std::string_view kIdV4 = "v4";
constexpr std::string_view kPublicKeyKey = "secp256k1";

// Keys strictly ascending, each with a value. The values' own prefixes are checked.
Result<void> check_pairs(rlp::Reader pairs) {
  std::optional<ByteView> previous;
  while (!pairs.at_end()) {
    const std::uint64_t at = pairs.offset();
    const ByteView key = TRY(pairs.read_bytes());
    if (previous && equal(*previous, key)) return fail(EnrError::duplicate_key, at);
    if (previous && lex_less(key, *previous)) return fail(EnrError::key_order, at);
    if (pairs.at_end()) return fail(EnrError::incomplete_pair, at);
    TRY(pairs.read_raw());
    previous = key;
  }
  return {};
}

Bytes list_of(ByteView payload) {
  rlp::Writer out{payload.size() + 3};
  out.write_list_header(payload.size());
  out.write_raw(payload);
  return std::move(out).take();
}

}  // namespace

const ErrorDomain& error_domain(EnrError) { return kDomain; }

// --- Enr ------------------------------------------------------------------------------------

Result<Enr> Enr::decode(ByteView record) {
  if (record.size() > kMaxEnrBytes) return fail(EnrError::too_large, kMaxEnrBytes);
  rlp::Reader in{record};
  rlp::Reader list = TRY(in.enter_list());
  if (list.at_end()) return fail(EnrError::incomplete_list, list.offset());
  TRY(list.read_bytes());  // the signature; its size is the identity scheme's to judge
  if (list.at_end()) return fail(EnrError::incomplete_list, list.offset());
  Enr out;
  out.seq_at_ = static_cast<std::uint16_t>(list.offset());
  out.seq_ = TRY(list.read_uint<std::uint64_t>());
  out.pairs_at_ = static_cast<std::uint16_t>(list.offset());
  TRY(check_pairs(list));
  TRY(in.expect_end());
  out.record_ = to_bytes(record);
  return out;
}

Result<Enr> Enr::decode(rlp::Reader& in) {
  rlp::Reader after = in;
  const ByteView record = TRY(after.read_raw());
  auto out = decode(record);
  if (!out) return std::unexpected{out.error().shifted(in.offset())};
  in = after;
  return out;
}

Result<Enr> Enr::parse(std::string_view text) {
  if (!text.starts_with(kTextPrefix)) return fail(EnrError::text_prefix);
  if (text.size() > kMaxEnrText) return fail(EnrError::too_large, kMaxEnrText);
  const Bytes record = TRY(base64url::decode(text.substr(kTextPrefix.size())));
  return decode(record);
}

std::string Enr::text() const { return std::string{kTextPrefix} + base64url::encode(record_); }

// Decoding has shown that the record can be read: from here on its parts are our own invariant.
ByteView Enr::signature() const {
  rlp::Reader list = rlp::Reader{record_}.enter_list().value();
  return list.read_bytes().value();
}

Bytes Enr::content() const { return list_of(ByteView{record_}.subspan(seq_at_)); }

rlp::Reader Enr::pairs() const { return rlp::Reader{ByteView{record_}.subspan(pairs_at_)}; }

std::optional<ByteView> Enr::find_raw(std::string_view key) const {
  for (rlp::Reader in = pairs(); !in.at_end();) {
    const ByteView candidate = in.read_bytes().value();
    const ByteView value = in.read_raw().value();
    if (equal(candidate, text_bytes(key))) return value;
  }
  return {};
}

std::optional<ByteView> Enr::find(std::string_view key) const {
  const auto raw = find_raw(key);
  if (!raw) return {};
  const auto value = rlp::Reader{*raw}.read_bytes();
  if (!value) return {};
  return *value;
}

std::optional<IpAddress> Enr::ip() const {
  const auto value = find("ip");
  if (!value || value->size() != 4) return {};
  ByteArray<4> bytes{};
  copy_into(bytes, *value);
  return IpAddress::v4(bytes);
}

std::optional<IpAddress> Enr::ip6() const {
  const auto value = find("ip6");
  if (!value || value->size() != 16) return {};
  ByteArray<16> bytes{};
  copy_into(bytes, *value);
  const IpAddress address = IpAddress::v6(bytes);
  if (address.is_v4()) return {};
  return address;
}

std::optional<std::uint16_t> Enr::port(std::string_view key) const {
  const auto raw = find_raw(key);
  if (!raw) return {};
  const auto value = rlp::Reader{*raw}.read_uint<std::uint16_t>();
  if (!value) return {};
  return *value;
}

std::optional<std::string_view> Enr::malformed_port() const {
  static constexpr std::array<std::string_view, 6> kKeys{"tcp",  "tcp6", "udp",
                                                         "udp6", "quic", "quic6"};
  for (const std::string_view key : kKeys) {
    if (find_raw(key) && !port(key)) return key;
  }
  return {};
}

std::optional<Endpoint> Enr::endpoint_v4(std::string_view port_key) const {
  const auto address = ip();
  const auto number = port(port_key);
  if (!address || !number || *number == 0) return {};
  return Endpoint{*address, *number};
}

std::optional<Endpoint> Enr::endpoint_v6(std::string_view port_key) const {
  const auto address = ip6();
  auto number = port(std::string{port_key} + '6');
  if (!number) number = port(port_key);
  if (!address || !number || *number == 0) return {};
  return Endpoint{*address, *number};
}

std::optional<ForkId> Enr::fork_id() const {
  const auto raw = find_raw("eth");
  if (!raw) return {};
  auto list = rlp::Reader{*raw}.enter_list();
  if (!list) return {};
  const auto id = ForkId::decode(*list);
  if (!id) return {};
  return *id;
}

// --- VerifiedEnr ----------------------------------------------------------------------------

VerifiedEnr::VerifiedEnr(Enr record, const crypto::PublicKey& key)
    : record_{std::move(record)}, key_{key}, id_{make_node_id(key)} {}

Result<VerifiedEnr> VerifiedEnr::verify(Enr record) {
  const auto scheme = record.find(kIdKey);
  if (!scheme || !equal(*scheme, text_bytes(kIdV4))) return fail(EnrError::identity_scheme);
  const auto point = record.find(kPublicKeyKey);
  if (!point || point->size() != 33) return fail(EnrError::public_key);
  const auto key = crypto::PublicKey::parse(*point);
  if (!key) return fail(EnrError::public_key);
  const auto digest = crypto::keccak256(record.content());
  if (!crypto::verify(*key, record.signature(), digest)) return fail(EnrError::signature);
  return VerifiedEnr{std::move(record), *key};
}

Result<VerifiedEnr> VerifiedEnr::decode(ByteView record) {
  Enr form = TRY(Enr::decode(record));
  return verify(std::move(form));
}

Result<VerifiedEnr> VerifiedEnr::parse(std::string_view text) {
  Enr form = TRY(Enr::parse(text));
  return verify(std::move(form));
}

// --- EnrBuilder -----------------------------------------------------------------------------

EnrBuilder::EnrBuilder(std::uint64_t seq, const Enr& earlier) : seq_{seq} {
  earlier.for_each_pair([this](ByteView key, ByteView value) {
    std::string text;
    for (const std::byte b : key) text.push_back(std::to_integer<char>(b));
    pairs_[text] = to_bytes(value);
  });
}

EnrBuilder& EnrBuilder::ip(const IpAddress& address) {
  return bytes(address.is_v4() ? "ip" : "ip6", address.bytes());
}

EnrBuilder& EnrBuilder::fork_id(const ForkId& id) {
  rlp::Writer value;
  const auto list = value.begin_list();
  id.encode(value);
  value.end_list(list);
  return raw("eth", value.view());
}

EnrBuilder& EnrBuilder::uint(std::string_view key, std::uint64_t value) {
  rlp::Writer encoded;
  encoded.write_uint(value);
  return raw(key, encoded.view());
}

EnrBuilder& EnrBuilder::bytes(std::string_view key, ByteView value) {
  rlp::Writer encoded;
  encoded.write_bytes(value);
  return raw(key, encoded.view());
}

EnrBuilder& EnrBuilder::raw(std::string_view key, ByteView encoded) {
  CHECK(rlp::validate(encoded).has_value());
  pairs_.insert_or_assign(std::string{key}, to_bytes(encoded));
  return *this;
}

EnrBuilder& EnrBuilder::erase(std::string_view key) {
  const auto at = pairs_.find(key);
  if (at != pairs_.end()) pairs_.erase(at);
  return *this;
}

Result<VerifiedEnr> EnrBuilder::sign(const crypto::SecretKey& key) const {
  EnrBuilder whole = *this;
  const crypto::PublicKey public_key = key.public_key();
  whole.bytes(kIdKey, text_bytes(kIdV4));
  whole.bytes(kPublicKeyKey, public_key.compressed());
  rlp::Writer content;
  content.write_uint(seq_);
  for (const auto& [name, value] : whole.pairs_) {
    content.write_text(name);
    content.write_raw(value);
  }
  const auto digest = crypto::keccak256(list_of(content.view()));
  rlp::Writer record;
  const auto list = record.begin_list();
  record.write_bytes(crypto::sign_compact(key, digest));
  record.write_raw(content.view());
  record.end_list(list);
  Enr form = TRY(Enr::decode(record.view()));
  return VerifiedEnr{std::move(form), public_key};
}

}  // namespace ethnet
