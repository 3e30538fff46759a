#include "flood_peer.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <sim/sim_node.hpp>

namespace ethnet::testing {
namespace {

constexpr std::byte kAsk{1};
constexpr std::byte kAnswer{2};
constexpr transport::StreamId kControlStream = 0;

session::Capability capability(std::string_view literal) {
  const auto parsed = session::Capability::parse(literal);
  CHECK(parsed);
  return *parsed;
}

std::unique_ptr<quic::QuicEndpoint> make_endpoint(const sim::HostEnv& env,
                                                  quic::EndpointConfig config, Log& log) {
  config.local = {env.local};
  auto made = quic::QuicEndpoint::make(env.now, std::move(config), env.rng, log);
  CHECK(made.has_value());
  return std::move(*made);
}

}  // namespace

bool is_stranger(const Endpoint& endpoint) {
  return endpoint.ip.is_v4() && endpoint.ip.bytes().front() == std::byte{203};
}

Endpoint stranger(std::uint32_t number, std::uint16_t port) {
  ByteArray<4> bytes{};
  store_be<std::uint32_t>(bytes, (std::uint32_t{203} << 24) | (number & 0xff'ffff));
  return {IpAddress::v4(bytes), port};
}

FloodPeer::FloodPeer(const sim::HostEnv& env, FloodPeerOptions options, Key key)
    : options_{std::move(options)},
      quic_{make_endpoint(env, options_.quic, log_)},
      sessions_{options_.session, std::move(key), *quic_, env.rng, log_} {
  session::LocalInfo local;
  local.client = "flood-test/1";
  local.capabilities = {capability("bulk/1"), capability("echo/1")};
  sessions_.set_local(env.now, std::move(local));
  round_trips_.reserve(1 << 14);
  opened_.reserve(1 << 12);
  ended_.reserve(1 << 12);
}

void FloodPeer::dial(Now now, const Endpoint& remote) {
  reads_ = true;
  (void)sessions_.dial(now, remote, std::nullopt);
  route(now);
}

void FloodPeer::begin_bulk(Now now, std::optional<Endpoint> only) {
  bulk_ = true;
  bulk_only_ = only;
  for (const session::SessionHandle session : sessions_.sessions()) fill(now, session);
  route(now);
}

void FloodPeer::fill(Now now, session::SessionHandle session) {
  const session::PeerInfo* const peer = sessions_.find(session);
  if (!bulk_ || peer == nullptr || (bulk_only_ && peer->remote != *bulk_only_)) return;
  while (sessions_.send(now, session, capability("bulk/1"), session::Priority::normal,
                        Bytes(options_.bulk_message))) {
  }
}

std::size_t FloodPeer::write_on_control(Now now, ByteView bytes) {
  std::size_t taken = 0;
  for (const transport::ConnHandle conn : conns_) {
    taken += quic_->write(conn, kControlStream, bytes);
  }
  route(now);
  return taken;
}

void FloodPeer::handle_datagrams(Now now, std::span<const Datagram> datagrams) noexcept {
  largest_batch_ = std::max(largest_batch_, datagrams.size());
  for (const Datagram& datagram : datagrams) {
    if (is_stranger(datagram.remote)) stranger_bytes_in_ += datagram.bytes.size();
  }
  quic_->handle_datagrams(now, datagrams);
  route(now);
}

void FloodPeer::handle_deadline(Now now) noexcept {
  if (quic_->next_deadline() <= now.mono) quic_->handle_deadline(now);
  if (sessions_.next_deadline() <= now.mono) sessions_.handle_deadline(now);
  if (next_ask_ <= now.mono) ask_all(now);
  route(now);
}

void FloodPeer::handle_job_done(Now now, const JobResult& done) noexcept {
  sessions_.handle_job_done(now, done);
  route(now);
}

std::optional<Transmit> FloodPeer::poll_transmit(Now now, MutByteView out) {
  auto transmit = quic_->poll_transmit(now, out);
  if (transmit && is_stranger(transmit->remote)) stranger_bytes_out_ += transmit->size;
  return transmit;
}

Instant FloodPeer::next_deadline() const {
  return std::min({quic_->next_deadline(), sessions_.next_deadline(), next_ask_});
}

sim::Work FloodPeer::work() const { return sim::work_of(quic_->counters()); }

void FloodPeer::route(Now now) {
  for (bool moved = true; moved;) {
    moved = false;
    while (const auto event = quic_->poll_event()) {
      moved = true;
      if (std::holds_alternative<transport::Opened>(event->kind)) conns_.push_back(event->conn);
      if (std::holds_alternative<transport::Closed>(event->kind)) std::erase(conns_, event->conn);
      const auto* readable = std::get_if<transport::Readable>(&event->kind);
      if (readable != nullptr && !reads_) continue;
      if (readable != nullptr && options_.deaf && readable->stream != kControlStream) continue;
      sessions_.handle_conn_event(now, *event);
    }
    while (auto event = sessions_.poll_event()) {
      moved = true;
      on_event(now, *std::move(event));
    }
  }
}

void FloodPeer::on_event(Now now, session::SessionEvent event) {
  if (const auto* opened = std::get_if<session::SessionOpened>(&event)) {
    opened_.push_back(now.mono);
    if (options_.deaf_once_open) reads_ = false;
    if (!opened->peer.inbound && options_.echo_period > Duration{}) {
      asked_.insert(opened->session);
      next_ask_ = std::min(next_ask_, now.mono + options_.echo_period);
    }
    fill(now, opened->session);
  } else if (const auto* closed = std::get_if<session::SessionClosed>(&event)) {
    asked_.erase(closed->session);
    ended_.push_back({closed->reason, now.mono, closed->by_peer});
  } else if (const auto* message = std::get_if<session::MessageReceived>(&event)) {
    on_message(now, *message);
  } else if (const auto* writable = std::get_if<session::SessionWritable>(&event)) {
    fill(now, writable->session);
  } else if (const auto* failed = std::get_if<session::DialFailed>(&event)) {
    failed_.push_back(*failed);
  }
}

void FloodPeer::on_message(Now now, const session::MessageReceived& message) {
  const Bytes& payload = message.payload;
  if (message.capability != capability("echo/1")) {
    bulk_bytes_in_ += payload.size();
    return;
  }
  CHECK(payload.size() == 9);
  if (payload.front() == kAsk) {
    Bytes answer = payload;
    answer.front() = kAnswer;
    (void)sessions_.send(now, message.session, message.capability, session::Priority::normal,
                         std::move(answer));
    return;
  }
  // Answers come in order on each session; the oldest question with this time is its.
  const Instant asked{static_cast<std::int64_t>(load_be<std::uint64_t>(ByteView{payload}.last(8)))};
  const auto of_its_time = std::ranges::lower_bound(round_trips_, asked, {}, &RoundTrip::asked);
  const auto open = std::find_if(of_its_time, round_trips_.end(), [&](const RoundTrip& trip) {
    return trip.asked != asked || !trip.took;
  });
  CHECK(open != round_trips_.end() && open->asked == asked);
  open->took = now.mono - asked;
}

void FloodPeer::ask_all(Now now) {
  next_ask_ = asked_.empty() ? Instant::never() : now.mono + options_.echo_period;
  for (const session::SessionHandle session : asked_) {
    Bytes ask{kAsk};
    append_be<std::uint64_t>(ask, static_cast<std::uint64_t>(now.mono.ns));
    round_trips_.push_back({now.mono, std::nullopt});
    (void)sessions_.send(now, session, capability("echo/1"), session::Priority::normal,
                         std::move(ask));
  }
}

}  // namespace ethnet::testing
