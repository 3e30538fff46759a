#include "hostile_peer.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <chain/producer.hpp>
#include <fmt/format.h>
#include <protocol/das_lite/engine.hpp>
#include <protocol/mini_sync/engine.hpp>
#include <session/control.hpp>
#include <types/hash_of.hpp>

namespace ethnet::sim {
namespace {

constexpr transport::StreamId kControlStream = 0;  // docs/spec/session.md
constexpr std::size_t kLongestBranch = 2'048;      // then it is long enough
constexpr std::size_t kEndlessFrom = 256;          // the length of an endless branch at its start
constexpr std::uint64_t kFarHead = 1'000'000;
constexpr std::size_t kRequestsABeat = 24;
constexpr std::size_t kPingsABeat = 32;
constexpr std::size_t kMostGarbage = 4'096;
constexpr std::uint64_t kAheadSeconds = 3'600;
constexpr std::size_t kConnectsABeat = 2;
constexpr std::size_t kDataBytes = 16 * 1'024;
constexpr std::uint32_t kDataChunkBytes = 1'024;
constexpr Duration kRedial = seconds(1);  // of those who come back after each misdeed

session::Capability capability(std::string_view literal) {
  auto parsed = session::Capability::parse(literal);
  CHECK(parsed.has_value());
  return *parsed;
}

session::Config lenient() {
  session::Config config;
  config.max_peers = 256;
  config.max_inbound = 256;
  config.require_same_genesis = false;
  return config;
}

}  // namespace

HostilePeer::HostilePeer(Now now, HostileConfig config, SecureRng& rng, Prng prng, Log& log)
    : config_{std::move(config)}, prng_{prng}, next_beat_{now.mono + config_.beat} {
  quic::EndpointConfig endpoint;
  endpoint.local = {config_.local};
  auto quic = quic::QuicEndpoint::make(now, std::move(endpoint), rng, log);
  CHECK(quic.has_value());
  quic_ = std::move(*quic);
  sessions_ = std::make_unique<session::SessionManager>(lenient(), config_.key, *quic_, rng, log);
  sessions_->set_local(now, hello());
  if (config_.manner != Manner::false_chunks) return;
  Bytes bytes(kDataBytes);
  for (std::byte& b : bytes) b = static_cast<std::byte>(prng_.next());
  auto data = das::DataSet::make(std::move(bytes), kDataChunkBytes);
  CHECK(data.has_value());
  data_.emplace(*std::move(data));
}

session::LocalInfo HostilePeer::hello() const {
  const ForkSchedule schedule = config_.genesis->fork_schedule();
  session::LocalInfo out;
  out.client = "hostile";
  out.capabilities = {capability(mini_sync::kCapability)};
  if (config_.manner == Manner::false_chunks) {
    out.capabilities.push_back(capability(das_lite::kCapability));
  }
  out.genesis = config_.genesis->hash;
  out.fork_id = schedule.fork_id(0, config_.genesis->header.timestamp);
  out.head_hash = config_.genesis->hash;
  if (config_.act == Act::wrong_genesis) out.genesis.bytes.front() ^= std::byte{1};
  if (config_.act == Act::wrong_fork) out.fork_id.hash.front() ^= std::byte{1};
  if (config_.act == Act::nothing_shared) out.capabilities = {capability("sabotage/1")};
  return out;
}

// ---- the machine

void HostilePeer::handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
  quic_->handle_datagrams(now, batch);
  route(now);
}

void HostilePeer::handle_deadline(Now now) noexcept {
  quic_->handle_deadline(now);
  sessions_->handle_deadline(now);
  if (!stopped_ && now.mono >= next_beat_) {
    next_beat_ = now.mono + config_.beat;
    beat(now);
  }
  route(now);
}

void HostilePeer::handle_job_done(Now now, const JobResult& done) noexcept {
  sessions_->handle_job_done(now, done);
  route(now);
}

std::optional<Transmit> HostilePeer::poll_transmit(Now now, MutByteView out) {
  return quic_->poll_transmit(now, out);
}

std::optional<Job> HostilePeer::poll_job() { return sessions_->poll_job(); }

Instant HostilePeer::next_deadline() const {
  const Instant next = std::min(quic_->next_deadline(), sessions_->next_deadline());
  return stopped_ ? next : std::min(next, next_beat_);
}

