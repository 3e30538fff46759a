#include "null_crypto.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <base/sip_hash.hpp>
#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "c_bytes.hpp"

namespace ethnet::quic {
namespace {

constexpr std::size_t kIvBytes = 12;
constexpr std::size_t kSecretBytes = 32;
constexpr std::uint8_t kNoApplicationProtocol = 120;  // TLS alerts
constexpr std::uint8_t kDecodeError = 50;

using Random = ByteArray<kNullRandomBytes>;

// Takes a vector behind its length byte off the front.
std::optional<ByteView> take_short(ByteView& rest) {
  if (rest.empty()) return std::nullopt;
  const auto size = std::to_integer<std::size_t>(rest.front());
  if (rest.size() - 1 < size) return std::nullopt;
  const ByteView taken = rest.subspan(1, size);
  rest = rest.subspan(1 + size);
  return taken;
}

class NullSession final : public CryptoSession {
 public:
  NullSession(bool server, SecureRng& rng, const std::vector<std::string>& alpn)
      : server_{server}, alpn_{alpn} {
    rng.fill(own_);
  }

  void* native_handle() override { return this; }
  bool alpn_agreed() const override { return chosen_.has_value(); }
  bool release() override { return false; }
  std::size_t memory_bytes() const override { return 0; }
  bool export_key(std::string_view label, MutByteView out) const override {
    if (!complete_) return false;
    Bytes text = to_bytes(server_ ? peer_ : own_);
    append(text, server_ ? own_ : peer_);
    append(text, text_bytes(label));
    for (std::uint64_t block = 0; !out.empty(); ++block) {
      ByteArray<8> bytes{};
      store_be<std::uint64_t>(bytes, sip_hash({block, ~block}, text));
      const std::size_t n = std::min(out.size(), bytes.size());
      copy_into(out, ByteView{bytes}.first(n));
      out = out.subspan(n);
    }
    return true;
  }

  // Starts a client's handshake.
  int begin(ngtcp2_conn* conn) {
    return submit(conn, NGTCP2_ENCRYPTION_LEVEL_INITIAL, NullMessage::hello,
                  encode_null_hello(own_, alpn_, parameters(conn)));
  }

  int receive(ngtcp2_conn* conn, ngtcp2_encryption_level level, ByteView data) {
    append(input_, data);
    while (input_.size() >= 3) {
      const std::size_t size = load_be<std::uint16_t>(ByteView{input_}.subspan(1, 2));
      if (input_.size() - 3 < size) break;
      const Bytes payload = to_bytes(ByteView{input_}.subspan(3, size));
      const auto type = static_cast<NullMessage>(input_.front());
      input_.erase(input_.begin(), input_.begin() + static_cast<std::ptrdiff_t>(3 + size));
      if (const int rv = on_message(conn, level, type, payload); rv != 0) return rv;
    }
    return 0;
  }

