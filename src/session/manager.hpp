// SessionManager's inside; see session.hpp. Not for other modules.
//
// session.cpp: inputs, outputs, the one exit. handshake.cpp: Claim, Proof, Hello. activation.cpp:
// who is activated, pings, capability streams. memory.cpp: the memory of all.
// An Entry& is valid until something ends that session; every function that may end one says so by
// returning whether it lives, and callers stop when it does not.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <vector>

#include <base/fifo.hpp>
#include <machine/timer_table.hpp>

#include "kept_places.hpp"
#include "registry.hpp"
#include "session.hpp"

namespace ethnet::session {

using Entry = SessionTable::Entry;

// Who brought the end about.
enum class EndedBy : std::uint8_t {
  us,         // say so on the control stream and close the connection
  peer,       // it said so on the control stream; the connection is closed by us
  transport,  // the connection is closed already, by the peer
  failure,    // the connection is closed already, by nobody's will
};

class SessionManager::Impl {
 public:
  Impl(const Config& config, std::shared_ptr<const crypto::SecretKey> key,
       transport::Transport& transport, SecureRng& rng, Log& log, const Gate* gate);

  // session.cpp
  void handle_conn_event(Now now, const transport::ConnEvent& event);
  void handle_job_done(Now now, const JobResult& done);
  void handle_deadline(Now now);
  void set_local(LocalInfo local);
  [[nodiscard]] Result<std::uint64_t> dial(Now now, const Endpoint& remote,
                                           std::optional<NodeId> expected, Purpose purpose);
  [[nodiscard]] Result<void> send(Now now, SessionHandle session, const Capability& capability,
                                  Priority priority, Bytes&& payload);
  void disconnect(Now now, SessionHandle session, DisconnectReason reason);
  void shut_down(Now now);
  [[nodiscard]] std::optional<SessionEvent> poll_event();
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] Instant next_deadline() const { return timers_.next(); }
  [[nodiscard]] const NodeId& local_id() const { return local_id_; }
  [[nodiscard]] const SessionTable& table() const { return table_; }
  [[nodiscard]] std::size_t memory_bytes(SessionHandle session) const;
  [[nodiscard]] static std::size_t accounted_bytes(const Entry& entry);
  [[nodiscard]] transport::ConnStats stats(SessionHandle session) const;
  [[nodiscard]] SessionSnapshot snapshot() const;
  [[nodiscard]] std::optional<std::string_view> exceeded_limit() const;

 private:
  using ReasonCounts = std::array<std::uint64_t, 256>;
  enum class JobKind : std::uint8_t { sign_proof, verify_proof, verify_record };
  struct PendingJob {
    SessionHandle session;
    JobKind kind = JobKind::sign_proof;
  };
  struct Queued {
    SessionEvent event;
    std::size_t lane = 0;  // of a MessageReceived
  };

  // session.cpp
  void on_conn_event(const transport::ConnEvent& event);
  std::optional<SessionHandle> on_job_done(const JobResult& done);
  void on_opened(transport::ConnHandle conn, const transport::Opened& opened);
  void on_closed(Entry& entry, const transport::Closed& closed);
  void on_readable(Entry& entry, transport::StreamId stream);
  [[nodiscard]] bool make_room_for(const IpAddress& ip);
  // Why a dial cannot be begun; an active visit that has to end for it is no reason.
  [[nodiscard]] Result<void> may_dial(const Endpoint& remote, const std::optional<NodeId>& expected,
                                      Purpose purpose);
  void end_visits_to(const Endpoint& remote, const std::optional<NodeId>& expected);
  void refuse_connection(transport::ConnHandle conn, const Endpoint& remote,
                         DisconnectReason reason);
  // The one exit of every entry, whatever its state: tells the peer, closes the connection, drops
  // timers, jobs, streams, queues and budgets, counts, and reports.
  void end(SessionHandle handle, DisconnectReason reason, EndedBy by);
  void drop_messages(SessionHandle handle);
  void report_end(const Entry& entry, DisconnectReason reason, EndedBy by);
  void log_refusal(const Entry& entry, DisconnectReason reason);
  // Writes what the transport has room for.
  void flush(Entry& entry);
  void flush_control(Entry& entry);
  // False when the session ended, because the peer does not read its control stream.
  bool send_frame(Entry& entry, ByteView frame);
  void rearm(Entry& entry);

