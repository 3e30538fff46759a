// Faces libsecp256k1, which takes pointers to unsigned char.
#include "secp256k1.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <base/check.hpp>
#include <secp256k1.h>
#include <secp256k1_ecdh.h>
#include <secp256k1_recovery.h>

#include "ct_equal.hpp"

namespace ethnet::crypto {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<Secp256k1Error>(code)) {
    case Secp256k1Error::bad_secret_key:
      return "not a secret key";
    case Secp256k1Error::bad_public_key:
      return "not a public key on the curve";
    case Secp256k1Error::bad_signature:
      return "malformed signature";
    case Secp256k1Error::high_s:
      return "signature with high s";
    case Secp256k1Error::wrong_signature:
      return "signature does not match";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"secp256k1", describe};

using Octet = unsigned char;

const Octet* in_ptr(ByteView bytes) { return reinterpret_cast<const Octet*>(bytes.data()); }
Octet* out_ptr(MutByteView bytes) { return reinterpret_cast<Octet*>(bytes.data()); }

struct ContextDeleter {
  void operator()(secp256k1_context* context) const { secp256k1_context_destroy(context); }
};

// One per thread: creation costs a table, use is read-only.
const secp256k1_context* context() {
  thread_local const std::unique_ptr<secp256k1_context, ContextDeleter> instance{
      secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY)};
  return instance.get();
}

// 04 ‖ x ‖ y of a parsed key, without the 04.
ByteArray<64> xy_of(const secp256k1_pubkey& key) {
  ByteArray<65> full{};
  std::size_t size = full.size();
  CHECK(secp256k1_ec_pubkey_serialize(context(), out_ptr(full), &size, &key,
                                      SECP256K1_EC_UNCOMPRESSED) == 1);
  ByteArray<64> xy{};
  copy_into(xy, ByteView{full}.subspan(1));
  return xy;
}

secp256k1_pubkey parsed(const PublicKey& key) {
  ByteArray<65> full{std::byte{4}};
  copy_into(MutByteView{full}.subspan(1), key.xy());
  secp256k1_pubkey out;
  CHECK(secp256k1_ec_pubkey_parse(context(), &out, in_ptr(full), full.size()) == 1);
  return out;
}

Result<secp256k1_ecdsa_signature> parse_low_s(ByteView signature64) {
  secp256k1_ecdsa_signature signature;
  if (signature64.size() != 64 ||
      secp256k1_ecdsa_signature_parse_compact(context(), &signature, in_ptr(signature64)) != 1) {
    return fail(Secp256k1Error::bad_signature);
  }
  if (secp256k1_ecdsa_signature_normalize(context(), nullptr, &signature) == 1) {
    return fail(Secp256k1Error::high_s, 32);
  }
  return signature;
}

// secp256k1_ecdh's output is what this function makes of the shared point.
int keep_point(Octet* output, const Octet* x32, const Octet* y32, void*) {
#pragma clang unsafe_buffer_usage begin
  output[0] = static_cast<Octet>(2 + (y32[31] & 1));
  std::copy_n(x32, 32, output + 1);
#pragma clang unsafe_buffer_usage end
  return 1;
}

}  // namespace

const ErrorDomain& error_domain(Secp256k1Error) { return kDomain; }

Result<PublicKey> PublicKey::parse(ByteView encoded) {
  ByteArray<65> full{std::byte{4}};
  ByteView form = encoded;
  if (encoded.size() == 64) {
    copy_into(MutByteView{full}.subspan(1), encoded);
    form = full;
  }
  // The library also knows hybrid forms (06, 07); nothing in Ethereum uses them.
  const bool known = (form.size() == 33 && (form[0] == std::byte{2} || form[0] == std::byte{3})) ||
                     (form.size() == 65 && form[0] == std::byte{4});
  secp256k1_pubkey key;
  if (!known || secp256k1_ec_pubkey_parse(context(), &key, in_ptr(form), form.size()) != 1) {
    return fail(Secp256k1Error::bad_public_key);
  }
  return PublicKey{xy_of(key)};
}

ByteArray<33> PublicKey::compressed() const {
  ByteArray<33> out{};
  out[0] = (xy_[63] & std::byte{1}) == std::byte{1} ? std::byte{3} : std::byte{2};
  copy_into(MutByteView{out}.subspan(1), ByteView{xy_}.first(32));
  return out;
}

