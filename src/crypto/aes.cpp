#include "aes.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <openssl/evp.h>

#include "c_bytes.hpp"
#include "ct_equal.hpp"
#include "wipe.hpp"

namespace ethnet::crypto {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

struct FreeCipher {
  void operator()(EVP_CIPHER* cipher) const noexcept { EVP_CIPHER_free(cipher); }
};
using Cipher = std::unique_ptr<EVP_CIPHER, FreeCipher>;

enum class Direction : int { decrypt = 0, encrypt = 1 };

// A context with its key expanded. A context holds its own reference to the cipher, which is
// therefore fetched once a key, never once a message.
Context make_context(const char* cipher_name, ByteView key, Direction direction) {
  const Cipher cipher{EVP_CIPHER_fetch(nullptr, cipher_name, nullptr)};
  CHECK(cipher != nullptr);
  Context context{EVP_CIPHER_CTX_new()};
  CHECK(context != nullptr);
  CHECK(EVP_CipherInit_ex2(context.get(), cipher.get(), c_bytes(key), nullptr,
                           static_cast<int>(direction), nullptr) == 1);
  return context;
}

// One update; an empty input must not reach OpenSSL, where a null input means something else.
void update(EVP_CIPHER_CTX& context, ByteView in, unsigned char* out) {
  if (in.empty()) return;
  int written = 0;
  CHECK(EVP_CipherUpdate(&context, out, &written, c_bytes(in), static_cast<int>(in.size())) == 1);
  CHECK(written == static_cast<int>(in.size()));
}

// A context of GCM, and the size of its nonces: to ask the context for it costs as much as to set a
// nonce.
struct GcmContext {
  Context context;
  std::size_t nonce_size = kGcmNonceSize;
};

// Sets the nonce, and another key of the same size where one is given, and feeds the associated
// data.
void start_message(GcmContext& gcm, ByteView key, ByteView nonce, ByteView associated) {
  EVP_CIPHER_CTX& context = *gcm.context;
  if (nonce.size() != gcm.nonce_size) {
    CHECK(EVP_CIPHER_CTX_ctrl(&context, EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce.size()),
                              nullptr) == 1);
    gcm.nonce_size = nonce.size();
  }
  const unsigned char* const new_key = key.empty() ? nullptr : c_bytes(key);
  CHECK(EVP_CipherInit_ex2(&context, nullptr, new_key, c_bytes(nonce), -1, nullptr) == 1);
  update(context, associated, nullptr);
}

Result<void> check_inputs(ByteView nonce, ByteView associated, ByteView text) {
  if (nonce.empty() || nonce.size() > kMaxGcmNonceSize) {
    return fail(CryptoError::bad_nonce, nonce.size());
  }
  if (associated.size() > kMaxAesInput) return fail(CryptoError::input_too_long, associated.size());
  if (text.size() > kMaxAesInput) return fail(CryptoError::input_too_long, text.size());
  return {};
}

Result<void> check_sealed(ByteView nonce, ByteView associated, ByteView sealed) {
  if (sealed.size() < kGcmTagSize) return fail(CryptoError::truncated, sealed.size());
  return check_inputs(nonce, associated, sealed.first(sealed.size() - kGcmTagSize));
}

bool is_key_size(std::size_t size) { return size == 16 || size == 32; }

// One message, under another key where one is given; the inputs are checked.
void seal_message(GcmContext& gcm, ByteView key, ByteView nonce, ByteView associated,
                  ByteView plain, MutByteView out) {
  CHECK(out.size() == plain.size() + kGcmTagSize);
  start_message(gcm, key, nonce, associated);
  EVP_CIPHER_CTX& context = *gcm.context;
  update(context, plain, c_bytes(out));
  const MutByteView tag = out.last(kGcmTagSize);
  int written = 0;
  CHECK(EVP_CipherFinal_ex(&context, c_bytes(tag), &written) == 1);
  CHECK(written == 0);
  CHECK(EVP_CIPHER_CTX_ctrl(&context, EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()),
                            tag.data()) == 1);
}