void HostilePeer::stop(Now now) {
  stopped_ = true;
  sessions_->shut_down(now);
  for (const transport::ConnHandle conn : std::exchange(conns_, {})) {
    quic_->close(now, conn, 0, "");
  }
  route(now);
}

void HostilePeer::route(Now now) {
  bool moved = true;
  while (std::exchange(moved, false)) {
    while (const auto event = quic_->poll_event()) {
      on_conn_event(now, *event);
      moved = true;
    }
    while (const auto event = sessions_->poll_event()) {
      on_session_event(now, *event);
      moved = true;
    }
  }
}

void HostilePeer::on_conn_event(Now now, const transport::ConnEvent& event) {
  const bool opened = std::holds_alternative<transport::Opened>(event.kind);
  const bool closed = std::holds_alternative<transport::Closed>(event.kind);
  if (opened) conns_.insert(event.conn);
  if (closed) conns_.erase(event.conn);
  // These two are connections that no session knows of.
  if (config_.act == Act::mute) return;
  if (config_.act == Act::connect_storm) {
    if (opened) {
      misdeed();
      quic_->close(now, event.conn, prng_.below(64), "storm");
    }
    return;
  }
  // Whoever does not read lets the window fill up.
  const bool readable = std::holds_alternative<transport::Readable>(event.kind);
  if (config_.act == Act::greedy_requests && readable && !sessions_open_.empty()) return;
  sessions_->handle_conn_event(now, event);
}

void HostilePeer::on_session_event(Now now, const session::SessionEvent& event) {
  if (const auto* opened = std::get_if<session::SessionOpened>(&event)) {
    sessions_open_.push_back(opened->session);
    if (config_.act == Act::session_storm) {
      misdeed();
      sessions_->disconnect(now, opened->session, session::DisconnectReason::requested);
    } else {
      (void)send_status(now, opened->session);
      if (data_) announce_data(now, opened->session);
    }
  } else if (const auto* closed = std::get_if<session::SessionClosed>(&event)) {
    std::erase(sessions_open_, closed->session);
  } else if (const auto* message = std::get_if<session::MessageReceived>(&event)) {
    if (message->capability == capability(das_lite::kCapability)) {
      return on_chunks_asked(now, message->session, message->payload);
    }
    const auto request = mini_sync::decode_get_headers(message->payload);
    if (request) on_request(now, message->session, *request);
  } else if (std::holds_alternative<session::DialFailed>(event)) {
    // Refused for what its Hello said.
    const bool is_the_act = config_.act == Act::wrong_genesis || config_.act == Act::wrong_fork ||
                            config_.act == Act::nothing_shared;
    if (is_the_act) misdeed();
  }
}

// ---- misdeeds

void HostilePeer::misdeed() {
  if (config_.note) config_.note(kActs.at(static_cast<std::size_t>(config_.act)).reached);
}

void HostilePeer::beat(Now now) {
  dial_targets(now);
  const bool makes_branch = config_.act == Act::valid_branch || config_.act == Act::endless_branch;
  const bool tends_it = config_.manner == Manner::plain || config_.manner == Manner::withholds;
  if (makes_branch && tends_it) grow_branch();
  bool harmed = false;
  for (const transport::ConnHandle conn : std::set{conns_}) {
    harmed = harm_connection(now, conn) || harmed;
  }
  for (const session::SessionHandle to : std::vector{sessions_open_}) {
    harmed = harm_session(now, to) || harmed;
  }
  if (harmed) misdeed();
}

void HostilePeer::dial_targets(Now now) {
  const bool by_hand = config_.act == Act::mute || config_.act == Act::connect_storm;
  if (!by_hand && config_.act != Act::session_storm) {
    if (now.mono < next_dial_) return;
    next_dial_ = now.mono + kRedial;
  }
  for (const Endpoint& target : config_.targets()) {
    if (!by_hand) {
      if (sessions_->is_dialing(target)) continue;
      (void)sessions_->dial(now, target, std::nullopt);  // already connected, or not: no matter
      continue;
    }
    for (std::size_t i = 0; i < kConnectsABeat; ++i) {
      if (quic_->dial(now, target) && config_.act == Act::mute) misdeed();
    }
  }
}

