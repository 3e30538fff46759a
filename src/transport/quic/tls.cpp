#include "tls.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <crypto/wipe.hpp>
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

// GnuTLS only reads; its structure has no const.
gnutls_datum_t datum(ByteView bytes) {
  return {const_cast<std::uint8_t*>(in_ptr(bytes)), static_cast<unsigned>(bytes.size())};
}

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

// What a session costs with its packet keys: GnuTLS 3.7 during and after the handshake.
constexpr std::size_t kHandshakeBytes = 24 * 1024;
constexpr std::size_t kKeyBytes = 6 * 1024;

// The exporter secret of a finished handshake, and what is made of it (RFC 8446, section 7.5).
class Exporter {
 public:
  // False, and nothing is kept, when there is no room for it.
  bool keep(ByteView secret) {
    if (secret.size() > secret_.view().size()) return false;
    copy_into(secret_.writable(), secret);
    size_ = secret.size();
    return true;
  }
  [[nodiscard]] bool has_secret() const { return size_ > 0; }
  void set_hash(gnutls_digest_algorithm_t hash) { hash_ = hash; }

  [[nodiscard]] bool derive(std::string_view label, MutByteView out) const {
    Digest empty{};
    Digest secret{};
    Digest context{};
    const std::size_t size = gnutls_hash_get_len(hash_);
    const auto first = [&](Digest& digest) { return MutByteView{digest}.first(size); };
    const bool good = size > 0 && size <= empty.size() && hash({}, empty) &&
                      expand(secret_.view().first(size_), label, first(empty), first(secret)) &&
                      hash({}, context) && expand(first(secret), "exporter", first(context), out);
    crypto::wipe(secret);
    return good;
  }

 private:
  using Digest = ByteArray<48>;

  [[nodiscard]] bool hash(ByteView text, MutByteView out) const {
    return ok(gnutls_hash_fast(hash_, text.data(), text.size(), out.data()));
  }
  // HKDF-Expand-Label (RFC 8446, section 7.1).
  [[nodiscard]] bool expand(ByteView secret, std::string_view label, ByteView context,
                            MutByteView out) const {
    const std::string name = "tls13 " + std::string{label};
    if (name.size() > 255 || out.size() > 0xffff) return false;
    Bytes info;
    append_be<std::uint16_t>(info, static_cast<std::uint16_t>(out.size()));
    info.push_back(static_cast<std::byte>(name.size()));
    append(info, text_bytes(name));
    info.push_back(static_cast<std::byte>(context.size()));
    append(info, context);
    const gnutls_datum_t key = datum(secret);
    const gnutls_datum_t text = datum(info);
    // GnuTLS numbers a hash and its HMAC alike.
    return ok(gnutls_hkdf_expand(static_cast<gnutls_mac_algorithm_t>(hash_), &key, &text,
                                 out.data(), out.size()));
  }

  crypto::SecretBytes<48> secret_;
  std::size_t size_ = 0;
  gnutls_digest_algorithm_t hash_ = GNUTLS_DIG_UNKNOWN;
};

class TlsSession final : public CryptoSession {
 public:
  TlsSession(gnutls_session_t session, const std::vector<std::string>& alpn)
      : session_{session}, alpn_{alpn} {
    // The library's place for its cache of sessions, which we have none of.
    gnutls_db_set_ptr(session, this);
    gnutls_session_set_keylog_function(session, on_secret);
  }

  bool release() override {
    if (!exporter_.has_secret()) return false;
    exporter_.set_hash(gnutls_prf_hash_get(session_.get()));
    session_.reset();
    return true;
  }
  std::size_t memory_bytes() const override { return session_ ? kHandshakeBytes : kKeyBytes; }
  void* native_handle() override { return session_.get(); }

  bool alpn_agreed() const override {
    gnutls_datum_t chosen{};
    if (!ok(gnutls_alpn_get_selected_protocol(session_.get(), &chosen))) return false;
    const ByteView name = view_of(chosen.data, chosen.size);
    return std::ranges::any_of(
        alpn_, [&](const std::string& ours) { return equal(text_bytes(ours), name); });
  }

  bool export_key(std::string_view label, MutByteView out) const override {
    if (!session_) return exporter_.derive(label, out);
#pragma clang unsafe_buffer_usage begin
    return ok(gnutls_prf_rfc5705(session_.get(), label.size(), label.data(), 0, nullptr, out.size(),
                                 reinterpret_cast<char*>(out.data())));
#pragma clang unsafe_buffer_usage end
  }

 private:
  static int on_secret(gnutls_session_t session, const char* label, const gnutls_datum_t* secret) {
    auto* self = static_cast<TlsSession*>(gnutls_db_get_ptr(session));
    if (std::string_view{label} != "EXPORTER_SECRET") return 0;
    return self->exporter_.keep(view_of(secret->data, secret->size)) ? 0 : -1;
  }

  std::unique_ptr<gnutls_session_int, SessionDeleter> session_;
  const std::vector<std::string>& alpn_;  // of the context
  Exporter exporter_;
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
  for (const std::string& name : alpn_) names.push_back(datum(text_bytes(name)));
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
