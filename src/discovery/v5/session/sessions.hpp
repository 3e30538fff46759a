// Sessions of Node Discovery v5.1 (devp2p, discv5-theory.md, "Sessions"): who is who, and under
// which keys. A table without I/O: packets, times and entropy are inputs; packets to send are
// written into the caller's buffer. What is asked and answered, and by whom, is the engine's.
//
//   handle_packet   MessageReceived   of a session, or of a handshake, which makes one
//                   Unreadable        -> make_challenge(), with the record that we have of it
//                   ChallengeReceived -> answer_challenge(), if its nonce is of a packet of ours
//   seal            a message under the keys of a session; where there is none: make_random(),
//                   which the peer answers by a challenge
//
// A session and a challenge belong to an identity *and* an endpoint: nobody inherits one by a
// forged address or by an old one. A forged packet ends nothing: keys are replaced only by a
// handshake that proved the identity, and a handshake that fails leaves the challenge,
// kMaxHandshakeTries times. Nor does it keep the peer out: a challenge names the packet that it
// answers, and of one peer the first and the newest are kept. Two generations of keys are read, so
// that two handshakes that cross, or a packet that is under way while one ends, cost no third.
//
// Towards an address that proved nothing we send WHOAREYOU alone, 63 bytes for at least 71 + 16.
// Every refusal is counted by its error. One thread. Limits: ../limits.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <variant>

#include <base/instant.hpp>
#include <base/lru_map.hpp>
#include <base/secure_rng.hpp>
#include <base/sip_hash.hpp>
#include <crypto/secp256k1.hpp>
#include <types/endpoint.hpp>
#include <types/enr.hpp>

#include "../wire/packet.hpp"
#include "handshake.hpp"
#include "nonce_counter.hpp"

namespace ethnet::discv5 {

using EnrPtr = std::shared_ptr<const VerifiedEnr>;

struct Peer {
  NodeId id;
  Endpoint at;
  friend bool operator==(const Peer&, const Peer&) = default;
};

// Views live as long as the packet that was handled.
struct MessageReceived {
  Peer from;
  ByteView plain;
  // After a handshake: the record that proved the identity, theirs or the one that we had.
  EnrPtr established{};
  Nonce nonce{};  // of its packet
};
// An ordinary packet under no key that we have; asks for a challenge.
struct Unreadable {
  Peer from;
  Nonce nonce{};
};
struct ChallengeReceived {
  Endpoint from;
  Nonce nonce{};  // of the packet of ours that it answers
  Whoareyou whoareyou;
  ByteView data;  // challenge-data
};
using Received = std::variant<MessageReceived, Unreadable, ChallengeReceived>;

// A packet in the caller's buffer: its first `size` bytes.
struct Sealed {
  std::size_t size = 0;
  Nonce nonce{};
};

// Tests lower them.
struct SessionLimits {
  std::size_t sessions = kMaxDiscv5Sessions;
  std::size_t challenges = kMaxPendingChallenges;
  std::uint64_t messages_per_key = kMaxMessagesPerKey;
};

struct SessionCounters {
  std::uint64_t messages = 0;             // read under the keys of a session
  std::uint64_t handshakes_accepted = 0;  // made a session, of which the peer proved its identity
  std::uint64_t challenges_answered = 0;  // made a session that the peer has not used yet
  std::uint64_t challenges_made = 0;
  std::uint64_t challenges_repeated = 0;
  std::uint64_t challenges_dropped = 0;  // the oldest, at kMaxPendingChallenges
  std::uint64_t challenges_expired = 0;
  std::uint64_t challenges_spoilt = 0;  // by kMaxHandshakeTries that failed
  std::uint64_t sessions_dropped = 0;   // not used for longest, at kMaxDiscv5Sessions
  std::array<std::uint64_t, kDiscv5Errors> refusals{};

  [[nodiscard]] std::uint64_t refused(Discv5Error why) const {
    return refusals.at(std::to_underlying(why));
  }
};

class Sessions {
 public:
  Sessions(std::shared_ptr<const crypto::SecretKey> key, EnrPtr local_record, SecureRng& rng,
           const SessionLimits& limits = {});
  // The same identity (CHECK), another record.
  void set_local_record(EnrPtr record);
  [[nodiscard]] const NodeId& self() const { return self_; }

  // The header of a datagram, for whoever decides by it whether the rest is worth the work. Errors:
  // those of PacketCodec::decode, and own_identity.
  [[nodiscard]] Result<Packet> decode(ByteView datagram, PacketBuffer& buffer) noexcept;
  // What it means. Errors: of sessions in Discv5Error, all of them of handshakes.
  [[nodiscard]] Result<Received> handle_packet(Now now, const Endpoint& remote,
                                               const Packet& packet) noexcept;
  // Drops what is over.
  void handle_deadline(Now now) noexcept { expire(now); }
  [[nodiscard]] Instant next_deadline() const;

