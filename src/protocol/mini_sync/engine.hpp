// The mini-sync/0.1 engine: follows the heads of all peers, downloads what is missing from several
// of them at once, serves what it has, and announces what is new. A machine: sans-I/O, one thread.
//
// Flow of a download
//   target    a block that a peer announced (Status, NewBlock, NewBlockHashes) and we do not have
//   branch    short gap: walk back from the target (reverse) until a known block
//   skeleton  long gap: one peer (the anchor) gives every 192nd header; each segment between two of
//             them is walked back from its upper end by whichever peer is free. A header is
//             therefore always checked against a hash that we already hold, and blame is exact.
//   judge     a signature that a producer put beside its header is judged by a Job before anything
//             else is done with the header; a wrong one ends the session that gave it.
//   import    batches leave as ImportRequest; handle_import_done comes back when they are durable.
//
// The node routes: SessionOpened/Closed/MessageReceived/SessionWritable in, Outgoing to the
// session, ImportRequest to the chain. Limits: limits.hpp. Spec: docs/spec/mini-sync.md.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include <base/instant.hpp>
#include <base/log.hpp>
#include <base/prng.hpp>
#include <base/ring.hpp>
#include <chain/chain_view.hpp>
#include <machine/concepts.hpp>
#include <session/capability.hpp>
#include <session/requests.hpp>
#include <session/serve_queue.hpp>

#include "checked_header.hpp"
#include "limits.hpp"
#include "messages.hpp"
#include "peer.hpp"
#include "skeleton.hpp"

namespace ethnet::mini_sync {

inline constexpr std::string_view kCapability = "mini-sync/0.1";

using session::Priority;

struct Outgoing {
  SessionHandle session;
  Priority priority = Priority::normal;
  Bytes payload;
};

// How much of its upload a node gives to this protocol.
struct Serving {
  std::uint64_t bytes_per_second = 0;  // of all that leaves the node; 0: no limit
  // The day's is used up: but for those that follow the head nobody is served, and we say that we
  // keep no more than that.
  bool near_head_only = false;
};

enum class ImportCause : std::uint8_t { announcement, sync };

// To the chain: import these, in this order. Answered by handle_import_done with the same id.
struct ImportRequest {
  std::uint64_t id = 0;
  SessionHandle session;  // who gave them
  ImportCause cause = ImportCause::sync;
  std::vector<CheckedHeader> headers;
};

enum class Misbehaviour : std::uint8_t {
  malformed_message,     // does not decode
  unsolicited_response,  // no such request, or answered already
  oversized_response,    // more items than asked for
  unlinked_headers,      // does not link to what it answers
  invalid_header,        // breaks a header rule
  bad_signature,         // a producer's signature that the beneficiary's key did not make
  too_many_requests,
  wrong_genesis,
  unresponsive,  // kMaxConsecutiveFailures timeouts or empty answers to own announcements
  side_headers,  // more of branches that do not win than kMaxSideHeaders, kMaxUnprovenHeaders
};
[[nodiscard]] std::string_view describe(Misbehaviour what);

// To the node: close this session.
struct PeerMisbehaved {
  SessionHandle session;
  Misbehaviour what = Misbehaviour::malformed_message;
};

// A long download moved; `done` is emitted once, when it has ended. Neither number ever falls on
// the way. Where it ended because nobody serves the rest, `imported` stays below `target`.
struct SyncProgress {
  std::uint64_t imported = 0;  // highest block number handed to the chain
  std::uint64_t target = 0;    // the height that the peer announced from which the download began
  bool done = false;
  friend bool operator==(const SyncProgress&, const SyncProgress&) = default;
};

using Event = std::variant<ImportRequest, PeerMisbehaved, SyncProgress>;

struct ImportDone {
  std::uint64_t id = 0;
  // Index of the first header that broke a rule; its parent was known.
  std::optional<std::size_t> invalid_at = std::nullopt;
  // False when the first header's parent is unknown, or the chain could not take the batch now
  // (memory, future timestamp): nobody is to blame.
  bool accepted = true;
};

struct Counters {
  std::uint64_t requests_sent = 0;
  std::uint64_t requests_served = 0;
  std::uint64_t headers_served = 0;
  std::uint64_t headers_received = 0;
  std::uint64_t answers_decoded = 0;  // to requests of ours, and not larger than asked for
  std::uint64_t timeouts = 0;
  std::uint64_t misbehaved = 0;
  std::uint64_t announcements_sent = 0;
  std::uint64_t announcements_dropped = 0;  // beyond kMaxQueuedAnnouncements
  std::uint64_t targets_dropped = 0;        // beyond kMaxTargets
  std::uint64_t out_of_reach = 0;           // branches that went below what their peer, or we, keep
  std::uint64_t bad_signatures = 0;         // answers and announcements with a wrong signature
  std::uint64_t refused_near_head = 0;      // answers left empty, beyond kNearHeadBurst
  std::uint64_t answers_put_off = 0;        // their requests that had to wait, by kServePerSecond
  std::uint64_t judgements_refused = 0;     // beyond kMaxJudgingHeaders or kMaxJudgingPerPeer
};

class Engine {
 public:
  Engine(const chain::ChainView& chain, Prng prng, Log& log);

