#include "attackers.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <session/control.hpp>

namespace ethnet::testing {
namespace {

constexpr std::size_t kInitialBytes = 1'200;

std::unique_ptr<quic::QuicEndpoint> make_endpoint(Now now, const Endpoint& local, SecureRng& rng,
                                                  Log& log) {
  quic::EndpointConfig config;
  config.local = {local};
  config.accept = false;
  config.pmtud = false;
  config.handshake_timeout = seconds(60);  // only the victim's patience counts
  config.idle_timeout = seconds(60);
  auto made = quic::QuicEndpoint::make(now, std::move(config), rng, log);
  CHECK(made.has_value());
  return std::move(*made);
}

}  // namespace

void Initials::make_whole(Now now, SecureRng& rng, std::size_t n) {
  NullLog log;
  const Endpoint any{IpAddress::v4({std::byte{203}}), 1};
  const auto endpoint = make_endpoint(now, any, rng, log);
  Bytes buffer(kTransmitBufferBytes);
  for (std::size_t i = 0; i < n; ++i) {
    const auto conn = endpoint->dial(now, any);
    CHECK(conn.has_value());
    const auto transmit = endpoint->poll_transmit(now, buffer);
    CHECK(transmit.has_value());
    whole_.push_back(to_bytes(ByteView{buffer}.first(transmit->segment_size)));
  }
}

Bytes Initials::next() {
  if (!whole_.empty()) {
    Bytes packet = std::move(whole_.front());
    whole_.pop_front();
    return packet;
  }
  // A long header of version 1, connection ids of 8 bytes, no token, and a payload up to the end.
  Bytes packet{std::byte{0xc0}};
  packet.reserve(kInitialBytes);
  append_be<std::uint32_t>(packet, 1);
  for (int ids = 0; ids < 2; ++ids) {
    packet.push_back(std::byte{8});
    append_be<std::uint64_t>(packet, prng_.next());
  }
  packet.push_back(std::byte{0});
  append_be<std::uint16_t>(
      packet, static_cast<std::uint16_t>(0x4000 | (kInitialBytes - packet.size() - 2)));
  append_be<std::uint64_t>(packet, prng_.next());
  packet.resize(kInitialBytes);
  return packet;
}

SlowStrangers::SlowStrangers(const sim::HostEnv& env, Options options)
    : options_{std::move(options)} {
  const auto n = options_.addresses.size();
  for (std::uint32_t i = 0; i < n; ++i) {
    Stranger stranger;
    stranger.endpoint = make_endpoint(env.now, options_.addresses[i], env.rng, log_);
    stranger.begins = env.now.mono + options_.spread * i / static_cast<std::int64_t>(n);
    by_address_.emplace(options_.addresses[i], i);
    timers_.set(i, stranger.begins);
    strangers_.push_back(std::move(stranger));
  }
}

void SlowStrangers::handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept {
  for (const Datagram& datagram : datagrams) {
    const auto found = by_address_.find(datagram.local);
    if (found == by_address_.end()) continue;
    Stranger& stranger = strangers_[found->second];
    if (now.mono < stranger.begins + options_.deaf_for) {
      stranger.held.emplace_back(datagram, to_bytes(datagram.bytes));
      continue;
    }
    stranger.endpoint->handle_datagrams(now, std::span{&datagram, 1});
    settle(now, found->second);
  }
}

void SlowStrangers::handle_deadline(Now now) noexcept {
  // All first: one that is due again at once waits for what it has to send.
  std::vector<std::uint32_t> due_now;
  while (const auto due = timers_.pop_due(now.mono)) {
    due_now.push_back(static_cast<std::uint32_t>(due->id));
  }
  for (const std::uint32_t index : due_now) wake(now, index);
}

void SlowStrangers::wake(Now now, std::uint32_t index) {
  Stranger& stranger = strangers_[index];
  if (!stranger.conn) {
    const auto conn = stranger.endpoint->dial(now, options_.victim);
    CHECK(conn.has_value());
    stranger.conn = *conn;
  }
  if (stranger.begins + options_.deaf_for <= now.mono) {
    for (auto& [datagram, bytes] : std::exchange(stranger.held, {})) {
      datagram.bytes = bytes;
      stranger.endpoint->handle_datagrams(now, std::span{&datagram, 1});
    }
  }
  if (stranger.endpoint->next_deadline() <= now.mono) stranger.endpoint->handle_deadline(now);
  if (stranger.stream && stranger.says <= now.mono) {
    stranger.says = now.mono + seconds(1);
    const Bytes claim = session::encode_frame(session::Claim{session::kProtocolVersion, {}, {}});
    (void)stranger.endpoint->write(*stranger.conn, *stranger.stream, ByteView{claim}.first(1));
  }
  settle(now, index);
}

void SlowStrangers::settle(Now now, std::uint32_t index) {
  Stranger& stranger = strangers_[index];
  while (const auto event = stranger.endpoint->poll_event()) {
    if (std::holds_alternative<transport::Opened>(event->kind)) {
      stranger.opened = now.mono;
      const auto stream =
          stranger.endpoint->open_stream(event->conn, transport::StreamKind::bidirectional);
      if (stream) stranger.stream = *stream;
      stranger.says = now.mono;
    } else if (std::holds_alternative<transport::Closed>(event->kind)) {
      stranger.closed = now.mono;
      stranger.stream.reset();
      stranger.says = Instant::never();
    }
  }
  Instant next = std::min(stranger.endpoint->next_deadline(), stranger.says);
  if (!stranger.held.empty()) next = std::min(next, stranger.begins + options_.deaf_for);
  timers_.set(index, std::max(next, now.mono));
  ready_.insert(index);
}

std::optional<Transmit> SlowStrangers::poll_transmit(Now now, MutByteView out) {
  while (!ready_.empty()) {
    const std::uint32_t index = *ready_.begin();
    if (const auto transmit = strangers_[index].endpoint->poll_transmit(now, out)) {
      return transmit;
    }
    settle(now, index);
    ready_.erase(index);
  }
  return std::nullopt;
}

Closer::Closer(const sim::HostEnv& env, Options options)
    : options_{std::move(options)}, quic_{make_endpoint(env.now, env.local, env.rng, log_)} {}

void Closer::begin(Now now) { dial_more(now); }

void Closer::dial_more(Now now) {
  for (; open_ < options_.at_once && dialled_ < options_.total; ++open_) {
    const auto conn = quic_->dial(now, options_.victim);
    if (!conn) return;  // its own table is full of those that are closing
    if (dialled_++ % 2 == 0) hasty_.emplace_back(now.mono + milliseconds(1), *conn);
  }
}

void Closer::handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept {
  quic_->handle_datagrams(now, datagrams);
  route(now);
}

void Closer::handle_deadline(Now now) noexcept {
  if (quic_->next_deadline() <= now.mono) quic_->handle_deadline(now);
  for (; !hasty_.empty() && hasty_.front().first <= now.mono; hasty_.pop_front()) {
    quic_->close(now, hasty_.front().second, 0, "");
  }
  route(now);
}

std::optional<Transmit> Closer::poll_transmit(Now now, MutByteView out) {
  return quic_->poll_transmit(now, out);
}

Instant Closer::next_deadline() const {
  const Instant hasty = hasty_.empty() ? Instant::never() : hasty_.front().first;
  return std::min(quic_->next_deadline(), hasty);
}

void Closer::route(Now now) {
  while (const auto event = quic_->poll_event()) {
    if (std::holds_alternative<transport::Confirmed>(event->kind)) {
      ++completed_;
      quic_->close(now, event->conn, 0, "");
    } else if (std::holds_alternative<transport::Closed>(event->kind)) {
      ++ended_;
      --open_;
    }
  }
  dial_more(now);
}

}  // namespace ethnet::testing
