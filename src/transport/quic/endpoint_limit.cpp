// What leaves an endpoint under an upload limit, and in which order; when peers are given credit
// under a download limit.
#include <algorithm>

#include "endpoint.hpp"

namespace ethnet::quic {
namespace {

constexpr std::size_t kMaxBulkBurst = 16 * 1024;  // then it is another connection's turn

std::size_t sendable(const Connection* connection) {
  return connection == nullptr ? 0 : connection->sendable_bytes();
}

}  // namespace

std::size_t QuicEndpoint::write_bulk(ConnHandle conn, StreamId stream, ByteView bytes) {
  if (!upload_.on()) return write(conn, stream, bytes);
  Connection* connection = find(conn);
  if (connection == nullptr) return 0;
  const std::size_t most = config_.upload.most_unsent();
  const std::size_t room = most - std::min(most, connection->unsent_bytes());
  if (room < bytes.size()) connection->owe_room(stream);
  if (room == 0) return 0;
  const std::size_t wanted = std::min(room, bytes.size());
  const std::size_t granted = upload_.grant(now_, conn, stream, wanted);
  if (granted < wanted) ++counters_.upload_put_off;
  return granted == 0 ? 0 : connection->write_stream(stream, bytes.first(granted), true);
}

std::optional<Transmit> QuicEndpoint::poll_limited(Now now, MutByteView out) {
  now_ = now.mono;
  auto burst = poll_urgent(now, out);
  if (!burst) burst = poll_bulk(now, out);
  const bool blocked = !burst && (!ready_.empty() || !bulk_ready_.empty() || !stateless_.empty());
  if (blocked && !upload_blocked_) ++counters_.upload_waits;
  upload_blocked_ = blocked;
  return burst;
}

std::optional<Transmit> QuicEndpoint::poll_urgent(Now now, MutByteView out) {
  const std::size_t room = std::min(upload_.urgent(now.mono), out.size());
  if (room == 0) return std::nullopt;
  const auto answer = [&] {
    const Transmit next = next_stateless(out);
    upload_.spend_urgent(now.mono, next.size);
    return next;
  };
  if (std::exchange(stateless_is_next_, false) && !stateless_.empty()) return answer();
  while (!ready_.empty()) {
    const ConnHandle handle = ready_.front();
    ready_.pop_front();
    in_ready_.erase(handle);
    const auto burst = write_burst(now, handle, out.first(room), Connection::Share::urgent);
    if (!burst) {
      if (sendable(find(handle)) > 0 && in_bulk_ready_.insert(handle).second) {
        bulk_ready_.push_back(handle);
      }
      continue;
    }
    upload_.spend_urgent(now.mono, burst->size);
    stateless_is_next_ = true;
    return burst;
  }
  if (!stateless_.empty()) return answer();
  return std::nullopt;
}

std::optional<Transmit> QuicEndpoint::poll_bulk(Now now, MutByteView out) {
  if (!ready_.empty()) return std::nullopt;  // what is urgent waits
  const std::size_t room = std::min({upload_.bulk(now.mono), out.size(), kMaxBulkBurst});
  if (room == 0) return std::nullopt;
  while (!bulk_ready_.empty()) {
    const ConnHandle handle = bulk_ready_.front();
    bulk_ready_.pop_front();
    in_bulk_ready_.erase(handle);
    const auto burst = write_burst(now, handle, out.first(room), Connection::Share::all);
    if (!burst) continue;
    upload_.spend_bulk(now.mono, burst->size);
    return burst;
  }
  return std::nullopt;
}

// What has been written and not left is promised already. A connection that its path or its peer
// holds up is not among these.
void QuicEndpoint::open_bulk(Now now) {
  if (upload_.next_open() > now.mono) return;
  std::size_t promised = 0;
  for (const ConnHandle conn : ready_) promised += sendable(find(conn));
  for (const ConnHandle conn : bulk_ready_) {
    if (!in_ready_.contains(conn)) promised += sendable(find(conn));
  }
  for (const UploadLimit::Turn& turn : upload_.open(now.mono, promised)) {
    emit(turn.conn, transport::Writable{turn.stream});
  }
}

void QuicEndpoint::give_credit(Now now) {
  while (const auto turn = download_.take_turn(now.mono)) {
    Connection* connection = find(turn->conn);
    if (connection == nullptr) continue;
    download_.given(now.mono, connection->give_credit(turn->bytes));
    if (connection->owes_credit()) download_.owe(turn->conn);
  }
  const bool blocked = download_.anybody_waits();
  if (blocked && !credit_blocked_) ++counters_.download_waits;
  credit_blocked_ = blocked;
}

Instant QuicEndpoint::limit_deadline() const {
  Instant next = upload_.next_open();
  if (!ready_.empty() || !stateless_.empty()) next = std::min(next, upload_.next_urgent());
  if (!bulk_ready_.empty()) next = std::min(next, upload_.next_bulk());
  return next;
}

}  // namespace ethnet::quic