  // memory.cpp
  // What the entry holds now goes into the sum over all.
  void measure(Entry& entry);
  void measure(transport::ConnHandle conn);
  void measure_all();
  [[nodiscard]] std::size_t seven_eighths() const;
  [[nodiscard]] bool is_memory_short();
  [[nodiscard]] bool is_memory_short_for_a_dial();
  [[nodiscard]] static std::size_t bytes_of(const PeerInfo& info);
  // Ends sessions until the sum is within its limit.
  void shed_memory();
  void shed_to(std::size_t most);
  void watch_shortage();
  [[nodiscard]] std::optional<SessionHandle> next_to_shed(std::size_t most_bytes) const;

  void start_job(Entry& entry, JobKind kind, std::string_view name, std::function<Bytes()> work);
  [[nodiscard]] static std::vector<ReasonCount> nonzero(const ReasonCounts& counts);
  [[nodiscard]] MuxLimits mux_limits() const;

  // handshake.cpp
  void begin_handshake(Entry& entry);
  bool read_control(Entry& entry);
  bool handle_frame(Entry& entry, const Frame& frame);
  bool handle_handshake_frame(Entry& entry, const Frame& frame);
  bool handle_claim(Entry& entry, const Claim& claim);
  bool handle_proof(Entry& entry, const Proof& proof);
  bool handle_hello(Entry& entry, Hello hello);
  bool accept_hello(Entry& entry);
  bool start_proof(Entry& entry);
  bool send_claim(Entry& entry);
  bool send_hello_when_due(Entry& entry);
  bool on_signed(Entry& entry, ByteView signature);
  bool on_verified(Entry& entry, ByteView output);
  bool on_record_verified(Entry& entry, ByteView output);
  [[nodiscard]] transport::Side our_side(const Entry& entry) const;
  [[nodiscard]] bool have_exporter(Entry& entry);
  [[nodiscard]] bool is_full_for(const Entry& entry);
  // It has died without a goodbye, and its place waits for it.
  [[nodiscard]] bool is_missed(const Entry& entry, DisconnectReason reason, EndedBy by) const;
  [[nodiscard]] bool is_for_visits(const Capability& capability) const;
  [[nodiscard]] bool follows_our_forks(const ForkId& remote) const;

  // activation.cpp
  [[nodiscard]] bool we_decide(const Entry& entry) const;
  bool on_ready(Entry& entry);
  // `newcomer` may become a peer, and `twin` is a visit: more was wished.
  [[nodiscard]] static bool outranks(const Entry& newcomer, const Entry& twin);
  // Before activation: where the newcomer may have the twin's place.
  static void inherit_place(Entry& newcomer, const Entry& twin);
  bool join_probe(Entry& active, Entry& newcomer);
  bool send_probe_ping(Entry& active);
  void finish_probe_alive(Entry& active);
  void finish_probe_silent(SessionHandle active);
  void readmit(const std::vector<SessionHandle>& newcomers);
  bool activate_by_us(Entry& entry);
  bool handle_activate(Entry& entry, const Activate& token);
  [[nodiscard]] static bool is_newer(const Entry& entry, const Activate& token, const Entry& old);
  bool become_active(Entry& entry, const Activate& token);
  bool handle_active_frame(Entry& entry, const Frame& frame);
  bool handle_pong(Entry& entry);
  bool send_ping(Entry& entry);
  bool on_active_deadline(Entry& entry);
  [[nodiscard]] Instant active_deadline(const Entry& entry) const;
  bool read_stream(Entry& entry, transport::StreamId stream);

  Config config_;
  std::shared_ptr<const crypto::SecretKey> key_;
  NodeId local_id_;
  transport::Transport& transport_;
  Log& log_;
  const Gate* gate_;
  LocalInfo local_;
  SessionTable table_;
  KeptPlaces kept_places_{config_.max_inbound};
  TimerTable timers_;  // by the session's slot
  Fifo<Queued> events_;
  std::vector<Delivered> delivered_;  // by the read under way; kept for its memory
  std::deque<Job> jobs_;
  std::map<std::uint64_t, PendingJob> pending_jobs_;
  std::uint64_t next_job_id_ = 1;
  std::uint64_t next_dial_id_ = 1;
  Activate last_token_;
  std::uint64_t last_hello_ = 0;
  Now now_;  // of the last input: one Now serves an input and its whole drain
  bool shut_down_ = false;
  std::size_t charged_bytes_ = 0;  // the sum over all entries
  Instant short_since_ = Instant::never();
  std::uint64_t opened_ = 0;
  std::uint64_t messages_in_ = 0;
  std::uint64_t messages_out_ = 0;
  ReasonCounts refused_inbound_{};
  ReasonCounts refused_outbound_{};
  ReasonCounts closed_{};
};

}  // namespace ethnet::session
