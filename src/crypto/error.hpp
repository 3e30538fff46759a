// What can go wrong in this module through the fault of an input. Misuse by our own code (a wrong
// output size, a key that was moved away) is a CHECK; failures inside a library that only memory
// exhaustion explains are fatal.
#pragma once

#include <base/result.hpp>

namespace ethnet::crypto {

enum class CryptoError : std::uint16_t {
  bad_key_size = 1,       // AES key that is not 16 or 32 bytes
  bad_nonce,              // GCM nonce or CTR counter block of a refused size
  input_too_long,         // over kMaxAesInput or kMaxHkdfOutput
  truncated,              // a sealed message shorter than its tag
  authentication_failed,  // the tag does not match: nothing of the plaintext is released
  bad_secret_key,         // not 32 bytes, zero, or not below the group order
  bad_public_key,         // wrong size or prefix, coordinate not below p, not on the curve
  bad_signature,          // r or s zero or not below the group order, recovery id over 3
  high_s,                 // s above half the order: the malleable twin of a canonical signature
  signature_mismatch,     // well formed, but not of this key and digest
  recovery_failed,        // no public key gives this signature
};
[[nodiscard]] const ErrorDomain& error_domain(CryptoError);

}  // namespace ethnet::crypto
