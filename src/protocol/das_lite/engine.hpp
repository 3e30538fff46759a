// The das-lite/0.1 engine: announces the data sets that are held whole, serves their chunks, and
// samples what others announce. A machine: sans-I/O, one thread. It shares nothing with other
// protocols, has budgets of its own, and sends everything at the lowest priority.
//
// Flow of a sampling
//   known     a peer announced the data set; kGatherTime later, within a budget over all peers and
//             each peer in turn, k indices are drawn (or a command says so at once)
//   fetch     each chunk is asked of one announcing peer at a time (das/fetch.hpp)
//   verify    a response that was asked for is hashed to the name; only then it counts
//   verdict   when every chunk has come, or nobody is left who could be asked for it
// A get is the same for all chunks. A publication is hashed by a Job. Nothing is announced, served
// or reported before it is verified and in the store; nothing survives a restart.
//
// What a stranger can make us do: hash at most what we asked of him (a wrong chunk ends the
// session), send at most the share of his network (session/serve_queue.hpp), remember at most
// kMaxAnnouncedPerPeer data sets, and ask at most the automatic budget. Nobody's announcement is
// passed on.
//
// The node routes: SessionOpened/Closed/MessageReceived/SessionWritable in, Outgoing to the
// session. Limits: limits.hpp. Spec: docs/spec/das-lite.md.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <base/instant.hpp>
#include <base/log.hpp>
#include <base/ring.hpp>
#include <das/sampler.hpp>
#include <das/store.hpp>
#include <machine/concepts.hpp>
#include <session/capability.hpp>
#include <session/requests.hpp>
#include <session/serve_queue.hpp>

#include "events.hpp"
#include "limits.hpp"
#include "messages.hpp"
#include "peer.hpp"

namespace ethnet::das_lite {

inline constexpr std::string_view kCapability = "das-lite/0.1";

using session::Priority;

struct Outgoing {
  SessionHandle session;
  Priority priority = Priority::bulk;
  Bytes payload;
};

struct Config {
  bool auto_sample = true;    // sample what is announced, without a command
  std::uint32_t samples = 8;  // k of these
  das::StoreLimits store;
  // Of chunks under way, over all peers, unless it is one; 0: no limit but kMaxAsked.
  std::size_t most_asked_bytes = 0;
};

enum class CommandError : std::uint16_t {
  unknown_data = 1,  // nobody announced it, and it is not held
  too_many_samples,  // k above kMaxSamples
  busy,              // kMaxRuns or kMaxPublishing are under way, or this get is already
  no_room,           // more than the store's pinned share has left
};
[[nodiscard]] const ErrorDomain& error_domain(CommandError);

struct Counters {
  std::uint64_t announcements_sent = 0;
  std::uint64_t announcements_dropped = 0;  // ours, beyond kMaxQueuedNews
  std::uint64_t announcements_received = 0;
  std::uint64_t announcements_ignored = 0;    // beyond the budget of a peer, or known already
  std::uint64_t announcements_forgotten = 0;  // beyond kMaxAnnouncedPerPeer
  std::uint64_t chunks_asked = 0;
  std::uint64_t chunks_received = 0;  // verified
  std::uint64_t chunks_missing = 0;   // answers that say: not held
  std::uint64_t chunks_wrong = 0;
  std::uint64_t chunks_late = 0;      // tries that ended at their deadline
  std::uint64_t late_answers = 0;     // that came after it
  std::uint64_t chunks_not_kept = 0;  // verified, and no room in the store
  std::uint64_t verified_bytes = 0;   // of chunks that were hashed, right or wrong
  std::uint64_t chunks_served = 0;
  std::uint64_t bytes_served = 0;     // of payloads
  std::uint64_t chunks_not_held = 0;  // asked of us, and answered so
  std::uint64_t serving_put_off = 0;  // requests that had to wait, by kServePerSecond
  std::uint64_t chunks_refused = 0;   // of those not held: held, and not served any more today
  std::uint64_t samplings_begun = 0;
  std::uint64_t samplings_put_off = 0;  // by the automatic budget
  std::uint64_t misbehaved = 0;
  std::uint64_t lapses = 0;
};

// One data set, for an observer.
struct DataSetView {
  das::DataKey key;
  std::uint32_t held = 0;  // chunks
  bool whole = false;
  bool pinned = false;  // published or fetched here
  std::size_t announcers = 0;
  bool sampling = false;  // or fetching: something is under way
  std::optional<DasVerdict> verdict;
};

enum class ChunkState : std::uint8_t {
  unknown,  // not looked for
  wanted,   // waits for somebody to be asked
  asked,
  held,     // verified and in the store
  missing,  // looked for and given up
};

class Engine {
 public:
  // `indices` draws what is sampled: das::SecureIndexSource in a node. Both outlive the engine.
  Engine(const Config& config, das::IndexSource& indices, Log& log);

