// SessionTable: every connection that is, or is on its way to be, a session; one active session for
// each authenticated identity, over all transports.
// Spec: docs/spec/session.md, "One session per identity".
//
//   add_dial -> Dialing -> on_opened --+
//   add_inbound ----------------------> Handshaking -> on_proven -> Proven -> activate -> Active
//   release, from any of them -> Closing (the transport's close is under way) -> on_closed
//
// A place is inbound or outbound, as the connection is; but a session that takes over from one of
// the same identity takes over its place, so that a replacement never needs a free one. A visit
// takes no such place: it keeps its pending one, and may have to make way there.
// Counts are the sizes of sets. release() is the only exit: it drops everything that belongs to the
// entry at once. Until its proof an entry is known by its address alone; nothing that a peer says
// before changes an index here. Single-threaded. Limits are the caller's (Config); the table is as
// large as what was added.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include <base/instant.hpp>
#include <base/slab.hpp>
#include <base/token_bucket.hpp>
#include <transport/conn.hpp>
#include <types/endpoint.hpp>
#include <types/hash.hpp>

#include "capability.hpp"
#include "control.hpp"
#include "id_proof.hpp"
#include "mux.hpp"
#include "session.hpp"
#include "stall_clock.hpp"

namespace ethnet::session {

enum class SessionState : std::uint8_t { dialing, handshaking, proven, active };
inline constexpr std::size_t kSessionStates = 4;

inline constexpr std::int64_t kPingBurst = 5;     // a peer that sends more is disconnected
inline constexpr std::int64_t kOwnPingBurst = 4;  // ours, so that jitter does not make it five
inline constexpr Duration kPingRefill = seconds(1);
inline constexpr std::size_t kMaxControlQueueBytes =
    16 * 1024;  // frames the transport has no room for

// The control stream of one connection.
struct ControlChannel {
  std::optional<transport::StreamId> stream;
  FrameReader reader;
  Bytes out;  // not taken by the transport yet
  StallClock stall;
  TokenBucket pings_in{kPingBurst, kPingRefill};
  TokenBucket pings_out{kOwnPingBurst, kPingRefill};
  std::uint64_t pings_sent = 0;
  std::uint64_t pongs_received = 0;
  Instant oldest_ping;  // of those not answered
  Instant last_heard;
};

// What has been said on the way to Active; gone afterwards.
struct Handshake {
  std::optional<Exporter> exporter;
  std::optional<Claim> claim;  // the peer's
  std::optional<ProofVerifier> verifier;
  std::optional<Hello> hello;       // the peer's
  std::vector<Capability> offered;  // what our Hello said
  std::vector<Capability> agreed;
  bool claim_sent = false;
  bool proof_started = false;
  bool proof_sent = false;
  bool hello_sent = false;
  bool visit = false;                     // nothing was agreed that needs a peer's place
  bool ready = false;                     // both Hellos said and accepted
  bool paused = false;                    // a job judges the last frame; the next one waits
  std::size_t hello_bytes = 0;            // that the peer's Hello takes, once it is there
  std::set<transport::StreamId> streams;  // the peer's, opened before activation, unread
};

// An arbiter's check of a session whose twin has shown up.
struct Probe {
  std::vector<SessionHandle> newcomers;  // in the order in which they became ready
  bool ping_sent = false;
  Instant ping_at;  // when our own bucket allows it
  std::uint64_t pongs_wanted = 0;
  Instant deadline;
};

// Made by SessionTable::activate alone (nobody else can make the Passkey), and there from an
// AuthenticatedPeer.
class ActiveSession {
 public:
  class Passkey {
    friend class SessionTable;
    Passkey() = default;
  };
  ActiveSession(Passkey, const AuthenticatedPeer& peer, PeerInfo peer_info, const MuxLimits& limits,
                const Activate& token)
      : info{std::move(peer_info)},
        writer{info.agreed, limits},
        reader{info.agreed, limits},
        peer_{peer},
        token_{token} {}

  [[nodiscard]] const AuthenticatedPeer& peer() const { return peer_; }
  [[nodiscard]] const Activate& token() const { return token_; }

