// Ethereum node records (EIP-778): what a node says about itself, signed with its key.
//
//   const VerifiedEnr peer = TRY(VerifiedEnr::decode(bytes));     // from the wire
//   const VerifiedEnr peer = TRY(VerifiedEnr::parse("enr:-IS4Q…"));
//   const VerifiedEnr own = TRY(EnrBuilder{1}.ip(address).udp(30303).sign(key));
//
// Enr is a record whose form is right: canonical RLP, sorted unique keys, at most 300 bytes.
// Nothing it says can be trusted. VerifiedEnr is one whose "v4" signature is right too; only the
// verifier and the builder make it.
//
// What EIP-778 leaves open, decided here: a signature with high s is refused; a known key with a
// value that makes no sense (a port of three bytes, an address that is a list) does not spoil the
// record, its accessor just finds nothing; the text form is strict (lower-case "enr:", no padding,
// no blank or newline, no stray bits). Values under other keys are checked no deeper than their own
// prefix.
// Threading: values. Limits: kMaxEnrBytes, checked before anything is copied.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <codec/rlp_reader.hpp>
#include <crypto/secp256k1.hpp>

#include "endpoint.hpp"
#include "fork_id.hpp"
#include "hash.hpp"

namespace ethnet {

enum class EnrError : std::uint16_t {
  too_large = 1,    // above kMaxEnrBytes
  incomplete_list,  // no signature or no sequence number
  incomplete_pair,  // a key without a value
  key_order,
  duplicate_key,
  identity_scheme,  // "id" is not "v4"
  public_key,       // "secp256k1" is not a compressed point of the curve
  signature,        // not 64 bytes, high s, or not of this key over this content
  text_prefix       // the text does not begin with "enr:"
};
[[nodiscard]] const ErrorDomain& error_domain(EnrError);

inline constexpr std::size_t kMaxEnrBytes = 300;  // EIP-778
// Longest text form: "enr:" and base64url of kMaxEnrBytes.
inline constexpr std::size_t kMaxEnrText = 4 + kMaxEnrBytes * 4 / 3;

class Enr {
 public:
  // Exactly one record. Errors: EnrError (form only), rlp::RlpError.
  [[nodiscard]] static Result<Enr> decode(ByteView record);
  // The next item of `in`; on error `in` stays.
  [[nodiscard]] static Result<Enr> decode(rlp::Reader& in);
  // Errors besides: text_prefix, base64url::Base64Error.
  [[nodiscard]] static Result<Enr> parse(std::string_view text);

  [[nodiscard]] ByteView encoded() const { return record_; }
  [[nodiscard]] std::string text() const;  // "enr:…"
  [[nodiscard]] std::uint64_t seq() const { return seq_; }
  [[nodiscard]] ByteView signature() const;
  // What the signature covers: the list of seq and pairs.
  [[nodiscard]] Bytes content() const;

  // The value under `key` as RLP, valid as long as the record.
  [[nodiscard]] std::optional<ByteView> find_raw(std::string_view key) const;
  // The same where it is a string.
  [[nodiscard]] std::optional<ByteView> find(std::string_view key) const;
  // Every pair in order: f(ByteView key, ByteView value as RLP).
  template <class F>
  void for_each_pair(F f) const {
    for (rlp::Reader in = pairs(); !in.at_end();) {
      const ByteView key = in.read_bytes().value();
      f(key, in.read_raw().value());
    }
  }