  // The session has agreed on mini-sync; head is what its Hello said. `source`: where the peer is;
  // networks share what answers may cost (session/serve_queue.hpp). `favoured`: the day's upload
  // (Serving::near_head_only) does not bind us to it.
  void handle_session_opened(Now now, SessionHandle session, const chain::BlockRef& head,
                             const Endpoint& source = {}, bool favoured = false) noexcept;
  void handle_session_closed(Now now, SessionHandle session) noexcept;
  void handle_message(Now now, SessionHandle session, ByteView payload) noexcept;
  // The session refused this message for want of budget: it is kept and offered again after
  // handle_writable.
  void handle_send_refused(Now now, Outgoing message) noexcept;
  void handle_writable(Now now, SessionHandle session) noexcept;
  void handle_import_done(Now now, const ImportDone& done) noexcept;
  // A block is durable and new: a new head (announced with its header to some and by hash to the
  // rest) or the tip of a branch that did not win (by hash). `from`: who gave it, if a peer did.
  void handle_block_accepted(Now now, const chain::BlockRef& block, bool is_head) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;

  // Answers are as short as this makes them; unlimited at first.
  void set_serving(const Serving& serving);
  // Bytes a second that may come; 0: no limit. What is asked for at a time keeps to it.
  void set_asking(std::uint64_t bytes_per_second) { asking_ = bytes_per_second; }

  [[nodiscard]] std::optional<Outgoing> poll_outgoing();
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] std::optional<Event> poll_event();
  [[nodiscard]] Instant next_deadline() const {
    return std::min(requests_.next_deadline(), serve_queue_.next_deadline());
  }

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::size_t peer_count() const { return peers_.size(); }
  [[nodiscard]] std::size_t judging_headers() const { return judging_headers_; }
  // Entries of every table that sessions fill: 0 when they have gone and what they left is done.
  [[nodiscard]] std::size_t held() const {
    return peers_.size() + requests_.size() + imports_.size() + judges_.size() + jobs_.size() +
           events_.size() + (download_ ? 1 : 0);
  }

 private:
  struct Import {
    SessionHandle session;
    std::uint64_t download = 0;  // of a segment; what is wrong with it is the anchor's fault
    Hash32 last;
  };

  // engine.cpp: what to send, and when
  [[nodiscard]] Peer* find(SessionHandle session);
  void blame(SessionHandle session, Misbehaviour what);
  void emit(Event event);
  [[nodiscard]] std::optional<Outgoing> next_from(SessionHandle session, Peer& peer);
  // Begins an input.
  void begin(Now now) { now_ = now.mono; }
  // Something waits to be sent to it.
  void owe(SessionHandle session) { owed_.insert(session); }
  [[nodiscard]] static bool can_be_answered(const Peer& peer);
  void serve(SessionHandle session, const Peer& peer);
  void serve_waiting();
  [[nodiscard]] std::uint64_t answer(Peer& peer);  // what it cost
  [[nodiscard]] Headers headers_for(Peer& peer, const GetHeaders& request);
  [[nodiscard]] std::size_t most_answer_bytes() const;
  [[nodiscard]] bool is_bound_to_head(const Peer& peer) const {
    return serving_.near_head_only && !peer.favoured;
  }
  // The lowest block that this peer is served.
  [[nodiscard]] std::uint64_t floor_for(const Peer& peer) const;
  [[nodiscard]] Bytes encode_announcement(const chain::BlockRef& block, bool with_header) const;

