// SessionManager: the machine that turns connections of any transport into authenticated sessions,
// one for each identity, and carries the protocols' messages over them.
// Spec: docs/spec/session.md.
//
//   transport's ConnEvents -> handle_conn_event -> id proof (Jobs) -> Hello -> Activate
//     -> SessionOpened ; MessageReceived ... ; SessionClosed
//   send() -> Mux -> Transport::write
//
// It calls the Transport it was given (open_stream, write, read, consume, close, export_key), which
// never calls back. Threading: one thread, the owner's. Inputs are noexcept. Outputs are pulled
// until empty: poll_event, poll_job, next_deadline.
//
// Limits: Config; kMax... in capability.hpp, control.hpp and mux.hpp. They bound what a peer can
// make us hold: before its proof one entry counted by address, afterwards one session and its
// budgets.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <base/instant.hpp>
#include <base/log.hpp>
#include <base/secure_rng.hpp>
#include <crypto/secp256k1.hpp>
#include <machine/concepts.hpp>
#include <transport/conn.hpp>
#include <types/fork_id.hpp>
#include <types/hash.hpp>

#include "capability.hpp"
#include "disconnect.hpp"

namespace ethnet::session {

struct Config {
  std::size_t max_peers = 50;  // active sessions
  // Of them, started by the peer; one that replaces a session which we had started keeps its place.
  std::size_t max_inbound = 40;
  std::size_t max_pending = 256;            // connections that are not active yet, both directions
  std::size_t max_pending_inbound = 192;    // of them, inbound: strangers leave room for our dials
  std::size_t max_pending_per_prefix = 32;  // inbound ones from one IPv4 address or IPv6 /64
  std::size_t max_pending_per_net = 128;    // inbound ones from one IPv4 /24 or IPv6 /48
  Duration handshake_timeout = seconds(5);  // from the connection's start to Active
  Duration probe_timeout = seconds(2);      // for a sign of life when a twin shows up
  Duration ping_interval = seconds(15);     // of silence before a ping
  Duration ping_timeout = seconds(20);      // for the answer to it
  Duration write_timeout = seconds(20);     // for progress of what is queued for a peer
  std::size_t out_budget_bytes = 4 * 1024 * 1024;  // queued, per session and capability
  std::size_t out_budget_messages = 1024;
  std::size_t in_budget_bytes = 4 * 1024 * 1024;  // delivered and not yet polled, likewise
  std::size_t in_budget_messages = 256;
  // Of all sessions: their queues and half-received messages, what their Hellos said, and their
  // connections' buffers. At
  // seven eighths no handshake begins, for 10 s at most if we dial; then, and above the limit,
  // sessions are shed (see memory.cpp).
  std::size_t max_memory_bytes = 256 * 1024 * 1024;
  bool require_same_genesis = true;
  // Names of capabilities that need no peer's place: a session that agrees on nothing else is a
  // visit (docs/spec/session.md, "Visits").
  std::vector<std::string> visit_capabilities;
  std::size_t max_visits = 16;                // that we started, from the dial on
  Duration visit_idle_timeout = seconds(10);  // without a message; then a visit ends
  // Identities that get a place beyond max_peers and max_inbound, once they have proven that they
  // are these; kMaxTrusted at most.
  std::set<NodeId> trusted;
};

inline constexpr std::size_t kMaxTrusted = 256;  // as many as static peers: the operator names them

// Who is not let in, whoever else is. Asked when an identity is proven, never before: what a
// stranger claims harms nobody. A pure question; it never calls back.
class Gate {
 public:
  Gate() = default;
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  virtual ~Gate() = default;
  // Why this one has to stay out; nothing when it may come.
  [[nodiscard]] virtual std::optional<DisconnectReason> refuses(Now now,
                                                                const NodeId& id) const = 0;
};

// What we want of the one that we dial.
enum class Purpose : std::uint8_t {
  peer,   // all that we have in common
  visit,  // Config::visit_capabilities alone, and for a short time
};

// What our Hello says.
struct LocalInfo {
  std::string client;  // at most kMaxClientBytes, printable ASCII
  std::vector<Capability> capabilities;
  Hash32 genesis;
  ForkId fork_id;
  Hash32 head_hash;
  std::uint64_t head_number = 0;
  Bytes enr;  // signed record, RLP; empty when there is none
  // Not said, but what a peer's fork id is judged by (EIP-2124); without a schedule any is taken.
  std::shared_ptr<const ForkSchedule> forks;
  std::uint64_t head_time = 0;
};

// What a proven peer's Hello said.
struct PeerInfo {
  NodeId id;
  Endpoint remote;
  bool inbound = false;
  bool visit = false;              // takes no peer's place, and ends when it is idle
  std::string client;              // sanitised
  std::vector<Capability> agreed;  // ordered by name
  Hash32 genesis;
  ForkId fork_id;
  Hash32 head_hash;
  std::uint64_t head_number = 0;
  Bytes enr;          // verified and of this identity, or empty
  Instant connected;  // when the session became active
};

struct SessionOpened {
  SessionHandle session;
  PeerInfo peer;
  std::uint64_t dial_id = 0;  // of the dial() that it came of; 0: of none
};
// The handle is void; nothing more comes from this session, also nothing that was queued.
struct SessionClosed {
  SessionHandle session;
  NodeId id;
  DisconnectReason reason = DisconnectReason::requested;
  bool by_peer = false;
};
struct MessageReceived {
  SessionHandle session;
  Capability capability;
  Bytes payload;
};
// An active session goes on from another address of the peer, which the transport has validated.
struct SessionMoved {
  SessionHandle session;
  Endpoint remote;
};
// send() said would_block for this capability, and half of its budget is free again.
struct SessionWritable {
  SessionHandle session;
  Capability capability;
};
// A dial that did not become an active session. Exactly one of DialFailed or SessionOpened follows
// a successful dial().
struct DialFailed {
  std::uint64_t dial_id = 0;
  Endpoint remote;
  std::optional<NodeId> expected;
  std::optional<NodeId> proven;  // who it was, where that was proven
  DisconnectReason reason = DisconnectReason::transport_error;
  bool by_peer = false;
};
// A connection that we did not let become a session, in either direction.
struct SessionRefused {
  DisconnectReason reason = DisconnectReason::requested;
  bool inbound = false;
  Endpoint remote;
  std::optional<NodeId> proven;
};
using SessionEvent = std::variant<SessionOpened, SessionClosed, MessageReceived, SessionWritable,
                                  SessionMoved, DialFailed, SessionRefused>;

// Sizes of the tables and counts since the start.
struct ReasonCount {
  DisconnectReason reason = DisconnectReason::requested;
  std::uint64_t count = 0;
};
struct SessionSnapshot {
  std::size_t dialing = 0;
  std::size_t handshaking = 0;
  std::size_t proven = 0;
  std::size_t active_inbound = 0;   // peers
  std::size_t active_outbound = 0;  // likewise
  std::size_t visits = 0;           // active ones, both directions
  std::size_t closing = 0;
  std::size_t queued_events = 0;
  std::size_t pending_jobs = 0;
  std::size_t timers = 0;
  // What our queues and half-received messages hold, what the connections' buffers do, the sum of
  // the two, and the most that the sum may be (Config::max_memory_bytes).
  std::size_t accounted_bytes = 0;
  std::size_t transport_bytes = 0;
  std::size_t memory_bytes = 0;
  std::size_t memory_limit_bytes = 0;
  std::uint64_t opened = 0;
  std::uint64_t messages_in = 0;
  std::uint64_t messages_out = 0;
  std::vector<ReasonCount> refused_inbound;  // before activation, by us; none with count 0
  std::vector<ReasonCount> refused_outbound;
  std::vector<ReasonCount> closed;  // active sessions, by either side
};

class SessionManager {
 public:
  // Without a gate everybody is let in. It must outlive the manager.
  SessionManager(const Config& config, std::shared_ptr<const crypto::SecretKey> key,
                 transport::Transport& transport, SecureRng& rng, Log& log,
                 const Gate* gate = nullptr);
  ~SessionManager();
  SessionManager(const SessionManager&) = delete;
  SessionManager& operator=(const SessionManager&) = delete;

