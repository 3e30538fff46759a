#include "endpoint.hpp"

#include <algorithm>
#include <utility>

#include "tls.hpp"

namespace ethnet::quic {

using transport::ConnError;

QuicEndpoint::QuicEndpoint(Private, EndpointConfig config, SecureRng& rng, Log& log)
    : config_{std::move(config)},
      rng_{rng},
      log_{log},
      cids_{16, CidHash{rng.next()}},
      upload_{config_.upload, config_.max_udp_payload},
      download_{config_.download, config_.max_udp_payload} {
  if (config_.download.on()) {
    config_.stream_window = limited_window(config_.download, config_.stream_window);
  }
  rng_.fill(token_secret_);
  if (config_.reset_secret) {
    reset_secret_ = *config_.reset_secret;
  } else {
    rng_.fill(reset_secret_);
  }
}

QuicEndpoint::~QuicEndpoint() = default;

Result<std::unique_ptr<QuicEndpoint>> QuicEndpoint::make(Now now, EndpointConfig config,
                                                         SecureRng& rng, Log& log) {
  auto tls = TRY(TlsContext::make(now.wall, config.alpn));
  return make(now, std::move(config), rng, log, std::move(tls));
}

Result<std::unique_ptr<QuicEndpoint>> QuicEndpoint::make(Now now, EndpointConfig config,
                                                         SecureRng& rng, Log& log,
                                                         std::unique_ptr<Crypto> crypto) {
  CHECK(!config.local.empty());
  auto made = std::make_unique<QuicEndpoint>(Private{}, std::move(config), rng, log);
  made->crypto_ = std::move(crypto);
  made->rotate_at_ = now.mono + kCertificateRotation;
  made->counters_.certificates = 1;
  return made;
}

Connection* QuicEndpoint::find(ConnHandle conn) const {
  const auto* slot = connections_.find(conn);
  return slot == nullptr ? nullptr : slot->get();
}

void QuicEndpoint::emit(ConnHandle conn, transport::ConnEventKind event) {
  if (std::holds_alternative<transport::Confirmed>(event)) ++counters_.confirmed;
  const auto* closed = std::get_if<transport::Closed>(&event);
  if (closed != nullptr && closed->cause == transport::CloseCause::memory_limit) {
    ++counters_.closed_memory;
  }
  events_.push_back({conn, std::move(event)});
}

void QuicEndpoint::mark_ready(ConnHandle conn) {
  if (in_ready_.insert(conn).second) ready_.push_back(conn);
}

void QuicEndpoint::settle(Now now, ConnHandle handle) {
  const Connection* connection = find(handle);
  if (connection == nullptr) return;
  if (connection->half_open()) {
    half_open_.insert(handle);
  } else {
    half_open_.erase(handle);
    proven_half_open_.erase(handle);
  }
  if (connection->closed()) closing_.insert(handle);
  index_remote(connection, handle);
  if (!connection->finished(now)) {
    // After a write ngtcp2 may name a time that is over (a probe timeout that begins again from an
    // old packet): it is due now.
    timers_.set(handle.index, std::max(connection->expiry(), now.mono));
    return;
  }
  forget(handle);
}

void QuicEndpoint::forget(ConnHandle handle) {
  const Connection* connection = find(handle);
  CHECK(connection != nullptr);
  for (const Cid& cid : connection->cids()) cids_.erase(cid);
  timers_.cancel(handle.index);
  closing_.erase(handle);
  upload_.forget(handle);
  download_.forget(handle);
  connections_.erase(handle);
}

// Who connects and closes again and again fills the table with connections in their closing period,
// which is three timeouts of a path that may be long. Nothing is owed to them that a stateless
// reset does not say as well.
bool QuicEndpoint::make_room() {
  if (connections_.size() < config_.max_connections) return true;
  if (closing_.empty()) return false;
  ++counters_.closing_forgotten;
  forget(*closing_.begin());
  return true;
}

// Follows a connection to where its peer is now; one that no reset can end is not in the index.
void QuicEndpoint::index_remote(const Connection* connection, ConnHandle handle) {
  if (remote_of_.size() <= handle.index) remote_of_.resize(handle.index + 1);
  std::optional<Endpoint>& indexed = remote_of_[handle.index];
  std::optional<Endpoint> wanted;
  if (!connection->half_open() && !connection->closed()) wanted = connection->remote();
  if (indexed == wanted) return;
  if (indexed) by_remote_.erase({*indexed, handle});
  if (wanted) by_remote_.insert({*wanted, handle});
  indexed = wanted;
}

std::size_t QuicEndpoint::connections_at(const Endpoint& remote) const {
  std::size_t n = 0;
  for (auto it = by_remote_.lower_bound({remote, ConnHandle{0, 0}});
       it != by_remote_.end() && it->first == remote; ++it) {
    ++n;
  }
  return n;
}

void QuicEndpoint::handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept {
  now_ = now.mono;
  new_in_batch_ = 0;
  std::vector<const Datagram*> unknown;
  for (const Datagram& datagram : datagrams) {
    ++counters_.datagrams;
    counters_.bytes_in += datagram.bytes.size();
    if (datagram.bytes.empty()) {  // ngtcp2 asserts that there is something (attack 73)
      ++counters_.undecodable;
      continue;
    }
    if (!deliver(now, datagram)) unknown.push_back(&datagram);
  }
  for (const Datagram* datagram : unknown) {
    // An earlier datagram of this batch may have made its connection.
    if (deliver(now, *datagram)) continue;
    if (download_.on()) download_.received(now.mono, datagram->bytes.size(), 0);
    handle_unknown(now, *datagram);
  }
}

void QuicEndpoint::handle_deadline(Now now) noexcept {
  now_ = now.mono;
  while (const auto due = timers_.pop_due(now.mono)) {
    const auto handle = connections_.handle_at(due->id);
    Connection* connection = find(handle);
    if (connection == nullptr) continue;
    connection->handle_expiry(now);
    settle(now, handle);
  }
  if (rotate_at_ <= now.mono) rotate_certificate(now);
  if (upload_.on()) open_bulk(now);
}

void QuicEndpoint::rotate_certificate(Now now) {
  rotate_at_ = now.mono + kCertificateRotation;
  if (crypto_->rotate(now.wall)) {
    ++counters_.certificates;
  } else {
    log_.write(now, LogLevel::warn, "cannot make a new certificate; the old one stays in use");
  }
}

Instant QuicEndpoint::next_deadline() const {
  const Instant next = std::min({timers_.next(), rotate_at_, download_.next_turn()});
  return upload_.on() ? std::min(next, limit_deadline()) : next;
}

std::optional<Transmit> QuicEndpoint::poll_transmit(Now now, MutByteView out) {
  if (download_.on()) give_credit(now);
  if (upload_.on()) return poll_limited(now, out);
  // In turn: neither strangers' answers hold up the connections, nor these the others.
  if (std::exchange(stateless_is_next_, false) && !stateless_.empty()) return next_stateless(out);
  while (!ready_.empty()) {
    const ConnHandle handle = ready_.front();
    ready_.pop_front();
    in_ready_.erase(handle);
    const auto burst = write_burst(now, handle, out, Connection::Share::all);
    if (!burst) continue;
    stateless_is_next_ = true;
    return burst;
  }
  if (!stateless_.empty()) return next_stateless(out);
  return std::nullopt;
}

std::optional<Transmit> QuicEndpoint::write_burst(Now now, ConnHandle handle, MutByteView out,
                                                  Connection::Share share) {
  Connection* connection = find(handle);
  if (connection == nullptr) return std::nullopt;
  auto burst = connection->write(now, out, share);
  if (burst) {
    connection->count_sent(burst->size);
    counters_.bytes_out += burst->size;
  }
  settle(now, handle);
  return burst;
}

Transmit QuicEndpoint::next_stateless(MutByteView out) {
  const Stateless next = std::move(stateless_.front());
  stateless_.pop_front();
  copy_into(out, next.packet);
  counters_.bytes_out += next.packet.size();
  return {next.local, next.remote, 0, next.packet.size(), next.packet.size()};
}

std::optional<transport::ConnEvent> QuicEndpoint::poll_event() {
  if (events_.empty()) return std::nullopt;
  transport::ConnEvent event = std::move(events_.front());
  events_.pop_front();
  if (const auto* readable = std::get_if<transport::Readable>(&event.kind)) {
    if (Connection* connection = find(event.conn)) connection->readable_taken(readable->stream);
  }
  return event;
}

Endpoint QuicEndpoint::local_for(const Endpoint& remote) const {
  for (const Endpoint& local : config_.local) {
    if (local.ip.is_v4() == remote.ip.is_v4()) return local;
  }
  // One dual-stack socket: its port, and the remote's family with no address.
  const IpAddress any = remote.ip.is_v4() ? IpAddress::v4({}) : IpAddress::v6({});
  return {any, config_.local.front().port};
}

Result<ConnHandle> QuicEndpoint::dial(Now now, const Endpoint& remote) {
  if (!make_room()) return fail(ConnError::connection_limit);
  const ConnHandle handle = connections_.emplace();
  auto made = Connection::dial(*this, handle, config_, *crypto_, now, local_for(remote), remote);
  if (!made) {
    connections_.erase(handle);
    return fail(ConnError::connection_limit);
  }
  auto* slot = connections_.find(handle);
  CHECK(slot != nullptr);
  *slot = std::move(made);
  ++counters_.dialled;
  mark_ready(handle);
  settle(now, handle);
  return handle;
}

Result<StreamId> QuicEndpoint::open_stream(ConnHandle conn, transport::StreamKind kind) {
  Connection* connection = find(conn);
  if (connection == nullptr) return fail(ConnError::unknown_connection);
  return connection->open_stream(kind);
}

std::size_t QuicEndpoint::write(ConnHandle conn, StreamId stream, ByteView bytes) {
  Connection* connection = find(conn);
  return connection == nullptr ? 0 : connection->write_stream(stream, bytes);
}

void QuicEndpoint::finish(ConnHandle conn, StreamId stream) {
  if (Connection* connection = find(conn)) connection->finish_stream(stream);
}

ByteView QuicEndpoint::read(ConnHandle conn, StreamId stream) {
  const Connection* connection = find(conn);
  return connection == nullptr ? ByteView{} : connection->read_stream(stream);
}

bool QuicEndpoint::at_end(ConnHandle conn, StreamId stream) const {
  const Connection* connection = find(conn);
  return connection != nullptr && connection->at_end(stream);
}

void QuicEndpoint::consume(ConnHandle conn, StreamId stream, std::size_t n) {
  if (Connection* connection = find(conn)) connection->consume(stream, n);
}

void QuicEndpoint::reset(ConnHandle conn, StreamId stream, std::uint64_t code) {
  if (Connection* connection = find(conn)) connection->reset_stream(stream, code);
}

void QuicEndpoint::stop(ConnHandle conn, StreamId stream, std::uint64_t code) {
  if (Connection* connection = find(conn)) connection->stop_stream(stream, code);
}

void QuicEndpoint::close(Now now, ConnHandle conn, std::uint64_t application_code,
                         std::string_view reason) {
  Connection* connection = find(conn);
  if (connection == nullptr) return;
  connection->close(now, application_code, reason);
  settle(now, conn);
}

Result<void> QuicEndpoint::export_key(ConnHandle conn, std::string_view label, MutByteView out) {
  const Connection* connection = find(conn);
  if (connection == nullptr) return fail(ConnError::unknown_connection);
  return connection->export_key(label, out);
}

std::size_t QuicEndpoint::memory_bytes(ConnHandle conn) const {
  const Connection* connection = find(conn);
  return connection == nullptr ? 0 : connection->memory_bytes();
}

transport::ConnStats QuicEndpoint::stats(ConnHandle conn) const {
  const Connection* connection = find(conn);
  return connection == nullptr ? transport::ConnStats{} : connection->stats();
}

}  // namespace ethnet::quic
