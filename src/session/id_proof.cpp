#include "id_proof.hpp"

#include <crypto/keccak.hpp>

namespace ethnet::session {

Hash32 proof_digest(transport::Side role, const Exporter& exporter, const NodeId& signer,
                    const NodeId& other) {
  const ByteArray<1> role_byte{role == transport::Side::dialler ? std::byte{1} : std::byte{2}};
  crypto::Keccak256 keccak;
  keccak.update(text_bytes(kProofPrefix));
  keccak.update(role_byte);
  keccak.update(exporter);
  keccak.update(signer.view());
  keccak.update(other.view());
  return Hash32{keccak.finish()};
}

std::function<Bytes()> sign_work(std::shared_ptr<const crypto::SecretKey> key,
                                 const Hash32& digest) {
  return
      [secret = std::move(key), digest] { return to_bytes(crypto::sign(*secret, digest.bytes)); };
}

std::function<Bytes()> ProofVerifier::work() const {
  return [digest = digest_, signature = proof_.signature]() -> Bytes {
    const auto signer = crypto::recover(signature, digest.bytes);
    if (!signer) return {};
    return to_bytes(crypto::node_id_of(*signer));
  };
}

Result<AuthenticatedPeer> ProofVerifier::finish(ByteView output) const {
  if (!equal(output, claimed_.view())) return fail(SessionError::bad_proof);
  return AuthenticatedPeer{claimed_};
}

}  // namespace ethnet::session