 private:
  static int alert(ngtcp2_conn* conn, std::uint8_t code) {
    ngtcp2_conn_set_tls_alert(conn, code);
    return NGTCP2_ERR_CRYPTO;
  }
  static Bytes parameters(ngtcp2_conn* conn) {
    Bytes out(512);
    const auto n = ngtcp2_conn_encode_local_transport_params(conn, out_ptr(out), out.size());
    out.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return out;
  }
  static int submit(ngtcp2_conn* conn, ngtcp2_encryption_level level, NullMessage type,
                    ByteView payload) {
    const Bytes message = encode_null(type, payload);
    return ngtcp2_conn_submit_crypto_data(conn, level, in_ptr(message), message.size());
  }
  static int set_parameters(ngtcp2_conn* conn, ByteView encoded) {
    const int rv =
        ngtcp2_conn_decode_and_set_remote_transport_params(conn, in_ptr(encoded), encoded.size());
    if (rv != 0) ngtcp2_conn_set_tls_error(conn, rv);
    return rv;
  }
  static int install_handshake(ngtcp2_conn* conn) {
    const ngtcp2_crypto_ctx context = make_context();
    ngtcp2_conn_set_crypto_ctx(conn, &context);
    const ngtcp2_crypto_aead_ctx aead{};
    const ngtcp2_crypto_cipher_ctx hp{};
    const std::array<std::uint8_t, kIvBytes> iv{};
    const int rv = ngtcp2_conn_install_rx_handshake_key(conn, &aead, iv.data(), iv.size(), &hp);
    return rv != 0 ? rv
                   : ngtcp2_conn_install_tx_handshake_key(conn, &aead, iv.data(), iv.size(), &hp);
  }
  static int install_tx(ngtcp2_conn* conn) {
    const ngtcp2_crypto_aead_ctx aead{};
    const ngtcp2_crypto_cipher_ctx hp{};
    const std::array<std::uint8_t, kIvBytes> iv{};
    const std::array<std::uint8_t, kSecretBytes> secret{};
    return ngtcp2_conn_install_tx_key(conn, secret.data(), secret.size(), &aead, iv.data(),
                                      iv.size(), &hp);
  }
  static int install_rx(ngtcp2_conn* conn) {
    const ngtcp2_crypto_aead_ctx aead{};
    const ngtcp2_crypto_cipher_ctx hp{};
    const std::array<std::uint8_t, kIvBytes> iv{};
    const std::array<std::uint8_t, kSecretBytes> secret{};
    return ngtcp2_conn_install_rx_key(conn, secret.data(), secret.size(), &aead, iv.data(),
                                      iv.size(), &hp);
  }

 public:
  static ngtcp2_crypto_ctx make_context() {
    ngtcp2_crypto_ctx context{};
    context.aead.max_overhead = kNullTagBytes;
    context.max_encryption = UINT64_MAX;
    context.max_decryption_failure = UINT64_MAX;
    return context;
  }

 private:
  int on_message(ngtcp2_conn* conn, ngtcp2_encryption_level level, NullMessage type,
                 ByteView payload) {
    const bool initial = level == NGTCP2_ENCRYPTION_LEVEL_INITIAL;
    const bool handshake = level == NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE;
    if (type == NullMessage::hello && server_ && initial && step_ == 0)
      return on_hello(conn, payload);
    if (type == NullMessage::accept && !server_ && initial && step_ == 0) {
      return on_accept(conn, payload);
    }
    if (type == NullMessage::answer && !server_ && handshake && step_ == 1) {
      return on_answer(conn, payload);
    }
    if (type == NullMessage::finish && server_ && handshake && step_ == 1 && payload.empty()) {
      ++step_;
      if (const int rv = install_rx(conn); rv != 0) return rv;
      complete_ = true;
      ngtcp2_conn_tls_handshake_completed(conn);
      return 0;
    }
    return alert(conn, kDecodeError);
  }

  int on_hello(ngtcp2_conn* conn, ByteView rest) {
    ++step_;
    if (rest.size() < peer_.size()) return alert(conn, kDecodeError);
    copy_into(peer_, rest.first(peer_.size()));
    rest = rest.subspan(peer_.size());
    auto offered = take_short(rest);
    if (!offered) return alert(conn, kDecodeError);
    while (!offered->empty()) {
      const auto name = take_short(*offered);
      if (!name) return alert(conn, kDecodeError);
      choose(*name);
    }
    if (!chosen_) return alert(conn, kNoApplicationProtocol);
    if (const int rv = set_parameters(conn, rest); rv != 0) return rv;
    if (const int rv = install_handshake(conn); rv != 0) return rv;
    int rv = submit(conn, NGTCP2_ENCRYPTION_LEVEL_INITIAL, NullMessage::accept, own_);
    if (rv != 0) return rv;
    Bytes answer{static_cast<std::byte>(chosen_->size())};
    append(answer, text_bytes(*chosen_));
    append(answer, parameters(conn));
    rv = submit(conn, NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE, NullMessage::answer, answer);
    return rv != 0 ? rv : install_tx(conn);
  }

  int on_accept(ngtcp2_conn* conn, ByteView payload) {
    ++step_;
    if (payload.size() != peer_.size()) return alert(conn, kDecodeError);
    copy_into(peer_, payload);
    return install_handshake(conn);
  }

