// secp256k1: node keys, ECDSA signatures (recoverable and plain, RFC 6979 nonces) and ECDH.
// Specs: SEC 1 and SEC 2; EIP-778 (64-byte signatures, node id), discv4/RLPx (65-byte,
// recoverable).
//
// A PublicKey cannot be made except by parse(), recover(), sum() and SecretKey::public_key(), all
// of which yield a point on the curve that is not infinity. So nothing here that takes a PublicKey
// can be called with an off-curve point: the check is in the type, not in the caller's diligence.
// Threads: const members and free functions may run at once on the same objects.
#pragma once

#include <compare>
#include <memory>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <base/secure_rng.hpp>

#include "digest.hpp"
#include "error.hpp"
#include "wipe.hpp"

namespace ethnet::crypto {

inline constexpr std::size_t kSecretKeySize = 32;
inline constexpr std::size_t kCompressedKeySize = 33;    // 02|03 x
inline constexpr std::size_t kUncompressedKeySize = 65;  // 04 x y
inline constexpr std::size_t kKeyXySize = 64;            // x y

// r || s, each 32 bytes big-endian.
using CompactSignature = ByteArray<64>;

// r || s || v with the recovery id v from 0 to 3.
using RecoverableSignature = ByteArray<65>;

// Of two signatures (r, s) and (r, n-s) that both fit, only the one with s <= n/2 is canonical.
// Our own protocols accept nothing else; discv4 and RLPx peers accept both.
enum class HighS : std::uint8_t { refuse, accept };

class PublicKey {
 public:
  // 33 bytes (02|03 x), 65 bytes (04 x y) or 64 bytes (x y). Errors: bad_public_key.
  [[nodiscard]] static Result<PublicKey> parse(ByteView encoded);

  [[nodiscard]] ByteArray<kCompressedKeySize> compressed() const;
  [[nodiscard]] const ByteArray<kKeyXySize>& xy() const { return xy_; }

  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;  // by xy

 private:
  friend struct CurveAccess;  // secp256k1.cpp
  explicit PublicKey(const ByteArray<kKeyXySize>& xy) : xy_{xy} {}
  ByteArray<kKeyXySize> xy_;
};

class SecretKey {
 public:
  // 32 bytes, big-endian, in [1, n-1]. The caller wipes its copy. Errors: bad_secret_key.
  [[nodiscard]] static Result<SecretKey> from_bytes(ByteView bytes);
  [[nodiscard]] static SecretKey generate(SecureRng& rng);

  SecretKey(SecretKey&&) noexcept;
  SecretKey& operator=(SecretKey&&) noexcept;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;
  ~SecretKey();  // wipes

  [[nodiscard]] PublicKey public_key() const;

  // Adds blinding against side channels to signing and public_key(), 31 µs once: worth it for a key
  // that lives long and signs much. Changes no result.
  void blind(SecureRng& rng);

  // The 32 bytes themselves: for the key file and nothing else. The view dies with the key.
  [[nodiscard]] ByteView reveal() const;

 private:
  friend struct CurveAccess;
  struct State;
  explicit SecretKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;  // null once moved away: using the key then is a CHECK
};

// Of two secrets modulo n, and of two points: the sum's public key is the public keys' sum, so that
// many keys of a row cost an addition each, a tenth of public_key(). Errors: bad_secret_key and
// bad_public_key where the sum is 0 or infinity.
[[nodiscard]] Result<SecretKey> sum(const SecretKey& a, const SecretKey& b);
[[nodiscard]] Result<PublicKey> sum(const PublicKey& a, const PublicKey& b);

// Deterministic, always with low s.
[[nodiscard]] RecoverableSignature sign(const SecretKey& key, const Digest32& digest);
[[nodiscard]] CompactSignature sign_compact(const SecretKey& key, const Digest32& digest);

// The key that made this signature of 65 bytes. Errors: bad_signature, high_s, recovery_failed.
[[nodiscard]] Result<PublicKey> recover(ByteView signature, const Digest32& digest,
                                        HighS high_s = HighS::refuse);

// Of 64 bytes. Errors: bad_signature, high_s, signature_mismatch.
[[nodiscard]] Result<void> verify(const PublicKey& key, ByteView signature, const Digest32& digest);

// The shared point's x coordinate (ECIES).
[[nodiscard]] SecretBytes<32> ecdh_x(const SecretKey& ours, const PublicKey& theirs);
// The shared point in compressed form (discv5).
[[nodiscard]] SecretBytes<33> ecdh_compressed(const SecretKey& ours, const PublicKey& theirs);

// keccak256(x || y): the bytes of the node id (EIP-778 "v4").
[[nodiscard]] Digest32 node_id_of(const PublicKey& key);

}  // namespace ethnet::crypto
