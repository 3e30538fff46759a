#include "ct_equal.hpp"

#include <openssl/crypto.h>

namespace ethnet::crypto {

bool ct_equal(ByteView a, ByteView b) noexcept {
  if (a.size() != b.size()) return false;
  if (a.empty()) return true;
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace ethnet::crypto
