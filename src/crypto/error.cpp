#include "error.hpp"

namespace ethnet::crypto {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<CryptoError>(code)) {
    case CryptoError::bad_key_size:
      return "key size is neither 16 nor 32 bytes";
    case CryptoError::bad_nonce:
      return "nonce size is not supported";
    case CryptoError::input_too_long:
      return "input or output is too long";
    case CryptoError::truncated:
      return "shorter than the authentication tag";
    case CryptoError::authentication_failed:
      return "authentication tag does not match";
    case CryptoError::bad_secret_key:
      return "invalid secret key";
    case CryptoError::bad_public_key:
      return "invalid public key";
    case CryptoError::bad_signature:
      return "invalid signature encoding";
    case CryptoError::high_s:
      return "signature is not canonical (high s)";
    case CryptoError::signature_mismatch:
      return "signature does not match";
    case CryptoError::recovery_failed:
      return "no public key fits the signature";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"crypto", describe};

}  // namespace

const ErrorDomain& error_domain(CryptoError) { return kDomain; }

}  // namespace ethnet::crypto
