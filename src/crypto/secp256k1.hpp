// secp256k1 keys and signatures, a typed face on libsecp256k1.
//
// A PublicKey is on the curve by construction: every way to make one checks (coordinates below p,
// curve equation, not infinity), so that nothing off the curve reaches ECDH (attacks 2, 3, 4).
// Threading: values; the library's context is created once per thread.
#pragma once

#include <compare>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <base/secure_rng.hpp>
#include <crypto/keccak.hpp>

namespace ethnet::crypto {

enum class Secp256k1Error : std::uint16_t {
  bad_secret_key = 1,  // not 32 bytes, zero, or not below the group order
  bad_public_key,      // not a point of the curve in a known form
  bad_signature,       // wrong size, r or s out of range, recovery id above 3
  high_s,              // s above half the order, where low s is required
  wrong_signature,     // well-formed and not of this key over this digest
};
[[nodiscard]] const ErrorDomain& error_domain(Secp256k1Error);

class PublicKey {
 public:
  // 33 bytes (02/03 ‖ x), 65 bytes (04 ‖ x ‖ y) or 64 bytes (x ‖ y). Error: bad_public_key.
  [[nodiscard]] static Result<PublicKey> parse(ByteView encoded);

  [[nodiscard]] ByteArray<33> compressed() const;
  [[nodiscard]] const ByteArray<64>& xy() const { return xy_; }  // x ‖ y, big-endian

  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;

 private:
  explicit PublicKey(const ByteArray<64>& xy) : xy_{xy} {}
  ByteArray<64> xy_;
};

// Keccak-256 of x ‖ y: the node id of EIP-778, "v4" identity scheme. Its last 20 bytes are the
// Ethereum address of the key.
[[nodiscard]] Digest32 node_id_of(const PublicKey& key);

class SecretKey {
 public:
  // Error: bad_secret_key.
  [[nodiscard]] static Result<SecretKey> from_bytes(ByteView bytes);
  [[nodiscard]] static SecretKey generate(SecureRng& rng);

  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  SecretKey(SecretKey&& other) noexcept;
  SecretKey& operator=(SecretKey&& other) noexcept;
  ~SecretKey();

  [[nodiscard]] PublicKey public_key() const;
  // For the key file only. The view is valid as long as the key.
  [[nodiscard]] ByteView reveal() const { return bytes_; }

 private:
  explicit SecretKey(ByteView bytes);
  ByteArray<32> bytes_{};
};

using CompactSignature = ByteArray<64>;      // r ‖ s
using RecoverableSignature = ByteArray<65>;  // r ‖ s ‖ v, v = 0…3

// Deterministic (RFC 6979), low s.
[[nodiscard]] RecoverableSignature sign(const SecretKey& key, const Digest32& digest);
[[nodiscard]] CompactSignature sign_compact(const SecretKey& key, const Digest32& digest);

// The key that made this signature. Errors: bad_signature, high_s, wrong_signature.
[[nodiscard]] Result<PublicKey> recover(ByteView signature65, const Digest32& digest);
// Errors: bad_signature, high_s, wrong_signature.
[[nodiscard]] Result<void> verify(const PublicKey& key, ByteView signature64,
                                  const Digest32& digest);

// The x coordinate of the shared point (as ECIES and RLPx use it).
[[nodiscard]] Digest32 ecdh_x(const SecretKey& key, const PublicKey& peer);
// The shared point, compressed (as discv5 uses it).
[[nodiscard]] ByteArray<33> ecdh_compressed(const SecretKey& key, const PublicKey& peer);

}  // namespace ethnet::crypto