bool HostilePeer::harm_connection(Now now, transport::ConnHandle conn) {
  if (sessions_open_.empty()) return false;  // in its place a handshake would fail
  switch (config_.act) {
    case Act::ping_flood:
      for (std::size_t i = 0; i < kPingsABeat; ++i) {
        (void)quic_->write(conn, kControlStream, session::encode_ping());
      }
      return true;
    case Act::garbage_frames:
      return quic_->write(conn, kControlStream, any_bytes(kMostGarbage)) > 0;
    case Act::foreign_capability: {
      const auto stream = quic_->open_stream(conn, transport::StreamKind::unidirectional);
      constexpr std::string_view kName = "eth/68";
      Bytes bytes{static_cast<std::byte>(kName.size())};
      append(bytes, text_bytes(kName));
      append(bytes, any_bytes(64));
      return stream && quic_->write(conn, *stream, bytes) > 0;
    }
    default:
      (void)now;
      return false;
  }
}

bool HostilePeer::harm_session(Now now, session::SessionHandle to) {
  const Header& genesis = config_.genesis->header;
  switch (config_.act) {
    case Act::unsolicited:
      return say(now, to, mini_sync::encode(mini_sync::Headers{prng_.next(), {}}));
    case Act::garbage_messages:
      return say(now, to, any_bytes(kMostGarbage));
    case Act::request_flood:
    case Act::greedy_requests:
      flood_requests(now, to);
      return true;
    case Act::lying_status:
    case Act::silence:
    case Act::bogus_headers: {
      std::vector<chain::BlockRef> blocks;
      for (std::uint64_t i = 1 + prng_.below(64); i > 0; --i) {
        const Hash32 hash = any_hash();
        blocks.push_back({hash, prng_.next() >> prng_.below(64)});
      }
      return say(now, to, mini_sync::encode(mini_sync::NewBlockHashes{blocks})) &&
             (config_.act != Act::lying_status || send_status(now, to));
    }
    case Act::orphans: {
      Header parent = genesis;
      parent.number = 1 + prng_.below(100);
      parent.parent_hash = any_hash();
      return announce(now, to, child_of(parent, parent.timestamp + 1));
    }
    case Act::future_headers: {
      const std::uint64_t ahead = kAheadSeconds + prng_.below(kAheadSeconds);
      return announce(now, to, child_of(genesis, now.wall.whole_seconds() + ahead));
    }
    case Act::bad_signatures: {
      Block block = child_of(genesis, genesis.timestamp + 1 + prng_.below(100));
      block.input.signature = any_bytes(0);
      block.input.signature.resize(mini_sync::kSignatureBytes, std::byte{1});
      return announce(now, to, block);
    }
    case Act::endless_branch:
    case Act::valid_branch:
      return config_.manner == Manner::plain && announce(now, to, branch_.back());
    default:
      return false;
  }
}

bool HostilePeer::say(Now now, session::SessionHandle to, Bytes payload) {
  const auto sent = sessions_->send(now, to, capability(mini_sync::kCapability),
                                    session::Priority::normal, std::move(payload));
  return sent.has_value();
}

bool HostilePeer::announce(Now now, session::SessionHandle to, const Block& block) {
  return say(now, to,
             mini_sync::encode(mini_sync::NewBlock{{block.input.header, block.input.signature}}));
}

