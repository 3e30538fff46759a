// Discovery: keeps a Kademlia table alive over short sessions. A machine without messages: it says
// whom to ask what, and is told what came of it (protocol/discv_lite carries it over sessions).
//
//   links      sessions that agreed on discv-lite, whoever opened them, by the proven node id
//   contacts   nodes to ask and not linked: ContactWanted, answered by a link or by a failure
//   questions  PING, FIND_NODES; each ends in handle_pong, handle_nodes or handle_no_answer
//
// Where standings (kbucket/table.hpp) come from: a link that we opened to the address in the node's
// record: reached. A link that came from that address: met; its return path was proven by the
// transport, and without it a boot node whose peers keep their sessions would know nobody.
// Anything else that we are shown is a claim.
//
// One thread. Deterministic. Limits: limits.hpp.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <base/instant.hpp>
#include <base/prng.hpp>
#include <base/ring.hpp>
#include <base/token_bucket.hpp>
#include <discovery/kbucket/active_lookup.hpp>
#include <discovery/kbucket/ip_vote.hpp>
#include <discovery/kbucket/nodes_file.hpp>
#include <discovery/kbucket/probe_budget.hpp>
#include <discovery/kbucket/table.hpp>
#include <discovery/kbucket/upkeep.hpp>

#include "contacts.hpp"
#include "limits.hpp"

namespace ethnet::lite {

using kbucket::OwnAddress;
using kbucket::Standing;

// To the node: open a session there that offers discv-lite alone. Answered by handle_link_opened,
// or by handle_contact_failed with this number.
struct ContactWanted {
  std::uint64_t contact = 0;
  std::optional<NodeId> node;  // who is expected there
  Endpoint endpoint;
  RecordPtr record;  // where there is one
};
// To the node: nothing was said on this link for a while, or its place is needed. A session that
// carries nothing else may be closed.
struct LinkIdle {
  NodeId node;
};
// To the node: this node is alive at the address of its record; it was not known to be, before.
struct NodeSeen {
  RecordPtr record;
  Standing standing = Standing::met;
};
struct LookupDone {
  std::uint64_t lookup = 0;
  NodeId target;
  std::vector<RecordPtr> nearest;  // that answered, nearest first
};
// OwnAddress: the vote has changed our address. The node signs a record with a higher number.
using Event = std::variant<ContactWanted, LinkIdle, NodeSeen, LookupDone, OwnAddress>;

// To whoever carries it: ask this node, with which there is a link.
struct Question {
  std::uint64_t token = 0;
  NodeId node;
  Ask ask;
};

enum class ContactFailure : std::uint8_t {
  unreachable,  // nobody answered, or the handshake did not end
  wrong_node,   // somebody else is there
  not_offered,  // it is there and does not speak discv-lite, or not of our network
  busy,  // it proved (by its key) to be there and has no place, or has a session with us already
  not_attempted,  // we could not try: nobody's fault
};

struct Counters {
  std::uint64_t contacts_wanted = 0;
  std::uint64_t contacts_failed = 0;
  std::uint64_t contacts_refused = 0;  // beyond kMaxContacts or kMaxQuestionsPerNode
  std::uint64_t questions = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t lookups = 0;
  std::uint64_t lookups_refused = 0;  // beyond kMaxLookups
  std::uint64_t revalidations = 0;
  std::uint64_t records = 0;         // told to us and considered
  std::uint64_t wrong_distance = 0;  // told to us, not of a distance that was asked for
  std::uint64_t wrong_scope = 0;     // told to us by a peer for which the address means another
  std::uint64_t repeated = 0;        // told twice in one answer
  std::uint64_t subnet_limit = 0;    // no place in the table: kMaxBucketPerSubnet and the like
  std::uint64_t votes = 0;
  std::uint64_t votes_of_strangers = 0;  // about a WAN address, from peers that dialled us
};

class Discovery {
 public:
  Discovery(Now now, const NodeId& self, Prng prng);

  // Nodes of these networks alone are known. Before the first input.
  void restrict_to(NetList nets) { table_.restrict_to(std::move(nets)); }

  // Whom to turn to while nobody else is known; at most kMaxBootNodes, more are ignored.
  void add_boot_node(const RecordPtr& record);
  void add_boot_node(const Endpoint& endpoint);
  // A record of the file that an earlier run left. Anchors are asked at once.
  void handle_restored(Now now, const RecordPtr& record, bool is_anchor) noexcept;
  // The number that LookupDone will bear; 0 when kMaxLookups run.
  std::uint64_t start_lookup(Now now, const NodeId& target) noexcept;

