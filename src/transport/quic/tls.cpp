#include "tls.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include "c_bytes.hpp"

namespace ethnet::quic {
namespace {

std::string_view describe(std::uint16_t code) {
  switch (static_cast<TlsError>(code)) {
    case TlsError::library:
      return "TLS library does not offer what we need";
    case TlsError::certificate:
      return "cannot make a certificate";
    case TlsError::session:
      return "cannot make a TLS session";
  }
  return "unknown";
}
constexpr ErrorDomain kDomain{"tls", describe};

constexpr const char* kPriority =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:-GROUP-ALL:"
    "+GROUP-X25519:+GROUP-SECP256R1:%DISABLE_TLS13_COMPAT_MODE";

struct KeyDeleter {
  void operator()(gnutls_x509_privkey_int* key) const { gnutls_x509_privkey_deinit(key); }
};
struct CertificateDeleter {
  void operator()(gnutls_x509_crt_int* certificate) const { gnutls_x509_crt_deinit(certificate); }
};
using Key = std::unique_ptr<gnutls_x509_privkey_int, KeyDeleter>;
using Certificate = std::unique_ptr<gnutls_x509_crt_int, CertificateDeleter>;

bool ok(int code) { return code >= 0; }

Key make_key() {
  gnutls_x509_privkey_t raw = nullptr;
  if (!ok(gnutls_x509_privkey_init(&raw))) return {};
  Key key{raw};
  if (!ok(gnutls_x509_privkey_generate(raw, GNUTLS_PK_EDDSA_ED25519, 0, 0))) return {};
  return key;
}

std::time_t to_time_t(UnixTime t) { return static_cast<std::time_t>(t.whole_seconds()); }

Certificate make_certificate(gnutls_x509_privkey_t key, UnixTime now) {
  gnutls_x509_crt_t raw = nullptr;
  if (!ok(gnutls_x509_crt_init(&raw))) return {};
  Certificate certificate{raw};
  ByteArray<16> serial{};
  bool good = ok(gnutls_rnd(GNUTLS_RND_NONCE, serial.data(), serial.size()));
  // Positive and of constant length.
  serial[0] = (serial[0] & std::byte{0x3f}) | std::byte{0x40};
  const std::string name = "ethnet";
  good = good && ok(gnutls_x509_crt_set_version(raw, 3)) &&
         ok(gnutls_x509_crt_set_serial(raw, serial.data(), serial.size())) &&
         ok(gnutls_x509_crt_set_dn_by_oid(raw, GNUTLS_OID_X520_COMMON_NAME, 0, name.data(),
                                          static_cast<unsigned>(name.size()))) &&
         ok(gnutls_x509_crt_set_activation_time(raw, to_time_t(now + seconds(-3600)))) &&
         ok(gnutls_x509_crt_set_expiration_time(raw, to_time_t(now + kCertificateLifetime))) &&
         ok(gnutls_x509_crt_set_key(raw, key)) &&
         ok(gnutls_x509_crt_sign2(raw, raw, key, GNUTLS_DIG_SHA512, 0));
  return good ? std::move(certificate) : Certificate{};
}

struct SessionDeleter {
  void operator()(gnutls_session_int* session) const { gnutls_deinit(session); }
};

class TlsSession final : public CryptoSession {
 public:
  TlsSession(gnutls_session_t session, const std::vector<std::string>& alpn)
      : session_{session}, alpn_{alpn} {}

  void* native_handle() override { return session_.get(); }

  bool alpn_agreed() const override {
    gnutls_datum_t chosen{};
    if (!ok(gnutls_alpn_get_selected_protocol(session_.get(), &chosen))) return false;
    const ByteView name = view_of(chosen.data, chosen.size);
    return std::ranges::any_of(
        alpn_, [&](const std::string& ours) { return equal(text_bytes(ours), name); });
  }

  bool export_key(std::string_view label, MutByteView out) const override {
#pragma clang unsafe_buffer_usage begin
    return ok(gnutls_prf_rfc5705(session_.get(), label.size(), label.data(), 0, nullptr, out.size(),
                                 reinterpret_cast<char*>(out.data())));
#pragma clang unsafe_buffer_usage end
  }