  // The session has agreed on das-lite.
  // `favoured`: set_serving(false) is not for it.
  void handle_session_opened(Now now, SessionHandle session, const Endpoint& source,
                             bool favoured = false) noexcept;
  void handle_session_closed(Now now, SessionHandle session) noexcept;
  void handle_message(Now now, SessionHandle session, ByteView payload) noexcept;
  // The session refused this message for want of budget: it is kept and offered again after
  // handle_writable.
  void handle_send_refused(Now now, Outgoing message) noexcept;
  void handle_writable(Now now, SessionHandle session) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;

  // False: the day's upload is used up. Chunks are answered as if they were not held, and nothing
  // is announced, until it is true again; so it is at first.
  void set_serving(Now now, bool serving) noexcept;

  // Commands. Each gives the number by which events name what it began.
  // Errors: those of das::split_shape, busy. DataPublished follows.
  [[nodiscard]] Result<std::uint64_t> publish(Now now, Bytes data,
                                              std::uint32_t chunk_size) noexcept;
  // Errors: unknown_data, too_many_samples, busy. DasVerdict follows.
  [[nodiscard]] Result<std::uint64_t> sample(Now now, const das::DataId& id,
                                             std::uint32_t k) noexcept;
  // Errors: unknown_data, busy, no_room. GetProgress follows; chunk() then gives the data.
  [[nodiscard]] Result<std::uint64_t> get(Now now, const das::DataId& id) noexcept;

  [[nodiscard]] std::optional<Outgoing> poll_outgoing();
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] std::optional<Event> poll_event();
  [[nodiscard]] Instant next_deadline() const;