  // engine_schedule.cpp: what to ask for
  void schedule_all(Now now);
  // Those of whom something may be wanted, but for `silent`.
  void schedule_wanting(Now now, const std::vector<SessionHandle>& silent);
  void finish_download_if_done();
  void report_progress(std::uint64_t imported, std::uint64_t target);
  void finish_progress_if_done();
  void schedule(Now now, SessionHandle session, Peer& peer);
  [[nodiscard]] bool asks_enough() const;
  [[nodiscard]] std::uint64_t most_asked_headers() const;
  void schedule_target(Now now, SessionHandle session, Peer& peer);
  void ask(Now now, SessionHandle session, Peer& peer, GetHeaders request, RequestKind kind);
  void ask_branch(Now now, SessionHandle session, Peer& peer);
  void ask_forward(Now now, SessionHandle session, Peer& peer);
  void ask_skeleton(Now now, SessionHandle session, Peer& peer);
  void add_target(SessionHandle session, Peer& peer, const chain::BlockRef& block);
  void drop_known_targets(Peer& peer);
  void drop_target(Peer& peer);
  [[nodiscard]] Bytes encode_status(Peer& peer) const;
  [[nodiscard]] bool out_of_reach(const Peer& peer) const;
  [[nodiscard]] bool fetched_by_another(SessionHandle session, const Hash32& hash) const;
  void request_failed(Now now, SessionHandle session, Peer& peer);
  void request_timed_out(Now now, SessionHandle session, Peer& peer);
  void release_request(SessionHandle session, Peer& peer, bool declines);
  void abort_download(Now now);
  void pump_download(Now now);
  [[nodiscard]] bool within_side_limit(Peer& giver, const std::vector<CheckedHeader>& headers,
                                       bool segment) const;
  // False when the session has given too much of branches that do not win: it is blamed.
  bool start_import(SessionHandle session, Peer* peer, std::vector<CheckedHeader> headers,
                    ImportCause cause, bool segment);

  // engine_judge.cpp: producers' signatures
  void judge(Now now, SessionHandle session, Peer& peer, bool answer,
             std::vector<CheckedHeader> headers);
  void release_judged(Now now, SessionHandle session, Peer& peer);
  void drop_judging(Peer& peer);

  // engine_receive.cpp: what came in
  void on_status(Now now, SessionHandle session, Peer& peer, ByteView payload);
  void on_get_headers(SessionHandle session, Peer& peer, ByteView payload);
  void on_headers(Now now, SessionHandle session, Peer& peer, ByteView payload);
  [[nodiscard]] std::optional<std::vector<CheckedHeader>> accept_headers(SessionHandle session,
                                                                         Peer& peer,
                                                                         ByteView payload);
  void on_new_block_hashes(SessionHandle session, Peer& peer, ByteView payload);
  void on_new_block(Now now, SessionHandle session, Peer& peer, ByteView payload);
  void on_judged(Now now, SessionHandle session, Peer& peer, bool answer,
                 std::vector<CheckedHeader> headers);
  [[nodiscard]] bool importable(const CheckedHeader& announced) const;
  void on_announced(SessionHandle session, Peer& peer, std::vector<CheckedHeader> headers);
  void on_branch(Now now, SessionHandle session, Peer& peer, const BranchRequest& request,
                 std::vector<CheckedHeader> headers);
  void on_forward(Now now, SessionHandle session, Peer& peer, const ForwardRequest& request,
                  std::vector<CheckedHeader> headers);
  void on_skeleton(Now now, SessionHandle session, Peer& peer, const SkeletonRequest& request,
                   const std::vector<CheckedHeader>& headers);
  void on_segment(Now now, SessionHandle session, Peer& peer, const SegmentRequest& request,
                  std::vector<CheckedHeader> headers);

  const chain::ChainView& chain_;
  Prng prng_;
  Log& log_;
  Serving serving_;
  std::uint64_t asking_ = 0;
  SessionHandle last_asked_;  // under a download limit: round robin over peers
  std::map<SessionHandle, Peer> peers_;
  // Ready lists, so that an input costs what changed: peers with targets, peers that are owed
  // something, and some of whom that was true.
  std::set<SessionHandle> wanting_;
  std::set<SessionHandle> owed_;
  session::ServeQueue serve_queue_{{.burst = kServeBurst,
                                    .per_second = kServePerSecond,
                                    .reserve = kServeReserve,
                                    .reserve_per_second = kServeReservePerSecond,
                                    .debt = kServeDebt}};
  Instant now_;  // of the last input
  session::RequestTracker requests_;
  std::map<std::uint64_t, Import> imports_;
  std::uint64_t next_import_id_ = 1;
  std::optional<SkeletonDownload> download_;
  std::uint64_t download_id_ = 0;
  std::size_t download_imports_ = 0;               // segments handed over, not acknowledged
  std::optional<SyncProgress> progress_;           // as it was told last
  std::optional<SessionHandle> skeleton_asked_;    // a skeleton request is out to this peer
  std::map<std::uint64_t, SessionHandle> judges_;  // jobs that are out -> whose headers they judge
  std::deque<Job> jobs_;
  std::uint64_t next_job_id_ = 1;
  std::size_t judging_headers_ = 0;  // sum over all peers; at most kMaxJudgingHeaders
  BoundedQueue<Event> events_{kMaxEvents};
  SessionHandle last_served_;  // round robin over peers for poll_outgoing
  Counters counters_;
};

}  // namespace ethnet::mini_sync
