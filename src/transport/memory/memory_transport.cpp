#include "memory_transport.hpp"

#include <utility>

#include <base/check.hpp>
#include <base/prng.hpp>

namespace ethnet::transport {

using memory::Header;
using memory::Link;
using memory::PacketType;

MemoryTransport::MemoryTransport(MemoryConfig config, SecureRng& rng)
    : config_{std::move(config)}, rng_{rng} {
  CHECK(config_.ack_delay.ns >= 0 && config_.ack_delay <= memory::kMaxAckDelay);
}

Link* MemoryTransport::find(ConnHandle conn) const {
  const auto* slot = links_.find(conn);
  return slot == nullptr ? nullptr : slot->get();
}

Link* MemoryTransport::touch(ConnHandle conn) {
  Link* link = find(conn);
  if (link != nullptr && !std::exchange(link->in_ready_list, true)) ready_.push_back(conn);
  return link;
}

ConnHandle MemoryTransport::add(Now now, Side side, std::uint64_t id, const Endpoint& remote) {
  const ConnHandle conn =
      links_.emplace(std::make_unique<Link>(now, config_, side, id, rng_.next(), remote));
  by_key_[{id, side == Side::dialler}] = conn;
  return conn;
}

void MemoryTransport::handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept {
  for (const Datagram& datagram : datagrams) receive(now, datagram);
}

void MemoryTransport::receive(Now now, const Datagram& datagram) {
  if (events_.size() >= kMaxQueuedEvents) {
    ++dropped_full_;
    return;
  }
  const auto header = memory::parse_header(datagram.bytes);
  if (!header) return;
  const ByteView payload = datagram.bytes.subspan(memory::kHeaderBytes);
  const auto known = by_key_.find(Key{header->id, !header->from_dialler});
  ConnHandle conn;
  if (known != by_key_.end()) {
    conn = known->second;
  } else if (header->type != PacketType::data) {
    return;
  } else if (header->from_dialler && header->numbered && header->number == 0) {
    if (!config_.accept || links_.size() >= config_.max_connections) return;
    conn = add(now, Side::acceptor, header->id, datagram.remote);
  } else {
    const Header answer{PacketType::reset, !header->from_dialler, false, header->id};
    reply(datagram.remote, answer, 0);
    return;
  }
  Link* link = touch(conn);
  link->count_received(datagram.bytes.size());
  if (header->type == PacketType::data) {
    link->receive(now, datagram.remote, *header, payload);
  } else if (header->type == PacketType::reset) {
    link->abandon(CloseCause::stateless_reset, 0, "the peer knows nothing of it");
  } else if (payload.size() == 8) {
    link->abandon(CloseCause::peer, load_be<std::uint64_t>(payload), "closed by the peer");
  }
  settle(conn);
}

// After an input: events out, the deadline set, and the link gone if it is over.
void MemoryTransport::settle(ConnHandle conn) {
  Link* link = find(conn);
  if (link == nullptr) return;
  for (; !link->events().empty(); link->events().pop_front()) {
    events_.push_back({conn, std::move(link->events().front())});
  }
  if (!link->closed()) {
    timers_.set(conn.index, link->deadline());
    return;
  }
  const Closed closed = *link->closed();
  if (closed.cause != CloseCause::peer && closed.cause != CloseCause::stateless_reset) {
    reply(link->remote(), {PacketType::close, link->side() == Side::dialler, false, link->id()},
          closed.application_code);
  }
  events_.push_back({conn, closed});
  timers_.cancel(conn.index);
  by_key_.erase({link->id(), link->side() == Side::dialler});
  links_.erase(conn);
}

void MemoryTransport::reply(const Endpoint& remote, const Header& header, std::uint64_t code) {
  if (replies_.size() >= kMaxQueuedReplies) return;
  Bytes packet;
  memory::append_header(packet, header);
  if (header.type == PacketType::close) append_be(packet, code);
  replies_.push_back({remote, std::move(packet)});
}

void MemoryTransport::handle_deadline(Now now) noexcept {
  while (const auto due = timers_.pop_due(now.mono)) {
    const ConnHandle conn = links_.handle_at(due->id);
    Link* const link = touch(conn);
    CHECK(link != nullptr);
    link->handle_deadline(now);
    settle(conn);
  }
}

std::optional<Transmit> MemoryTransport::poll_transmit(Now now, MutByteView out) {
  if (!replies_.empty()) {
    const Reply first = std::move(replies_.front());
    replies_.pop_front();
    copy_into(out, first.packet);
    return Transmit{config_.local, first.remote, 0, first.packet.size(), first.packet.size()};
  }
  while (!ready_.empty()) {
    const ConnHandle conn = ready_.front();
    ready_.pop_front();
    Link* link = find(conn);
    if (link == nullptr) continue;
    link->in_ready_list = false;
    if (link->closed()) {  // what its owner asked of it was too much
      settle(conn);
      continue;
    }
    const auto size = link->next_packet(now, out);
    timers_.set(conn.index, link->deadline());
    if (!size) continue;
    (void)touch(conn);
    link->count_sent(*size);
    return Transmit{config_.local, link->remote(), 0, *size, *size};
  }
  return std::nullopt;
}

std::optional<ConnEvent> MemoryTransport::poll_event() {
  if (events_.empty()) return std::nullopt;
  std::optional<ConnEvent> first{std::move(events_.front())};
  events_.pop_front();
  if (Link* link = find(first->conn)) link->on_polled(first->kind);
  return first;
}

Result<ConnHandle> MemoryTransport::dial(Now now, const Endpoint& remote) {
  if (links_.size() >= config_.max_connections) return fail(ConnError::connection_limit);
  const ConnHandle conn = add(now, Side::dialler, rng_.next(), remote);
  (void)touch(conn);
  settle(conn);
  return conn;
}

Result<StreamId> MemoryTransport::open_stream(ConnHandle conn, StreamKind kind) {
  Link* link = touch(conn);
  if (link == nullptr) return fail(ConnError::unknown_connection);
  return link->open_stream(kind);
}

std::size_t MemoryTransport::write(ConnHandle conn, StreamId stream, ByteView bytes) {
  Link* link = touch(conn);
  return link == nullptr ? 0 : link->write(stream, bytes);
}

void MemoryTransport::finish(ConnHandle conn, StreamId stream) {
  if (Link* link = touch(conn)) link->finish(stream);
}

ByteView MemoryTransport::read(ConnHandle conn, StreamId stream) {
  const Link* link = find(conn);
  return link == nullptr ? ByteView{} : link->read(stream);
}

bool MemoryTransport::at_end(ConnHandle conn, StreamId stream) const {
  const Link* link = find(conn);
  return link != nullptr && link->at_end(stream);
}

void MemoryTransport::consume(ConnHandle conn, StreamId stream, std::size_t n) {
  if (Link* link = touch(conn)) link->consume(stream, n);
}

void MemoryTransport::reset(ConnHandle conn, StreamId stream, std::uint64_t code) {
  if (Link* link = touch(conn)) link->reset(stream, code);
}

void MemoryTransport::stop(ConnHandle conn, StreamId stream, std::uint64_t code) {
  if (Link* link = touch(conn)) link->stop(stream, code);
}

void MemoryTransport::close(Now, ConnHandle conn, std::uint64_t code, std::string_view reason) {
  Link* link = find(conn);
  if (link == nullptr) return;
  link->abandon(CloseCause::local, code, reason);
  settle(conn);
}

Result<void> MemoryTransport::export_key(ConnHandle conn, std::string_view label, MutByteView out) {
  const Link* link = find(conn);
  if (link == nullptr) return fail(ConnError::unknown_connection);
  const auto seed = link->export_seed();
  if (!seed) return fail(ConnError::export_unavailable);
  Prng stream = Prng{*seed}.split(label);
  for (std::byte& b : out) b = static_cast<std::byte>(stream.next() & 0xff);
  return {};
}

std::size_t MemoryTransport::memory_bytes(ConnHandle conn) const {
  const Link* link = find(conn);
  return link == nullptr ? 0 : link->memory_bytes();
}

ConnStats MemoryTransport::stats(ConnHandle conn) const {
  const Link* link = find(conn);
  return link == nullptr ? ConnStats{} : link->stats();
}

void MemoryNetwork::deliver(Now now) {
  Bytes buffer(kTransmitBufferBytes);
  for (bool moved = true; moved;) {
    moved = false;
    for (MemoryTransport* from : members_) {
      while (const auto sent = from->poll_transmit(now, buffer)) {
        moved = true;
        const Datagram datagram{sent->remote, sent->local, 0, ByteView{buffer}.first(sent->size)};
        for (MemoryTransport* to : members_) {
          if (to->local() == sent->remote) to->handle_datagrams(now, std::span{&datagram, 1});
        }
      }
    }
  }
}

void MemoryNetwork::advance(Now now) {
  for (MemoryTransport* member : members_) {
    if (member->next_deadline() <= now.mono) member->handle_deadline(now);
  }
  deliver(now);
}

}  // namespace ethnet::transport
