#include "crowd_host.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <protocol/discv_lite/engine.hpp>
#include <protocol/mini_sync/engine.hpp>

namespace ethnet::sim {
namespace {

constexpr std::size_t kMostFaces = 512;  // names in use at a time
constexpr std::size_t kDialsABeat = 4;   // for one victim
constexpr Duration kIdle = seconds(20);

session::Capability capability(std::string_view literal) {
  auto parsed = session::Capability::parse(literal);
  CHECK(parsed.has_value());
  return *parsed;
}

session::Config config() {
  session::Config out;
  out.visit_capabilities = {"discv-lite"};
  return out;
}

session::LocalInfo hello(const Genesis& genesis, const Bytes& record) {
  session::LocalInfo out;
  out.client = "MiniEthNet/v0.1.0";
  out.capabilities = {capability(mini_sync::kCapability), capability(discv_lite::kCapability)};
  out.genesis = genesis.hash;
  out.fork_id = genesis.fork_schedule().fork_id(0, genesis.header.timestamp);
  out.head_hash = genesis.hash;
  out.enr = record;
  return out;
}

}  // namespace

CrowdHost::CrowdHost(Now now, CrowdConfig config, SecureRng& rng)
    : config_{std::move(config)}, rng_{rng}, next_beat_{now.mono + config_.beat} {}

CrowdHost::Face& CrowdHost::show(Now now, std::size_t name) {
  const Endpoint where = config_.roster->endpoint(name);
  const Roster::Name& who = config_.roster->at(name);
  auto face = std::make_unique<Face>(name, where, config(), who.key, rng_, log_);
  face->sessions.set_local(now, hello(*config_.genesis, who.record));
  face->idle_since = now.mono;
  return *(faces_[where.port] = std::move(face));
}

CrowdHost::Face* CrowdHost::face_at(Now now, std::uint16_t port) {
  if (const auto it = faces_.find(port); it != faces_.end()) return it->second.get();
  const auto name = config_.roster->find(config_.host, port);
  return name && faces_.size() < kMostFaces ? &show(now, *name) : nullptr;
}

// ---- the machine

void CrowdHost::handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
  for (const Datagram& datagram : batch) {
    Face* const face = face_at(now, datagram.local.port);
    if (face == nullptr) continue;
    face->transport.handle_datagrams(now, std::span{&datagram, 1});
    route(now, *face);
  }
}

void CrowdHost::handle_deadline(Now now) noexcept {
  for (const auto& [port, face] : faces_) {
    const bool transport = face->transport.next_deadline() <= now.mono;
    const bool sessions = face->sessions.next_deadline() <= now.mono;
    if (transport) face->transport.handle_deadline(now);
    if (sessions) face->sessions.handle_deadline(now);
    if (transport || sessions) route(now, *face);
  }
  if (now.mono < next_beat_) return;
  next_beat_ = now.mono + config_.beat;
  put_away_idle(now);
  beat(now);
}

void CrowdHost::handle_job_done(Now now, const JobResult& done) noexcept {
  const auto it = jobs_.find(done.id);
  if (it == jobs_.end()) return;
  const auto [port, id] = it->second;
  jobs_.erase(it);
  const auto face = faces_.find(port);
  if (face == faces_.end()) return;
  JobResult inside = done;
  inside.id = id;
  face->second->sessions.handle_job_done(now, inside);
  route(now, *face->second);
}

std::optional<Transmit> CrowdHost::poll_transmit(Now now, MutByteView out) {
  while (!ready_.empty()) {
    const auto face = faces_.find(ready_.front());
    if (face != faces_.end()) {
      if (auto transmit = face->second->transport.poll_transmit(now, out)) return transmit;
    }
    ready_.pop_front();
  }
  return std::nullopt;
}

std::optional<Job> CrowdHost::poll_job() {
  for (const auto& [port, face] : faces_) {
    auto job = face->sessions.poll_job();
    if (!job) continue;
    const std::uint64_t inside = std::exchange(job->id, next_job_++);
    jobs_.emplace(job->id, std::pair{port, inside});
    return job;
  }
  return std::nullopt;
}

