#include "link.hpp"

#include <algorithm>

namespace ethnet::transport::memory {
namespace {

enum Frame : std::uint8_t {
  kHello = 1,
  kFinished,
  kDone,
  kPing,
  kData,
  kCredit,
  kReset,
  kStop,
  kStreams,
  kConnectionCredit,
};
constexpr std::size_t kDataHeaderBytes = 12;  // type, stream, length, fin

constexpr std::size_t kKeptBytes =
    512;  // of memory, by a buffer that is empty: a few small messages

void drop_front(Bytes& buffer, std::size_t n) {
  buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
  if (buffer.empty() && buffer.capacity() > kKeptBytes) buffer = Bytes{};
}

std::size_t write_packet(MutByteView out, const Header& header, ByteView frames) {
  write_header(out, header);
  copy_into(out.subspan(kHeaderBytes), frames);
  return kHeaderBytes + frames.size();
}

}  // namespace

void write_header(MutByteView out, const Header& h) {
  out[0] = static_cast<std::byte>(h.type);
  out[1] = static_cast<std::byte>((h.from_dialler ? 1 : 0) | (h.numbered ? 2 : 0));
  store_be(out.subspan(2, 8), h.id);
  store_be(out.subspan(10, 8), h.number);
  store_be(out.subspan(18, 8), h.ack);
}

void append_header(Bytes& out, const Header& h) {
  ByteArray<kHeaderBytes> raw{};
  write_header(raw, h);
  append(out, raw);
}

std::optional<Header> parse_header(ByteView d) {
  if (d.size() < kHeaderBytes || d[0] > std::byte{2} || d[1] > std::byte{3}) return std::nullopt;
  return Header{static_cast<PacketType>(d[0]),
                (d[1] & std::byte{1}) != std::byte{0},
                (d[1] & std::byte{2}) != std::byte{0},
                load_be<std::uint64_t>(d.subspan(2, 8)),
                load_be<std::uint64_t>(d.subspan(10, 8)),
                load_be<std::uint64_t>(d.subspan(18, 8))};
}

struct Link::Reader {
  ByteView rest;
  bool ok = true;
  template <class T>
  T number() {
    const ByteView raw = bytes(sizeof(T));
    return ok ? load_be<T>(raw) : T{};
  }
  ByteView bytes(std::size_t n) {
    if (rest.size() < n) {
      ok = false;
      return {};
    }
    const ByteView out = rest.first(n);
    rest = rest.subspan(n);
    return out;
  }
};

Link::Link(Now now, const MemoryConfig& config, Side side, std::uint64_t id, std::uint64_t nonce,
           Endpoint remote)
    : config_{config},
      side_{side},
      id_{id},
      nonce_{nonce},
      remote_{remote},
      granted_{config.connection_window},
      remote_may_open_{config.max_remote_bidi, config.max_remote_uni},
      began_{now.mono},
      last_received_{now.mono},
      last_sent_{now.mono} {
  if (side == Side::dialler) queue_hello();
}

void Link::queue_hello() {
  Bytes frame{std::byte{kHello}};
  append_be(frame, nonce_);
  append_be(frame, static_cast<std::uint64_t>(config_.stream_window));
  append_be(frame, static_cast<std::uint64_t>(config_.connection_window));
  append_be(frame, static_cast<std::uint64_t>(config_.max_remote_bidi));
  append_be(frame, static_cast<std::uint64_t>(config_.max_remote_uni));
  append_be(frame, static_cast<std::uint64_t>(config_.ack_delay.ns));
  control_.push_back(std::move(frame));
}

void Link::queue_frame(std::uint8_t type, std::uint64_t a, std::uint64_t b) {
  Bytes frame;
  frame.reserve(1 + sizeof(a) + sizeof(b));
  frame.push_back(static_cast<std::byte>(type));
  append_be(frame, a);
  append_be(frame, b);
  control_.push_back(std::move(frame));
  // The peer makes us answer and does not acknowledge what we say.
  if (control_.size() > kMaxControlFrames) {
    abandon(CloseCause::memory_limit, 0, "too many frames to send");
  }
}

void Link::add_event(ConnEventKind event) {
  events_.push_back(std::move(event));
  ++unpolled_;
}

void Link::tell_readable(StreamId id, Stream& stream) {
  if (stream.told) return;
  stream.told = true;
  add_event(Readable{id});
}

void Link::on_polled(const ConnEventKind& event) {
  CHECK(unpolled_ > 0);
  --unpolled_;
  const auto* readable = std::get_if<Readable>(&event);
  if (readable == nullptr) return;
  if (Stream* stream = find(readable->stream)) stream->told = false;
}

void Link::credit_connection(std::size_t n) {
  consumed_ += n;
  if (consumed_ + config_.connection_window / 2 < granted_) return;
  granted_ = consumed_ + config_.connection_window;
  queue_frame(kConnectionCredit, granted_, 0);
}

void Link::drop_unread(Stream& stream) {
  const std::size_t unread = stream.in.size() - stream.in_at;
  stream.in = Bytes{};
  stream.in_at = 0;
  if (unread > 0) credit_connection(unread);
}

void Link::abandon(CloseCause cause, std::uint64_t code, std::string_view detail) {
  if (!closed_) closed_ = Closed{cause, code, std::string{detail}};
}

Stream* Link::find(StreamId id) {
  const auto it = std::ranges::find(streams_, id, &Stream::id);
  return it == streams_.end() ? nullptr : &*it;
}
const Stream* Link::find(StreamId id) const {
  const auto it = std::ranges::find(streams_, id, &Stream::id);
  return it == streams_.end() ? nullptr : &*it;
}

void Link::add_stream(StreamId id) {
  Stream stream;
  stream.id = id;
  const bool uni = (id & 2) != 0;
  stream.may_send = remote_window_;
  stream.granted = config_.stream_window;
  stream.in_done = uni && is_ours(id);
  stream.out_done = uni && !is_ours(id);
  streams_.insert(std::ranges::upper_bound(streams_, id, {}, &Stream::id), std::move(stream));
}

Stream* Link::remote_stream(StreamId id) {
  const auto kind = static_cast<std::size_t>((id >> 1) & 1);
  const auto index = static_cast<std::uint64_t>(id >> 2);
  if (is_ours(id) ? index >= opened_count_[kind] : index >= remote_may_open_[kind]) {
    abandon(CloseCause::refused, 0, "stream that is not allowed");
    return nullptr;
  }
  for (; !is_ours(id) && remote_count_[kind] <= index; ++remote_count_[kind]) {
    add_stream((static_cast<StreamId>(remote_count_[kind]) << 2) | (id & 3));
  }
  return find(id);
}

// Forgets a stream whose both directions are over, and gives its place back.
void Link::retire(StreamId id) {
  const Stream* stream = find(id);
  if (stream == nullptr || !stream->in_done || !stream->out_done) return;
  std::erase_if(streams_, [id](const Stream& one) { return one.id == id; });
  if (is_ours(id)) return;
  const auto kind = static_cast<std::size_t>((id >> 1) & 1);
  queue_frame(kStreams, kind, ++remote_may_open_[kind]);
}

void Link::receive(Now now, const Endpoint& from, const Header& header, ByteView payload) {
  if (header.ack > first_in_flight_ + in_flight_.size()) return;  // never sent
  acknowledge(now, header.ack);
  last_received_ = now.mono;
  if (!header.numbered) return;
  owe_acknowledgement(now, header.number == expected_);
  if (header.number != expected_) return;
  ++expected_;
  if (from != remote_) {
    remote_ = from;
    if (opened_) add_event(PathChanged{from});
  }
  take_frames(payload);
  if (unpolled_ > kMaxLinkEvents) abandon(CloseCause::memory_limit, 0, "too many events");
}

// Where a packet is missing or came twice, the peer may be about to repeat what we have.
void Link::owe_acknowledgement(Now now, bool in_order) {
  const bool waits = in_order && config_.ack_delay.ns > 0 && ++unacknowledged_ < kAckEvery;
  ack_due_ = ack_due_ || !waits;
  ack_at_ = ack_due_ ? Instant::never() : std::min(ack_at_, now.mono + config_.ack_delay);
}

void Link::acknowledge(Now now, std::uint64_t up_to) {
  if (up_to <= first_in_flight_) return;
  while (first_in_flight_ < up_to) {
    const Sent& sent = in_flight_.front();
    if (Stream* stream = find(sent.stream)) {
      stream->unacknowledged -= sent.data;
      if (stream->refused && !stream->out_done) {
        stream->refused = false;
        add_event(Writable{sent.stream});
      }
      if (sent.fin) stream->out_done = true;
      retire(sent.stream);
    }
    in_flight_.pop_front();
    if (resend_at_ > 0) --resend_at_;
    ++first_in_flight_;
  }
  repeat_at_ = in_flight_.empty() ? Instant::never() : repeat_time(now);
}

void Link::take_frames(ByteView payload) {
  Reader in{payload};
  while (!in.rest.empty() && !closed_) {
    if (!take_frame(in) || !in.ok) abandon(CloseCause::refused, 0, "malformed frame");
  }
}

bool Link::take_hello(Reader& in) {
  if (remote_nonce_) return false;
  const auto nonce = in.number<std::uint64_t>();
  std::array<std::uint64_t, 4> limits{};
  for (std::uint64_t& limit : limits) {
    limit = in.number<std::uint64_t>();
    if (limit > kMaxLimitValue) return false;
  }
  const auto ack_delay = in.number<std::uint64_t>();
  if (!in.ok || ack_delay > static_cast<std::uint64_t>(kMaxAckDelay.ns)) return false;
  remote_ack_delay_ = nanoseconds(static_cast<std::int64_t>(ack_delay));
  remote_window_ = limits[0];
  may_send_ = limits[1];
  may_open_ = {limits[2], limits[3]};
  remote_nonce_ = nonce;
  if (side_ == Side::acceptor) {
    queue_hello();
  } else {
    opened_ = true;
    add_event(Opened{side_, config_.local, remote_, began_});
    queue_frame(kFinished, 0, 0);
  }
  return true;
}

bool Link::take_frame(Reader& in) {
  const auto type = in.number<std::uint8_t>();
  if (type == kHello) return take_hello(in);
  if (!remote_nonce_) return false;
  if (type == kData) return take_data(in);
  const auto a = in.number<std::uint64_t>();
  const auto b = in.number<std::uint64_t>();
  if (!in.ok || a > INT64_MAX) return false;
  const auto id = static_cast<StreamId>(a);
  switch (type) {
    case kFinished:
      if (side_ != Side::acceptor || opened_) return false;
      opened_ = confirmed_ = true;
      add_event(Opened{side_, config_.local, remote_, began_});
      add_event(Confirmed{});
      queue_frame(kDone, 0, 0);
      return true;
    case kDone:
      if (side_ != Side::dialler || confirmed_) return false;
      confirmed_ = true;
      add_event(Confirmed{});
      return true;
    case kPing:
      return true;
    case kConnectionCredit:
      may_send_ = std::max(may_send_, a);
      return a <= kMaxLimitValue;
    case kCredit:
      if (b > kMaxLimitValue) return false;
      if (Stream* stream = find(id)) stream->may_send = std::max(stream->may_send, b);
      return true;
    case kReset:
      take_reset(id, b);
      return true;
    case kStop:
      take_stop(id, b);
      return true;
    case kStreams:
      if (a > 1 || b > kMaxLimitValue) return false;
      may_open_[a] = std::max(may_open_[a], b);
      return true;
    default:
      return false;
  }
}

bool Link::take_data(Reader& in) {
  const auto raw = in.number<std::uint64_t>();
  const auto length = in.number<std::uint16_t>();
  const auto fin = in.number<std::uint8_t>();
  const ByteView bytes = in.bytes(length);
  if (!in.ok || !opened_ || raw > INT64_MAX || fin > 1) return false;
  const auto id = static_cast<StreamId>(raw);
  Stream* stream = remote_stream(id);
  if (length > granted_ - received_) return false;
  received_ += length;
  if (stream == nullptr || stream->stopped) {
    credit_connection(length);
    return true;
  }
  if (stream->in_done || stream->fin || stream->received + length > stream->granted) return false;
  stream->received += length;
  append(stream->in, bytes);
  stream->fin = fin == 1;
  tell_readable(id, *stream);
  if (stream->fin && stream->in.empty()) {  // everything was consumed before its end was known
    stream->in_done = true;
    retire(id);
  }
  return true;
}

void Link::take_reset(StreamId id, std::uint64_t code) {
  Stream* stream = remote_stream(id);
  if (stream == nullptr || stream->in_done) return;
  drop_unread(*stream);
  stream->in_done = true;
  if (!stream->stopped) add_event(StreamReset{id, code});
  retire(id);
}

void Link::take_stop(StreamId id, std::uint64_t code) {
  Stream* stream = remote_stream(id);
  if (stream == nullptr || stream->out_done) return;
  add_event(StreamReset{id, code});
  reset(id, code);
}

void Link::handle_deadline(Now now) {
  const Instant t = now.mono;
  if (!confirmed_ && t >= began_ + config_.handshake_timeout) {
    abandon(CloseCause::handshake_timeout, 0, "handshake timed out");
  } else if (t >= last_received_ + config_.idle_timeout) {
    abandon(CloseCause::idle_timeout, 0, "nothing received");
  } else {
    if (t >= ack_at_) {
      ack_due_ = true;
      ack_at_ = Instant::never();
    }
    if (t >= repeat_at_) {
      resend_at_ = 0;
      repeat_at_ = repeat_time(now);
    }
    if (confirmed_ && in_flight_.empty() && t >= last_sent_ + config_.keep_alive) {
      last_sent_ = t;
      queue_frame(kPing, 0, 0);
    }
  }
}

Instant Link::deadline() const {
  Instant at = std::min({repeat_at_, ack_at_, last_received_ + config_.idle_timeout});
  if (!confirmed_) at = std::min(at, began_ + config_.handshake_timeout);
  if (confirmed_ && in_flight_.empty()) at = std::min(at, last_sent_ + config_.keep_alive);
  return at;
}

void Link::on_acknowledged() {
  ack_due_ = false;
  unacknowledged_ = 0;
  ack_at_ = Instant::never();
}

std::optional<std::size_t> Link::next_packet(Now now, MutByteView out) {
  if (closed_) return std::nullopt;
  Header header{PacketType::data, side_ == Side::dialler, true, id_, 0, expected_};
  if (resend_at_ == in_flight_.size() && in_flight_.size() < kMaxInFlight) {
    if (auto fresh = build()) in_flight_.push_back(std::move(*fresh));
  }
  if (resend_at_ < in_flight_.size()) {
    header.number = first_in_flight_ + resend_at_;
    if (repeat_at_.is_never()) repeat_at_ = repeat_time(now);
    last_sent_ = now.mono;
    on_acknowledged();
    return write_packet(out, header, in_flight_[resend_at_++].frames);
  }
  if (!ack_due_) return std::nullopt;
  on_acknowledged();
  header.numbered = false;
  return write_packet(out, header, {});
}

std::optional<Link::Sent> Link::build() {
  Sent packet;
  const std::size_t room = kMaxPacketBytes - kHeaderBytes;
  while (!control_.empty() && packet.frames.size() + control_.front().size() <= room) {
    append(packet.frames, control_.front());
    control_.pop_front();
  }
  if (opened_ && packet.frames.size() + kDataHeaderBytes < room) add_data(packet);
  if (packet.frames.empty()) return std::nullopt;
  return packet;
}

// At most one stream a packet; streams take turns.
void Link::add_data(Sent& packet) {
  const auto sendable = [&](const Stream& s) {
    if (s.out_done) return false;
    if (s.out.empty()) return s.finish_asked && !s.fin_sent;
    return s.sent < s.may_send && sent_ < may_send_;
  };
  auto it = std::ranges::upper_bound(streams_, last_served_, {}, &Stream::id);
  for (std::size_t tried = 0; tried < streams_.size(); ++tried, ++it) {
    if (it == streams_.end()) it = streams_.begin();
    Stream& s = *it;
    if (!sendable(s)) continue;
    const std::size_t room =
        kMaxPacketBytes - kHeaderBytes - packet.frames.size() - kDataHeaderBytes;
    const auto credit = static_cast<std::size_t>(
        std::min<std::uint64_t>({room, s.may_send - s.sent, may_send_ - sent_}));
    const std::size_t n = std::min(s.out.size(), credit);
    packet.stream = last_served_ = s.id;
    packet.data = n;
    packet.fin = s.finish_asked && n == s.out.size();
    packet.frames.reserve(packet.frames.size() + kDataHeaderBytes + n);
    packet.frames.push_back(std::byte{kData});
    append_be(packet.frames, static_cast<std::uint64_t>(s.id));
    append_be(packet.frames, static_cast<std::uint16_t>(n));
    packet.frames.push_back(packet.fin ? std::byte{1} : std::byte{0});
    append(packet.frames, ByteView{s.out}.first(n));
    drop_front(s.out, n);
    s.sent += n;
    sent_ += n;
    s.unacknowledged += n;
    s.fin_sent = packet.fin;
    return;
  }
}

Result<StreamId> Link::open_stream(StreamKind kind) {
  if (!opened_) return fail(ConnError::not_established);
  const std::size_t k = kind == StreamKind::unidirectional ? 1 : 0;
  if (opened_count_[k] >= may_open_[k]) return fail(ConnError::stream_limit);
  const auto id = static_cast<StreamId>((opened_count_[k]++ << 2) | (k << 1) |
                                        (side_ == Side::acceptor ? 1U : 0U));
  add_stream(id);
  return id;
}

std::size_t Link::write(StreamId id, ByteView bytes) {
  Stream* s = find(id);
  if (s == nullptr || s->out_done || s->finish_asked) return 0;
  const std::size_t held = s->out.size() + s->unacknowledged;
  const std::size_t n = std::min(bytes.size(), config_.send_buffer - held);
  append(s->out, bytes.first(n));
  if (n < bytes.size()) s->refused = true;
  return n;
}

void Link::finish(StreamId id) {
  Stream* s = find(id);
  if (s != nullptr && !s->out_done) s->finish_asked = true;
}

ByteView Link::read(StreamId id) const {
  const Stream* s = find(id);
  return s == nullptr ? ByteView{} : ByteView{s->in}.subspan(s->in_at);
}

bool Link::at_end(StreamId id) const {
  const Stream* s = find(id);
  return s == nullptr || (s->fin && s->in_at == s->in.size());
}

void Link::consume(StreamId id, std::size_t n) {
  Stream* s = find(id);
  if (s == nullptr) return;
  CHECK(n <= s->in.size() - s->in_at);
  s->in_at += n;
  s->consumed += n;
  credit_connection(n);
  if (s->in_at == s->in.size() || s->in_at >= config_.stream_window / 2) {
    drop_front(s->in, s->in_at);
    s->in_at = 0;
  }
  if (s->fin && s->in.empty()) {
    s->in_done = true;
    retire(id);
  } else if (!s->fin && s->consumed + config_.stream_window / 2 >= s->granted) {
    s->granted = s->consumed + config_.stream_window;
    queue_frame(kCredit, static_cast<std::uint64_t>(id), s->granted);
  }
}

void Link::reset(StreamId id, std::uint64_t code) {
  Stream* s = find(id);
  if (s == nullptr || s->out_done) return;
  s->out = Bytes{};
  s->out_done = true;
  queue_frame(kReset, static_cast<std::uint64_t>(id), code);
  retire(id);
}

void Link::stop(StreamId id, std::uint64_t code) {
  Stream* s = find(id);
  if (s == nullptr || s->in_done || s->stopped) return;
  s->stopped = true;
  drop_unread(*s);
  if (s->fin) {  // all of it had come: the peer has nothing left to stop
    s->in_done = true;
    retire(id);
    return;
  }
  queue_frame(kStop, static_cast<std::uint64_t>(id), code);
}

std::optional<std::uint64_t> Link::export_seed() const {
  if (!opened_ || !remote_nonce_) return std::nullopt;
  return nonce_ ^ *remote_nonce_ ^ id_;
}

std::size_t Link::memory_bytes() const {
  std::size_t total = 0;
  for (const Stream& s : streams_) total += s.in.size() + s.out.size() + s.unacknowledged;
  return total;
}

}  // namespace ethnet::transport::memory