bool HostilePeer::send_status(Now now, session::SessionHandle to) {
  mini_sync::Status status{config_.genesis->hash, {config_.genesis->hash, 0}, 0};
  const bool shows = config_.manner == Manner::plain && !branch_.empty();
  if (shows) status.head = {branch_.back().hash, branch_.back().header.number};
  if (config_.act == Act::silence || config_.act == Act::bogus_headers) {
    status.head = {any_hash(), kFarHead};
  } else if (config_.act == Act::lying_status) {
    status.head.hash = any_hash();
    status.head.number = prng_.next() >> prng_.below(64);
    status.earliest = prng_.chance_ppm(500'000) ? 0 : prng_.next();
  }
  return say(now, to, mini_sync::encode(status));
}

void HostilePeer::flood_requests(Now now, session::SessionHandle to) {
  for (std::size_t i = 0; i < kRequestsABeat; ++i) {
    mini_sync::GetHeaders request;
    request.request_id = prng_.next();
    request.locator = {config_.genesis->hash};
    request.amount = prng_.next() >> prng_.below(64);
    request.skip = prng_.chance_ppm(500'000) ? 0 : prng_.next() >> prng_.below(64);
    request.reverse = prng_.chance_ppm(500'000);
    if (!say(now, to, mini_sync::encode(request))) return;
  }
}

// Backwards along the branch from what is asked for; an honest answer where the branch is honest.
void HostilePeer::on_request(Now now, session::SessionHandle to,
                             const mini_sync::GetHeaders& request) {
  const std::uint64_t amount = std::min<std::uint64_t>(request.amount, 192);
  mini_sync::Headers answer{request.request_id, {}};
  if (config_.act == Act::bogus_headers) {
    misdeed();
    for (std::uint64_t i = 0; i < amount; ++i) {
      Header parent = config_.genesis->header;
      parent.parent_hash = any_hash();
      const Block block = child_of(parent, parent.timestamp + 1);
      answer.items.push_back({block.input.header, {}});
    }
  } else if (config_.act == Act::endless_branch || config_.act == Act::valid_branch) {
    const auto from = std::ranges::find_if(branch_, [&](const Block& block) {
      return !request.locator.empty() && block.hash == request.locator.front();
    });
    if (from == branch_.end()) {
      (void)say(now, to, mini_sync::encode(answer));
      return;
    }
    auto at = static_cast<std::uint64_t>(from - branch_.begin());
    while (answer.items.size() < amount) {
      answer.items.push_back({branch_[at].input.header, {}});
      if (at <= request.skip) break;
      at -= request.skip + 1;
    }
  } else if (config_.act != Act::request_flood && config_.act != Act::ping_flood) {
    return;
  }
  (void)say(now, to, mini_sync::encode(answer));
}

void HostilePeer::announce_data(Now now, session::SessionHandle to) {
  (void)sessions_->send(now, to, capability(das_lite::kCapability), session::Priority::normal,
                        das_lite::encode(das_lite::AnnounceData{data_->key()}));
}

// What was asked for, with the right proof and one bit that is another.
void HostilePeer::on_chunks_asked(Now now, session::SessionHandle to, ByteView payload) {
  const auto request = das_lite::decode_request_chunk(payload);
  if (!request || !data_ || request->data_id != data_->key().id) return;
  for (const std::uint32_t index : request->indices) {
    if (index >= data_->shape().total_chunks) continue;
    das_lite::ChunkResponse answer{request->data_id, index, to_bytes(data_->chunk(index)),
                                   data_->proof(index)};
    answer.bytes.front() ^= std::byte{1};
    misdeed();
    (void)sessions_->send(now, to, capability(das_lite::kCapability), session::Priority::normal,
                          das_lite::encode(answer));
  }
}

void HostilePeer::grow_branch() {
  const bool endless = config_.act == Act::endless_branch;
  if (!endless && config_.calm && !branch_.empty()) return;
  if (branch_.size() >= kLongestBranch) return;
  if (branch_.empty()) {
    Header root = config_.genesis->header;
    if (endless) {
      root.number = kFarHead;
      root.parent_hash = any_hash();
    }
    branch_.push_back(child_of(root, root.timestamp + 1));
    while (endless && branch_.size() < kEndlessFrom) grow_branch();
    return;
  }
  const Header& tip = branch_.back().header;
  branch_.push_back(child_of(tip, tip.timestamp + 1));
}

HostilePeer::Block HostilePeer::child_of(const Header& parent, std::uint64_t timestamp) {
  Block block;
  block.header = chain::seal_header(config_.genesis->config, parent, timestamp,
                                    config_.genesis->header.beneficiary,
                                    fmt::format("hostile {:x}", prng_.next()));
  block.input.header = block.header.encode();
  block.hash = hash_of(block.input.header);
  return block;
}

Hash32 HostilePeer::any_hash() {
  Hash32 hash;
  for (std::byte& b : hash.bytes) b = static_cast<std::byte>(prng_.next());
  return hash;
}

Bytes HostilePeer::any_bytes(std::size_t most) {
  Bytes bytes(1 + (most == 0 ? 0 : prng_.below(most)));
  for (std::byte& b : bytes) b = static_cast<std::byte>(prng_.next());
  return bytes;
}

}  // namespace ethnet::sim
