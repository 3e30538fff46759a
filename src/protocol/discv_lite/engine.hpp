// The discv-lite/0.1 engine: carries the questions and answers of discovery/lite over sessions.
// A machine: sans-I/O, one thread. Shape as mini_sync::Engine.
//
// Flow of an answer
//   message   code and request id are read: is it what we asked this session for, and not larger?
//   decode    strict; at most 16 records of 300 bytes
//   judge     records that are not known byte for byte leave as a Job: are their signatures right?
//             One that is not ends the session: who passes on a record has judged it.
//   discovery lite::Discovery: table, look-ups, vote; what it wishes for comes out as events
//
// The node routes: SessionOpened (of sessions that agreed on discv-lite, and no others)/Closed/
// MessageReceived/SessionWritable in, Outgoing to the session; ContactWanted is answered by a
// session or by handle_contact_failed. Limits: limits.hpp. Spec: docs/spec/discv-lite.md.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <variant>
#include <vector>

#include <base/instant.hpp>
#include <base/log.hpp>
#include <base/prng.hpp>
#include <base/ring.hpp>
#include <base/token_bucket.hpp>
#include <discovery/kbucket/record_cache.hpp>
#include <discovery/kbucket/scope.hpp>
#include <discovery/lite/discovery.hpp>
#include <machine/concepts.hpp>
#include <session/capability.hpp>
#include <session/requests.hpp>

#include "limits.hpp"
#include "messages.hpp"

namespace ethnet::discv_lite {

inline constexpr std::string_view kCapability = "discv-lite/0.1";

using kbucket::RecordPtr;
using kbucket::Scope;
using lite::ContactFailure;
using lite::ContactWanted;
using lite::LookupDone;
using lite::NodeSeen;
using lite::OwnAddress;
using session::Priority;
using session::SessionHandle;

struct Outgoing {
  SessionHandle session;
  Priority priority = Priority::normal;
  Bytes payload;
};

// What the session proved and agreed on.
struct PeerLink {
  NodeId id;
  Endpoint remote;
  bool inbound = false;
  Bytes enr;  // of this identity, or empty
};

enum class Misbehaviour : std::uint8_t {
  malformed_message,     // does not decode
  unsolicited_response,  // no such request, or answered already
  oversized_response,    // more records than an answer may hold
  bad_record,            // a record with a wrong signature, or no record
  too_many_requests,
};
[[nodiscard]] std::string_view describe(Misbehaviour what);

// To the node: close this session.
struct PeerMisbehaved {
  SessionHandle session;
  Misbehaviour what = Misbehaviour::malformed_message;
};

// To the node: nothing was said here for a while, or its place is needed. Close the session if
// discv-lite is all that it carries; what it carries besides keeps it.
struct SessionIdle {
  SessionHandle session;
};

using Event =
    std::variant<ContactWanted, SessionIdle, NodeSeen, LookupDone, OwnAddress, PeerMisbehaved>;

struct Counters {
  std::uint64_t requests_sent = 0;
  std::uint64_t requests_served = 0;
  std::uint64_t records_served = 0;
  std::uint64_t answers_decoded = 0;  // to requests of ours, and not larger than allowed
  std::uint64_t timeouts = 0;
  std::uint64_t late_answers = 0;
  std::uint64_t misbehaved = 0;
  std::uint64_t records_known = 0;   // judged before, byte for byte
  std::uint64_t records_judged = 0;  // by a Job
  std::uint64_t records_without_endpoint = 0;
  std::uint64_t judgements_refused = 0;  // beyond kMaxJudgingRecords
};

class Engine {
 public:
  Engine(Now now, const NodeId& self, Prng prng, Log& log);

  // Nodes of these networks alone are known. Before the first input.
  void restrict_to(NetList nets) { discovery_.restrict_to(std::move(nets)); }

  // Our own record as peers of this scope may see it; `special` is for one without any address.
  // A peer gets the record of its scope, else the WAN's, else that one.
  void set_local_record(Scope scope, const VerifiedEnr& record);
  // After set_local_record() of a running node: peers are told that there is a newer one.
  void handle_local_record_changed(Now now) noexcept;
  // Our address as the configuration knows it: no vote has to find it.
  void set_own_address(const Endpoint& endpoint) { discovery_.vote().set(endpoint); }
  void add_boot_node(const VerifiedEnr& record);
  void add_boot_node(const Endpoint& endpoint) { discovery_.add_boot_node(endpoint); }
  // The file of an earlier run. Errors: those of decode_saved_nodes; then nothing was taken.
  [[nodiscard]] Result<void> restore(Now now, ByteView file);
  [[nodiscard]] Bytes save() const { return kbucket::encode(discovery_.save()); }
  // The number that LookupDone will bear; 0 when too many run.
  std::uint64_t start_lookup(Now now, const NodeId& target) noexcept;