  int on_answer(ngtcp2_conn* conn, ByteView rest) {
    ++step_;
    const auto name = take_short(rest);
    if (!name) return alert(conn, kDecodeError);
    choose(*name);
    if (!chosen_) return alert(conn, kNoApplicationProtocol);
    if (const int rv = set_parameters(conn, rest); rv != 0) return rv;
    if (const int rv = install_rx(conn); rv != 0) return rv;
    if (const int rv = install_tx(conn); rv != 0) return rv;
    if (const int rv = submit(conn, NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE, NullMessage::finish, {});
        rv != 0) {
      return rv;
    }
    complete_ = true;
    ngtcp2_conn_tls_handshake_completed(conn);
    return 0;
  }

  void choose(ByteView name) {
    const auto ours = std::ranges::find_if(
        alpn_, [&](const std::string& own) { return equal(text_bytes(own), name); });
    if (!chosen_ && ours != alpn_.end()) chosen_ = *ours;
  }

  bool server_;
  std::vector<std::string> alpn_;
  Random own_{};
  Random peer_{};
  Bytes input_;  // of a message that has not arrived whole
  int step_ = 0;
  std::optional<std::string> chosen_;
  bool complete_ = false;
};

NullSession& session_of(ngtcp2_conn* conn) {
  return *static_cast<NullSession*>(ngtcp2_conn_get_tls_native_handle(conn));
}

// Retry packets alone are protected for real: everybody knows their key (RFC 9001, section 5.8).
void set_retry_key(ngtcp2_conn* conn) {
  constexpr std::array<std::uint8_t, 16> kKey{0xbe, 0x0c, 0x69, 0x0b, 0x9f, 0x66, 0x57, 0x5a,
                                              0x1d, 0x76, 0x6b, 0x54, 0xe3, 0x68, 0xc8, 0x4e};
  ngtcp2_crypto_aead aead{};
  ngtcp2_crypto_aead_ctx context{};
  aead.native_handle = reinterpret_cast<void*>(GNUTLS_CIPHER_AES_128_GCM);
  aead.max_overhead = kNullTagBytes;
  if (ngtcp2_crypto_aead_ctx_encrypt_init(&context, &aead, kKey.data(), kIvBytes) == 0) {
    ngtcp2_conn_set_retry_aead(conn, &aead, &context);
  }
}

int install_initial(ngtcp2_conn* conn) {
  const ngtcp2_crypto_ctx context = NullSession::make_context();
  ngtcp2_conn_set_initial_crypto_ctx(conn, &context);
  const ngtcp2_crypto_aead_ctx aead{};
  const ngtcp2_crypto_cipher_ctx hp{};
  const std::array<std::uint8_t, kIvBytes> iv{};
  return ngtcp2_conn_install_initial_key(conn, &aead, iv.data(), &hp, &aead, iv.data(), &hp,
                                         iv.size()) == 0
             ? 0
             : NGTCP2_ERR_CALLBACK_FAILURE;
}

struct Callbacks {
  static int client_initial(ngtcp2_conn* conn, void*) {
    if (const int rv = install_initial(conn); rv != 0) return rv;
    set_retry_key(conn);
    return session_of(conn).begin(conn);
  }
  static int client_of_server(ngtcp2_conn* conn, const ngtcp2_cid*, void*) {
    return install_initial(conn);
  }
  static int retry(ngtcp2_conn* conn, const ngtcp2_pkt_hd*, void*) { return install_initial(conn); }
  static int crypto_data(ngtcp2_conn* conn, ngtcp2_encryption_level level, std::uint64_t,
                         const std::uint8_t* data, std::size_t size, void*) {
    return session_of(conn).receive(conn, level, view_of(data, size));
  }
  static int encrypt(std::uint8_t* out, const ngtcp2_crypto_aead* aead,
                     const ngtcp2_crypto_aead_ctx* context, const std::uint8_t* plain,
                     std::size_t size, const std::uint8_t* nonce, std::size_t nonce_size,
                     const std::uint8_t* aad, std::size_t aad_size) {
    if (context->native_handle != nullptr) {
      return ngtcp2_crypto_encrypt_cb(out, aead, context, plain, size, nonce, nonce_size, aad,
                                      aad_size);
    }
    const MutByteView sealed = view_of(out, size + kNullTagBytes);
    // In place for packets, elsewhere for what the library only measures.
    if (out != plain && size > 0) copy_into(sealed, view_of(plain, size));
    std::ranges::fill(sealed.subspan(size), std::byte{0});
    return 0;
  }
  static int decrypt(std::uint8_t* out, const ngtcp2_crypto_aead*, const ngtcp2_crypto_aead_ctx*,
                     const std::uint8_t* sealed, std::size_t size, const std::uint8_t*, std::size_t,
                     const std::uint8_t*, std::size_t) {
    if (size < kNullTagBytes) return NGTCP2_ERR_DECRYPT;
    const std::size_t plain = size - kNullTagBytes;
    if (out != sealed && plain > 0) copy_into(view_of(out, plain), view_of(sealed, plain));
    return 0;
  }
  static int header_mask(std::uint8_t* out, const ngtcp2_crypto_cipher*,
                         const ngtcp2_crypto_cipher_ctx*, const std::uint8_t*) {
    std::ranges::fill(view_of(out, NGTCP2_HP_MASKLEN), std::byte{0});
    return 0;
  }
  static int update_key(ngtcp2_conn*, std::uint8_t* rx_secret, std::uint8_t* tx_secret,
                        ngtcp2_crypto_aead_ctx*, std::uint8_t* rx_iv, ngtcp2_crypto_aead_ctx*,
                        std::uint8_t* tx_iv, const std::uint8_t*, const std::uint8_t*,
                        std::size_t secret_size, void*) {
    for (std::uint8_t* secret : {rx_secret, tx_secret}) {
      std::ranges::fill(view_of(secret, secret_size), std::byte{0});
    }
    for (std::uint8_t* iv : {rx_iv, tx_iv}) std::ranges::fill(view_of(iv, kIvBytes), std::byte{0});
    return 0;
  }
  static int no_other_version(ngtcp2_conn*, std::uint32_t, const ngtcp2_cid*, void*) {
    return NGTCP2_ERR_CALLBACK_FAILURE;
  }
};

class NullCrypto final : public Crypto {
 public:
  NullCrypto(SecureRng& rng, std::vector<std::string> alpn) : rng_{rng}, alpn_{std::move(alpn)} {}

