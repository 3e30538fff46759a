// Packets in and packets out: what a datagram must pass, and what every packet of ours has.
#include "engine.hpp"

#include <algorithm>
#include <utility>

#include <base/sip_key.hpp>

namespace ethnet::discv4 {
namespace {

Place place_of(const Enr& record) {
  Place out;
  if (const auto v4 = record.ip()) {
    out.ip = *v4;
    out.udp = record.udp().value_or(0);
    out.tcp = record.tcp().value_or(0);
  } else if (const auto v6 = record.ip6()) {
    out.ip = *v6;
    out.udp = record.udp6().value_or(record.udp().value_or(0));
    out.tcp = record.tcp6().value_or(record.tcp().value_or(0));
  } else {
    out.udp = record.udp().value_or(0);
    out.tcp = record.tcp().value_or(0);
  }
  return out;
}

// Where one host may be: not a port or an address of nobody, nor (from 224.0.0.0 and ff00:: on)
// one of many, whom an answer would reach all.
bool is_answerable(const Endpoint& remote) {
  const auto first = std::to_integer<unsigned>(remote.ip.bytes().front());
  const bool is_of_many = remote.ip.is_v4() ? first >= 224 : first == 0xff;
  return remote.port != 0 && !remote.ip.is_unspecified() && !is_of_many;
}

// To kRoomyPing or as far as there is room, where a PONG has room too. How long the headers of the
// padding and of the list are depends on it: it is shortened until all fits.
void pad(Ping& ping, std::size_t max_size) {
  const std::size_t size = std::min(max_size, kRoomyPing);
  if (size < kLongestPong) return;
  ping.padding = size - std::min(size, encoded_size(ping));
  while (ping.padding > 0 && encoded_size(ping) > size) --ping.padding;
}

// The hash of our PING that this PONG answers.
const Hash32* ping_hash_of(const Message& message) {
  const auto* pong = std::get_if<Pong>(&message);
  return pong == nullptr ? nullptr : &pong->ping_hash;
}

}  // namespace

Engine::Engine(Now now, EngineConfig config, kbucket::Table& table, filter::Filter& filter,
               SecureRng& rng)
    : config_{std::move(config)},
      table_{table},
      filter_{filter},
      rng_{rng},
      prng_{config_.seed},
      bonds_{rng, config_.bonds},
      proofs_{rng, config_.proofs},
      pings_{config_.proofs + kMaxDiscv4Contacts, PeerHash{draw_sip_key(rng)}},
      turned_to_{kMaxTurnedTo, PeerHash{draw_sip_key(rng)}},
      heard_at_{now.mono},
      refresh_at_{now.mono},
      revalidate_at_{now.mono + kbucket::kRevalidateMax} {
  CHECK(config_.key != nullptr && config_.local_record != nullptr);
  const crypto::PublicKey key = config_.key->public_key();
  self_ = make_node_id(key);
  own_key_ = key.xy();
  CHECK(config_.local_record->node_id() == self_ && table_.self() == self_);
  own_place_ = place_of(config_.local_record->record());
}

void Engine::set_local_record(EnrPtr record) {
  CHECK(record != nullptr && record->node_id() == self_);
  config_.local_record = std::move(record);
  own_place_ = place_of(config_.local_record->record());
}

// The queue is sized so that who drains it after every input cannot meet its end.
void Engine::emit(Event event) { CHECK(events_.push(std::move(event))); }

std::optional<std::string_view> Engine::exceeded_limit() const {
  if (members_.size() > kMaxMembers) return "members";
  if (seen_answers_.size() > kMaxSeenAnswers) return "seen answers";
  if (lookups_.size() > kMaxDiscv4Lookups) return "lookups";
  if (contacts_.size() > kMaxDiscv4Contacts) return "contacts";
  return std::nullopt;
}

// --- in ---

void Engine::handle_datagrams(Now now, std::span<const Datagram> batch) noexcept {
  for (const Datagram& datagram : batch) handle_datagram(now, datagram);
}

void Engine::note_refusal(const Error& error) {
  for (std::size_t code = 1; code < kDiscv4Errors; ++code) {
    if (!error.is(static_cast<Discv4Error>(code))) continue;
    ++counters_.refusals[code];
    return;
  }
  ++counters_.malformed;
}

Engine::SentPing* Engine::answered_ping(Now now, const Message& message, const IpAddress& from) {
  const Hash32* const hash = ping_hash_of(message);
  SentPing* const ping = hash == nullptr ? nullptr : pings_.find(*hash);
  const bool is_awaited = ping != nullptr && ping->to == from &&
                          ping->at + kProofTimeout > now.mono && ping->pongs < kMaxPongsPerPing;
  return is_awaited ? ping : nullptr;
}

// Whether it may be the answer to something that is under way; which, its sender decides.
bool Engine::awaits(Now now, const Message& message, const IpAddress& from) {
  const auto asked = [&](PacketType type) {
    return contacts_.any([&](const Contact& contact) {
      if (contact.phase != Phase::asking || contact.node.at.ip != from) return false;
      const bool asks_nodes = std::holds_alternative<AskNodes>(contact.asks.front());
      return asks_nodes == (type == PacketType::neighbors);
    });
  };
  switch (type_of(message)) {
    case PacketType::pong:
      return answered_ping(now, message, from) != nullptr;
    case PacketType::neighbors:
    case PacketType::enr_response:
      return asked(type_of(message));
    default:
      return true;
  }
}

// Whom we turn to has to prove our address before it answers: its PING is no stranger's.
filter::Trust Engine::trust_in(Now now, const IpAddress& from) {
  const auto is_there = [&](const Contact& contact) {
    return contact.node.at.ip == from ||
           std::ranges::any_of(contact.elsewhere,
                               [&](const Knock& knock) { return knock.at.ip == from; });
  };
  const bool is_known = bonds_.is_proven(now, from) || contacts_.any(is_there);
  return is_known ? filter::Trust::proven : filter::Trust::discv4_stranger;
}

// Nobody can make a PONG for a PING of ours before it was sent: it is not old, a clock is wrong.
void Engine::note_expired(Now now, const Message& message, const IpAddress& from) {
  ++counters_.refusals[std::to_underlying(Discv4Error::expired)];
  if (answered_ping(now, message, from) == nullptr) return;
  const std::uint64_t at = *expiration_of(message);
  if (at > now.wall.whole_seconds()) return;  // no time at all
  const Duration ago = now.wall - UnixTime::from_seconds(at);
  least_expired_ = expired_answers_ == 0 ? ago : std::min(least_expired_, ago);
  if (++expired_answers_ < kExpiredAnswersToWarn || clock_warning_at_ > now.mono) return;
  expired_answers_ = 0;
  clock_warning_at_ = now.mono + kClockWarningPause;
  emit(ClockSuspect{.ahead = least_expired_});
}

void Engine::handle_datagram(Now now, const Datagram& datagram) {
  using filter::Admission;
  if (!is_answerable(datagram.remote)) {
    ++counters_.unanswerable;
    return;
  }
  const Admission admission =
      config_.filters_addresses ? filter_.admit(now, datagram.remote) : Admission::paid;
  if (admission == Admission::refused) {
    ++counters_.address_budget;
    return;
  }
  handle_admitted(now, datagram, admission);
}

// What is only looked at counts where it names a PING of ours: all else costs a signature check
// before it shows who made it.
void Engine::handle_admitted(Now now, const Datagram& datagram,
                             filter::Admission admission) noexcept {
  CHECK(admission != filter::Admission::refused);
  const IpAddress& ip = datagram.remote.ip;
  if (!is_answerable(datagram.remote)) {
    ++counters_.unanswerable;
    return;
  }
  const auto envelope = open(datagram.bytes);
  if (!envelope) return note_refusal(envelope.error());
  const auto message = decode_message(*envelope);
  if (!message) return note_refusal(message.error());
  const auto expiration = expiration_of(*message);
  if (expiration && is_expired(*expiration, now.wall)) return note_expired(now, *message, ip);
  SentPing* const ping = answered_ping(now, *message, ip);
  if (admission == filter::Admission::looked_at && ping == nullptr) {
    ++counters_.address_budget;
    return;
  }
  if (!awaits(now, *message, ip)) {
    ++counters_.unsolicited;
    return;
  }
  const filter::Trust trust = ping != nullptr ? filter::Trust::answer : trust_in(now, ip);
  if (!filter_.allow_curve_work(now, trust)) {
    ++counters_.curve_budget;
    return;
  }
  if (ping != nullptr) ++ping->pongs;
  const auto key = recover_sender(*envelope);
  if (!key) {
    ++counters_.bad_signatures;
    return;
  }
  const Sender from{.node = V4Node::of(*key, {ip, datagram.remote.port, 0}),
                    .remote = datagram.remote,
                    .local = datagram.local,
                    .hash = envelope->hash,
                    .size = datagram.bytes.size()};
  // What answers a PING of ours has a bound of its own (kMaxPongsPerPing): old packets of that node
  // that somebody sends again, which use up its budget, take none of its answers.
  if (ping == nullptr && !filter_.allow(now, from.remote, from.node.id)) {
    ++counters_.identity_budget;
    return;
  }
  on_packet(now, from, *message);
}

void Engine::on_packet(Now now, const Sender& from, const Message& message) {
  if (from.node.id == self_) {
    ++counters_.own_identity;
    return;
  }
  ++counters_.received[std::to_underlying(type_of(message))];
  if (const auto* ping = std::get_if<Ping>(&message)) {
    on_ping(now, from, *ping);
  } else if (const auto* pong = std::get_if<Pong>(&message)) {
    on_pong(now, from, *pong);
  } else if (const auto* findnode = std::get_if<FindNode>(&message)) {
    on_findnode(now, from, *findnode);
  } else if (const auto* neighbors = std::get_if<Neighbors>(&message)) {
    on_neighbors(now, from, *neighbors);
  } else if (const auto* response = std::get_if<EnrResponse>(&message)) {
    on_enr_response(now, from, *response);
  } else {
    on_enr_request(now, from);
  }
}

void Engine::handle_deadline(Now now) noexcept {
  proofs_.expire(now);
  while (Contact* contact = contacts_.overdue(now)) on_timeout(now, *contact);
  if (!config_.keeps_table) return;
  if (refresh_at_ <= now.mono) refresh(now);
  if (revalidate_at_ <= now.mono) revalidate(now);
}

Instant Engine::next_deadline() const {
  const Instant due = std::min(proofs_.next_deadline(), contacts_.next_deadline());
  if (!config_.keeps_table) return due;
  return std::min({due, refresh_at_, revalidate_at_});
}

// --- out ---

std::optional<Transmit> Engine::poll_transmit(Now, MutByteView buffer) {
  return outbox_.poll(buffer);
}

Endpoint Engine::local_for(const Endpoint& remote) const {
  for (const Endpoint& local : config_.local) {
    if (local.ip.is_v4() == remote.ip.is_v4()) return local;
  }
  return {};
}

// The hash, by which its answer is known; nothing where the packet was dropped.
std::optional<Hash32> Engine::send(const Message& message, const Endpoint& local,
                                   const Endpoint& remote) {
  Outbox::Packet packet{.local = local, .remote = remote};
  const auto encoded = encode(message, *config_.key, packet.bytes);
  CHECK(encoded.has_value());  // whoever makes a message knows what fits
  packet.size = encoded->size;
  if (!outbox_.push(packet)) {
    ++counters_.outbox_full;
    return std::nullopt;
  }
  ++counters_.sent[std::to_underlying(type_of(message))];
  return encoded->hash;
}

// As much of a PING as has room in `max_size`; nothing where none has.
std::optional<Hash32> Engine::send_ping(Now now, const Endpoint& local, const Endpoint& remote,
                                        std::size_t max_size) {
  Ping ping{.from = own_place_,
            .to = {remote.ip, remote.port, 0},
            .expiration = expiration_at(now.wall),
            .enr_seq = config_.local_record->record().seq()};
  if (encoded_size(ping) > max_size) ping.enr_seq.reset();
  // As short as that of a node which knows neither its address nor its port.
  if (encoded_size(ping) > max_size) ping.from = Place{};
  if (encoded_size(ping) > max_size) {
    ++counters_.amplification;
    return std::nullopt;
  }
  pad(ping, max_size);
  const auto hash = send(ping, local, remote);
  if (!hash) return std::nullopt;
  const SentPing sent{.at = now.mono, .to = remote.ip, .pongs = 0};
  if (SentPing* same = pings_.use(*hash)) {
    *same = sent;
  } else {
    pings_.insert(*hash, sent);
  }
  return hash;
}

}  // namespace ethnet::discv4
