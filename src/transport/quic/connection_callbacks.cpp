// How a connection begins, and ngtcp2's callbacks into it.
#include <algorithm>
#include <utility>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "c_bytes.hpp"
#include "connection.hpp"
#include "sockaddr.hpp"

namespace ethnet::quic {
namespace {

ngtcp2_cid to_library(const Cid& cid) {
  ngtcp2_cid out;
  ngtcp2_cid_init(&out, in_ptr(cid.view()), cid.view().size());
  return out;
}

std::uint64_t timestamp(Now now) { return static_cast<std::uint64_t>(now.mono.ns); }

}  // namespace

struct Connection::Callbacks {
  static Connection& self(void* user) { return *static_cast<Connection*>(user); }

  static ngtcp2_conn* connection_of(ngtcp2_crypto_conn_ref* ref) {
    return self(ref->user_data).conn_;
  }

  static void random(std::uint8_t* out, std::size_t size, const ngtcp2_rand_ctx* context) {
    static_cast<ConnectionHost*>(context->native_handle)->rng().fill(view_of(out, size));
  }

  static int crypto_data(ngtcp2_conn* conn, ngtcp2_encryption_level level, std::uint64_t offset,
                         const std::uint8_t* data, std::size_t size, void* user) {
    constexpr std::uint8_t kUnexpectedMessage = 10;  // RFC 8446, section 6
    Connection& c = self(user);
    if (level == NGTCP2_ENCRYPTION_LEVEL_1RTT && !c.late_messages_.take(view_of(data, size))) {
      ngtcp2_conn_set_tls_alert(conn, kUnexpectedMessage);
      return NGTCP2_ERR_CRYPTO;
    }
    if (c.handshake_released_) return 0;
    ngtcp2_callbacks below{};
    c.crypto_.install(below);
    return below.recv_crypto_data(conn, level, offset, data, size, user);
  }

  static int handshake_completed(ngtcp2_conn*, void* user) {
    Connection& c = self(user);
    if (!c.session_->alpn_agreed()) return NGTCP2_ERR_CALLBACK_FAILURE;
    c.opened_ = true;
    c.host_.emit(c.handle_, transport::Opened{c.side_, c.local_, c.remote_, c.began_});
    // For a server completion is confirmation (RFC 9001, section 4.1.2).
    return c.side_ == transport::Side::acceptor ? handshake_confirmed(nullptr, user) : 0;
  }

  static int handshake_confirmed(ngtcp2_conn*, void* user) {
    Connection& c = self(user);
    c.confirmed_ = true;
    c.host_.emit(c.handle_, transport::Confirmed{});
    return 0;
  }

  static int stream_open(ngtcp2_conn*, std::int64_t id, void* user) {
    self(user).stream(id).remote = true;
    return 0;
  }

