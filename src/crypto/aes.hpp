// AES-GCM (NIST SP 800-38D) and AES-CTR (SP 800-38A) with 128- and 256-bit keys.
// One object holds one expanded key and its reusable context: make it once per key, not per
// message. Where keys are many, AesGcmAnyKey and AesCtr::restart expand each into a context that is
// there: nothing is allocated. Objects are movable and independent of each other; one thread at a
// time may use each.
#pragma once

#include <memory>

#include <base/bytes.hpp>
#include <base/result.hpp>

#include "error.hpp"

namespace ethnet::crypto {

inline constexpr std::size_t kAesBlockSize = 16;
inline constexpr std::size_t kGcmTagSize = 16;
inline constexpr std::size_t kGcmNonceSize = 12;      // what every protocol here uses
inline constexpr std::size_t kMaxGcmNonceSize = 128;  // other sizes from 1 to this work as well
// The longest text or associated data of one call.
inline constexpr std::size_t kMaxAesInput = std::size_t{1} << 30;
// Keys that an AesGcmAnyKey has expanded, in each direction: a lookup talks to three nodes at once.
inline constexpr std::size_t kMaxExpandedGcmKeys = 4;

class AesGcm {
 public:
  // key: 16 or 32 bytes. Errors: bad_key_size.
  [[nodiscard]] static Result<AesGcm> make(ByteView key);
  AesGcm(AesGcm&&) noexcept;
  AesGcm& operator=(AesGcm&&) noexcept;
  ~AesGcm();

  // Ciphertext, then the tag of kGcmTagSize. A nonce must never repeat under one key.
  // `out` is exactly plain.size() + kGcmTagSize and may start where `plain` starts.
  // Errors: bad_nonce, input_too_long.
  [[nodiscard]] Result<void> seal_into(ByteView nonce, ByteView associated, ByteView plain,
                                       MutByteView out);
  [[nodiscard]] Result<Bytes> seal(ByteView nonce, ByteView associated, ByteView plain);

  // The inverse; `out` is exactly sealed.size() - kGcmTagSize and may start where `sealed` starts.
  // After any error `out` holds nothing of the plaintext.
  // Errors: bad_nonce, input_too_long, truncated, authentication_failed.
  [[nodiscard]] Result<void> open_into(ByteView nonce, ByteView associated, ByteView sealed,
                                       MutByteView out);
  [[nodiscard]] Result<Bytes> open(ByteView nonce, ByteView associated, ByteView sealed);

 private:
  struct State;
  explicit AesGcm(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// AES-128-GCM with the key given with each message: for many keys of which few are in use at a
// time, such as those of discv5's sessions, which then cost 16 bytes and not two contexts (1 KiB
// each). To expand a key takes as long as a short message: those that were used last stay expanded,
// until kMaxExpandedGcmKeys others, or the end of the object, overwrite them.
class AesGcmAnyKey {
 public:
  AesGcmAnyKey();
  AesGcmAnyKey(AesGcmAnyKey&&) noexcept;
  AesGcmAnyKey& operator=(AesGcmAnyKey&&) noexcept;
  ~AesGcmAnyKey();

  // As those of AesGcm; key: 16 bytes. Error besides: bad_key_size.
  [[nodiscard]] Result<void> seal_into(ByteView key, ByteView nonce, ByteView associated,
                                       ByteView plain, MutByteView out);
  [[nodiscard]] Result<void> open_into(ByteView key, ByteView nonce, ByteView associated,
                                       ByteView sealed, MutByteView out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A key stream that goes on from call to call. Encrypting and decrypting are the same.
class AesCtr {
 public:
  // key: 16 or 32 bytes; counter_block: 16 bytes, counted up as one big-endian integer.
  // Errors: bad_key_size, bad_nonce.
  [[nodiscard]] static Result<AesCtr> make(ByteView key, ByteView counter_block);
  AesCtr(AesCtr&&) noexcept;
  AesCtr& operator=(AesCtr&&) noexcept;
  ~AesCtr();

  // Begins another stream, under another key of the same size. What was left of the first is gone.
  // Errors: bad_key_size, bad_nonce; the stream then goes on as before.
  [[nodiscard]] Result<void> restart(ByteView key, ByteView counter_block);
  // The same under the key that it has, which costs half as much. Error: bad_nonce.
  [[nodiscard]] Result<void> restart(ByteView counter_block);

  // XORs the next data.size() bytes of the key stream into `data`. Errors: input_too_long.
  [[nodiscard]] Result<void> apply(MutByteView data);
  // As above, from `in` to an equally long `out`, which may be the same memory.
  [[nodiscard]] Result<void> apply(ByteView in, MutByteView out);

 private:
  struct State;
  explicit AesCtr(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ethnet::crypto