  PeerInfo info;
  MuxWriter writer;
  MuxReader reader;
  std::optional<Probe> probe;
  Instant last_message;         // of the last that came or went
  std::size_t hello_bytes = 0;  // of what the peer's Hello left behind

 private:
  AuthenticatedPeer peer_;
  Activate token_;
};

// Who a stranger is taken to be: an IPv4 address, or an IPv6 /64 (its first address), which is the
// least that one subscriber has.
[[nodiscard]] IpAddress stranger_prefix(const IpAddress& ip);
// Of how many such: an IPv4 /24, or an IPv6 /48 (their first addresses), which one who pays for it
// has. Without it 65,536 subnets of one site would be as many strangers.
[[nodiscard]] IpAddress stranger_net(const IpAddress& ip);

class SessionTable {
 public:
  class Entry {
   public:
    [[nodiscard]] SessionHandle handle() const { return handle_; }
    [[nodiscard]] SessionState state() const { return state_; }
    [[nodiscard]] transport::ConnHandle conn() const { return conn_; }
    [[nodiscard]] bool inbound() const { return inbound_; }
    [[nodiscard]] bool needs_inbound_place() const { return inbound_place_; }
    // Active, and one that takes no peer's place.
    [[nodiscard]] bool is_visit() const { return visit_; }
    // We dialled it, to visit.
    [[nodiscard]] bool is_visit_of_ours() const { return purpose_ == Purpose::visit; }
    // Of all entries ever added; the later, the greater.
    [[nodiscard]] std::uint64_t order() const { return order_; }
    // Before activation: `twin` is of the same identity (CHECKed) and may have to make way.
    void take_place_of(const Entry& twin);
    [[nodiscard]] const std::optional<AuthenticatedPeer>& peer() const { return peer_; }
    [[nodiscard]] std::optional<NodeId> proven_id() const {
      return peer_ ? std::optional{peer_->id()} : std::nullopt;
    }
    [[nodiscard]] ActiveSession* active() { return active_.get(); }
    [[nodiscard]] const ActiveSession* active() const { return active_.get(); }

    Endpoint remote;  // may change while active
    std::optional<NodeId> expected;
    std::uint64_t dial_id = 0;
    Instant started;
    std::uint64_t hello_order = 0;  // of the Hellos that we sent, over all connections
    ControlChannel control;
    std::unique_ptr<Handshake> handshake = std::make_unique<Handshake>();
    std::set<std::uint64_t> jobs;   // under way for this connection
    std::size_t charged_bytes = 0;  // to the memory of all sessions, when last measured

   private:
    friend class SessionTable;
    SessionHandle handle_;
    SessionState state_ = SessionState::handshaking;
    transport::ConnHandle conn_;
    bool inbound_ = false;
    bool inbound_place_ = false;  // which of the two kinds of places it takes
    bool visit_ = false;
    Purpose purpose_ = Purpose::peer;
    std::uint64_t order_ = 0;
    Endpoint first_remote_;  // the key of the address indexes
    std::optional<AuthenticatedPeer> peer_;
    std::unique_ptr<ActiveSession> active_;
  };

  Entry& add_dial(transport::ConnHandle conn, const Endpoint& remote,
                  std::optional<NodeId> expected, Purpose purpose, std::uint64_t dial_id,
                  Instant started);
  Entry& add_inbound(transport::ConnHandle conn, const Endpoint& remote, Instant started);
  // A connection that is refused before it had an entry.
  void add_closing(transport::ConnHandle conn) { closing_.insert(conn); }

  void on_opened(Entry& entry);
  void on_proven(Entry& entry, const AuthenticatedPeer& peer);
  // `info.visit` says which kind it is. CHECK: proven, and no other session of this identity is
  // active.
  ActiveSession& activate(Entry& entry, PeerInfo info, const MuxLimits& limits,
                          const Activate& token);
  // The one exit. The entry is gone afterwards; `closing`: the transport still owes a Closed event.
  void release(SessionHandle handle, bool closing);
  void on_closed(transport::ConnHandle conn) { closing_.erase(conn); }