  void install(ngtcp2_callbacks& t) const override {
    t.client_initial = Callbacks::client_initial;
    t.recv_client_initial = Callbacks::client_of_server;
    t.recv_crypto_data = Callbacks::crypto_data;
    t.encrypt = Callbacks::encrypt;
    t.decrypt = Callbacks::decrypt;
    t.hp_mask = Callbacks::header_mask;
    t.recv_retry = Callbacks::retry;
    t.update_key = Callbacks::update_key;
    t.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
    t.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
    t.version_negotiation = Callbacks::no_other_version;
  }
  Result<std::unique_ptr<CryptoSession>> make_session(bool server,
                                                      ngtcp2_crypto_conn_ref&) const override {
    return std::make_unique<NullSession>(server, rng_, alpn_);
  }
  Result<void> rotate(UnixTime) override { return {}; }

 private:
  SecureRng& rng_;
  std::vector<std::string> alpn_;
};

}  // namespace

Bytes encode_null(NullMessage type, ByteView payload) {
  CHECK(payload.size() <= UINT16_MAX);
  Bytes out{static_cast<std::byte>(type), std::byte{0}, std::byte{0}};
  store_be<std::uint16_t>(MutByteView{out}.subspan(1), static_cast<std::uint16_t>(payload.size()));
  append(out, payload);
  return out;
}

Bytes encode_null_hello(ByteView random, const std::vector<std::string>& alpn,
                        ByteView transport_parameters) {
  Bytes names;
  for (const std::string& name : alpn) {
    names.push_back(static_cast<std::byte>(name.size()));
    append(names, text_bytes(name));
  }
  Bytes out = to_bytes(random);
  out.push_back(static_cast<std::byte>(names.size()));
  append(out, names);
  append(out, transport_parameters);
  return out;
}

std::unique_ptr<Crypto> make_null_crypto(SecureRng& rng, std::vector<std::string> alpn) {
  return std::make_unique<NullCrypto>(rng, std::move(alpn));
}

}  // namespace ethnet::quic