Result<void> open_message(GcmContext& gcm, ByteView key, ByteView nonce, ByteView associated,
                          ByteView sealed, MutByteView out) {
  const ByteView text = sealed.first(sealed.size() - kGcmTagSize);
  CHECK(out.size() == text.size());
  ByteArray<kGcmTagSize> tag{};
  copy_into(tag, sealed.last(kGcmTagSize));
  start_message(gcm, key, nonce, associated);
  EVP_CIPHER_CTX& context = *gcm.context;
  update(context, text, c_bytes(out));
  CHECK(EVP_CIPHER_CTX_ctrl(&context, EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()),
                            tag.data()) == 1);
  ByteArray<kAesBlockSize> rest{};  // GCM writes nothing here
  int written = 0;
  if (EVP_CipherFinal_ex(&context, c_bytes(MutByteView{rest}), &written) != 1) {
    wipe(out);
    return fail(CryptoError::authentication_failed);
  }
  return {};
}

}  // namespace

// Encrypting and decrypting need a context each: switching direction would expand the key again.
struct AesGcm::State {
  GcmContext seal;
  GcmContext open;
};

AesGcm::AesGcm(std::unique_ptr<State> state) : state_{std::move(state)} {}
AesGcm::AesGcm(AesGcm&&) noexcept = default;
AesGcm& AesGcm::operator=(AesGcm&&) noexcept = default;
AesGcm::~AesGcm() = default;

Result<AesGcm> AesGcm::make(ByteView key) {
  if (!is_key_size(key.size())) return fail(CryptoError::bad_key_size, key.size());
  const char* const name = key.size() == 16 ? "AES-128-GCM" : "AES-256-GCM";
  auto state = std::make_unique<State>();
  state->seal.context = make_context(name, key, Direction::encrypt);
  state->open.context = make_context(name, key, Direction::decrypt);
  return AesGcm{std::move(state)};
}

Result<void> AesGcm::seal_into(ByteView nonce, ByteView associated, ByteView plain,
                               MutByteView out) {
  TRY(check_inputs(nonce, associated, plain));
  CHECK(state_ != nullptr);
  seal_message(state_->seal, {}, nonce, associated, plain, out);
  return {};
}

Result<Bytes> AesGcm::seal(ByteView nonce, ByteView associated, ByteView plain) {
  TRY(check_inputs(nonce, associated, plain));
  Bytes out(plain.size() + kGcmTagSize);
  TRY(seal_into(nonce, associated, plain, out));
  return out;
}

Result<void> AesGcm::open_into(ByteView nonce, ByteView associated, ByteView sealed,
                               MutByteView out) {
  TRY(check_sealed(nonce, associated, sealed));
  CHECK(state_ != nullptr);
  return open_message(state_->open, {}, nonce, associated, sealed, out);
}

Result<Bytes> AesGcm::open(ByteView nonce, ByteView associated, ByteView sealed) {
  if (sealed.size() < kGcmTagSize) return fail(CryptoError::truncated, sealed.size());
  TRY(check_inputs(nonce, associated, sealed.first(sealed.size() - kGcmTagSize)));
  Bytes out(sealed.size() - kGcmTagSize);
  TRY(open_into(nonce, associated, sealed, out));
  return out;
}

namespace {

// The keys that were used last in one direction, each in a context of its own.
class ExpandedKeys {
 public:
  explicit ExpandedKeys(Direction direction) {
    for (Slot& slot : slots_) {
      slot.gcm.context = make_context("AES-128-GCM", slot.key.view(), direction);
    }
  }

  // The context for a message under this key, and the key where the context has another one still.
  struct Choice {
    GcmContext& gcm;
    ByteView to_expand;
  };
  [[nodiscard]] Choice choose(ByteView key) {
    const auto has_it = [key](const Slot& slot) { return ct_equal(slot.key.view(), key); };
    const auto known = std::ranges::find_if(slots_, has_it);
    const bool is_known = known != slots_.end();
    Slot& slot = is_known ? *known : *std::ranges::min_element(slots_, {}, &Slot::last_use);
    slot.last_use = ++uses_;
    if (is_known) return {.gcm = slot.gcm, .to_expand = {}};
    copy_into(slot.key.writable(), key);
    return {.gcm = slot.gcm, .to_expand = key};
  }