 private:
  std::unique_ptr<gnutls_session_int, SessionDeleter> session_;
  std::vector<std::string> alpn_;
};

}  // namespace

const ErrorDomain& error_domain(TlsError) { return kDomain; }

void TlsContext::CredentialsDeleter::operator()(
    gnutls_certificate_credentials_st* credentials) const {
  gnutls_certificate_free_credentials(credentials);
}
void TlsContext::PriorityDeleter::operator()(gnutls_priority_st* priority) const {
  gnutls_priority_deinit(priority);
}

Result<std::unique_ptr<TlsContext>> TlsContext::make(UnixTime now, std::vector<std::string> alpn) {
  std::unique_ptr<TlsContext> context{new TlsContext};
  context->alpn_ = std::move(alpn);
  gnutls_priority_t priority = nullptr;
  if (!ok(gnutls_priority_init(&priority, kPriority, nullptr))) return fail(TlsError::library);
  context->priority_.reset(priority);
  gnutls_certificate_credentials_t client = nullptr;
  if (!ok(gnutls_certificate_allocate_credentials(&client))) return fail(TlsError::library);
  context->client_.reset(client);
  TRY(context->rotate(now));
  return context;
}

Result<void> TlsContext::rotate(UnixTime now) {
  const Key key = make_key();
  if (!key) return fail(TlsError::certificate);
  const Certificate certificate = make_certificate(key.get(), now);
  if (!certificate) return fail(TlsError::certificate);
  gnutls_certificate_credentials_t raw = nullptr;
  if (!ok(gnutls_certificate_allocate_credentials(&raw))) return fail(TlsError::library);
  Credentials made{raw};
  gnutls_x509_crt_t chain = certificate.get();
  if (!ok(gnutls_certificate_set_x509_key(raw, &chain, 1, key.get()))) {
    return fail(TlsError::certificate);
  }
  previous_server_ = std::exchange(server_, std::move(made));
  return {};
}

void TlsContext::install(ngtcp2_callbacks& t) const {
  t.client_initial = ngtcp2_crypto_client_initial_cb;
  t.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
  t.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
  t.encrypt = ngtcp2_crypto_encrypt_cb;
  t.decrypt = ngtcp2_crypto_decrypt_cb;
  t.hp_mask = ngtcp2_crypto_hp_mask_cb;
  t.recv_retry = ngtcp2_crypto_recv_retry_cb;
  t.update_key = ngtcp2_crypto_update_key_cb;
  t.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  t.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  t.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
}

Result<std::unique_ptr<CryptoSession>> TlsContext::make_session(bool server,
                                                                ngtcp2_crypto_conn_ref& ref) const {
  gnutls_session_t raw = nullptr;
  const unsigned flags = (server ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET : GNUTLS_CLIENT) |
                         GNUTLS_NO_END_OF_EARLY_DATA | GNUTLS_NO_TICKETS;
  if (!ok(gnutls_init(&raw, flags))) return fail(TlsError::session);
  auto session = std::make_unique<TlsSession>(raw, alpn_);
  // A handshake message of ours has a kilobyte at most; the library would hold 128.
  gnutls_handshake_set_max_packet_length(raw, kMaxHandshakeMessage);
  std::vector<gnutls_datum_t> names;
  for (const std::string& name : alpn_) {
    // GnuTLS copies; its structure has no const.
    names.push_back(
        {const_cast<std::uint8_t*>(in_ptr(text_bytes(name))), static_cast<unsigned>(name.size())});
  }
  const int configured = server ? ngtcp2_crypto_gnutls_configure_server_session(raw)
                                : ngtcp2_crypto_gnutls_configure_client_session(raw);
  const bool good =
      ok(gnutls_priority_set(raw, priority_.get())) && configured == 0 &&
      ok(gnutls_credentials_set(raw, GNUTLS_CRD_CERTIFICATE,
                                server ? server_.get() : client_.get())) &&
      ok(gnutls_alpn_set_protocols(raw, names.data(), static_cast<unsigned>(names.size()),
                                   GNUTLS_ALPN_MANDATORY));
  if (!good) return fail(TlsError::session);
  if (server) gnutls_certificate_server_set_request(raw, GNUTLS_CERT_IGNORE);
  gnutls_session_set_ptr(raw, &ref);
  return session;
}

}  // namespace ethnet::quic
