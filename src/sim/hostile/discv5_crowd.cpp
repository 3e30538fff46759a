#include "discv5_crowd.hpp"

#include <algorithm>
#include <utility>

#include <base/check.hpp>
#include <types/enr.hpp>

namespace ethnet::sim {
namespace {

constexpr std::size_t kRecordsAMessage = 5;

}  // namespace

Discv5Crowd::Discv5Crowd(Now now, Discv5CrowdConfig config, SecureRng& rng)
    : config_{std::move(config)}, rng_{rng}, next_beat_{now.mono + config_.phase + config_.beat} {
  CHECK(config_.roster != nullptr);
}

// --- names ---

Discv5Crowd::Face* Discv5Crowd::face_at(std::uint16_t port) {
  if (const auto it = faces_.find(port); it != faces_.end()) return &it->second;
  const auto name = config_.roster->find(config_.host, port);
  return name ? &show(*name) : nullptr;
}

Discv5Crowd::Face& Discv5Crowd::show(std::size_t name) {
  const Endpoint where = config_.roster->endpoint(name);
  if (const auto it = faces_.find(where.port); it != faces_.end()) return it->second;
  if (faces_.size() == kMaxDiscv5Faces) {
    faces_.erase(shown_.front());
    shown_.pop_front();
  }
  const Roster::Name& who = config_.roster->at(name);
  auto record = VerifiedEnr::decode(who.record);
  CHECK(record.has_value());
  Face face;
  face.local = where;
  face.sessions = std::make_unique<discv5::Sessions>(
      who.key, std::make_shared<const VerifiedEnr>(*std::move(record)), rng_);
  shown_.push_back(where.port);
  return faces_.emplace(where.port, std::move(face)).first->second;
}

// --- in ---

void Discv5Crowd::handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
  for (const Datagram& datagram : batch) handle(now, datagram);
}

void Discv5Crowd::handle(Now now, const Datagram& datagram) {
  Face* const face = face_at(datagram.local.port);
  if (face == nullptr) return;
  const auto packet = face->sessions->decode(datagram.bytes, in_);
  if (!packet) return;
  const auto received = face->sessions->handle_packet(now, datagram.remote, *packet);
  if (!received) return;
  if (const auto* message = std::get_if<discv5::MessageReceived>(&*received)) {
    on_message(*face, *message);
  } else if (const auto* unreadable = std::get_if<discv5::Unreadable>(&*received)) {
    send(*face, datagram.remote, face->sessions->make_challenge(now, *unreadable, nullptr, out_));
  } else if (const auto* challenge = std::get_if<discv5::ChallengeReceived>(&*received)) {
    const auto waiting = std::exchange(face->waiting, std::nullopt);
    if (!waiting || waiting->to.at != datagram.remote) return;
    const auto sealed = face->sessions->answer_challenge(waiting->to, waiting->key, *challenge,
                                                         waiting->plain, out_);
    if (sealed) send(*face, datagram.remote, sealed->size);
  }
}

void Discv5Crowd::on_message(Face& face, const discv5::MessageReceived& received) {
  const discv5::Peer from = received.from;
  const auto message = discv5::decode_message(received.plain);
  if (!message) return;
  if (const auto* ping = std::get_if<discv5::Ping>(&*message)) {
    say(face, from,
        discv5::Pong{.request_id = ping->request_id, .enr_seq = 1, .recipient = from.at});
  } else if (const auto* find = std::get_if<discv5::FindNode>(&*message)) {
    answer(face, from, *find);
  }
}

void Discv5Crowd::answer(Face& face, const discv5::Peer& to, const discv5::FindNode& find) {
  const NodeId self = face.sessions->self();
  const std::vector<Bytes> names = config_.roster->answer(self, find.distances.view());
  const std::size_t messages =
      std::max<std::size_t>(1, (names.size() + kRecordsAMessage - 1) / kRecordsAMessage);
  for (std::size_t i = 0; i < messages; ++i) {
    discv5::Nodes nodes{
        .request_id = find.request_id, .total = static_cast<std::uint8_t>(messages), .records = {}};
    const std::size_t end = std::min(names.size(), (i + 1) * kRecordsAMessage);
    for (std::size_t n = i * kRecordsAMessage; n < end; ++n) nodes.records.push_back(names[n]);
    say(face, to, nodes);
  }
}

// --- out ---

void Discv5Crowd::handle_deadline(Now now) noexcept {
  if (next_beat_ > now.mono) return;
  next_beat_ = now.mono + config_.beat;
  for (const discv5::EnrPtr& victim : config_.aims()) {
    come(show(config_.roster->fresh(config_.host, victim->node_id())), victim);
  }
}

void Discv5Crowd::come(Face& face, const discv5::EnrPtr& victim) {
  const auto at = kbucket::endpoint_of(victim->record(), kbucket::RecordPort::udp);
  CHECK(at.has_value());
  const discv5::Message ping =
      discv5::Ping{.request_id = discv5::RequestId::of(rng_.next()), .enr_seq = 1};
  const discv5::Peer to{victim->node_id(), *at};
  if (face.sessions->has_session(to)) return say(face, to, ping);
  Waiting waiting{.to = to, .key = victim->public_key(), .plain = {}};
  waiting.plain.resize(discv5::encoded_size(ping));
  CHECK(discv5::encode_message(ping, waiting.plain).has_value());
  face.waiting = std::move(waiting);
  send(face, to.at, face.sessions->make_random(to, out_).size);
}

// Where there is a session.
void Discv5Crowd::say(Face& face, const discv5::Peer& to, const discv5::Message& message) {
  discv5::PacketBuffer plain{};
  const auto size = discv5::encode_message(message, plain);
  if (!size) return;
  const auto sealed = face.sessions->seal(to, ByteView{plain}.first(*size), out_);
  if (sealed) send(face, to.at, sealed->size);
}

void Discv5Crowd::send(const Face& face, const Endpoint& to, std::size_t size) {
  outgoing_.push_back({face.local, to, to_bytes(ByteView{out_}.first(size))});
}

std::optional<Transmit> Discv5Crowd::poll_transmit(Now, MutByteView out) {
  if (outgoing_.empty()) return std::nullopt;
  const Outgoing next = std::move(outgoing_.front());
  outgoing_.pop_front();
  copy_into(out, next.bytes);
  return Transmit{.local = next.local,
                  .remote = next.remote,
                  .ecn = 0,
                  .size = next.bytes.size(),
                  .segment_size = next.bytes.size()};
}

}  // namespace ethnet::sim
