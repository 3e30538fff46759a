// Node Discovery v5.1 (devp2p, discv5-wire.md and discv5-theory.md): the whole node, as a machine
// of datagrams, deadlines, jobs and events (machine/concepts.hpp).
//
//   datagram -> Filter (its budgets) -> Sessions -> a request, served at once; an answer, to the
//               call that waits for it; or a challenge, in either direction
//   calls       PING, FINDNODE, TALKREQ of ours: what commands, look-ups and revalidation ask
//   records     told to us are judged by a Job, and then claims in the table, or steps of a look-up
//   table       shared with whoever else knows nodes by their "udp" endpoint (discovery/v4)
//
// Where standings (kbucket/table.hpp) come from: it answered a question of ours at the address in
// its record, though nothing of its own had opened the way: reached. It proved its identity from
// that address, or answered there: met. Anything else that we are shown is a claim.
//
// Towards an address that proved nothing go WHOAREYOU alone, smaller than what it answers, and
// two knocks a minute (kbucket/probe_budget.hpp). A node whose record names no address has its
// requests answered, and is never asked or passed on.
//
// One thread. Deterministic but for what the SecureRng gives. Limits: limits.hpp.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <base/lru_map.hpp>
#include <base/prng.hpp>
#include <base/ring.hpp>
#include <base/secure_rng.hpp>
#include <base/token_bucket.hpp>
#include <discovery/filter/filter.hpp>
#include <discovery/kbucket/active_lookup.hpp>
#include <discovery/kbucket/ip_vote.hpp>
#include <discovery/kbucket/probe_budget.hpp>
#include <discovery/kbucket/record_cache.hpp>
#include <discovery/kbucket/table.hpp>
#include <discovery/kbucket/upkeep.hpp>
#include <machine/concepts.hpp>

#include "../session/sessions.hpp"
#include "../wire/message.hpp"
#include "calls.hpp"
#include "events.hpp"
#include "limits.hpp"
#include "talk_slots.hpp"

namespace ethnet::discv5 {

struct EngineLimits {
  SessionLimits sessions{};
  std::size_t calls = kMaxCalls;
  std::size_t lookups = kMaxDiscv5Lookups;
  std::size_t talk_slots = kMaxTalkSlots;
  std::size_t outgoing = kMaxOutgoing;
  // False where who owns the socket has asked filter.admit(now, remote) already, because it needs
  // to, to tell discv5 from discv4; it says so with each datagram.
  bool filters_addresses = true;
};

struct EngineCounters {
  std::uint64_t datagrams = 0;
  std::uint64_t unanswerable = 0;       // from no port or no address
  std::uint64_t looked_at_in_vain = 0;  // its address had nothing left, and it opened by no key
  std::uint64_t bad_messages = 0;       // authentic, and not of the protocol
  std::uint64_t pings = 0;              // served, as the next two
  std::uint64_t findnodes = 0;
  std::uint64_t proofs_aged = 0;        // requests of a session that has to prove its address again
  std::uint64_t talks_unknown = 0;      // for a protocol that nobody registered
  std::uint64_t talk_answers_late = 0;  // of our handlers
  std::uint64_t calls = 0;
  std::uint64_t calls_refused = 0;  // beyond kMaxCalls or kMaxCallsPerPeer
  std::uint64_t calls_answered = 0;
  std::uint64_t calls_failed = 0;
  std::uint64_t calls_repeated = 0;
  std::uint64_t unasked = 0;             // answers to nothing of ours, or late ones
  std::uint64_t challenges_unknown = 0;  // WHOAREYOU for no packet of ours
  std::uint64_t challenges_twice = 0;    // for one that was answered
  std::uint64_t nodes_ignored = 0;       // messages whose total differs, or that were repeated
  std::uint64_t nodes_cut_off = 0;       // answers of which messages were missing
  std::uint64_t records = 0;             // told to us and considered, as the next ones
  std::uint64_t records_left_out = 0;    // beyond kMaxAnswerRecords
  std::uint64_t bad_records = 0;         // their form or signature
  std::uint64_t wrong_distance = 0;      // not of a distance that was asked for
  std::uint64_t wrong_scope = 0;         // told by a peer for which the address means another
  std::uint64_t repeated = 0;            // twice in one answer
  std::uint64_t without_address = 0;
  std::uint64_t judgements_refused = 0;  // beyond kMaxDiscv5Judging
  std::uint64_t subnet_limit = 0;        // no place in the table
  std::uint64_t lookups = 0;
  std::uint64_t lookups_refused = 0;
  std::uint64_t revalidations = 0;
  std::uint64_t votes = 0;
  std::uint64_t votes_of_strangers = 0;  // of peers that we never reached
  std::uint64_t outgoing_dropped = 0;    // beyond kMaxOutgoing
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};

class Engine {
 public:
  // The key is that of `local_record`. `table` must be of the same node; it, `filter` and `rng`
  // must outlive the engine.
  Engine(Now now, std::shared_ptr<const crypto::SecretKey> key, EnrPtr local_record,
         kbucket::Table& table, filter::Filter& filter, SecureRng& rng, Prng prng,
         const EngineLimits& limits = {});