  // Inputs.
  void handle_conn_event(Now now, const transport::ConnEvent& event) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  void handle_deadline(Now now) noexcept;

  // What Hellos say from now on. Capabilities must be within the limits (CHECKed).
  void set_local(Now now, LocalInfo local);
  // Starts a connection and gives the id that DialFailed will carry. To become a peer of whom we
  // only visit ends the visit. Errors: self_connection, already_connected, already_dialing,
  // too_many_peers, too_many_visits, pending_limit, memory_limit, transport, shut_down.
  [[nodiscard]] Result<std::uint64_t> dial(Now now, const Endpoint& remote,
                                           std::optional<NodeId> expected,
                                           Purpose purpose = Purpose::peer);
  // Queues one message. Errors: unknown_session, not_agreed, would_block (SessionWritable follows),
  // too_large. The payload is taken only on success.
  [[nodiscard]] Result<void> send(Now now, SessionHandle session, const Capability& capability,
                                  Priority priority, Bytes&& payload);
  // Ends a session; SessionClosed follows. Nothing happens when the handle is void.
  void disconnect(Now now, SessionHandle session, DisconnectReason reason);
  // Ends everything with `quitting` and refuses what comes.
  void shut_down(Now now);

  // Outputs, pulled until empty.
  [[nodiscard]] std::optional<SessionEvent> poll_event();
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] Instant next_deadline() const;

  // Queries.
  [[nodiscard]] const NodeId& local_id() const;
  [[nodiscard]] const PeerInfo* find(SessionHandle session) const;          // active sessions only
  [[nodiscard]] std::optional<SessionHandle> find(const NodeId& id) const;  // likewise
  [[nodiscard]] bool is_dialing(const Endpoint& remote) const;
  [[nodiscard]] std::size_t session_count() const;  // active, visits included
  [[nodiscard]] std::size_t peer_count() const;     // active, without visits
  [[nodiscard]] std::size_t inbound_peer_count() const;
  [[nodiscard]] std::vector<SessionHandle> sessions() const;  // active, in a fixed order
  // Bytes of one session in queues and half-received messages, with its connection's buffers.
  [[nodiscard]] std::size_t memory_bytes(SessionHandle session) const;
  // What its connection has moved; all 0 when the handle is of no active session.
  [[nodiscard]] transport::ConnStats stats(SessionHandle session) const;
  [[nodiscard]] SessionSnapshot snapshot() const;
  // The name of a table or queue that is over its limit; for Checked<> and tests.
  [[nodiscard]] std::optional<std::string_view> exceeded_limit() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ethnet::session
