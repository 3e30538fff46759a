#include "station.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include <base/hex.hpp>
#include <crypto/keccak.hpp>
#include <crypto/secp256k1.hpp>
#include <poll.h>

namespace ethnet::bench {
namespace {

constexpr std::size_t kRoom = 4096;  // connections and sessions that a benchmark may open
constexpr std::size_t kReadsPerTurn = 8;

std::shared_ptr<const crypto::SecretKey> make_key(std::uint64_t seed) {
  Bytes text;
  append_be<std::uint64_t>(text, seed);
  return std::make_shared<const crypto::SecretKey>(
      crypto::SecretKey::from_bytes(crypto::keccak256(text)).value());
}

session::Config session_config() {
  session::Config config;
  config.max_peers = kRoom;
  config.max_inbound = kRoom;
  config.max_pending = kRoom;
  config.max_pending_inbound = kRoom;
  config.max_pending_per_prefix = kRoom;
  return config;
}

}  // namespace

Endpoint loopback(std::uint16_t port) { return {*IpAddress::parse("127.0.0.1"), port}; }

quic::EndpointConfig quic_config(const std::string& alpn) {
  quic::EndpointConfig config;
  config.alpn = {alpn};
  config.max_connections = kRoom;
  return config;
}

session::Capability Peer::capability() { return *session::Capability::parse("bench/1"); }

Peer::Peer(std::uint64_t seed, transport::Transport& transport, SecureRng& rng, Log& log)
    : manager_{session_config(), make_key(seed), transport, rng, log} {
  session::LocalInfo local;
  local.client = "bench";
  local.capabilities = {capability()};
  manager_.set_local(Now{}, std::move(local));
}

void Peer::note(const session::SessionEvent& event) {
  if (const auto* now_open = std::get_if<session::SessionOpened>(&event)) {
    session = now_open->session;
    ++opened;
  }
  if (std::holds_alternative<session::SessionClosed>(event)) ++closed;
  if (std::holds_alternative<session::DialFailed>(event)) ++failed;
}

bool Peer::drain(Now now) {
  bool any = false;
  for (;;) {
    const bool before = std::exchange(any, false);
    while (const auto job = manager_.poll_job()) {
      manager_.handle_job_done(now, {job->id, job->work()});
      any = true;
    }
    while (auto event = manager_.poll_event()) {
      note(*event);
      if (on_event) on_event(now, std::move(*event));
      any = true;
    }
    if (!any) return before;
  }
}

std::optional<std::size_t> SharedTransport::owner(transport::ConnHandle conn) const {
  const auto found = owners_.find(conn);
  if (found == owners_.end()) return std::nullopt;
  return found->second;
}

Result<transport::ConnHandle> SharedTransport::dial(Now now, const Endpoint& remote) {
  auto conn = below_.dial(now, remote);
  if (conn) owners_[*conn] = dialler_;
  return conn;
}

Station::Station(const quic::EndpointConfig& config)
    : socket_{loopback(0), {}}, buffer_(kTransmitBufferBytes) {
  quic::EndpointConfig bound = config;
  bound.local = {socket_.local()};
  endpoint_ = quic::QuicEndpoint::make(runtime::os_now(), bound, entropy_, log_).value();
  shared_ = std::make_unique<SharedTransport>(*endpoint_);
}

Peer& Station::add_peer(std::uint64_t seed) {
  peers_.push_back(std::make_unique<Peer>(seed, *shared_, entropy_, log_));
  return *peers_.back();
}

void Station::dial(std::size_t peer, std::uint16_t port) {
  shared_->set_dialler(peer);
  if (!peers_.at(peer)->manager().dial(runtime::os_now(), loopback(port), std::nullopt)) {
    throw std::runtime_error("cannot dial");
  }
  touch(peer);
}

Instant Station::next_deadline() const {
  Instant next = endpoint_->next_deadline();
  for (const auto& peer : peers_) next = std::min(next, peer->manager().next_deadline());
  return next;
}

void Station::wait(Instant until) const {
  std::array<pollfd, 2> ready{
      pollfd{socket_.fd(), static_cast<short>(held_ ? POLLIN | POLLOUT : POLLIN), 0},
      pollfd{watched, POLLIN, 0}};
  const std::int64_t ns = std::max<std::int64_t>(0, (until - runtime::os_now().mono).ns);
  const timespec limit{ns / 1'000'000'000, ns % 1'000'000'000};
  (void)::ppoll(ready.data(), ready.size(), &limit, nullptr);
}

void Station::turn(Duration longest) {
  drain(runtime::os_now());  // what was asked for since the last turn
  wait(std::min(runtime::os_now().mono + longest, next_deadline()));
  for (std::size_t reads = 0; reads < kReadsPerTurn; ++reads) {
    const bool more = socket_.receive([&](std::span<const Datagram> batch) {
      const Now now = runtime::os_now();
      endpoint_->handle_datagrams(now, batch);
      drain(now);
    });
    if (!more) break;
  }
  const Now now = runtime::os_now();
  if (endpoint_->next_deadline() <= now.mono) endpoint_->handle_deadline(now);
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    if (peers_[i]->manager().next_deadline() > now.mono) continue;
    peers_[i]->manager().handle_deadline(now);
    touch(i);
  }
  drain(now);
}

void Station::run(Duration limit, const std::function<bool()>& done) {
  const Instant end = runtime::os_now().mono + limit;
  while (!done()) {
    if (runtime::os_now().mono > end) throw std::runtime_error("took too long");
    turn(milliseconds(100));
  }
}

bool Station::drain_transmits(Now now) {
  bool any = false;
  if (held_) {
    if (!socket_.send(*held_, ByteView{buffer_}.first(held_->size))) return false;
    held_.reset();
    any = true;
  }
  while (const auto burst = endpoint_->poll_transmit(now, buffer_)) {
    any = true;
    if (!socket_.send(*burst, ByteView{buffer_}.first(burst->size))) {
      held_ = burst;
      return any;
    }
  }
  return any;
}

void Station::handle(Now now, const transport::ConnEvent& event) {
  if (std::holds_alternative<transport::Confirmed>(event.kind)) ++opened;
  if (std::holds_alternative<transport::Closed>(event.kind)) ++closed;
  if (on_event) on_event(now, event);
  if (peers_.empty()) return;
  // What nobody dialled is for the first one: a server has one manager.
  const std::size_t owner = shared_->owner(event.conn).value_or(0);
  peers_.at(owner)->manager().handle_conn_event(now, event);
  touch(owner);
}

void Station::drain(Now now) {
  for (bool any = true; any;) {
    any = drain_transmits(now);
    while (const auto event = endpoint_->poll_event()) {
      any = true;
      handle(now, *event);
    }
    for (const std::size_t index : std::exchange(touched_, {})) {
      any = peers_.at(index)->drain(now) || any;
    }
  }
}

}  // namespace ethnet::bench
