// Packets of a connection: in, out, and the end of it.
#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include <base/log.hpp>
#include <fmt/format.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "c_bytes.hpp"
#include "connection.hpp"
#include "sockaddr.hpp"

namespace ethnet::quic {
namespace {

std::uint64_t timestamp(Now now) { return static_cast<std::uint64_t>(now.mono.ns); }

}  // namespace

void Connection::handle_datagram(Now now, const Datagram& datagram) {
  if (closed()) {
    // A peer that missed our close is told again, less and less often (RFC 9000, section 10.2.1).
    ++packets_after_close_;
    close_pending_ = close_pending_ || std::has_single_bit(packets_after_close_);
    host_.mark_ready(handle_);
    return;
  }
  // A dialler is bound to a wildcard address and must not mistake the real one for a new path.
  SockAddr local{side_ == transport::Side::dialler ? local_ : datagram.local};
  SockAddr remote{datagram.remote};
  const ngtcp2_path path{{local.get(), local.size}, {remote.get(), remote.size}, nullptr};
  ngtcp2_pkt_info info{};
  info.ecn = datagram.ecn;
  const int rv = ngtcp2_conn_read_pkt(conn_, &path, &info, in_ptr(datagram.bytes),
                                      datagram.bytes.size(), timestamp(now));
  host_.mark_ready(handle_);
  if (rv != 0) {
    fail(now, rv);
    return;
  }
  if (std::exchange(progressed_, false)) progress_at_ = now.mono;
  end_reset_streams();
  release_handshake();
  const Endpoint seen = endpoint_of(ngtcp2_conn_get_path(conn_)->remote.addr);
  if (seen != remote_) {
    remote_ = seen;
    small_packets_until_ = {};  // another path
    host_.emit(handle_, transport::PathChanged{remote_});
  }
  check_memory(now);
}

// ngtcp2 never closes a unidirectional stream of the peer that begins with its reset (1.11 and 1.25
// at least: it waits for the end of our direction, which there is none of), so the peer would lose
// a place for good: a RESET_STREAM that overtakes the stream's data is enough. Nothing more comes
// on such a stream, and it is over for us. What ngtcp2 keeps of it, memory_limit bounds.
void Connection::end_reset_streams() {
  for (const StreamId id : std::exchange(reset_by_peer_, {})) {
    Stream* stream = find(id);
    if (stream == nullptr || !stream->remote || ngtcp2_is_bidi_stream(id) != 0) continue;
    stream->transport_closed = true;
    drop_if_done(id);
  }
}

// TLS has done its part once both sides are done (RFC 9001, section 4.1.2): keys are updated
// without it, and what it may still say needs none of it.
void Connection::release_handshake() {
  if (!confirmed_ || handshake_released_) return;
  handshake_released_ = true;
  if (session_->release()) ngtcp2_conn_set_tls_native_handle(conn_, nullptr);
}

void Connection::check_memory(Now now) {
  if (memory_bytes() <= config_.memory_limit) return;
  make_close_packet(now, NGTCP2_ERR_INTERNAL, 0, {}, false);
  end(now, transport::CloseCause::memory_limit, 0, {});
}

void Connection::handle_expiry(Now now) {
  if (closed()) return;
  const int rv = ngtcp2_conn_handle_expiry(conn_, timestamp(now));
  host_.mark_ready(handle_);
  if (rv != 0) {
    fail(now, rv);
    return;
  }
  for (const auto& [id, stream] : streams_) stream->receive.trim();
  watch_for_black_hole(now);
  check_memory(now);
}

// Until the first acknowledgement on a path the library has only its guess.
transport::ConnStats Connection::stats() const {
  transport::ConnStats out{{}, bytes_in_, bytes_out_};
  if (conn_ == nullptr) return out;
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(conn_, &info);
  if (info.min_rtt != UINT64_MAX) out.rtt = {static_cast<std::int64_t>(info.smoothed_rtt)};
  return out;
}

bool Connection::stream_data_in_flight() const {
  return std::ranges::any_of(streams_, [](const auto& s) { return s.second->send.in_flight(); });
}

// ngtcp2 finds how large packets may be and never takes it back. A path that later swallows the
// large ones (a tunnel on the way, another route) would carry acknowledgements and no data, until
// the session gives up: after three probe timeouts without any data acknowledged, packets become
// as small as every path must carry.
void Connection::watch_for_black_hole(Now now) {
  if (!stream_data_in_flight()) {
    progress_at_ = now.mono;
    return;
  }
  const Duration patience{static_cast<std::int64_t>(
      std::min<std::uint64_t>(3 * ngtcp2_conn_get_pto(conn_), 10'000'000'000))};
  if (packet_limit(now) == kSmallestUdpPayload || now.mono - progress_at_ < patience ||
      ngtcp2_conn_get_path_max_tx_udp_payload_size(conn_) <= kSmallestUdpPayload) {
    return;
  }
  small_packets_until_ = now.mono + kSmallPacketsFor;
  host_.count_black_hole();
}

std::size_t Connection::packet_limit(Now now) const {
  return now.mono < small_packets_until_ ? kSmallestUdpPayload : config_.max_udp_payload;
}

Instant Connection::expiry() const {
  if (closed()) return *close_until_;
  const std::uint64_t at = ngtcp2_conn_get_expiry(conn_);
  return at > static_cast<std::uint64_t>(INT64_MAX) ? Instant::never()
                                                    : Instant{static_cast<std::int64_t>(at)};
}

void Connection::on_peer_close(Now now) {
  if (stateless_reset_) {
    end(now, transport::CloseCause::stateless_reset, 0, {});
    return;
  }
  const ngtcp2_ccerr* error = ngtcp2_conn_get_ccerr(conn_);
  const ByteView reason = view_of(error->reason, error->reasonlen);
  std::string text;
  for (const std::byte b : reason) text.push_back(static_cast<char>(b));
  const bool application = error->type == NGTCP2_CCERR_TYPE_APPLICATION;
  std::string detail =
      application ? sanitize(text, 128)
                  : fmt::format("transport error 0x{:x} {}", error->error_code, sanitize(text, 96));
  end(now, application ? transport::CloseCause::peer : transport::CloseCause::refused,
      error->error_code, std::move(detail));
}

// ngtcp2 says that the connection cannot go on: tell the peer where that makes sense.
void Connection::fail(Now now, int code) {
  switch (code) {
    case NGTCP2_ERR_DRAINING:
      on_peer_close(now);
      return;
    case NGTCP2_ERR_IDLE_CLOSE:
      end(now, transport::CloseCause::idle_timeout, 0, {});
      return;
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
      end(now, transport::CloseCause::handshake_timeout, 0, {});
      return;
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY:
      end(now, transport::CloseCause::refused, 0, "dropped");
      return;
    default:
      break;
  }
  std::string detail = ngtcp2_strerror(code);
  if (code == NGTCP2_ERR_CRYPTO) {
    detail += fmt::format(" (TLS alert {})", ngtcp2_conn_get_tls_alert(conn_));
  }
  make_close_packet(now, code, 0, {}, false);
  end(now, transport::CloseCause::refused, 0, std::move(detail));
}

void Connection::make_close_packet(Now now, int library_error, std::uint64_t code,
                                   std::string_view reason, bool application) {
  ngtcp2_ccerr error;
  ngtcp2_ccerr_default(&error);
  const ByteView text = text_bytes(reason.substr(0, 128));
  if (application) {
    ngtcp2_ccerr_set_application_error(&error, code, in_ptr(text), text.size());
  } else if (library_error == NGTCP2_ERR_CRYPTO) {
    ngtcp2_ccerr_set_tls_alert(&error, ngtcp2_conn_get_tls_alert(conn_), nullptr, 0);
  } else {
    ngtcp2_ccerr_set_liberr(&error, library_error, nullptr, 0);
  }
  Bytes packet(config_.max_udp_payload);
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_pkt_info info{};
  const auto n = ngtcp2_conn_write_connection_close(conn_, &path.path, &info, out_ptr(packet),
                                                    packet.size(), &error, timestamp(now));
  if (n <= 0) return;
  packet.resize(static_cast<std::size_t>(n));
  packet.shrink_to_fit();
  close_packet_ = std::move(packet);
  close_pending_ = true;
}

Connection::Stream* Connection::next_stream(Share share) {
  std::size_t at = 0;
  while (at < send_queue_.size()) {
    const auto it = send_queue_.begin() + static_cast<std::ptrdiff_t>(at);
    Stream* stream = find(*it);
    if (stream == nullptr || !stream->send.pending()) {
      if (stream != nullptr) stream->queued = false;
      send_queue_.erase(it);
      continue;
    }
    const std::uint64_t sent = stream->send.sent();
    if (share == Share::all || sent < stream->urgent_until || sent == stream->send.end()) {
      std::rotate(send_queue_.begin(), it, it + 1);
      return stream;
    }
    ++at;
  }
  return nullptr;
}

// One packet into `out`, filled from as many streams as have something, each in turn.
Connection::Packet Connection::write_packet(Now now, MutByteView out, Share share, bool& failed) {
  ngtcp2_path_storage path;
  ngtcp2_path_storage_zero(&path);
  ngtcp2_pkt_info info{};
  for (;;) {
    Stream* stream = next_stream(share);
    const StreamId id = stream == nullptr ? -1 : send_queue_.front();
    ngtcp2_vec vec{};
    std::uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
    bool fin = false;
    if (stream != nullptr) {
      ByteView data = stream->send.unsent();
      if (share == Share::urgent && stream->urgent_until > stream->send.sent()) {
        data = data.first(std::min(
            data.size(), static_cast<std::size_t>(stream->urgent_until - stream->send.sent())));
      }
      vec.base = const_cast<std::uint8_t*>(in_ptr(data));  // read only; the structure has no const
      vec.len = data.size();
      fin = stream->send.fin_with(data.size());
      flags = NGTCP2_WRITE_STREAM_FLAG_MORE | (fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0U);
    }
    ngtcp2_ssize accepted = -1;
    const auto n = ngtcp2_conn_writev_stream(
        conn_, &path.path, &info, out_ptr(out), out.size(), &accepted, flags, id,
        stream == nullptr ? nullptr : &vec, stream == nullptr ? 0 : 1, timestamp(now));
    if (stream != nullptr && accepted >= 0) account(id, accepted, vec.len, fin);
    if (n == NGTCP2_ERR_WRITE_MORE) continue;
    if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED || n == NGTCP2_ERR_STREAM_SHUT_WR ||
        n == NGTCP2_ERR_STREAM_NOT_FOUND) {
      stream->blocked = n == NGTCP2_ERR_STREAM_DATA_BLOCKED;
      stream->queued = false;
      send_queue_.erase(send_queue_.begin());
      continue;
    }
    if (n < 0) {
      failed = true;
      fail(now, static_cast<int>(n));
      return {};
    }
    if (n == 0) return {};
    return {static_cast<std::size_t>(n), endpoint_of(path.path.local.addr),
            endpoint_of(path.path.remote.addr), static_cast<std::uint8_t>(info.ecn)};
  }
}

// The library took `accepted` bytes; the stream goes to the end of the queue, so that all get a
// turn.
void Connection::account(StreamId id, std::ptrdiff_t accepted, std::size_t offered, bool fin) {
  Stream& stream = *streams_.at(id);
  stream.send.mark_sent(static_cast<std::size_t>(accepted));
  if (fin && static_cast<std::size_t>(accepted) == offered) stream.send.mark_fin_sent();
  send_queue_.erase(send_queue_.begin());
  stream.queued = stream.send.pending();
  if (stream.queued) send_queue_.push_back(id);
}

std::optional<Transmit> Connection::write_closed(MutByteView out) {
  if (!close_pending_ || close_packet_.empty()) return std::nullopt;
  close_pending_ = false;
  copy_into(out, close_packet_);
  return Transmit{local_, remote_, 0, close_packet_.size(), close_packet_.size()};
}

// An old key that leaks opens less, and no key comes near the bound of its cipher. The library
// refuses while the last update is young or not yet answered: then the next packets ask again.
void Connection::update_key(Now now, std::size_t packets_sent) {
  packets_under_key_ += packets_sent;
  if (!confirmed_ || packets_under_key_ < config_.key_update_packets) return;
  if (ngtcp2_conn_initiate_key_update(conn_, timestamp(now)) != 0) return;
  packets_under_key_ = 0;
  host_.count_key_update();
}

std::optional<Transmit> Connection::write(Now now, MutByteView out, Share share) {
  if (closed()) return write_closed(out);
  if (held_) {
    const auto [packet, bytes] = std::exchange(held_, std::nullopt).value();
    copy_into(out, bytes);
    host_.mark_ready(handle_);
    return Transmit{packet.local, packet.remote, packet.ecn, packet.size, packet.size};
  }
  const std::size_t quantum =
      std::min(out.size(), ngtcp2_conn_get_send_quantum(conn_) + config_.max_udp_payload);
  const std::size_t limit = packet_limit(now);
  if (!stream_data_in_flight()) progress_at_ = now.mono;
  Transmit burst;
  bool failed = false;
  std::size_t count = 0;
  while (count < kMaxSegments && burst.size + limit <= quantum) {
    const MutByteView slot = out.subspan(burst.size, limit);
    const Packet packet = write_packet(now, slot, share, failed);
    if (failed) return burst.size > 0 ? std::optional{burst} : write_closed(out);
    if (packet.size == 0) break;
    const bool first = count == 0;
    if (first) {
      burst = {packet.local, packet.remote, packet.ecn, 0, packet.size};
    } else if (packet.size > burst.segment_size || packet.local != burst.local ||
               packet.remote != burst.remote || packet.ecn != burst.ecn) {
      held_.emplace(packet, to_bytes(slot.first(packet.size)));
      break;
    }
    burst.size += packet.size;
    ++count;
    if (packet.size < burst.segment_size) break;
  }
  ngtcp2_conn_update_pkt_tx_time(conn_, timestamp(now));
  if (burst.size == 0) return std::nullopt;
  update_key(now, count);
  host_.mark_ready(handle_);  // until nothing comes any more
  return burst;
}

}  // namespace ethnet::quic
