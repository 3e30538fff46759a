// TLS for QUIC by GnuTLS: TLS 1.3 only, AES-GCM, X25519 or P-256, no early data, no tickets.
//
// The server presents a self-signed Ed25519 certificate (constant length, so that packet sizes do
// not vary); the client accepts any, because identity is proven above TLS by a secp256k1 signature
// over a key that only these two sides can export (docs/spec/session.md). GnuTLS still checks that
// the server owns its certificate's key. No client certificate is asked for: its parser is better
// kept from strangers.
// A session of GnuTLS lives as long as its handshake: it is the largest part of an idle connection.
// What stays is the secret that keys are exported from.
// Threading: one thread. GnuTLS seeds its generator per thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <base/bytes.hpp>
#include <base/instant.hpp>
#include <base/result.hpp>

#include "crypto.hpp"

struct gnutls_certificate_credentials_st;
struct gnutls_priority_st;

namespace ethnet::quic {

enum class TlsError : std::uint16_t { library = 1, certificate, session };
[[nodiscard]] const ErrorDomain& error_domain(TlsError);

inline constexpr std::size_t kMaxHandshakeMessage = 16 * 1024;  // bytes of a peer's TLS message
inline constexpr Duration kCertificateLifetime = seconds(14 * 24 * 3600);
inline constexpr Duration kCertificateRotation = seconds(7 * 24 * 3600);

class TlsContext final : public Crypto {
 public:
  // `alpn`: most preferred first. Errors: library, certificate.
  [[nodiscard]] static Result<std::unique_ptr<TlsContext>> make(UnixTime now,
                                                                std::vector<std::string> alpn);

  void install(ngtcp2_callbacks& callbacks) const override;
  // Error: session.
  [[nodiscard]] Result<std::unique_ptr<CryptoSession>> make_session(
      bool server, ngtcp2_crypto_conn_ref& ref) const override;
  // A new key and certificate. Error: certificate.
  [[nodiscard]] Result<void> rotate(UnixTime now) override;

 private:
  struct CredentialsDeleter {
    void operator()(gnutls_certificate_credentials_st* credentials) const;
  };
  struct PriorityDeleter {
    void operator()(gnutls_priority_st* priority) const;
  };
  using Credentials = std::unique_ptr<gnutls_certificate_credentials_st, CredentialsDeleter>;

  TlsContext() = default;

  std::vector<std::string> alpn_;
  std::unique_ptr<gnutls_priority_st, PriorityDeleter> priority_;
  Credentials client_;
  // The last one may still be used by handshakes under way.
  Credentials server_;
  Credentials previous_server_;
};

}  // namespace ethnet::quic