  void handle_session_opened(Now now, SessionHandle session, const PeerLink& peer) noexcept;
  void handle_session_closed(Now now, SessionHandle session) noexcept;
  // The peer is at another address now.
  void handle_session_moved(Now now, SessionHandle session, const Endpoint& remote) noexcept;
  void handle_message(Now now, SessionHandle session, ByteView payload) noexcept;
  // The session refused this message for want of budget: it is kept and offered again after
  // handle_writable.
  void handle_send_refused(Now now, Outgoing message) noexcept;
  void handle_writable(Now now, SessionHandle session) noexcept;
  // No session came of a ContactWanted. Unknown numbers are ignored.
  void handle_contact_failed(Now now, std::uint64_t contact, ContactFailure failure) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;

  [[nodiscard]] std::optional<Outgoing> poll_outgoing();
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] std::optional<Event> poll_event() { return events_.pop(); }
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] const lite::Discovery& discovery() const { return discovery_; }
  [[nodiscard]] std::size_t peer_count() const { return peers_.size(); }
  [[nodiscard]] std::size_t judging_records() const { return judging_records_; }
  // Entries of every table that sessions fill: 0 when they have gone and what they left is done.
  [[nodiscard]] std::size_t held() const {
    return peers_.size() + by_node_.size() + requests_.size() + tokens_.size() + judging_.size() +
           jobs_.size() + events_.size() + discovery_.held();
  }

 private:
  struct Peer {
    NodeId id;
    Endpoint remote;
    TokenBucket bucket{kMaxRequestBurst, kRequestInterval};
    std::deque<Bytes> outgoing;
    std::set<std::uint64_t> expired;  // request ids whose late answer is no offence
    bool blocked = false;
    bool is_ready = false;   // in ready_
    bool condemned = false;  // misbehaved; its session is about to be closed
  };
  enum class Purpose : std::uint8_t { answer, hello, restored };
  struct Judging {
    Purpose purpose = Purpose::answer;
    SessionHandle session;
    std::uint64_t token = 0;
    std::vector<RecordPtr> records;  // null where the batch has it
    kbucket::RecordBatch batch;
    bool anchors = false;
  };

  // engine.cpp
  [[nodiscard]] Peer* find(SessionHandle session);
  void blame(Now now, SessionHandle session, Misbehaviour what);
  void emit(Event event) { CHECK(events_.push(std::move(event))); }
  void route(Now now);
  void send_question(Now now, const lite::Question& question);
  void send(SessionHandle session, Peer& peer, Bytes payload);
  void drop_requests(Now now, SessionHandle session);
  struct LocalRecord {
    Bytes encoded;
    std::uint64_t seq = 0;
  };
  [[nodiscard]] const LocalRecord& local_for(const Peer& peer) const;

  // engine_receive.cpp
  void on_ping(Now now, SessionHandle session, Peer& peer, ByteView payload);
  void on_pong(Now now, SessionHandle session, Peer& peer, ByteView payload);
  void on_find_nodes(Now now, SessionHandle session, Peer& peer, ByteView payload);
  void on_nodes(Now now, SessionHandle session, Peer& peer, ByteView payload);
  [[nodiscard]] bool may_ask(Now now, SessionHandle session, Peer& peer);
  // The token of the question that this answers; nothing when it answers none.
  [[nodiscard]] std::optional<std::uint64_t> accept(Now now, SessionHandle session, Peer& peer,
                                                    Code code, ByteView payload);
  [[nodiscard]] bool collect(Judging& judging, ByteView record);
  void judge(Now now, Judging judging);
  void on_judged(Now now, Judging judging);
  void drop_judging(Now now, SessionHandle session);

  Log& log_;
  lite::Discovery discovery_;
  std::array<LocalRecord, kbucket::kScopes> local_;
  kbucket::RecordCache cache_;
  std::map<SessionHandle, Peer> peers_;
  std::map<NodeId, SessionHandle> by_node_;  // the newest session of each
  std::deque<SessionHandle> ready_;          // peers with something to send, in turn
  session::RequestTracker requests_;
  std::map<std::uint64_t, std::uint64_t> tokens_;  // request id -> token of its question
  std::map<std::uint64_t, Judging> judging_;       // by the id of the job that is out
  std::deque<Job> jobs_;
  std::uint64_t next_job_id_ = 1;
  std::size_t judging_records_ = 0;  // at most kMaxJudgingRecords
  BoundedQueue<Event> events_{kMaxEngineEvents};
  Counters counters_;
};

}  // namespace ethnet::discv_lite