Digest32 node_id_of(const PublicKey& key) { return keccak256(key.xy()); }

SecretKey::SecretKey(ByteView bytes) { copy_into(bytes_, bytes); }
SecretKey::SecretKey(SecretKey&& other) noexcept : bytes_{other.bytes_} { wipe(other.bytes_); }
SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
  if (this != &other) {
    bytes_ = other.bytes_;
    wipe(other.bytes_);
  }
  return *this;
}
SecretKey::~SecretKey() { wipe(bytes_); }

Result<SecretKey> SecretKey::from_bytes(ByteView bytes) {
  if (bytes.size() != 32 || secp256k1_ec_seckey_verify(context(), in_ptr(bytes)) != 1) {
    return fail(Secp256k1Error::bad_secret_key);
  }
  return SecretKey{bytes};
}

SecretKey SecretKey::generate(SecureRng& rng) {
  ByteArray<32> draw{};
  do {
    rng.fill(draw);
  } while (secp256k1_ec_seckey_verify(context(), in_ptr(draw)) != 1);
  SecretKey key{draw};
  wipe(draw);
  return key;
}

PublicKey SecretKey::public_key() const {
  secp256k1_pubkey key;
  CHECK(secp256k1_ec_pubkey_create(context(), &key, in_ptr(bytes_)) == 1);
  const ByteArray<64> xy = xy_of(key);
  auto result = PublicKey::parse(xy);
  CHECK(result.has_value());
  return *result;
}

RecoverableSignature sign(const SecretKey& key, const Digest32& digest) {
  secp256k1_ecdsa_recoverable_signature made;
  CHECK(secp256k1_ecdsa_sign_recoverable(context(), &made, in_ptr(digest), in_ptr(key.reveal()),
                                         nullptr, nullptr) == 1);
  RecoverableSignature out{};
  int recovery_id = 0;
  CHECK(secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), out_ptr(out),
                                                                &recovery_id, &made) == 1);
  out[64] = static_cast<std::byte>(recovery_id);
  return out;
}

CompactSignature sign_compact(const SecretKey& key, const Digest32& digest) {
  const RecoverableSignature full = sign(key, digest);
  CompactSignature out{};
  copy_into(out, ByteView{full}.first(64));
  return out;
}

Result<PublicKey> recover(ByteView signature65, const Digest32& digest) {
  if (signature65.size() != 65 || std::to_integer<int>(signature65[64]) > 3) {
    return fail(Secp256k1Error::bad_signature);
  }
  TRY(parse_low_s(signature65.first(64)));
  secp256k1_ecdsa_recoverable_signature signature;
  if (secp256k1_ecdsa_recoverable_signature_parse_compact(
          context(), &signature, in_ptr(signature65), std::to_integer<int>(signature65[64])) != 1) {
    return fail(Secp256k1Error::bad_signature);
  }
  secp256k1_pubkey key;
  if (secp256k1_ecdsa_recover(context(), &key, &signature, in_ptr(digest)) != 1) {
    return fail(Secp256k1Error::wrong_signature);
  }
  return PublicKey::parse(xy_of(key));
}

Result<void> verify(const PublicKey& key, ByteView signature64, const Digest32& digest) {
  const secp256k1_ecdsa_signature signature = TRY(parse_low_s(signature64));
  const secp256k1_pubkey point = parsed(key);
  if (secp256k1_ecdsa_verify(context(), &signature, in_ptr(digest), &point) != 1) {
    return fail(Secp256k1Error::wrong_signature);
  }
  return {};
}

ByteArray<33> ecdh_compressed(const SecretKey& key, const PublicKey& peer) {
  const secp256k1_pubkey point = parsed(peer);
  ByteArray<33> out{};
  CHECK(secp256k1_ecdh(context(), out_ptr(out), &point, in_ptr(key.reveal()), keep_point,
                       nullptr) == 1);
  return out;
}

Digest32 ecdh_x(const SecretKey& key, const PublicKey& peer) {
  ByteArray<33> point = ecdh_compressed(key, peer);
  Digest32 x{};
  copy_into(x, ByteView{point}.subspan(1));
  wipe(point);
  return x;
}

}  // namespace ethnet::crypto