Instant CrowdHost::next_deadline() const {
  Instant next = next_beat_;
  for (const auto& [port, face] : faces_) {
    next = std::min({next, face->transport.next_deadline(), face->sessions.next_deadline()});
  }
  return next;
}

void CrowdHost::route(Now now, Face& face) {
  for (bool moved = true; moved;) {
    moved = false;
    while (const auto event = face.transport.poll_event()) {
      moved = true;
      face.sessions.handle_conn_event(now, *event);
    }
    while (const auto event = face.sessions.poll_event()) {
      moved = true;
      on_event(now, face, *event);
    }
  }
  if (ready_.empty() || ready_.back() != face.local.port) ready_.push_back(face.local.port);
}

void CrowdHost::on_event(Now now, Face& face, const session::SessionEvent& event) {
  if (const auto* message = std::get_if<session::MessageReceived>(&event)) {
    on_message(now, face, *message);
    return;
  }
  // Who was refused comes again under its name, who was thrown out under another.
  if (std::holds_alternative<session::DialFailed>(event)) face.dials = false;
  if (!std::holds_alternative<session::SessionClosed>(event)) return;
  face.aim.reset();
  face.idle_since = now.mono;
}

// ---- what it says

void CrowdHost::say(Now now, Face& face, const session::MessageReceived& to, Bytes payload) {
  (void)face.sessions.send(now, to.session, to.capability, session::Priority::normal,
                           std::move(payload));
}

void CrowdHost::on_message(Now now, Face& face, const session::MessageReceived& message) {
  if (message.capability == capability(discv_lite::kCapability)) {
    return on_question(now, face, message);
  }
  const auto request = mini_sync::decode_get_headers(message.payload);
  if (request) {
    say(now, face, message, mini_sync::encode(mini_sync::Headers{request->request_id, {}}));
  }
}

void CrowdHost::on_question(Now now, Face& face, const session::MessageReceived& message) {
  const session::PeerInfo* const peer = face.sessions.find(message.session);
  if (peer == nullptr) return;
  if (const auto ping = discv_lite::decode_ping(message.payload)) {
    return say(now, face, message,
               discv_lite::encode(discv_lite::Pong{ping->request_id, 1, peer->remote}));
  }
  const auto question = discv_lite::decode_find_nodes(message.payload);
  if (!question) return;
  const NodeId& self = face.sessions.local_id();
  discv_lite::Nodes answer{question->request_id, {}};
  if (question->distances == std::vector<std::uint16_t>{0}) {
    answer.records.push_back(config_.roster->at(face.name).record);
  } else {
    answer.records = config_.roster->answer(self, question->distances);
  }
  say(now, face, message, discv_lite::encode(answer));
}

// ---- what it does

void CrowdHost::dial(Now now, Face& face) {
  face.dials = face.sessions.dial(now, *face.aim, std::nullopt).has_value();
  route(now, face);
}

void CrowdHost::beat(Now now) {
  for (const CrowdConfig::Aim& aim : config_.aims()) {
    std::size_t has = 0;
    for (const auto& [port, face] : faces_) {
      if (face->aim != aim.at) continue;
      ++has;
      if (!face->dials && face->sessions.session_count() == 0) dial(now, *face);
    }
    for (std::size_t i = 0; i < kDialsABeat && has < aim.places; ++i, ++has) {
      if (faces_.size() >= kMostFaces) return;
      const std::size_t name = config_.roster->fresh(config_.host, aim.id);
      if (faces_.contains(config_.roster->endpoint(name).port)) return;  // it has no more names
      Face& face = show(now, name);
      face.aim = aim.at;
      dial(now, face);
    }
  }
}

void CrowdHost::put_away_idle(Now now) {
  std::erase_if(faces_, [&](const auto& entry) {
    Face& face = *entry.second;
    const bool busy = face.aim.has_value() || face.sessions.session_count() > 0;
    if (busy) face.idle_since = now.mono;
    return face.idle_since + kIdle <= now.mono;
  });
}

}  // namespace ethnet::sim