  // The WHOAREYOU for an unreadable packet; within kChallengeLifetime the same one again, and
  // within kConcurrentPackets for one other packet of this peer too.
  // `known`: the record that we have of this identity (CHECK), or null.
  std::size_t make_challenge(Now now, const Unreadable& packet, EnrPtr known,
                             PacketBuffer& out) noexcept;
  // The handshake for a challenge, with the message that it is about; makes the session. `peer_key`
  // is that of the peer's record. The caller has seen that the challenge answers a packet which it
  // sent to `peer`. Error: message_does_not_fit.
  [[nodiscard]] Result<Sealed> answer_challenge(const Peer& peer, const crypto::PublicKey& peer_key,
                                                const ChallengeReceived& challenge, ByteView plain,
                                                PacketBuffer& out) noexcept;
  // Errors: no_session, message_does_not_fit, key_used_up, after which there is no session.
  [[nodiscard]] Result<Sealed> seal(const Peer& peer, ByteView plain, PacketBuffer& out) noexcept;
  // A packet that nobody can read.
  Sealed make_random(const Peer& peer, PacketBuffer& out) noexcept;

  [[nodiscard]] bool has_session(const Peer& peer) { return sessions_.find(peer) != nullptr; }
  // It answered a question of ours, from there.
  void prove(Now now, const Peer& peer) {
    if (Session* const session = sessions_.find(peer)) session->proven_at = now.mono;
  }
  // Within kSessionProofLifetime.
  [[nodiscard]] bool is_proven(Now now, const Peer& peer) {
    const Session* const session = sessions_.find(peer);
    return session != nullptr && session->proven_at + kSessionProofLifetime > now.mono;
  }
  // How many a handshake of this peer is tried with: with none it costs us no more than a look.
  [[nodiscard]] std::size_t challenges_of(const Peer& peer) {
    return (challenges_.find(peer) != nullptr ? 1U : 0U) +
           (newest_.find(peer) != nullptr ? 1U : 0U);
  }
  // Of a peer that has gone, or that broke the protocol.
  void forget(const Peer& peer) noexcept { sessions_.erase(peer); }

  [[nodiscard]] const SessionCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }
  [[nodiscard]] std::size_t challenges() const { return challenges_.size() + newest_.size(); }

 private:
  struct PeerHash {
    SipKey key;
    std::size_t operator()(const Peer& peer) const noexcept;
  };
  struct Keys {
    SessionKey read;
    SessionKey write;
    NonceCounter nonces;
  };
  struct Session {
    Keys newest;  // of what we send
    std::optional<Keys> previous;
    Instant proven_at{INT64_MIN};
  };
  struct Challenge {
    Nonce nonce{};  // of the packet that it answers
    ChallengeData data{};
    EnrPtr known{};
    Instant expires{};
    std::uint32_t failed = 0;
    bool answers_two = false;  // packets of its peer
  };

  [[nodiscard]] Result<Received> read_message(const Peer& peer, const Packet& packet);
  [[nodiscard]] Result<Received> accept_handshake(Now now, const Peer& peer, const Packet& packet,
                                                  const Handshake& handshake);
  [[nodiscard]] Result<Received> judge_handshake(const Peer& peer, const Packet& packet,
                                                 const Handshake& handshake,
                                                 const Challenge& challenge);
  [[nodiscard]] Result<EnrPtr> judge_record(const NodeId& id, const Handshake& handshake,
                                            const EnrPtr& known) const;
  [[nodiscard]] Header make_header(const Nonce& nonce, const Authdata& authdata);
  [[nodiscard]] Keys make_keys(SessionKey read, SessionKey write) const;
  [[nodiscard]] const Challenge* repeatable(Now now, const Unreadable& packet);
  void keep(const Peer& peer, Challenge challenge);
  void store(const Peer& peer, Keys keys);
  void expire(Now now);
  // Counts what is refused.
  template <class T>
  [[nodiscard]] Result<T> counted(Result<T> result);

  std::shared_ptr<const crypto::SecretKey> key_;
  EnrPtr local_record_;
  NodeId self_;
  SecureRng& rng_;
  std::uint64_t messages_per_key_;
  PacketCodec codec_;
  LruMap<Peer, Session, PeerHash> sessions_;
  PeerHash challenge_hash_;
  // In the order in which they were made: of each peer the first, and beside it the newest.
  LruMap<Peer, Challenge, PeerHash> challenges_;
  LruMap<Peer, Challenge, PeerHash> newest_;
  SessionCounters counters_;
};

}  // namespace ethnet::discv5
