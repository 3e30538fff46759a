#include "mux.hpp"

#include <algorithm>
#include <utility>

namespace ethnet::session {
namespace {

constexpr std::array kByUrgency{Priority::head, Priority::normal, Priority::bulk};

std::size_t cost_of(std::size_t payload) { return kEnvelopeHeaderBytes + payload; }

}  // namespace

MuxWriter::MuxWriter(std::span<const Capability> agreed, const MuxLimits& limits)
    : limits_{limits}, lanes_(agreed.size()) {
  for (std::size_t i = 0; i < agreed.size(); ++i) {
    const std::string literal = agreed[i].to_string();
    CHECK(literal.size() <= kMaxCapabilityBytes);
    Bytes name{static_cast<std::byte>(literal.size())};
    append(name, text_bytes(literal));
    // The name goes out at once, so that the peer can judge it before any payload.
    lanes_[i].current = Outgoing{{}, std::move(name), 0, Priority::head};
  }
}

Result<void> MuxWriter::push(std::size_t index, Priority priority, Bytes&& payload) {
  CHECK(index < lanes_.size());
  CHECK(!payload.empty());
  Lane& lane = lanes_[index];
  if (payload.size() > kMaxPayloadBytes) return fail(SessionError::too_large);
  if (!has_room(lane, priority, cost_of(payload.size()))) {
    lane.owes_writable = true;
    return fail(SessionError::would_block);
  }
  lane.queued_bytes += cost_of(payload.size());
  ++lane.queued_messages;
  queue_of(lane, priority).push_back(std::move(payload));
  return {};
}

bool MuxWriter::has_room(const Lane& lane, Priority priority, std::size_t bytes) const {
  if (lane.queued_messages == 0) return true;  // a budget below one payload still lets one through
  const bool head = priority == Priority::head;
  const std::size_t most_bytes = limits_.out_bytes + (head ? kHeadReserveBytes : 0);
  const std::size_t most_messages = limits_.out_messages + (head ? kHeadReserveMessages : 0);
  return lane.queued_bytes + bytes <= most_bytes && lane.queued_messages < most_messages;
}

Fifo<Bytes>& MuxWriter::queue_of(Lane& lane, Priority priority) {
  return lane.queues[static_cast<std::size_t>(priority)];
}

// What the lane is served as: the most urgent of what is under way and what waits behind it.
std::optional<Priority> MuxWriter::urgency(const Lane& lane) {
  std::optional<Priority> most;
  if (lane.current) most = lane.current->priority;
  for (const Priority priority : kByUrgency) {
    if (lane.queues[static_cast<std::size_t>(priority)].empty()) continue;
    return most ? std::min(*most, priority) : priority;
  }
  return most;
}

void MuxWriter::flush(Instant now, transport::Transport& transport, transport::ConnHandle conn) {
  cut_.reset();
  for (Lane& lane : lanes_) {
    lane.taken = 0;
    if (std::exchange(lane.was_held, false)) lane.stall.excuse(now);
    if (lane.stream) continue;
    const auto opened = transport.open_stream(conn, transport::StreamKind::unidirectional);
    if (!opened) break;  // the peer's stream limit: tried again at the next flush
    lane.stream = *opened;
  }
  for (const Priority priority : kByUrgency) {
    if (!write_class(transport, conn, priority)) continue;
    for (Lane& lane : lanes_) {  // these had to wait, whatever the peer does
      if (urgency(lane) > priority) lane.stall.excuse(now);
    }
  }
  for (Lane& lane : lanes_) lane.stall.on_write(now, lane.taken, urgency(lane).has_value());
  // The next round begins with the one that the transport cut short, or nobody was.
  if (!lanes_.empty()) first_ = cut_.value_or((first_ + 1) % lanes_.size());
}

bool MuxWriter::write_class(transport::Transport& transport, transport::ConnHandle conn,
                            Priority priority) {
  bool wrote = false;
  bool served = true;
  while (served) {
    served = false;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      const std::size_t index = (first_ + i) % lanes_.size();
      Lane& lane = lanes_[index];
      if (!lane.stream || lane.blocked || urgency(lane) != priority || held_back(lane)) continue;
      const std::size_t before = lane.taken;
      take_turn(transport, conn, lane, priority);
      if (lane.taken > before) {
        wrote = true;
        cut_.reset();  // what cut another one before was the window of its own stream
      }
      if ((lane.blocked || held_back(lane)) && !cut_) cut_ = index;
      served = true;
    }
  }
  return wrote;
}

