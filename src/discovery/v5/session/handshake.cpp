#include "handshake.hpp"

#include <string_view>

#include <crypto/hkdf.hpp>

namespace ethnet::discv5 {
namespace {

constexpr std::string_view kKeyAgreementText = "discovery v5 key agreement";
constexpr std::string_view kIdentityProofText = "discovery v5 identity proof";

}  // namespace

SessionKeys derive_keys(const crypto::SecretKey& secret_key, const crypto::PublicKey& public_key,
                        const NodeId& node_a, const NodeId& node_b, ByteView challenge_data) {
  const auto secret = crypto::ecdh_compressed(secret_key, public_key);
  Bytes info = to_bytes(text_bytes(kKeyAgreementText));
  append(info, node_a.view());
  append(info, node_b.view());
  crypto::SecretBytes<2 * kSessionKeyBytes> key_data;
  CHECK(crypto::hkdf_sha256(challenge_data, secret.view(), info, key_data.writable()).has_value());
  SessionKeys out;
  copy_into(out.initiator.writable(), key_data.view().first(kSessionKeyBytes));
  copy_into(out.recipient.writable(), key_data.view().last(kSessionKeyBytes));
  return out;
}

crypto::Digest32 id_signature_digest(ByteView challenge_data, const EphemeralKey& ephemeral_key,
                                     const NodeId& node_b) {
  Bytes input = to_bytes(text_bytes(kIdentityProofText));
  append(input, challenge_data);
  append(input, ephemeral_key);
  append(input, node_b.view());
  return crypto::sha256(input);
}

crypto::CompactSignature sign_id(const crypto::SecretKey& static_key, ByteView challenge_data,
                                 const EphemeralKey& ephemeral_key, const NodeId& node_b) {
  return crypto::sign_compact(static_key,
                              id_signature_digest(challenge_data, ephemeral_key, node_b));
}

Result<void> verify_id(const crypto::PublicKey& static_key, ByteView signature,
                       ByteView challenge_data, const EphemeralKey& ephemeral_key,
                       const NodeId& node_b) {
  const auto digest = id_signature_digest(challenge_data, ephemeral_key, node_b);
  if (!crypto::verify(static_key, signature, digest)) return fail(Discv5Error::bad_id_signature);
  return {};
}

}  // namespace ethnet::discv5
