#include "hkdf.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "c_bytes.hpp"

namespace ethnet::crypto {
namespace {

constexpr std::size_t kMaxHmacKey = std::size_t{1} << 30;  // OpenSSL takes an int

}  // namespace

Digest32 sha256(ByteView data) {
  Digest32 out{};
  unsigned size = 0;
  CHECK(EVP_Digest(data.data(), data.size(), c_bytes(MutByteView{out}), &size, EVP_sha256(),
                   nullptr) == 1);
  CHECK(size == out.size());
  return out;
}

Digest32 hmac_sha256(ByteView key, ByteView data) {
  CHECK(key.size() <= kMaxHmacKey);
  // A null key would mean "the key of the last call".
  constexpr ByteArray<1> kEmpty{};
  const ByteView some_key = key.empty() ? ByteView{kEmpty} : key;
  Digest32 out{};
  unsigned size = 0;
  CHECK(HMAC(EVP_sha256(), some_key.data(), static_cast<int>(key.size()), c_bytes(data),
             data.size(), c_bytes(MutByteView{out}), &size) != nullptr);
  CHECK(size == out.size());
  return out;
}

SecretBytes<32> hkdf_extract(ByteView salt, ByteView input_key) {
  Digest32 key = hmac_sha256(salt, input_key);
  SecretBytes<32> out;
  copy_into(out.writable(), key);
  wipe(key);
  return out;
}

Result<void> hkdf_expand(ByteView pseudo_random_key, ByteView info, MutByteView out) {
  if (out.size() > kMaxHkdfOutput) return fail(CryptoError::input_too_long, out.size());
  Digest32 block{};
  Bytes input;
  input.reserve(block.size() + info.size() + 1);
  std::uint8_t counter = 0;
  while (!out.empty()) {
    wipe(input);
    input.clear();
    if (counter != 0) append(input, block);
    append(input, info);
    input.push_back(static_cast<std::byte>(++counter));
    block = hmac_sha256(pseudo_random_key, input);
    const std::size_t size = std::min(out.size(), block.size());
    copy_into(out, ByteView{block}.first(size));
    out = out.subspan(size);
  }
  wipe(input);
  wipe(block);
  return {};
}

Result<void> hkdf_sha256(ByteView salt, ByteView input_key, ByteView info, MutByteView out) {
  const SecretBytes<32> key = hkdf_extract(salt, input_key);
  return hkdf_expand(key.view(), info, out);
}

}  // namespace ethnet::crypto
