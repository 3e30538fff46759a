#include "ct_equal.hpp"

#include <openssl/crypto.h>

namespace ethnet::crypto {

bool ct_equal(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(MutByteView secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace ethnet::crypto