void MuxWriter::take_turn(transport::Transport& transport, transport::ConnHandle conn, Lane& lane,
                          Priority priority) {
  if (lane.deficit == 0) lane.deficit = kQuantumBytes;  // or goes on with a turn that was cut short
  while (lane.deficit > 0 && !lane.blocked && urgency(lane) == priority && !held_back(lane)) {
    if (!lane.current) {
      for (const Priority p : kByUrgency) {
        Fifo<Bytes>& queue = queue_of(lane, p);
        if (queue.empty()) continue;
        EnvelopeHeader header;
        store_be(header.emplace(), static_cast<std::uint32_t>(queue.front().size()));
        lane.current = Outgoing{header, std::move(queue.front()), 0, p};
        queue.pop_front();
        break;
      }
    }
    lane.deficit -= write_some(transport, conn, lane, priority, lane.deficit);
    const Outgoing& current = *lane.current;
    if (current.written == current.header_size() + current.payload.size()) finish_current(lane);
  }
  // What is left of a turn is kept only by a lane that the transport cut short.
  if (!lane.blocked && !held_back(lane)) lane.deficit = 0;
}

bool MuxWriter::held_back(const Lane& lane) const {
  return limited_ && !lane.blocked && urgency(lane) == Priority::bulk;
}

// A payload under way is as urgent as what waits behind it: it must be out of the way first.
std::size_t MuxWriter::write_some(transport::Transport& transport, transport::ConnHandle conn,
                                  Lane& lane, Priority priority, std::size_t most) {
  Outgoing& current = *lane.current;
  const std::size_t header = current.header_size();
  const bool in_header = current.written < header;
  const ByteView part = in_header ? ByteView{*current.header}.subspan(current.written)
                                  : ByteView{current.payload}.subspan(current.written - header);
  const ByteView offer = part.first(std::min(part.size(), most));
  const std::size_t taken = priority == Priority::bulk
                                ? transport.write_bulk(conn, *lane.stream, offer)
                                : transport.write(conn, *lane.stream, offer);
  CHECK(taken <= offer.size());
  current.written += taken;
  lane.taken += taken;
  if (taken == offer.size()) return taken;
  if (priority == Priority::bulk && transport.waits_for_limit(conn)) {
    limited_ = true;
  } else {
    lane.blocked = true;
  }
  return taken;
}

void MuxWriter::finish_current(Lane& lane) {
  if (lane.current->header) {  // an envelope, not the stream's name
    lane.queued_bytes -= cost_of(lane.current->payload.size());
    --lane.queued_messages;
    ++messages_sent_;
  }
  lane.current.reset();
}

void MuxWriter::on_writable() {
  for (Lane& lane : lanes_) {
    lane.was_held = held_back(lane);
    lane.blocked = false;
  }
  limited_ = false;
}

std::optional<std::size_t> MuxWriter::poll_writable() {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    Lane& lane = lanes_[i];
    if (!lane.owes_writable || lane.queued_bytes > limits_.out_bytes / 2 ||
        lane.queued_messages > limits_.out_messages / 2) {
      continue;
    }
    lane.owes_writable = false;
    return i;
  }
  return std::nullopt;
}

bool MuxWriter::owns(transport::StreamId stream) const {
  return std::ranges::any_of(lanes_, [&](const Lane& lane) { return lane.stream == stream; });
}

Instant MuxWriter::stall_deadline(Duration timeout) const {
  Instant first = Instant::never();
  for (const Lane& lane : lanes_) {
    if (!held_back(lane)) first = std::min(first, lane.stall.deadline(timeout));
  }
  return first;
}

std::size_t MuxWriter::memory_bytes() const {
  std::size_t sum = 0;
  for (const Lane& lane : lanes_) {
    sum += lane.queued_bytes + lane.queued_messages * kMessageOverheadBytes;
  }
  return sum;
}

MuxReader::MuxReader(std::span<const Capability> agreed, const MuxLimits& limits)
    : limits_{limits}, lanes_(agreed.size()) {
  for (std::size_t i = 0; i < agreed.size(); ++i) lanes_[i].literal = agreed[i].to_string();
}

bool MuxReader::is_full(const Lane& lane) const {
  return lane.held_messages >= limits_.in_messages || lane.held_bytes >= limits_.in_bytes;
}