 private:
  struct Slot {
    SecretBytes<16> key;  // zeros at first, which is what the context has then
    GcmContext gcm;
    std::uint64_t last_use = 0;
  };
  std::array<Slot, kMaxExpandedGcmKeys> slots_;
  std::uint64_t uses_ = 0;
};

}  // namespace

struct AesGcmAnyKey::State {
  ExpandedKeys seal{Direction::encrypt};
  ExpandedKeys open{Direction::decrypt};
};

AesGcmAnyKey::AesGcmAnyKey() : state_{std::make_unique<State>()} {}
AesGcmAnyKey::AesGcmAnyKey(AesGcmAnyKey&&) noexcept = default;
AesGcmAnyKey& AesGcmAnyKey::operator=(AesGcmAnyKey&&) noexcept = default;
AesGcmAnyKey::~AesGcmAnyKey() = default;

Result<void> AesGcmAnyKey::seal_into(ByteView key, ByteView nonce, ByteView associated,
                                     ByteView plain, MutByteView out) {
  if (key.size() != 16) return fail(CryptoError::bad_key_size, key.size());
  TRY(check_inputs(nonce, associated, plain));
  CHECK(state_ != nullptr);
  const auto [gcm, to_expand] = state_->seal.choose(key);
  seal_message(gcm, to_expand, nonce, associated, plain, out);
  return {};
}

Result<void> AesGcmAnyKey::open_into(ByteView key, ByteView nonce, ByteView associated,
                                     ByteView sealed, MutByteView out) {
  if (key.size() != 16) return fail(CryptoError::bad_key_size, key.size());
  TRY(check_sealed(nonce, associated, sealed));
  CHECK(state_ != nullptr);
  const auto [gcm, to_expand] = state_->open.choose(key);
  return open_message(gcm, to_expand, nonce, associated, sealed, out);
}

struct AesCtr::State {
  Context context;
  std::size_t key_size = 0;  // asking the context costs as much as the stream of a header
};

AesCtr::AesCtr(std::unique_ptr<State> state) : state_{std::move(state)} {}
AesCtr::AesCtr(AesCtr&&) noexcept = default;
AesCtr& AesCtr::operator=(AesCtr&&) noexcept = default;
AesCtr::~AesCtr() = default;

Result<AesCtr> AesCtr::make(ByteView key, ByteView counter_block) {
  if (!is_key_size(key.size())) return fail(CryptoError::bad_key_size, key.size());
  if (counter_block.size() != kAesBlockSize) {
    return fail(CryptoError::bad_nonce, counter_block.size());
  }
  auto state = std::make_unique<State>();
  state->context =
      make_context(key.size() == 16 ? "AES-128-CTR" : "AES-256-CTR", key, Direction::encrypt);
  state->key_size = key.size();
  CHECK(EVP_CipherInit_ex2(state->context.get(), nullptr, nullptr, c_bytes(counter_block), -1,
                           nullptr) == 1);
  return AesCtr{std::move(state)};
}

Result<void> AesCtr::restart(ByteView key, ByteView counter_block) {
  CHECK(state_ != nullptr);
  if (key.size() != state_->key_size) return fail(CryptoError::bad_key_size, key.size());
  if (counter_block.size() != kAesBlockSize) {
    return fail(CryptoError::bad_nonce, counter_block.size());
  }
  CHECK(EVP_CipherInit_ex2(state_->context.get(), nullptr, c_bytes(key), c_bytes(counter_block), -1,
                           nullptr) == 1);
  return {};
}

Result<void> AesCtr::restart(ByteView counter_block) {
  CHECK(state_ != nullptr);
  if (counter_block.size() != kAesBlockSize) {
    return fail(CryptoError::bad_nonce, counter_block.size());
  }
  CHECK(EVP_CipherInit_ex2(state_->context.get(), nullptr, nullptr, c_bytes(counter_block), -1,
                           nullptr) == 1);
  return {};
}

Result<void> AesCtr::apply(MutByteView data) { return apply(data, data); }

Result<void> AesCtr::apply(ByteView in, MutByteView out) {
  if (in.size() > kMaxAesInput) return fail(CryptoError::input_too_long, in.size());
  CHECK(state_ != nullptr);
  CHECK(in.size() == out.size());
  update(*state_->context, in, c_bytes(out));
  return {};
}

}  // namespace ethnet::crypto