  // --- the machine ---
  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept;
  // CHECK: not refused. For who owns the socket (filters_addresses).
  void handle_admitted(Now now, const Datagram& datagram, filter::Admission admission) noexcept;
  void handle_deadline(Now now) noexcept;
  void handle_job_done(Now now, const JobResult& done) noexcept;
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView out);
  [[nodiscard]] std::optional<Event> poll_event() { return events_.pop(); }
  [[nodiscard]] std::optional<Job> poll_job();
  [[nodiscard]] Instant next_deadline() const;

  // --- commands ---
  // Each asks one node and says by which number its end comes; 0: refused, and no event comes.
  // Whoever commands answers for the address: the budget of knocks does not count these.
  CallId ping(Now now, const RecordPtr& node) noexcept;
  // At most kMaxFindNodeDistances (CHECK).
  CallId find_node(Now now, const RecordPtr& node,
                   std::span<const std::uint16_t> distances) noexcept;
  CallId request_record(Now now, const RecordPtr& node) noexcept;
  // Refused also where it does not fit into a packet.
  CallId talk_request(Now now, const RecordPtr& node, ByteView protocol, ByteView request) noexcept;
  // The number that LookupDone will bear; 0 when as many as may run do.
  std::uint64_t start_lookup(Now now, const NodeId& target) noexcept;
  // Whom to turn to while nobody else is known. False at kMaxDiscv5BootNodes.
  bool add_boot_node(Now now, const RecordPtr& node) noexcept;
  // A claim, from elsewhere (a file, DNS, discv4).
  void add_node(Now now, const RecordPtr& node) noexcept;
  // One that answered in an earlier run: a claim that is kept for longer. `asks`: whether it is
  // there is asked at once.
  void restore_node(Now now, const RecordPtr& node, bool asks) noexcept;
  // False at the limits.
  bool register_talk(std::string_view protocol);
  // False where its asker waits no longer, or the response does not fit into a packet.
  bool answer_talk(Now now, std::uint64_t talk, ByteView response) noexcept;
  // Takes it, and says true, where it says something else than the one before: then its number is
  // higher (CHECK).
  bool set_local_record(EnrPtr record);

  // --- what there is ---
  [[nodiscard]] const VerifiedEnr& local_record() const { return *local_record_; }
  [[nodiscard]] const NodeId& self() const { return sessions_.self(); }
  [[nodiscard]] const kbucket::Table& table() const { return table_; }
  [[nodiscard]] kbucket::IpVote& vote() { return vote_; }
  [[nodiscard]] const EngineCounters& counters() const { return counters_; }
  [[nodiscard]] const SessionCounters& session_counters() const { return sessions_.counters(); }
  [[nodiscard]] const TalkCounters& talk_counters() const { return talks_.counters(); }
  [[nodiscard]] const kbucket::ProbeBudget& probes() const { return probes_; }
  [[nodiscard]] std::size_t sessions() const { return sessions_.sessions(); }
  // Events beyond kMaxDiscv5Events.
  [[nodiscard]] std::uint64_t events_dropped() const { return events_.refused(); }
  // Whatever is under way: 0 when nothing is, whoever is known.
  [[nodiscard]] std::size_t held() const {
    return calls_.size() + judging_.size() + lookups_.size() + talks_.size() + events_.size() +
           outgoing_.size() + sessions_.challenges();
  }
  // The name of a queue above its limit (Checked).
  [[nodiscard]] std::optional<std::string_view> exceeded_limit() const;

 private:
  struct Outgoing {
    Endpoint local;
    Endpoint remote;
    Bytes bytes;
  };
  struct Asked {
    std::uint64_t seq = 0;  // its record was asked for because it named this number
    TokenBucket budget{kMaxOwnRecordAsks, kOwnRecordInterval};
  };
  struct IdHash {
    SipKey key;
    std::size_t operator()(const NodeId& id) const noexcept {
      return static_cast<std::size_t>(sip_hash(key, id.view()));
    }
  };
  using ActiveLookup = kbucket::ActiveLookup<RecordPtr>;
  // An answer whose records are being judged; those that are known need it no more.
  struct Judging {
    Call call;
    std::vector<FoundRecord> records;
    kbucket::RecordBatch batch{kbucket::RecordPort::udp};
  };