std::expected<void, DisconnectReason> MuxReader::read(transport::Transport& transport,
                                                      transport::ConnHandle conn,
                                                      transport::StreamId id,
                                                      std::vector<Delivered>& out) {
  auto known = std::ranges::find(streams_, id, &Stream::id);
  if (known == streams_.end()) {
    if (streams_.size() >= kMaxPeerStreams) {
      return std::unexpected(DisconnectReason::protocol_breach);
    }
    known = streams_.emplace(known);
    known->id = id;
  }
  Stream& stream = *known;
  while (true) {
    if (stream.part == Part::length && is_full(lanes_[stream.lane])) {
      lanes_[stream.lane].paused = true;
      return {};
    }
    const ByteView arrived = transport.read(conn, id);
    if (arrived.empty()) break;
    const std::size_t n = std::min(arrived.size(), stream.wanted - stream.buffer.size());
    if (n == stream.wanted) {  // in one piece, as nearly always: read where it is
      const auto done = finish_part(stream, arrived.first(n), out);
      transport.consume(conn, id, n);
      if (!done) return done;
      continue;
    }
    if (stream.buffer.empty()) stream.buffer.reserve(std::min(stream.wanted, kFirstReserveBytes));
    append(stream.buffer, arrived.first(n));  // grows as bytes arrive, never far ahead of them
    transport.consume(conn, id, n);
    if (stream.buffer.size() < stream.wanted) continue;
    if (const auto done = finish_part(stream, stream.buffer, out); !done) return done;
  }
  // A capability's stream lives as long as the session.
  if (transport.at_end(conn, id)) return std::unexpected(DisconnectReason::protocol_breach);
  return {};
}

std::expected<void, DisconnectReason> MuxReader::finish_part(Stream& stream, ByteView part,
                                                             std::vector<Delivered>& out) {
  switch (stream.part) {
    case Part::name_length: {
      const auto size = std::to_integer<std::size_t>(part.front());
      if (size == 0 || size > kMaxCapabilityBytes) {
        return std::unexpected(DisconnectReason::protocol_breach);
      }
      stream.part = Part::name;
      stream.wanted = size;
      break;
    }
    case Part::name:
      if (auto bound = bind(stream, part); !bound) return bound;
      stream.part = Part::length;
      stream.wanted = kEnvelopeHeaderBytes;
      break;
    case Part::length: {
      const auto size = std::size_t{load_be<std::uint32_t>(part)};
      if (size == 0 || size > kMaxPayloadBytes) {
        return std::unexpected(DisconnectReason::protocol_breach);
      }
      stream.part = Part::payload;
      stream.wanted = size;
      break;
    }
    case Part::payload: {
      Lane& lane = lanes_[stream.lane];
      lane.held_bytes += part.size();
      ++lane.held_messages;
      const bool in_pieces = !stream.buffer.empty();
      out.push_back({stream.lane, in_pieces ? std::move(stream.buffer) : to_bytes(part)});
      stream.part = Part::length;
      stream.wanted = kEnvelopeHeaderBytes;
      break;
    }
  }
  stream.buffer = Bytes{};  // and its memory
  return {};
}

std::expected<void, DisconnectReason> MuxReader::bind(Stream& stream, ByteView name) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!equal(name, text_bytes(lanes_[i].literal))) continue;
    // One stream for each capability, opened once.
    if (lanes_[i].stream) return std::unexpected(DisconnectReason::protocol_breach);
    lanes_[i].stream = stream.id;
    stream.lane = i;
    return {};
  }
  return std::unexpected(DisconnectReason::capability_not_shared);
}

std::optional<transport::StreamId> MuxReader::release(std::size_t index, std::size_t bytes) {
  CHECK(index < lanes_.size());
  Lane& lane = lanes_[index];
  CHECK(lane.held_messages > 0 && lane.held_bytes >= bytes);
  --lane.held_messages;
  lane.held_bytes -= bytes;
  if (!lane.paused || is_full(lane)) return std::nullopt;
  lane.paused = false;
  return lane.stream;
}

bool MuxReader::holds_messages() const {
  return std::ranges::any_of(lanes_, [](const Lane& lane) { return lane.held_messages > 0; });
}

std::size_t MuxReader::memory_bytes() const {
  std::size_t sum = 0;
  for (const Lane& lane : lanes_) {
    sum += lane.held_bytes + lane.held_messages * kMessageOverheadBytes;
  }
  for (const Stream& stream : streams_) sum += stream.buffer.capacity();
  return sum;
}

}  // namespace ethnet::session
