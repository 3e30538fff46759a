#include "sessions.hpp"

#include <algorithm>
#include <utility>

#include <base/sip_key.hpp>

namespace ethnet::discv5 {
namespace {

// Whom a packet says it is from; null for a WHOAREYOU, which does not say.
const NodeId* source_of(const Packet& packet) {
  if (const auto* ordinary = std::get_if<Ordinary>(&packet.header.authdata)) {
    return &ordinary->source;
  }
  if (const auto* handshake = std::get_if<Handshake>(&packet.header.authdata)) {
    return &handshake->source;
  }
  return nullptr;
}

}  // namespace

std::size_t Sessions::PeerHash::operator()(const Peer& peer) const noexcept {
  ByteArray<32 + 16 + 2> bytes{};
  const MutByteView out{bytes};
  copy_into(out, peer.id.view());
  copy_into(out.subspan(32), peer.at.ip.bytes());
  store_be<std::uint16_t>(out.last(2), peer.at.port);
  return static_cast<std::size_t>(sip_hash(key, bytes));
}

template <class T>
Result<T> Sessions::counted(Result<T> result) {
  if (result) return result;
  for (std::size_t code = 1; code < kDiscv5Errors; ++code) {
    if (result.error().is(static_cast<Discv5Error>(code))) ++counters_.refusals[code];
  }
  return result;
}

Sessions::Sessions(std::shared_ptr<const crypto::SecretKey> key, EnrPtr local_record,
                   SecureRng& rng, const SessionLimits& limits)
    : key_{std::move(key)},
      local_record_{std::move(local_record)},
      rng_{rng},
      messages_per_key_{limits.messages_per_key},
      sessions_{limits.sessions, PeerHash{draw_sip_key(rng)}},
      challenge_hash_{draw_sip_key(rng)},
      challenges_{limits.challenges, challenge_hash_},
      newest_{limits.challenges, challenge_hash_} {
  CHECK(key_ != nullptr && local_record_ != nullptr);
  CHECK(messages_per_key_ <= kMaxMessagesPerKey);
  self_ = local_record_->node_id();
}

void Sessions::set_local_record(EnrPtr record) {
  CHECK(record != nullptr && record->node_id() == self_);
  local_record_ = std::move(record);
}

// --- what comes in ---

Result<Packet> Sessions::decode(ByteView datagram, PacketBuffer& buffer) noexcept {
  Result<Packet> packet = codec_.decode(self_, datagram, buffer);
  if (packet) {
    const NodeId* const source = source_of(*packet);
    if (source != nullptr && *source == self_) packet = fail(Discv5Error::own_identity);
  }
  return counted(std::move(packet));
}

Result<Received> Sessions::handle_packet(Now now, const Endpoint& remote,
                                         const Packet& packet) noexcept {
  if (const auto* whoareyou = std::get_if<Whoareyou>(&packet.header.authdata)) {
    return ChallengeReceived{remote, packet.header.nonce, *whoareyou, packet.header_bytes};
  }
  if (const auto* handshake = std::get_if<Handshake>(&packet.header.authdata)) {
    auto received = accept_handshake(now, {handshake->source, remote}, packet, *handshake);
    expire(now);
    return counted(std::move(received));
  }
  const NodeId* const source = source_of(packet);
  CHECK(source != nullptr);
  expire(now);
  return read_message({*source, remote}, packet);
}

Result<Received> Sessions::read_message(const Peer& peer, const Packet& packet) {
  Session* const session = sessions_.use(peer);
  if (session != nullptr) {
    Result<ByteView> plain = codec_.open(packet, session->newest.read.view());
    if (!plain && session->previous) plain = codec_.open(packet, session->previous->read.view());
    if (plain) {
      ++counters_.messages;
      return MessageReceived{peer, *plain, nullptr, packet.header.nonce};
    }
  }
  ++counters_.refusals[std::to_underlying(session == nullptr ? Discv5Error::no_session
                                                             : Discv5Error::unreadable)];
  return Unreadable{peer, packet.header.nonce};
}

// A challenge is good for one handshake that succeeds, and a few that do not: whoever forges an
// address must not spoil it for the peer that is there.
Result<Received> Sessions::accept_handshake(Now now, const Peer& peer, const Packet& packet,
                                            const Handshake& handshake) {
  Result<Received> received = fail(Discv5Error::no_challenge);
  for (auto* const challenges : {&challenges_, &newest_}) {
    Challenge* const challenge = challenges->find(peer);
    if (challenge == nullptr) continue;
    if (now.mono >= challenge->expires) {
      received = fail(Discv5Error::challenge_expired);
      continue;
    }
    received = judge_handshake(peer, packet, handshake, *challenge);
    if (received) {
      challenges_.erase(peer);
      newest_.erase(peer);
      prove(now, peer);
      ++counters_.handshakes_accepted;
      return received;
    }
    if (++challenge->failed == kMaxHandshakeTries) {
      challenges->erase(peer);
      ++counters_.challenges_spoilt;
    }
  }
  return received;
}

// What costs least comes first.
Result<Received> Sessions::judge_handshake(const Peer& peer, const Packet& packet,
                                           const Handshake& handshake, const Challenge& challenge) {
  const EnrPtr record = TRY(judge_record(peer.id, handshake, challenge.known));
  CHECK(record != nullptr);
  TRY(verify_id(record->public_key(), handshake.id_signature, challenge.data,
                handshake.ephemeral_key, self_));
  const auto ephemeral = crypto::PublicKey::parse(handshake.ephemeral_key);
  if (!ephemeral) return fail(Discv5Error::bad_ephemeral_key);
  SessionKeys keys = derive_keys(*key_, *ephemeral, peer.id, self_, challenge.data);
  const auto plain = codec_.open(packet, keys.initiator.view());
  if (!plain) return fail(Discv5Error::handshake_unreadable);
  store(peer, make_keys(std::move(keys.initiator), std::move(keys.recipient)));
  return MessageReceived{peer, *plain, record, packet.header.nonce};
}

// A record that is not newer than the one we have is not looked at further: its signature would
// tell nothing new.
Result<EnrPtr> Sessions::judge_record(const NodeId& id, const Handshake& handshake,
                                      const EnrPtr& known) const {
  if (handshake.record.empty()) {
    if (known == nullptr) return fail(Discv5Error::record_missing);
    return known;
  }
  auto form = Enr::decode(handshake.record);
  if (!form) return fail(Discv5Error::bad_record);
  if (known != nullptr && form->seq() <= known->record().seq()) return known;
  auto record = VerifiedEnr::verify(*std::move(form));
  if (!record) return fail(Discv5Error::bad_record);
  if (record->node_id() != id) return fail(Discv5Error::wrong_record_identity);
  return std::make_shared<const VerifiedEnr>(*std::move(record));
}

// --- what goes out ---

Header Sessions::make_header(const Nonce& nonce, const Authdata& authdata) {
  Header out{.nonce = nonce, .authdata = authdata};
  rng_.fill(out.masking_iv);
  return out;
}

// The challenge that a packet gets which is not the first of its peer in this second; null where it
// gets one of its own. Its peer knows the challenge by the packet: with that of another one, which
// may be forged, it could do nothing.
const Sessions::Challenge* Sessions::repeatable(Now now, const Unreadable& packet) {
  Challenge* const first = challenges_.find(packet.from);
  const Challenge* const newest = newest_.find(packet.from);
  if (newest != nullptr && newest->nonce == packet.nonce) return newest;
  if (first == nullptr) return nullptr;
  if (first->nonce == packet.nonce) return first;
  const bool is_concurrent = now.mono < first->expires - kChallengeLifetime + kConcurrentPackets;
  if (!is_concurrent || std::exchange(first->answers_two, true)) return nullptr;
  return first;
}

void Sessions::keep(const Peer& peer, Challenge challenge) {
  ++counters_.challenges_made;
  const bool is_first = challenges_.find(peer) == nullptr;
  Challenge* const newest = is_first ? nullptr : newest_.use(peer);
  if (newest != nullptr) {
    *newest = std::move(challenge);
    return;
  }
  auto& challenges = is_first ? challenges_ : newest_;
  if (challenges.insert(peer, std::move(challenge))) ++counters_.challenges_dropped;
}

std::size_t Sessions::make_challenge(Now now, const Unreadable& packet, EnrPtr known,
                                     PacketBuffer& out) noexcept {
  expire(now);
  const Peer& peer = packet.from;
  if (const Challenge* const waiting = repeatable(now, packet)) {
    ++counters_.challenges_repeated;
    return codec_.encode_whoareyou(peer.id, waiting->data, out);
  }
  CHECK(known == nullptr || known->node_id() == peer.id);
  Whoareyou whoareyou{.enr_seq = known == nullptr ? 0 : known->record().seq()};
  rng_.fill(whoareyou.id_nonce);
  Challenge challenge{
      .nonce = packet.nonce, .known = std::move(known), .expires = now.mono + kChallengeLifetime};
  write_header(make_header(packet.nonce, whoareyou), challenge.data);
  const std::size_t size = codec_.encode_whoareyou(peer.id, challenge.data, out);
  keep(peer, std::move(challenge));
  return size;
}

Result<Sealed> Sessions::answer_challenge(const Peer& peer, const crypto::PublicKey& peer_key,
                                          const ChallengeReceived& challenge, ByteView plain,
                                          PacketBuffer& out) noexcept {
  const auto ephemeral = crypto::SecretKey::generate(rng_);
  SessionKeys shared = derive_keys(ephemeral, peer_key, self_, peer.id, challenge.data);
  Keys keys = make_keys(std::move(shared.recipient), std::move(shared.initiator));
  Handshake handshake{.source = self_, .ephemeral_key = ephemeral.public_key().compressed()};
  handshake.id_signature = sign_id(*key_, challenge.data, handshake.ephemeral_key, peer.id);
  if (challenge.whoareyou.enr_seq < local_record_->record().seq() ||
      challenge.whoareyou.enr_seq == 0) {
    handshake.record = local_record_->record().encoded();
  }
  const auto nonce = keys.nonces.next(rng_);
  CHECK(nonce.has_value());
  const auto size = counted(
      codec_.encode_sealed(peer.id, make_header(*nonce, handshake), keys.write.view(), plain, out));
  if (!size) return std::unexpected{size.error()};
  store(peer, std::move(keys));
  ++counters_.challenges_answered;
  return Sealed{*size, *nonce};
}

Result<Sealed> Sessions::seal(const Peer& peer, ByteView plain, PacketBuffer& out) noexcept {
  Session* const session = sessions_.use(peer);
  if (session == nullptr) return counted<Sealed>(fail(Discv5Error::no_session));
  const auto nonce = session->newest.nonces.next(rng_);
  if (!nonce) {
    sessions_.erase(peer);
    return counted<Sealed>(fail(Discv5Error::key_used_up));
  }
  const auto size = counted(codec_.encode_sealed(peer.id, make_header(*nonce, Ordinary{self_}),
                                                 session->newest.write.view(), plain, out));
  if (!size) return std::unexpected{size.error()};
  return Sealed{*size, *nonce};
}

Sealed Sessions::make_random(const Peer& peer, PacketBuffer& out) noexcept {
  Sealed sealed;
  rng_.fill(sealed.nonce);
  ByteArray<kRandomMessageBytes> content{};
  rng_.fill(content);
  const auto size =
      codec_.encode_raw(peer.id, make_header(sealed.nonce, Ordinary{self_}), content, out);
  CHECK(size.has_value());
  sealed.size = *size;
  return sealed;
}

// --- the tables ---

Sessions::Keys Sessions::make_keys(SessionKey read, SessionKey write) const {
  return {std::move(read), std::move(write), NonceCounter{kMaxMessagesPerKey - messages_per_key_}};
}

void Sessions::store(const Peer& peer, Keys keys) {
  if (Session* const session = sessions_.use(peer)) {
    session->previous = std::exchange(session->newest, std::move(keys));
    return;
  }
  if (sessions_.insert(peer, Session{.newest = std::move(keys),
                                     .previous = std::nullopt,
                                     .proven_at = Instant{INT64_MIN}}))
    ++counters_.sessions_dropped;
}

void Sessions::expire(Now now) {
  for (auto* const challenges : {&challenges_, &newest_}) {
    while (!challenges->empty() && now.mono >= challenges->oldest().expires) {
      challenges->drop_oldest();
      ++counters_.challenges_expired;
    }
  }
}

Instant Sessions::next_deadline() const {
  const auto due = [](const auto& challenges) {
    return challenges.empty() ? Instant::never() : challenges.oldest().expires;
  };
  return std::min(due(challenges_), due(newest_));
}

}  // namespace ethnet::discv5