  // Queries.
  // At most `most`: our own and those that are looked for, then others by name.
  [[nodiscard]] std::vector<DataSetView> data_sets(std::size_t most = SIZE_MAX) const;
  // The state of each chunk; empty when the data set is not known.
  [[nodiscard]] std::vector<ChunkState> grid(const das::DataId& id) const;
  [[nodiscard]] std::vector<ChunkState> grid(const das::DataKey& key) const;
  [[nodiscard]] std::optional<das::Store::Held> chunk(const das::DataId& id,
                                                      std::uint32_t index) const {
    return store_.find(id, index);
  }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] const das::Store& store() const { return store_; }
  [[nodiscard]] std::size_t peer_count() const { return peers_.size(); }
  // Entries of every table that sessions and commands fill, but what is in the store: 0 when the
  // sessions have gone and what they left is done.
  [[nodiscard]] std::size_t held() const;

 private:
  using KnownMap = std::map<das::DataKey, Known>;
  struct Asked {
    SessionHandle session;
    das::DataKey key;
    std::uint32_t index = 0;
  };
  using AskedIds = std::map<std::pair<SessionHandle, ChunkName>, std::uint64_t>;
  struct Publishing {
    das::DataSet::Blob blob;
    das::Shape shape;
  };

  // engine.cpp: sessions, and what goes out
  [[nodiscard]] Peer* find(SessionHandle session);
  void emit(Event event);
  void blame(SessionHandle session, Misbehaviour what);
  void score(SessionHandle session, Peer& peer, const das::DataKey& key, Lapse what);
  void let_go(SessionHandle session, Peer& peer);
  void refresh_ready(SessionHandle session, const Peer& peer);
  [[nodiscard]] std::optional<Bytes> next_from(Peer& peer);
  [[nodiscard]] static bool can_be_answered(const Peer& peer);
  void serve(SessionHandle session, const Peer& peer);
  void serve_waiting();
  // One response, for what was asked first; what it cost.
  [[nodiscard]] std::uint64_t answer(Peer& peer);
  // Tells the peer of what we have.
  void announce_own(SessionHandle session, Peer& peer);
  void expire_requests(Now now);

  // engine_receive.cpp: what came in
  void on_announce_data(Now now, SessionHandle session, Peer& peer, ByteView payload);
  void on_request_chunk(SessionHandle session, Peer& peer, ByteView payload);
  void on_chunk_response(Now now, SessionHandle session, Peer& peer, ByteView payload);
  void on_chunk(Now now, const Asked& asked, das::VerifiedChunk chunk);
  void blame_false_sizes(const das::DataKey& proven);
  void forget_oldest_announcement(SessionHandle session, Peer& peer);
  [[nodiscard]] std::optional<Asked> take_asked(SessionHandle session, const ChunkName& name);
  AskedIds::iterator cancel_asked(AskedIds::iterator it);
  static void forgive(Peer& peer, const ChunkName& name);

  // engine_runs.cpp: samplings, gets, publications
  void finish_input(Now now);
  void drop_gone();
  void update(Now now, const das::DataKey& key);
  void settle(Known& known, const das::DataKey& key);
  void on_settled(Known& known, std::uint32_t index, bool came);
  void drop_want(Known& known, const das::DataKey& key, std::uint32_t index);
  void want_more(Known& known, const das::DataKey& key);
  void report_samplings(Now now, const das::DataKey& key, Known& known);
  void report_get(Now now, const das::DataKey& key, Known& known);
  void on_own(const das::DataKey& key);
  [[nodiscard]] bool start_automatic(Now now);
  [[nodiscard]] std::optional<das::DataKey> next_to_sample(Now now);
  void begin_sampling(const das::DataKey& key, Known& known, std::uint32_t k, bool automatic);
  void schedule(Now now);
  [[nodiscard]] bool ask_one(Now now, const das::DataKey& key);
  [[nodiscard]] bool can_ask(das::SourceId source, const das::Shape& shape);
  [[nodiscard]] DataSetView view_of(const das::DataKey& key, const Known& known) const;
  [[nodiscard]] KnownMap::const_iterator choose(const das::DataId& id) const;
  [[nodiscard]] bool is_backed(const das::DataKey& key) const;

  Config config_;
  das::IndexSource& indices_;
  Log& log_;
  Instant now_;  // of the last input: one Now serves an input and its drain
  das::Store store_;
  std::map<SessionHandle, Peer> peers_;
  KnownMap known_;
  std::vector<das::DataKey> own_;     // whole and pinned, in the order in which they became so
  std::set<das::DataKey> touched_;    // something about them changed in this input
  std::set<das::DataKey> searching_;  // with chunks that are waiting or asked
  das::DataKey last_searched_;        // round robin over searching_
  session::RequestTracker requests_{kMaxAsked, kMaxAskedPerPeer};
  std::map<std::uint64_t, Asked> asked_;  // by id in requests_
  AskedIds asked_ids_;                    // -> id in requests_
  std::uint64_t next_run_ = 1;
  std::set<std::uint64_t> runs_;       // samplings and gets under way
  std::set<std::uint64_t> auto_runs_;  // those begun by themselves
  CostBucket auto_budget_{kAutoBurst, kAutoPerSecond};
  Instant auto_at_ = Instant::never();    // when start_automatic has something to do
  std::set<SessionHandle> sample_queue_;  // peers with something in to_sample
  SessionHandle last_sampled_;            // round robin over sample_queue_
  bool serving_ = true;
  std::map<std::uint64_t, Publishing> publishing_;  // by run, which is the job's id
  std::deque<Job> jobs_;
  session::ServeQueue serve_queue_{{.burst = kServeBurst,
                                    .per_second = kServePerSecond,
                                    .reserve = kServeReserve,
                                    .reserve_per_second = kServeReservePerSecond,
                                    .debt = kServeDebt}};
  std::set<SessionHandle> ready_;  // peers with something to send that may be sent
  SessionHandle last_served_;      // round robin over ready_
  BoundedQueue<Event> events_{kMaxEvents};
  Counters counters_;
};

}  // namespace ethnet::das_lite