  // Nothing where the key is absent or its value is malformed. An IPv4 address in "ip6"
  // (::ffff:a.b.c.d) counts as malformed: it would be a second, contradictory "ip".
  [[nodiscard]] std::optional<IpAddress> ip() const;
  [[nodiscard]] std::optional<IpAddress> ip6() const;
  [[nodiscard]] std::optional<std::uint16_t> port(std::string_view key) const;
  [[nodiscard]] std::optional<std::uint16_t> udp() const { return port("udp"); }
  [[nodiscard]] std::optional<std::uint16_t> udp6() const { return port("udp6"); }
  [[nodiscard]] std::optional<std::uint16_t> tcp() const { return port("tcp"); }
  [[nodiscard]] std::optional<std::uint16_t> tcp6() const { return port("tcp6"); }
  [[nodiscard]] std::optional<std::uint16_t> quic() const { return port("quic"); }
  [[nodiscard]] std::optional<std::uint16_t> quic6() const { return port("quic6"); }
  // The first key of a port ("tcp", "udp6", …) whose value is no number of 16 bits. Such a record
  // is valid, but there are readers of lists who trip over it: what is published must have none.
  [[nodiscard]] std::optional<std::string_view> malformed_port() const;
  // An address with a port other than 0. For IPv6 the "6" port counts, else the plain one.
  [[nodiscard]] std::optional<Endpoint> endpoint_v4(std::string_view port_key) const;
  [[nodiscard]] std::optional<Endpoint> endpoint_v6(std::string_view port_key) const;
  // The first element of "eth"; later elements may come with later versions.
  [[nodiscard]] std::optional<ForkId> fork_id() const;

  friend bool operator==(const Enr& a, const Enr& b) { return a.record_ == b.record_; }

 private:
  Enr() = default;
  [[nodiscard]] rlp::Reader pairs() const;

  Bytes record_;
  std::uint64_t seq_ = 0;
  std::uint16_t seq_at_ = 0;    // where the content begins in record_
  std::uint16_t pairs_at_ = 0;  // where the pairs begin
};

class VerifiedEnr {
 public:
  // Errors: identity_scheme, public_key, signature.
  [[nodiscard]] static Result<VerifiedEnr> verify(Enr record);
  // Decoding and verification in one. Errors: of both.
  [[nodiscard]] static Result<VerifiedEnr> decode(ByteView record);
  [[nodiscard]] static Result<VerifiedEnr> parse(std::string_view text);

  [[nodiscard]] const Enr& record() const { return record_; }
  [[nodiscard]] const Enr* operator->() const { return &record_; }
  [[nodiscard]] const crypto::PublicKey& public_key() const { return key_; }
  [[nodiscard]] const NodeId& node_id() const { return id_; }

  friend bool operator==(const VerifiedEnr& a, const VerifiedEnr& b) {
    return a.record_ == b.record_;
  }

 private:
  friend class EnrBuilder;
  VerifiedEnr(Enr record, const crypto::PublicKey& key);

  Enr record_;
  crypto::PublicKey key_;
  NodeId id_;
};

class EnrBuilder {
 public:
  explicit EnrBuilder(std::uint64_t seq) : seq_{seq} {}
  // Every pair of an earlier record, under a new sequence number.
  EnrBuilder(std::uint64_t seq, const Enr& earlier);

  // Sets "ip" or "ip6" by the kind of address.
  EnrBuilder& ip(const IpAddress& address);
  EnrBuilder& udp(std::uint16_t port) { return uint("udp", port); }
  EnrBuilder& udp6(std::uint16_t port) { return uint("udp6", port); }
  EnrBuilder& tcp(std::uint16_t port) { return uint("tcp", port); }
  EnrBuilder& tcp6(std::uint16_t port) { return uint("tcp6", port); }
  EnrBuilder& quic(std::uint16_t port) { return uint("quic", port); }
  EnrBuilder& quic6(std::uint16_t port) { return uint("quic6", port); }
  EnrBuilder& fork_id(const ForkId& id);
  EnrBuilder& uint(std::string_view key, std::uint64_t value);
  EnrBuilder& bytes(std::string_view key, ByteView value);
  // `encoded` is one RLP item (CHECK).
  EnrBuilder& raw(std::string_view key, ByteView encoded);
  EnrBuilder& erase(std::string_view key);

  // Adds "id" and "secp256k1" and signs. Error: too_large.
  [[nodiscard]] Result<VerifiedEnr> sign(const crypto::SecretKey& key) const;

 private:
  std::uint64_t seq_;
  std::map<std::string, Bytes, std::less<>> pairs_;  // key to RLP
};

}  // namespace ethnet
