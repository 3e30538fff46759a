#include "secp256k1.hpp"

#include <array>

#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_recovery.h>

#include "c_bytes.hpp"
#include "keccak.hpp"

namespace ethnet::crypto {
namespace {

struct FreeContext {
  void operator()(secp256k1_context* context) const noexcept { secp256k1_context_destroy(context); }
};
using Context = std::unique_ptr<secp256k1_context, FreeContext>;

// What needs no table for the generator runs on the library's constant context.
const secp256k1_context* verifier() { return secp256k1_context_static; }

constexpr std::byte kUncompressedPrefix{4};
constexpr int kMaxGenerateTries = 16;  // each fails with probability 2^-128

// Copies x to the output (32 bytes); libsecp256k1 hands out the coordinates of the shared point.
#pragma clang unsafe_buffer_usage begin
int copy_x(unsigned char* output, const unsigned char* x32, const unsigned char*, void*) {
  std::ranges::copy(std::span{x32, 32}, output);
  return 1;
}

// 02 or 03 by the parity of y, then x: 33 bytes.
int copy_compressed(unsigned char* output, const unsigned char* x32, const unsigned char* y32,
                    void*) {
  const unsigned char last = std::span{y32, 32}.back();
  const std::span out{output, 33};
  out.front() = static_cast<unsigned char>(2 + (last & 1));
  std::ranges::copy(std::span{x32, 32}, out.subspan(1).begin());
  return 1;
}
#pragma clang unsafe_buffer_usage end

}  // namespace

struct SecretKey::State {
  SecretBytes<kSecretKeySize> bytes;
  Context context{secp256k1_context_create(SECP256K1_CONTEXT_NONE)};
};

// Conversions between our types and the library's, and the way to a key's secret.
struct CurveAccess {
  static PublicKey wrap(const secp256k1_pubkey& key) {
    ByteArray<kUncompressedKeySize> full{};
    std::size_t size = full.size();
    CHECK(secp256k1_ec_pubkey_serialize(verifier(), c_bytes(MutByteView{full}), &size, &key,
                                        SECP256K1_EC_UNCOMPRESSED) == 1);
    CHECK(size == full.size());
    ByteArray<kKeyXySize> xy{};
    copy_into(xy, ByteView{full}.subspan(1));
    return PublicKey{xy};
  }
  // Without a square root, and the curve equation is checked once more: 0.2 us.
  static secp256k1_pubkey unwrap(const PublicKey& key) {
    ByteArray<kUncompressedKeySize> full{};
    full.front() = kUncompressedPrefix;
    copy_into(MutByteView{full}.subspan(1), key.xy());
    secp256k1_pubkey point{};
    CHECK(secp256k1_ec_pubkey_parse(verifier(), &point, c_bytes(ByteView{full}), full.size()) == 1);
    return point;
  }
  static const unsigned char* secret(const SecretKey& key) {
    CHECK(key.state_ != nullptr);
    return c_bytes(key.state_->bytes.view());
  }
  static const secp256k1_context* context(const SecretKey& key) {
    CHECK(key.state_ != nullptr);
    return key.state_->context.get();
  }
};

// --- public keys ---

Result<PublicKey> PublicKey::parse(ByteView encoded) {
  ByteArray<kUncompressedKeySize> full{};
  if (encoded.size() == kKeyXySize) {
    full.front() = kUncompressedPrefix;
    copy_into(MutByteView{full}.subspan(1), encoded);
    encoded = full;
  }
  // The library would also take the hybrid prefixes 06 and 07.
  const bool compressed = encoded.size() == kCompressedKeySize &&
                          (encoded.front() == std::byte{2} || encoded.front() == std::byte{3});
  const bool uncompressed =
      encoded.size() == kUncompressedKeySize && encoded.front() == kUncompressedPrefix;
  if (!compressed && !uncompressed) return fail(CryptoError::bad_public_key);
  secp256k1_pubkey key{};
  if (secp256k1_ec_pubkey_parse(verifier(), &key, c_bytes(encoded), encoded.size()) != 1) {
    return fail(CryptoError::bad_public_key);
  }
  return CurveAccess::wrap(key);
}

ByteArray<kCompressedKeySize> PublicKey::compressed() const {
  ByteArray<kCompressedKeySize> out{};
  const bool odd = (xy_.back() & std::byte{1}) == std::byte{1};
  out.front() = odd ? std::byte{3} : std::byte{2};
  copy_into(MutByteView{out}.subspan(1), ByteView{xy_}.first(32));
  return out;
}

Digest32 node_id_of(const PublicKey& key) { return keccak256(key.xy()); }

// --- secret keys ---

SecretKey::SecretKey(std::unique_ptr<State> state) : state_{std::move(state)} {}
SecretKey::SecretKey(SecretKey&&) noexcept = default;
SecretKey& SecretKey::operator=(SecretKey&&) noexcept = default;
SecretKey::~SecretKey() = default;

Result<SecretKey> SecretKey::from_bytes(ByteView bytes) {
  if (bytes.size() != kSecretKeySize) return fail(CryptoError::bad_secret_key, bytes.size());
  if (secp256k1_ec_seckey_verify(verifier(), c_bytes(bytes)) != 1) {
    return fail(CryptoError::bad_secret_key);
  }
  auto state = std::make_unique<State>();
  CHECK(state->context != nullptr);
  copy_into(state->bytes.writable(), bytes);
  return SecretKey{std::move(state)};
}

SecretKey SecretKey::generate(SecureRng& rng) {
  SecretBytes<kSecretKeySize> candidate;
  for (int tries = 0; tries < kMaxGenerateTries; ++tries) {
    rng.fill(candidate.writable());
    auto key = from_bytes(candidate.view());
    if (key) return *std::move(key);
  }
  check_failed("a random generator that gives no valid key", std::source_location::current());
}

PublicKey SecretKey::public_key() const {
  secp256k1_pubkey key{};
  CHECK(secp256k1_ec_pubkey_create(CurveAccess::context(*this), &key, CurveAccess::secret(*this)) ==
        1);
  return CurveAccess::wrap(key);
}

void SecretKey::blind(SecureRng& rng) {
  CHECK(state_ != nullptr);
  SecretBytes<32> seed;
  rng.fill(seed.writable());
  CHECK(secp256k1_context_randomize(state_->context.get(), c_bytes(seed.view())) == 1);
}

ByteView SecretKey::reveal() const {
  CHECK(state_ != nullptr);
  return state_->bytes.view();
}

// --- sums ---

Result<SecretKey> sum(const SecretKey& a, const SecretKey& b) {
  SecretBytes<kSecretKeySize> out;
  copy_into(out.writable(), a.reveal());
  if (secp256k1_ec_seckey_tweak_add(verifier(), c_bytes(out.writable()), CurveAccess::secret(b)) !=
      1) {
    return fail(CryptoError::bad_secret_key);
  }
  return SecretKey::from_bytes(out.view());
}

Result<PublicKey> sum(const PublicKey& a, const PublicKey& b) {
  const std::array points{CurveAccess::unwrap(a), CurveAccess::unwrap(b)};
  const std::array<const secp256k1_pubkey*, 2> both{&points[0], &points[1]};
  secp256k1_pubkey out{};
  if (secp256k1_ec_pubkey_combine(verifier(), &out, both.data(), both.size()) != 1) {
    return fail(CryptoError::bad_public_key);
  }
  return CurveAccess::wrap(out);
}

// --- signatures ---

RecoverableSignature sign(const SecretKey& key, const Digest32& digest) {
  const secp256k1_context* const context = CurveAccess::context(key);
  secp256k1_ecdsa_recoverable_signature signature{};
  CHECK(secp256k1_ecdsa_sign_recoverable(context, &signature, c_bytes(ByteView{digest}),
                                         CurveAccess::secret(key), nullptr, nullptr) == 1);
  RecoverableSignature out{};
  int recovery_id = 0;
  CHECK(secp256k1_ecdsa_recoverable_signature_serialize_compact(
            context, c_bytes(MutByteView{out}.first(64)), &recovery_id, &signature) == 1);
  out.back() = static_cast<std::byte>(recovery_id);
  return out;
}

CompactSignature sign_compact(const SecretKey& key, const Digest32& digest) {
  const RecoverableSignature signature = sign(key, digest);
  CompactSignature out{};
  copy_into(out, ByteView{signature}.first(out.size()));
  return out;
}

namespace {

// r and s in [1, n-1], and s canonical unless the caller accepts both.
Result<secp256k1_ecdsa_signature> parse_signature(ByteView compact, HighS policy) {
  if (compact.size() != 64) return fail(CryptoError::bad_signature, compact.size());
  constexpr ByteArray<32> kZero{};
  if (equal(compact.first(32), kZero)) return fail(CryptoError::bad_signature);
  if (equal(compact.last(32), kZero)) return fail(CryptoError::bad_signature, 32);
  secp256k1_ecdsa_signature signature{};
  if (secp256k1_ecdsa_signature_parse_compact(verifier(), &signature, c_bytes(compact)) != 1) {
    return fail(CryptoError::bad_signature);
  }
  if (policy == HighS::refuse &&
      secp256k1_ecdsa_signature_normalize(verifier(), nullptr, &signature) == 1) {
    return fail(CryptoError::high_s, 32);
  }
  return signature;
}

}  // namespace

Result<PublicKey> recover(ByteView signature, const Digest32& digest, HighS high_s) {
  if (signature.size() != 65) return fail(CryptoError::bad_signature, signature.size());
  const auto recovery_id = std::to_integer<int>(signature.back());
  if (recovery_id > 3) return fail(CryptoError::bad_signature, 64);
  const ByteView compact = signature.first(64);
  TRY(parse_signature(compact, high_s));
  secp256k1_ecdsa_recoverable_signature parsed{};
  CHECK(secp256k1_ecdsa_recoverable_signature_parse_compact(verifier(), &parsed, c_bytes(compact),
                                                            recovery_id) == 1);
  secp256k1_pubkey key{};
  if (secp256k1_ecdsa_recover(verifier(), &key, &parsed, c_bytes(ByteView{digest})) != 1) {
    return fail(CryptoError::recovery_failed);
  }
  return CurveAccess::wrap(key);
}

Result<void> verify(const PublicKey& key, ByteView signature, const Digest32& digest) {
  const auto parsed = TRY(parse_signature(signature, HighS::refuse));
  const secp256k1_pubkey point = CurveAccess::unwrap(key);
  if (secp256k1_ecdsa_verify(verifier(), &parsed, c_bytes(ByteView{digest}), &point) != 1) {
    return fail(CryptoError::signature_mismatch);
  }
  return {};
}

// --- key agreement ---

SecretBytes<32> ecdh_x(const SecretKey& ours, const PublicKey& theirs) {
  const secp256k1_pubkey point = CurveAccess::unwrap(theirs);
  SecretBytes<32> out;
  CHECK(secp256k1_ecdh(verifier(), c_bytes(out.writable()), &point, CurveAccess::secret(ours),
                       copy_x, nullptr) == 1);
  return out;
}

SecretBytes<33> ecdh_compressed(const SecretKey& ours, const PublicKey& theirs) {
  const secp256k1_pubkey point = CurveAccess::unwrap(theirs);
  SecretBytes<33> out;
  CHECK(secp256k1_ecdh(verifier(), c_bytes(out.writable()), &point, CurveAccess::secret(ours),
                       copy_compressed, nullptr) == 1);
  return out;
}

}  // namespace ethnet::crypto