  void handle_link_opened(Now now, const NodeId& node, const Endpoint& remote,
                          bool we_dialled) noexcept;
  void handle_link_closed(Now now, const NodeId& node) noexcept;
  // The same session, from another address, to which the transport has proven the way.
  void handle_link_moved(Now now, const NodeId& node, const Endpoint& remote) noexcept;
  void handle_contact_failed(Now now, std::uint64_t contact, ContactFailure failure) noexcept;
  // The record of the node at the other end, as it gave it.
  void handle_own_record(Now now, const NodeId& node, const RecordPtr& record) noexcept;
  // Something came from, or went to, this node: its link is not idle.
  void handle_traffic(Now now, const NodeId& node) noexcept;
  // Our own record is another now: all to whom there is a link are told, by a PING.
  void handle_local_record_changed(Now now) noexcept;
  // It said, in a PING or a PONG, that its record has this number.
  void handle_seq(Now now, const NodeId& node, std::uint64_t seq) noexcept;
  // The ends of a question. Unknown tokens are ignored.
  void handle_pong(Now now, std::uint64_t token, std::uint64_t seq,
                   const Endpoint& we_are_seen_at) noexcept;
  void handle_nodes(Now now, std::uint64_t token, std::span<const RecordPtr> records) noexcept;
  void handle_no_answer(Now now, std::uint64_t token, bool its_fault) noexcept;
  // It broke the protocol: we neither ask it nor tell others of it, until it is seen again.
  void handle_misbehaved(Now now, const NodeId& node) noexcept;
  void handle_deadline(Now now) noexcept;

  // What this node may be told of these distances; 0, our own record, is the caller's.
  [[nodiscard]] std::vector<RecordPtr> answer(const NodeId& asker,
                                              std::span<const std::uint16_t> distances) const;

  [[nodiscard]] std::optional<Question> poll_question();
  [[nodiscard]] std::optional<Event> poll_event() { return events_.pop(); }
  [[nodiscard]] Instant next_deadline() const;

  // For the file: whom to begin with after a restart.
  [[nodiscard]] kbucket::SavedNodes save() const;
  [[nodiscard]] const kbucket::Table& table() const { return table_; }
  [[nodiscard]] kbucket::IpVote& vote() { return vote_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] const kbucket::ProbeBudget& probes() const { return probes_; }
  [[nodiscard]] std::size_t short_sessions() const { return contacts_.dialling() + short_links_; }
  // Entries of every table that peers fill: 0 when they have gone and nothing is under way.
  [[nodiscard]] std::size_t held() const {
    return links_.size() + contacts_.size() + pending_.size() + questions_.size() +
           lookups_.size() + events_.size();
  }

 private:
  struct Link {
    Endpoint remote;
    bool we_dialled = false;
    bool is_short = false;  // opened for a wish of ours, and not told idle yet
    std::size_t open_questions = 0;
    std::uint32_t silence = 0;  // questions in a row without an answer
    Instant askable_at{INT64_MIN};
    Instant opened;
    Instant idle_at = Instant::never();
    std::uint64_t asked_seq = 0;  // its record was asked for because it named this number
    TokenBucket record_asks{kMaxRecordAsks, kRecordInterval};
  };
  struct Pending {
    NodeId node;
    Ask ask;
  };
  using ActiveLookup = kbucket::ActiveLookup<RecordPtr>;

  // discovery.cpp: what we know
  [[nodiscard]] Link* find_link(const NodeId& node);
  void note(Now now, RecordPtr record, Standing standing);
  void emit(Event event);
  [[nodiscard]] bool acceptable(const Pending& asked, const Link& link, const RecordPtr& record);
  [[nodiscard]] bool knows_own_address(const IpAddress& towards) const;

  // discovery_ask.cpp: what we do
  void revalidate(Now now);
  void ask_a_stranger(Now now);
  void ask_boot_nodes(Now now);
  // False when it cannot be asked now.
  bool ask(Now now, const RecordPtr& record, Ask ask, bool trusted);
  bool ask_over_link(Now now, Link& link, const NodeId& node, Ask ask);
  // Once more, in a new session, where a look-up still waits for it. False when not.
  bool ask_again(Now now, const Pending& asked);
  void fail_node(Now now, const NodeId& node);
  [[nodiscard]] bool may_probe(Now now, const RecordPtr& record, bool trusted);
  void start_contacts(Now now);
  [[nodiscard]] bool retire_a_short_link();
  void give_up(Now now, std::uint64_t contact, ContactFailure failure);
  void advance(Now now, std::uint64_t lookup);
  // Whether the same node is asked once more for what its full answer had no room for.
  bool ask_for_the_rest(Now now, ActiveLookup& active, const Pending& asked,
                        std::span<const RecordPtr> answer);
  void fail_ask(Now now, const NodeId& node, const Ask& ask);
  [[nodiscard]] std::optional<Pending> end_question(std::uint64_t token);
  void set_idle(const NodeId& node, Link& link, Instant at);

  NodeId self_;
  Prng prng_;
  kbucket::Table table_;
  kbucket::IpVote vote_;
  kbucket::ProbeBudget probes_;
  Contacts contacts_;
  std::vector<RecordPtr> boot_records_;
  std::vector<Endpoint> boot_endpoints_;
  std::map<NodeId, Link> links_;
  std::set<std::pair<Instant, NodeId>> idle_;  // when each link is told idle
  std::size_t short_links_ = 0;
  std::map<std::uint64_t, Pending> pending_;
  NodeId last_stranger_;
  std::uint64_t next_token_ = 1;
  std::deque<Question> questions_;
  std::map<std::uint64_t, ActiveLookup> lookups_;
  std::uint64_t next_lookup_ = 1;
  kbucket::Upkeep upkeep_;
  BoundedQueue<Event> events_{kMaxDiscoveryEvents};
  Counters counters_;
};

}  // namespace ethnet::lite
