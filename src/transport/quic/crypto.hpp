// How connections encrypt and shake hands: the seam between ngtcp2 and what does its cryptography.
//
// Two implementations: TlsContext (tls.hpp), which every program uses, and NullCrypto
// (null_crypto.hpp), without any encryption, for tests: with it hostile frames and a fuzzer reach
// past the AEAD. The latter is a library of its own that no node is linked with
// (`./dev check symbols`).
// Threading: one thread.
#pragma once

#include <memory>
#include <string_view>

#include <base/bytes.hpp>
#include <base/instant.hpp>
#include <base/result.hpp>

struct ngtcp2_callbacks;
struct ngtcp2_crypto_conn_ref;

namespace ethnet::quic {

// The handshake and the keys of one connection.
class CryptoSession {
 public:
  CryptoSession() = default;
  CryptoSession(const CryptoSession&) = delete;
  CryptoSession& operator=(const CryptoSession&) = delete;
  virtual ~CryptoSession() = default;

  // What the callbacks get from ngtcp2_conn_get_tls_native_handle.
  [[nodiscard]] virtual void* native_handle() = 0;
  // True when both sides chose one of our protocols.
  [[nodiscard]] virtual bool alpn_agreed() const = 0;
  // RFC 8446, section 7.5, empty context. False before the handshake has completed.
  [[nodiscard]] virtual bool export_key(std::string_view label, MutByteView out) const = 0;
  // The handshake is confirmed: frees what only a handshake needs. True when the native handle is
  // void from now on; keys are exported as before.
  [[nodiscard]] virtual bool release() = 0;
  // What the session holds, by estimate: the TLS library does not tell.
  [[nodiscard]] virtual std::size_t memory_bytes() const = 0;
};

// What the connections of one endpoint have in common.
class Crypto {
 public:
  Crypto() = default;
  Crypto(const Crypto&) = delete;
  Crypto& operator=(const Crypto&) = delete;
  virtual ~Crypto() = default;

  // Fills in the callbacks that encrypt, decrypt, derive keys and take the handshake's bytes.
  virtual void install(ngtcp2_callbacks& callbacks) const = 0;
  // `ref` must outlive the session: the handshake finds its ngtcp2 connection by it.
  [[nodiscard]] virtual Result<std::unique_ptr<CryptoSession>> make_session(
      bool server, ngtcp2_crypto_conn_ref& ref) const = 0;
  // A new long-term key for connections that begin from now on.
  [[nodiscard]] virtual Result<void> rotate(UnixTime now) = 0;
};

}  // namespace ethnet::quic
