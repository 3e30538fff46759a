// Life and streams of a connection; connection_io.cpp has its packets.
#include "connection.hpp"

#include <algorithm>
#include <utility>

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "c_bytes.hpp"

namespace ethnet::quic {

using transport::ConnError;

Connection::Connection(Private, ConnectionHost& host, ConnHandle handle,
                       const EndpointConfig& config, const Crypto& crypto, transport::Side side,
                       const Endpoint& local, const Endpoint& remote)
    : host_{host},
      handle_{handle},
      config_{config},
      crypto_{crypto},
      side_{side},
      local_{local},
      remote_{remote},
      ref_{std::make_unique<ngtcp2_crypto_conn_ref>()},
      late_messages_{side == transport::Side::dialler} {}

Connection::~Connection() {
  if (conn_ != nullptr) ngtcp2_conn_del(conn_);
}

std::unique_ptr<Connection> Connection::dial(ConnectionHost& host, ConnHandle handle,
                                             const EndpointConfig& config, const Crypto& crypto,
                                             Now now, const Endpoint& local,
                                             const Endpoint& remote) {
  auto made = std::make_unique<Connection>(Private{}, host, handle, config, crypto,
                                           transport::Side::dialler, local, remote);
  return made->start_client(now) ? std::move(made) : nullptr;
}

std::unique_ptr<Connection> Connection::accept(ConnectionHost& host, ConnHandle handle,
                                               const EndpointConfig& config, const Crypto& crypto,
                                               Now now, const Endpoint& local,
                                               const Endpoint& remote, const Incoming& incoming) {
  auto made = std::make_unique<Connection>(Private{}, host, handle, config, crypto,
                                           transport::Side::acceptor, local, remote);
  return made->start_server(now, incoming) ? std::move(made) : nullptr;
}

Cid Connection::new_cid() {
  ByteArray<kOwnCidBytes> bytes{};
  host_.rng().fill(bytes);
  return Cid{bytes};
}

Connection::Stream* Connection::find(StreamId id) {
  const auto it = streams_.find(id);
  return it == streams_.end() ? nullptr : it->second.get();
}
const Connection::Stream* Connection::find(StreamId id) const {
  const auto it = streams_.find(id);
  return it == streams_.end() ? nullptr : it->second.get();
}
Connection::Stream& Connection::stream(StreamId id) {
  auto& slot = streams_[id];
  if (!slot) slot = std::make_unique<Stream>();
  return *slot;
}

void Connection::enqueue(StreamId id, Stream& stream) {
  if (!stream.queued && !stream.blocked && stream.send.pending()) {
    stream.queued = true;
    send_queue_.push_back(id);
  }
  host_.mark_ready(handle_);
}

// Gives the peer back what is not held here any more.
void Connection::credit(std::size_t n) {
  if (n == 0 || conn_ == nullptr) return;
  if (config_.download.on()) {
    credit_owed_ += n;
    host_.owe_credit(handle_);
    return;
  }
  ngtcp2_conn_extend_max_offset(conn_, n);
  host_.mark_ready(handle_);
}

void Connection::tell_readable(StreamId id, Stream& stream) {
  if (stream.readable_told) return;
  stream.readable_told = true;
  host_.emit(handle_, transport::Readable{id});
}

void Connection::readable_taken(StreamId id) {
  if (Stream* stream = find(id)) stream->readable_told = false;
}

// A stream is forgotten when the transport has closed it and nothing of it is left to read; only
// then may the peer open another one in its place.
void Connection::drop_if_done(StreamId id) {
  const Stream* stream = find(id);
  if (stream == nullptr || !stream->transport_closed) return;
  if (!stream->stopped && !stream->receive.readable().empty()) return;
  const bool remote = stream->remote;
  send_memory_ -= stream->send.memory_bytes();
  streams_.erase(id);
  offer_room();
  if (!remote || conn_ == nullptr) return;
  if (ngtcp2_is_bidi_stream(id) != 0) {
    ngtcp2_conn_extend_max_streams_bidi(conn_, 1);
  } else {
    ngtcp2_conn_extend_max_streams_uni(conn_, 1);
  }
  host_.mark_ready(handle_);
}

Result<StreamId> Connection::open_stream(transport::StreamKind kind) {
  if (conn_ == nullptr || !opened_) return ethnet::fail(ConnError::not_established);
  StreamId id = -1;
  const int rv = kind == transport::StreamKind::bidirectional
                     ? ngtcp2_conn_open_bidi_stream(conn_, &id, nullptr)
                     : ngtcp2_conn_open_uni_stream(conn_, &id, nullptr);
  if (rv != 0 || streams_.size() >= kMaxStreamsHeld) return ethnet::fail(ConnError::stream_limit);
  stream(id);
  return id;
}

std::size_t Connection::write_stream(StreamId id, ByteView bytes, bool bulk) {
  Stream* stream = find(id);
  if (stream == nullptr || conn_ == nullptr) return 0;
  const std::size_t room = config_.send_memory - std::min(config_.send_memory, send_memory_);
  const std::size_t before = stream->send.memory_bytes();
  const std::size_t accepted =
      stream->send.append(bytes.first(std::min(bytes.size(), room)), config_.send_buffer);
  send_memory_ += stream->send.memory_bytes() - before;
  if (!bulk && accepted > 0) stream->urgent_until = stream->send.end();
  if (accepted < bytes.size()) {
    stream->refused = true;
    room_owed_ = true;
  }
  enqueue(id, *stream);
  return accepted;
}

std::size_t Connection::unsent_bytes() const {
  std::size_t sum = 0;
  for (const auto& [id, stream] : streams_) {
    sum += static_cast<std::size_t>(stream->send.end() - stream->send.sent());
  }
  return sum;
}

std::size_t Connection::sendable_bytes() const {
  std::size_t sum = 0;
  for (const StreamId id : send_queue_) {
    const Stream* stream = find(id);
    if (stream == nullptr) continue;
    sum += static_cast<std::size_t>(stream->send.end() - stream->send.sent());
  }
  return sum;
}

void Connection::owe_room(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->refused = true;
  room_owed_ = true;
}

// Tells the streams that were refused some of their bytes that there is room again: half of their
// own limit, and a quarter of what they share.
void Connection::offer_room() {
  if (!room_owed_ || send_memory_ > config_.send_memory / 4 * 3) return;
  if (config_.upload.on() && unsent_bytes() > config_.upload.most_unsent() / 2) return;
  room_owed_ = false;
  for (auto& [id, stream] : streams_) {
    if (!stream->refused) continue;
    if (stream->send.buffered() < config_.send_buffer / 2) {
      stream->refused = false;
      host_.emit(handle_, transport::Writable{id});
    } else {
      room_owed_ = true;
    }
  }
}

void Connection::finish_stream(StreamId id) {
  Stream* stream = find(id);
  if (stream == nullptr) return;
  stream->send.finish();
  enqueue(id, *stream);
}

ByteView Connection::read_stream(StreamId id) const {
  const Stream* stream = find(id);
  return stream == nullptr ? ByteView{} : stream->receive.readable();
}

bool Connection::at_end(StreamId id) const {
  if (closed()) return false;  // what had arrived is gone, and Closed says why
  const Stream* stream = find(id);
  return stream == nullptr || stream->receive.at_end();
}

void Connection::consume(StreamId id, std::size_t n) {
  Stream* stream = find(id);
  if (stream == nullptr || n == 0) return;
  stream->receive.consume(n);
  if (config_.download.on()) {
    stream->credit_owed += n;
  } else if (conn_ != nullptr && !stream->transport_closed) {
    // Fails only for a stream that the transport has forgotten; the connection's credit counts.
    (void)ngtcp2_conn_extend_max_stream_offset(conn_, id, n);
  }
  credit(n);
  drop_if_done(id);
}

std::size_t Connection::give_credit(std::size_t most) {
  if (conn_ == nullptr) return 0;
  const std::size_t given = std::min(most, credit_owed_);
  std::size_t left = given;
  for (const auto& [id, stream] : streams_) {
    const std::size_t n = std::min(left, stream->credit_owed);
    if (n == 0) continue;
    left -= n;
    stream->credit_owed -= n;
    if (!stream->transport_closed) (void)ngtcp2_conn_extend_max_stream_offset(conn_, id, n);
  }
  credit_owed_ -= given;
  credit_paid_ += given;
  ngtcp2_conn_extend_max_offset(conn_, given);
  host_.mark_ready(handle_);
  return given;
}

std::size_t Connection::take_paid(std::size_t datagram) {
  const std::size_t paid = std::min({arrived_, credit_paid_, datagram});
  credit_paid_ -= paid;
  arrived_ = credit_paid_ == 0 ? 0 : arrived_ - paid;  // the first windows were not paid
  return paid;
}

void Connection::reset_stream(StreamId id, std::uint64_t code) {
  if (conn_ == nullptr || find(id) == nullptr) return;
  (void)ngtcp2_conn_shutdown_stream_write(conn_, 0, id, code);
  host_.mark_ready(handle_);
}

void Connection::stop_stream(StreamId id, std::uint64_t code) {
  Stream* stream = find(id);
  if (conn_ == nullptr || stream == nullptr) return;
  stream->stopped = true;
  credit(stream->receive.discard());
  (void)ngtcp2_conn_shutdown_stream_read(conn_, 0, id, code);
  host_.mark_ready(handle_);
  drop_if_done(id);
}

Result<void> Connection::export_key(std::string_view label, MutByteView out) const {
  if (conn_ == nullptr || !opened_ || !session_->export_key(label, out)) {
    return ethnet::fail(ConnError::export_unavailable);
  }
  return {};
}

std::size_t Connection::memory_bytes() const {
  std::size_t total = sizeof(Connection) + close_packet_.capacity() + memory_.bytes();
  if (session_) total += session_->memory_bytes();
  for (const auto& [id, stream] : streams_) {
    total += sizeof(Stream) + stream->send.memory_bytes() + stream->receive.memory_bytes();
  }
  return total;
}

// The transport is gone at once; what stays for the closing period is one packet and the ids.
void Connection::end(Now now, transport::CloseCause cause, std::uint64_t code, std::string detail) {
  if (closed()) return;
  constexpr Duration kLongestClosingPeriod = seconds(3);
  const Duration pto{static_cast<std::int64_t>(
      std::min<std::uint64_t>(ngtcp2_conn_get_pto(conn_), 1'000'000'000))};
  close_until_ = now.mono + std::min(pto * 3, kLongestClosingPeriod);
  ngtcp2_conn_del(conn_);
  conn_ = nullptr;
  session_.reset();
  streams_.clear();
  reset_by_peer_.clear();
  send_queue_.clear();
  send_memory_ = 0;
  credit_owed_ = 0;
  held_.reset();
  host_.emit(handle_, transport::Closed{cause, code, std::move(detail)});
  host_.mark_ready(handle_);
}

void Connection::close(Now now, std::uint64_t code, std::string_view reason) {
  if (closed()) return;
  make_close_packet(now, 0, code, reason, true);
  end(now, transport::CloseCause::local, code, {});
}

}  // namespace ethnet::quic
