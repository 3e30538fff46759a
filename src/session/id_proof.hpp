// The identity proof: each side signs
//   keccak256("ethnet/1 id-proof" || role || exporter || signer's id || other's id)
// with its node key, where the exporter (RFC 8446, 7.5) binds the signature to this very TLS
// connection: it cannot be replayed on another one, reflected, or relayed by a third party.
// Spec: docs/spec/session.md, "Identity proof".
//
// Signing and recovering take tens of microseconds each and leave the machine as Jobs; the
// functions here that return std::function make their work. Threading: the work may run anywhere.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <base/bytes.hpp>
#include <base/result.hpp>
#include <crypto/secp256k1.hpp>
#include <transport/conn.hpp>
#include <types/hash.hpp>

#include "control.hpp"

namespace ethnet::session {

inline constexpr std::string_view kExporterLabel = "EXPORTER-ethnet-1";
inline constexpr std::string_view kProofPrefix = "ethnet/1 id-proof";
inline constexpr std::size_t kExporterBytes = 32;
using Exporter = ByteArray<kExporterBytes>;

// What is signed. `role` is the signer's: one byte, 0x01 for the dialler, 0x02 for the acceptor.
[[nodiscard]] Hash32 proof_digest(transport::Side role, const Exporter& exporter,
                                  const NodeId& signer, const NodeId& other);

// Work of a Job whose output is the signature: 65 bytes.
[[nodiscard]] std::function<Bytes()> sign_work(std::shared_ptr<const crypto::SecretKey> key,
                                               const Hash32& digest);

// An identity that was proven on one connection. Only the verifier makes one.
class AuthenticatedPeer {
 public:
  [[nodiscard]] const NodeId& id() const { return id_; }

 private:
  friend class ProofVerifier;
  explicit AuthenticatedPeer(const NodeId& id) : id_{id} {}
  NodeId id_;
};

// Verifies one proof, in two steps around the Job.
class ProofVerifier {
 public:
  ProofVerifier(const Hash32& digest, const NodeId& claimed, const Proof& proof)
      : digest_{digest}, claimed_{claimed}, proof_{proof} {}

  // Output: the id of the key that signed (32 bytes), or nothing when the signature is no good.
  [[nodiscard]] std::function<Bytes()> work() const;
  // Error: bad_proof, when that is not the claimed identity.
  [[nodiscard]] Result<AuthenticatedPeer> finish(ByteView output) const;

 private:
  Hash32 digest_;
  NodeId claimed_;
  Proof proof_;
};

}  // namespace ethnet::session