  [[nodiscard]] Entry* find(SessionHandle handle) { return entries_.find(handle); }
  [[nodiscard]] const Entry* find(SessionHandle handle) const { return entries_.find(handle); }
  [[nodiscard]] Entry* find(transport::ConnHandle conn);
  [[nodiscard]] Entry* find_index(std::uint32_t index);
  [[nodiscard]] Entry* active_of(const NodeId& id);
  [[nodiscard]] const Entry* active_of(const NodeId& id) const;

  // A dial that is not active yet, to this address or for this identity.
  [[nodiscard]] bool is_dialing(const Endpoint& remote) const;
  [[nodiscard]] bool is_dialing(const NodeId& expected) const;
  // Such a dial, or an active visit that we dialled there.
  [[nodiscard]] const Entry* dialled(const Endpoint& remote) const;

  [[nodiscard]] const std::set<SessionHandle>& in(SessionState state) const {
    return by_state_[static_cast<std::size_t>(state)];
  }
  // Active sessions that take a peer's place: all, those in inbound places, and the others.
  [[nodiscard]] std::size_t peers() const {
    return in(SessionState::active).size() - visits_.size();
  }
  [[nodiscard]] std::size_t active_inbound() const { return active_inbound_.size(); }
  [[nodiscard]] std::size_t active_outbound() const { return peers() - active_inbound_.size(); }
  [[nodiscard]] std::size_t visits() const { return visits_.size(); }
  // That we dialled, active or not yet.
  [[nodiscard]] std::size_t visits_of_ours() const { return visits_of_ours_.size(); }
  // In pending places: what is not active yet, and visits.
  [[nodiscard]] std::size_t pending() const;
  [[nodiscard]] std::size_t pending_inbound() const { return pending_inbound_.size(); }
  // Inbound, from the same prefix as `ip`.
  [[nodiscard]] std::size_t pending_from(const IpAddress& ip) const;
  [[nodiscard]] std::size_t pending_from_net(const IpAddress& ip) const;
  // Whose pending place a newcomer from `ip` may have: one of the net with the most, if the
  // newcomer's net has fewer; otherwise one of its own net. A flood from few nets or prefixes
  // displaces itself alone.
  [[nodiscard]] std::optional<SessionHandle> displaced_by(const IpAddress& ip) const;
  // Within the newcomer's net: the oldest of the prefix with the most, if its own has fewer.
  [[nodiscard]] std::optional<SessionHandle> displaced_in_net_by(const IpAddress& ip) const;
  // The oldest inbound visit from the prefix of `ip`.
  [[nodiscard]] std::optional<SessionHandle> oldest_visit_from(const IpAddress& ip) const;
  [[nodiscard]] std::size_t closing() const { return closing_.size(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  template <class F>
  void for_each(F&& f) const {
    entries_.for_each(std::forward<F>(f));
  }

 private:
  Entry& add(transport::ConnHandle conn, const Endpoint& remote, bool inbound, SessionState state,
             Instant started);
  void move_to(Entry& entry, SessionState state);
  void forget_pending(Entry& entry);

  Slab<Entry, SessionTag> entries_;
  std::vector<SessionHandle> by_index_;  // the newest handle of each slot
  std::unordered_map<transport::ConnHandle, SessionHandle, HandleHash> by_conn_;  // never iterated
  std::array<std::set<SessionHandle>, kSessionStates> by_state_;
  std::map<NodeId, SessionHandle> active_;
  std::set<SessionHandle> active_inbound_;
  std::set<SessionHandle> visits_;
  std::set<SessionHandle> visits_of_ours_;
  std::map<Endpoint, SessionHandle> dials_;
  std::set<SessionHandle> pending_inbound_;
  // Inbound, by net and prefix; each prefix's by age.
  using Prefix = std::map<std::uint64_t, SessionHandle>;
  struct Net {
    std::map<IpAddress, Prefix> prefixes;
    std::size_t size = 0;
  };
  // The one with the most, of equals the one with the oldest.
  [[nodiscard]] static const Prefix& most_crowded(const Net& net);
  std::map<IpAddress, Net> pending_by_net_;
  std::uint64_t added_ = 0;
  std::set<transport::ConnHandle> closing_;
};

}  // namespace ethnet::session