  // engine.cpp: what comes in and goes out
  void handle_datagram(Now now, const Datagram& datagram);
  [[nodiscard]] bool may_work_for(Now now, const Endpoint& remote, const Packet& packet);
  void on_message(Now now, const Endpoint& local, const MessageReceived& received,
                  filter::Admission admission);
  void on_unreadable(Now now, const Endpoint& local, const Unreadable& packet);
  void send(const Endpoint& local, const Endpoint& remote, std::size_t size);
  void emit(Event event);

  // engine_serve.cpp: what others ask
  [[nodiscard]] bool may_ask(Now now, const Endpoint& local, const MessageReceived& received,
                             filter::Admission admission);
  void serve(Now now, const Endpoint& local, const Peer& from, const Ping& ping);
  void serve(Now now, const Endpoint& local, const Peer& from, const FindNode& find);
  void serve(Now now, const Endpoint& local, const Peer& from, const TalkReq& talk);
  void answer_nodes(Now now, const Endpoint& local, const Peer& from, const FindNode& find,
                    std::span<const ByteView> records);
  bool reply(const Endpoint& local, const Peer& to, const Message& message);

  // engine_calls.cpp: what we ask
  CallId ask(Now now, const RecordPtr& node, Question question, const Message& message);
  CallId ask_ping(Now now, const RecordPtr& node, CallFor purpose, bool trusted);
  CallId ask_nodes(Now now, const RecordPtr& node, Question question);
  [[nodiscard]] bool may_probe(Now now, const RecordPtr& node, bool trusted);
  void send_waiting(Now now, const Peer& peer);
  void send_call(Now now, Call& call);
  void on_challenge(Now now, const ChallengeReceived& challenge);
  void on_answer(Now now, const Peer& from, const Pong& pong);
  void on_answer(Now now, const Peer& from, const Nodes& nodes);
  void on_answer(Now now, const Peer& from, const TalkResp& response);
  void on_bad_message(Now now, const Peer& from, ByteView plain);
  [[nodiscard]] Call* find_asked(Now now, const Peer& from, const RequestId& id,
                                 MessageType answer);
  [[nodiscard]] Call end_call(CallId id);
  void handle_overdue(Now now, CallId id);
  void fail_call(Now now, const Call& call);

  // engine_records.cpp: what we are told
  void judge(Now now, Call call);
  void on_judged(Now now, const Call& call, const std::vector<FoundRecord>& records);
  [[nodiscard]] bool acceptable(const Call& call, const FoundRecord& found);
  void on_own_record(Now now, const Call& call, const FoundRecord& found);
  void on_established(Now now, const Peer& peer, const EnrPtr& record);
  void on_alive(Now now, const Call& call);
  void note(Now now, const RecordPtr& record, Standing standing);
  void note_heard(Now now, const Peer& peer);
  void note_seq(Now now, const Peer& peer, std::uint64_t seq);

  // engine_upkeep.cpp: look-ups, refresh, revalidation
  void ask_boot_nodes(Now now);
  void revalidate(Now now);
  [[nodiscard]] RecordPtr pick_newcomer();
  void advance(Now now, std::uint64_t lookup);
  void on_lookup_answer(Now now, const Call& call, const std::vector<FoundRecord>& records);
  // Whether the same node is asked once more for what its full answer had no room for.
  [[nodiscard]] bool ask_for_the_rest(Now now, ActiveLookup& active, const Call& call,
                                      const std::vector<FoundRecord>& records);
  void fail_lookup(Now now, const Call& call);

  EnrPtr local_record_;
  kbucket::Table& table_;
  filter::Filter& filter_;
  SecureRng& rng_;
  Prng prng_;
  EngineLimits limits_;
  Sessions sessions_;
  Calls calls_;
  TalkSlots talks_;
  std::set<std::string, std::less<>> talk_protocols_;
  kbucket::IpVote vote_;
  kbucket::ProbeBudget probes_{kMaxKnockedAddresses};
  kbucket::RecordCache cache_;
  LruMap<NodeId, Asked, IdHash> asked_;
  std::vector<RecordPtr> boot_nodes_;
  std::map<std::uint64_t, ActiveLookup> lookups_;
  std::uint64_t next_lookup_ = 1;
  std::map<std::uint64_t, Judging> judging_;  // by the id of the job that is out
  std::size_t judging_records_ = 0;
  std::uint64_t next_job_ = 1;
  std::deque<Job> jobs_;
  kbucket::Upkeep upkeep_;
  std::deque<NodeId> newcomers_;  // met, and not asked anything yet
  BoundedQueue<Event> events_{kMaxDiscv5Events};
  BoundedQueue<Outgoing> outgoing_;
  PacketBuffer in_{};   // what is being read
  PacketBuffer out_{};  // what is being written
  EngineCounters counters_;
};

}  // namespace ethnet::discv5