  static int stream_data(ngtcp2_conn*, std::uint32_t flags, std::int64_t id, std::uint64_t,
                         const std::uint8_t* data, std::size_t size, void* user, void*) {
    Connection& c = self(user);
    Stream& stream = c.stream(id);
    stream.receive.append(view_of(data, size));
    c.arrived_ += size;
    if ((flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0) stream.receive.set_end();
    c.tell_readable(id, stream);
    return 0;
  }

  static int acknowledged(ngtcp2_conn*, std::int64_t id, std::uint64_t offset, std::uint64_t size,
                          void* user, void*) {
    Connection& c = self(user);
    Stream* stream = c.find(id);
    if (stream == nullptr) return 0;
    c.progressed_ = true;
    c.send_memory_ -= stream->send.memory_bytes();
    stream->send.acknowledge(offset + size);
    c.send_memory_ += stream->send.memory_bytes();
    c.offer_room();
    return 0;
  }

  static int stream_close(ngtcp2_conn*, std::uint32_t, std::int64_t id, std::uint64_t, void* user,
                          void*) {
    Connection& c = self(user);
    if (Stream* stream = c.find(id)) {
      stream->transport_closed = true;
      c.drop_if_done(id);
    }
    return 0;
  }

  // What arrived before the reset is not delivered any more (RFC 9000, section 3.2).
  static int stream_reset(ngtcp2_conn*, std::int64_t id, std::uint64_t, std::uint64_t code,
                          void* user, void*) {
    Connection& c = self(user);
    if (Stream* stream = c.find(id)) {
      c.credit(stream->receive.discard());
      stream->receive.set_end();
      c.reset_by_peer_.push_back(id);
    }
    c.host_.emit(c.handle_, transport::StreamReset{id, code});
    return 0;
  }

  static int stream_stop_sending(ngtcp2_conn*, std::int64_t id, std::uint64_t code, void* user,
                                 void*) {
    Connection& c = self(user);
    c.host_.emit(c.handle_, transport::StreamReset{id, code});
    return 0;
  }

  static int window_grew(ngtcp2_conn*, std::int64_t id, std::uint64_t, void* user, void*) {
    Connection& c = self(user);
    if (Stream* stream = c.find(id)) {
      stream->blocked = false;
      c.enqueue(id, *stream);
    }
    return 0;
  }

  static int got_stateless_reset(ngtcp2_conn*, const ngtcp2_pkt_stateless_reset*, void* user) {
    self(user).stateless_reset_ = true;
    return 0;
  }

  static int new_connection_id(ngtcp2_conn*, ngtcp2_cid* cid, std::uint8_t* token, std::size_t size,
                               void* user) {
    Connection& c = self(user);
    ByteArray<kMaxCidBytes> bytes{};
    const MutByteView drawn = MutByteView{bytes}.first(size);
    c.host_.rng().fill(drawn);
    ngtcp2_cid_init(cid, in_ptr(drawn), size);
    const ByteView secret = c.host_.reset_secret();
    if (ngtcp2_crypto_generate_stateless_reset_token(token, in_ptr(secret), secret.size(), cid) !=
        0) {
      return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    c.cids_.emplace_back(drawn);
    c.host_.register_cid(c.cids_.back(), c.handle_);
    return 0;
  }

  static int path_challenge_data(ngtcp2_conn*, std::uint8_t* data, void* user) {
    self(user).host_.rng().fill(view_of(data, NGTCP2_PATH_CHALLENGE_DATALEN));
    return 0;
  }

  static int remove_connection_id(ngtcp2_conn*, const ngtcp2_cid* cid, void* user) {
    Connection& c = self(user);
    const Cid gone{view_of(&cid->data[0], cid->datalen)};
    std::erase(c.cids_, gone);
    c.host_.forget_cid(gone);
    return 0;
  }

  static ngtcp2_callbacks table(const Connection& c) {
    ngtcp2_callbacks t{};
    c.crypto_.install(t);
    t.recv_crypto_data = crypto_data;
    t.get_path_challenge_data = path_challenge_data;
    t.handshake_completed = handshake_completed;
    t.handshake_confirmed = handshake_confirmed;
    t.stream_open = stream_open;
    t.recv_stream_data = stream_data;
    t.acked_stream_data_offset = acknowledged;
    t.stream_close = stream_close;
    t.stream_reset = stream_reset;
    t.stream_stop_sending = stream_stop_sending;
    t.extend_max_stream_data = window_grew;
    t.recv_stateless_reset = got_stateless_reset;
    t.get_new_connection_id = new_connection_id;
    t.remove_connection_id = remove_connection_id;
    t.rand = random;
    return t;
  }

  static ngtcp2_settings settings(const Connection& c, Now now) {
    ngtcp2_settings s;
    ngtcp2_settings_default(&s);
    s.initial_ts = timestamp(now);
    s.max_tx_udp_payload_size = c.config_.max_udp_payload;
    s.no_pmtud = c.config_.pmtud ? 0 : 1;
    s.handshake_timeout = static_cast<ngtcp2_duration>(c.config_.handshake_timeout.ns);
    s.rand_ctx.native_handle = &c.host_;
    // Windows stay as they are: memory is bounded by what we said at the start.
    s.max_window = 0;
    s.max_stream_window = 0;
    return s;
  }

  static ngtcp2_transport_params parameters(const Connection& c) {
    ngtcp2_transport_params p;
    ngtcp2_transport_params_default(&p);
    p.initial_max_stream_data_bidi_local = c.config_.stream_window;
    p.initial_max_stream_data_bidi_remote = c.config_.stream_window;
    p.initial_max_stream_data_uni = c.config_.stream_window;
    p.initial_max_data = c.config_.connection_window();
    p.initial_max_streams_bidi = c.config_.max_remote_bidi;
    p.initial_max_streams_uni = c.config_.max_remote_uni;
    p.max_idle_timeout = static_cast<ngtcp2_duration>(c.config_.idle_timeout.ns);
    p.active_connection_id_limit = 2;
    return p;
  }
};

bool Connection::attach_crypto(bool server) {
  ref_->get_conn = Callbacks::connection_of;
  ref_->user_data = this;
  auto session = crypto_.make_session(server, *ref_);
  if (!session) return false;
  session_ = std::move(*session);
  ngtcp2_conn_set_tls_native_handle(conn_, session_->native_handle());
  ngtcp2_conn_set_keep_alive_timeout(conn_, static_cast<ngtcp2_duration>(config_.keep_alive.ns));
  return true;
}

bool Connection::start_client(Now now) {
  began_ = now.mono;
  const Cid own = new_cid();
  const ngtcp2_cid scid = to_library(own);
  const ngtcp2_cid dcid = to_library(new_cid());
  SockAddr local{local_};
  SockAddr remote{remote_};
  const ngtcp2_path path{{local.get(), local.size}, {remote.get(), remote.size}, nullptr};
  const ngtcp2_callbacks callbacks = Callbacks::table(*this);
  const ngtcp2_settings settings = Callbacks::settings(*this, now);
  const ngtcp2_transport_params parameters = Callbacks::parameters(*this);
  if (ngtcp2_conn_client_new(&conn_, &dcid, &scid, &path, NGTCP2_PROTO_VER_V1, &callbacks,
                             &settings, &parameters, memory_.functions(), this) != 0) {
    return false;
  }
  cids_.push_back(own);
  host_.register_cid(own, handle_);
  return attach_crypto(false);
}

bool Connection::start_server(Now now, const Incoming& incoming) {
  began_ = now.mono;
  const Cid own = new_cid();
  const ngtcp2_cid scid = to_library(own);
  const ngtcp2_cid dcid = to_library(incoming.scid);
  SockAddr local{local_};
  SockAddr remote{remote_};
  const ngtcp2_path path{{local.get(), local.size}, {remote.get(), remote.size}, nullptr};
  const ngtcp2_callbacks callbacks = Callbacks::table(*this);
  ngtcp2_settings settings = Callbacks::settings(*this, now);
  ngtcp2_transport_params parameters = Callbacks::parameters(*this);
  parameters.original_dcid = to_library(incoming.original_dcid.value_or(incoming.dcid));
  parameters.original_dcid_present = 1;
  if (incoming.original_dcid) {
    parameters.retry_scid = to_library(incoming.dcid);
    parameters.retry_scid_present = 1;
    settings.token = in_ptr(incoming.token);
    settings.tokenlen = incoming.token.size();
    settings.token_type = NGTCP2_TOKEN_TYPE_RETRY;
  }
  const ByteView secret = host_.reset_secret();
  parameters.stateless_reset_token_present = 1;
  if (ngtcp2_crypto_generate_stateless_reset_token(&parameters.stateless_reset_token[0],
                                                   in_ptr(secret), secret.size(), &scid) != 0 ||
      ngtcp2_conn_server_new(&conn_, &dcid, &scid, &path, incoming.version, &callbacks, &settings,
                             &parameters, memory_.functions(), this) != 0) {
    return false;
  }
  for (const Cid& cid : {own, incoming.dcid}) {
    cids_.push_back(cid);
    host_.register_cid(cid, handle_);
  }
  return attach_crypto(true);
}

}  // namespace ethnet::quic
