// What a handshake of Node Discovery v5.1 computes (devp2p, discv5-theory.md, "Handshake Steps" and
// "Identity-Specific Cryptography in the Handshake"), for the identity scheme "v4".
// Node A initiates: it sends the handshake. Node B is the recipient, whose WHOAREYOU it answers.
// Pure functions; any thread.
#pragma once

#include <crypto/secp256k1.hpp>
#include <crypto/wipe.hpp>
#include <types/hash.hpp>

#include "../wire/packet.hpp"

namespace ethnet::discv5 {

using SessionKey = crypto::SecretBytes<kSessionKeyBytes>;

struct SessionKeys {
  SessionKey initiator;  // of what node A sends
  SessionKey recipient;  // of what node B sends
};

// `secret_key` and `public_key`: A's ephemeral key and B's static one, or the other way round.
[[nodiscard]] SessionKeys derive_keys(const crypto::SecretKey& secret_key,
                                      const crypto::PublicKey& public_key, const NodeId& node_a,
                                      const NodeId& node_b, ByteView challenge_data);

// sha256 of the id-signature-input.
[[nodiscard]] crypto::Digest32 id_signature_digest(ByteView challenge_data,
                                                   const EphemeralKey& ephemeral_key,
                                                   const NodeId& node_b);
[[nodiscard]] crypto::CompactSignature sign_id(const crypto::SecretKey& static_key,
                                               ByteView challenge_data,
                                               const EphemeralKey& ephemeral_key,
                                               const NodeId& node_b);
// Error: bad_id_signature.
[[nodiscard]] Result<void> verify_id(const crypto::PublicKey& static_key, ByteView signature,
                                     ByteView challenge_data, const EphemeralKey& ephemeral_key,
                                     const NodeId& node_b);

}  // namespace ethnet::discv5
