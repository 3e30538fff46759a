// Node Discovery v4 (devp2p, discv4.md; EIP-8; EIP-868) as a machine: answers others, keeps the
// table that discv5 shares, looks nodes up. Datagrams, times and entropy are inputs.
//
// Endpoint proof. FINDNODE and ENRRequest are answered where the asker is proven: it answered a
// PING of ours, by its hash, from that IP address (bonds.hpp). To an address that is not proven,
// nothing is sent that is larger than what came from there (attack 21). A PONG is larger than the
// PING that it answers, so a stranger gets a PING of ours first, which is not, and its PONG when it
// has answered that. On loopback both go at once (geth's test suite waits for the PONG, and who is
// there has our machine anyway). Two that do as we do must not wait for each other's PONG: the PING
// by which we turn to a node is as long as a PONG (kRoomyPing), so that its PING may be as long,
// and that one is answered at once.
//
// Asking. A node is pinged, pings back, gets our PONG, and only then would answer: Contact
// (contacts.hpp). What discv4 tells of a node is an endpoint and a key; the table wants a record,
// so whoever answers and says that it has one (EIP-868) is asked for it. Where a node that a
// look-up wants to ask is said to be at several places, it is looked for at all of them at once.
//
//   datagram -> filter by address -> sizes, hash, list, expiration -> do we await this answer?
//            -> filter of curve work -> sender -> filter by node -> what it asks or answers
//
// engine.cpp takes packets apart, engine_answer.cpp answers, engine_ask.cpp asks, engine_lookup.cpp
// looks up and keeps the table alive. One thread. Deterministic. Limits: ../limits.hpp.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <base/prng.hpp>
#include <base/ring.hpp>
#include <base/secure_rng.hpp>
#include <discovery/filter/filter.hpp>
#include <discovery/kbucket/active_lookup.hpp>
#include <discovery/kbucket/probe_budget.hpp>
#include <discovery/kbucket/table.hpp>
#include <discovery/kbucket/upkeep.hpp>
#include <machine/concepts.hpp>

#include "bonds.hpp"
#include "events.hpp"
#include "outbox.hpp"

namespace ethnet::discv4 {

struct EngineConfig {
  std::shared_ptr<const crypto::SecretKey> key;
  EnrPtr local_record;          // of that key (CHECK)
  std::vector<Endpoint> local;  // our sockets: the one of the family is used
  std::uint64_t seed = 0;       // of the times of upkeep
  // False where who owns the socket has asked filter.admit(now, remote) already, because it needs
  // to, to tell discv4 from discv5; it says so with each datagram.
  bool filters_addresses = true;
  // False: nothing happens but what commands and peers ask for (tools).
  bool keeps_table = true;
  // Tests lower them.
  std::size_t bonds = kMaxBonds;
  std::size_t proofs = kMaxProofs;
};

class Engine {
 public:
  // `table`, `filter` and `rng` outlive it; discv5 may use them too.
  Engine(Now now, EngineConfig config, kbucket::Table& table, filter::Filter& filter,
         SecureRng& rng);
  // The same identity (CHECK), another record.
  void set_local_record(EnrPtr record);

  // Inputs.
  void handle_datagrams(Now now, std::span<const Datagram> batch) noexcept;
  // CHECK: not refused. For who owns the socket (filters_addresses).
  void handle_admitted(Now now, const Datagram& datagram, filter::Admission admission) noexcept;
  void handle_deadline(Now now) noexcept;

  // Commands: the number that the answer bears; 0 when we are busy, also with that node
  // at another address, or may not knock there. What is
  // asked by command may knock at any address: whoever gives it has chosen it.
  std::uint64_t ping(Now now, const V4Node& node) noexcept;
  std::uint64_t find_node(Now now, const V4Node& node, const KeyBytes& target) noexcept;
  std::uint64_t request_record(Now now, const V4Node& node) noexcept;
  std::uint64_t start_lookup(Now now, const KeyBytes& target) noexcept;
  std::uint64_t start_random_lookup(Now now) noexcept;
  // Whom to turn to while nobody else is known; at most kMaxDiscv4BootNodes, more are ignored.
  // Starts.
  void bootstrap(Now now, std::span<const V4Node> nodes) noexcept;

  // Outputs.
  [[nodiscard]] std::optional<Transmit> poll_transmit(Now now, MutByteView buffer);
  [[nodiscard]] std::optional<Event> poll_event() { return events_.pop(); }
  [[nodiscard]] Instant next_deadline() const;

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] const NodeId& self() const { return self_; }
  [[nodiscard]] bool is_proven(Now now, const NodeId& id, const IpAddress& ip) {
    return bonds_.is_proven(now, {id, ip});
  }
  // Nodes that speak discv4 and are in the table.
  [[nodiscard]] std::size_t members() const { return members_.size(); }
  // Entries of every table that is empty when nothing is under way.
  [[nodiscard]] std::size_t held() const {
    return contacts_.size() + lookups_.size() + proofs_.size() + outbox_.size() + events_.size();
  }
  [[nodiscard]] std::optional<std::string_view> exceeded_limit() const;

 private:
  // Where a node may be: first where it proved itself to be, and where its record says. The first
  // `tried` of them this look-up has tried, and tries no more.
  struct Whereabouts {
    std::vector<Place> places;
    std::size_t tried = 0;
  };
  struct ActiveLookup {
    std::uint64_t command = 0;
    KeyBytes target{};
    kbucket::ActiveLookup<V4Node> nodes;
    std::map<NodeId, Whereabouts> places;
  };
  // Where a packet came from, and what it was.
  struct Sender {
    V4Node node;  // its port of RLPx: where its packet says so
    Endpoint remote;
    Endpoint local;
    Hash32 hash;
    std::size_t size = 0;

    [[nodiscard]] NodeAt at() const { return {node.id, remote.ip}; }
  };

  struct SentPing {
    Instant at;
    IpAddress to;
    std::uint32_t pongs = 0;  // that were looked at
  };

  // engine.cpp: packets in, packets out
  void handle_datagram(Now now, const Datagram& datagram);
  // The PING of ours that this answers from there: its hash is known there alone.
  [[nodiscard]] SentPing* answered_ping(Now now, const Message& message, const IpAddress& from);
  [[nodiscard]] bool awaits(Now now, const Message& message, const IpAddress& from);
  [[nodiscard]] filter::Trust trust_in(Now now, const IpAddress& from);
  void note_refusal(const Error& error);
  void note_expired(Now now, const Message& message, const IpAddress& from);
  void on_packet(Now now, const Sender& from, const Message& message);
  std::optional<Hash32> send(const Message& message, const Endpoint& local, const Endpoint& remote);
  std::optional<Hash32> send_ping(Now now, const Endpoint& local, const Endpoint& remote,
                                  std::size_t max_size);
  [[nodiscard]] Endpoint local_for(const Endpoint& remote) const;
  void emit(Event event);

  // engine_answer.cpp: what others ask
  void on_ping(Now now, const Sender& from, const Ping& ping);
  void note_proven_ping(Now now, const Sender& from, const Ping& ping);
  [[nodiscard]] const Hash32* ping_under_way(const NodeAt& node);
  [[nodiscard]] bool comes_by_itself(Now now, const NodeAt& node);
  [[nodiscard]] Pong make_pong(Now now, const Place& to, const Hash32& ping_hash) const;
  void send_pong(Now now, const Endpoint& local, const Endpoint& remote, const NodeAt& node,
                 const Hash32& ping_hash, const Place& to);
  void prove(Now now, const Sender& from, const Ping& ping, bool hold_pong,
             const Hash32* under_way = nullptr);
  void on_findnode(Now now, const Sender& from, const FindNode& findnode);
  void on_enr_request(Now now, const Sender& from);

  // engine_ask.cpp: what we ask
  [[nodiscard]] bool ask(Now now, const V4Node& node, Ask ask, NamedBy who);
  // False: it is not being looked for, or at enough places.
  bool knock(Now now, const V4Node& node, NamedBy who);
  [[nodiscard]] bool may_turn_to(Now now, const V4Node& node, NamedBy who);
  void turn_to(Now now, Contact& contact);
  std::optional<Hash32> ping_there(Now now, const Endpoint& remote);
  void ping_contact(Now now, Contact& contact);
  void advance(Now now, Contact& contact);
  void send_ask(Now now, Contact& contact);
  void finish_ask(Now now, Contact& contact, bool answered, const EnrPtr& record);
  void tell(Now now, const V4Node& node, const Ask& ask, bool answered,
            const std::vector<V4Node>& found, const EnrPtr& record);
  void on_pong(Now now, const Sender& from, const Pong& pong);
  void on_contact_pong(Now now, Contact& contact, const Pong& pong);
  void on_proof(Now now, const Proofs::Proof& proof, const Sender& from, const Pong& pong);
  void on_neighbors(Now now, const Sender& from, const Neighbors& neighbors);
  void take_neighbor(Contact& contact, const IpAddress& teller, const Neighbor& neighbor);
  void on_enr_response(Now now, const Sender& from, const EnrResponse& response);
  void take_record(Now now, const Contact& contact, const EnrPtr& enr);
  void on_timeout(Now now, Contact& contact);
  void on_unreachable(Now now, Contact& contact, std::span<const Knock> unanswered);

  // engine_lookup.cpp: look-ups and upkeep
  [[nodiscard]] bool begin_lookup(Now now, const KeyBytes& target, std::uint64_t command);
  void seed(Now now, ActiveLookup& active);
  // False: it is known to be there, or said to be at enough places.
  bool learn_place(Now now, ActiveLookup& active, const V4Node& told);
  [[nodiscard]] V4Node first_place(const ActiveLookup& active, const V4Node& node) const;
  // At the places that were not tried yet. False: at none.
  [[nodiscard]] bool ask_everywhere(Now now, std::uint64_t number, ActiveLookup& active,
                                    const V4Node& node);
  void knock_at_new_places(Now now, ActiveLookup& active, const V4Node& node);
  [[nodiscard]] NamedBy named_by(const V4Node& node) const;
  void advance_lookup(Now now, std::uint64_t number);
  void on_nodes(Now now, std::uint64_t number, const V4Node& from, std::span<const V4Node> nodes);
  void on_lookup_failure(Now now, std::uint64_t number, const NodeId& from);
  void note(Now now, const RecordPtr& record, const V4Node& node, Standing standing);
  void note_alive(Now now, const V4Node& node, Standing standing);
  void remember_member(const V4Node& node);
  // Where discv4 has seen it at the address of this record.
  [[nodiscard]] const V4Node* member(const RecordPtr& record) const;
  [[nodiscard]] bool wants_record(const NodeId& node,
                                  const std::optional<std::uint64_t>& enr_seq) const;
  void refresh(Now now);
  void revalidate(Now now);
  [[nodiscard]] std::uint64_t next_command() { return ++last_command_; }

  EngineConfig config_;
  NodeId self_;
  KeyBytes own_key_{};
  Place own_place_;
  kbucket::Table& table_;
  filter::Filter& filter_;
  SecureRng& rng_;
  Prng prng_;
  Bonds bonds_;
  Proofs proofs_;
  kbucket::ProbeBudget probes_{kMaxProbedPlaces};
  LruMap<Hash32, SentPing, PeerHash> pings_;        // of ours: which PONGs are worth a look
  LruMap<IpAddress, Instant, PeerHash> turned_to_;  // by PINGs that answered none, when last
  Contacts contacts_;
  std::map<std::uint64_t, ActiveLookup> lookups_;
  std::map<NodeId, V4Node> members_;  // of the table, that speak discv4 where their record says
  std::deque<Hash32> seen_answers_;   // NEIGHBORS packets, the oldest first
  std::vector<V4Node> boot_nodes_;
  Outbox outbox_;
  BoundedQueue<Event> events_{kMaxDiscv4Events};
  Counters counters_;
  std::uint64_t last_command_ = 0;
  std::uint64_t next_lookup_ = 1;
  Instant heard_at_;
  Instant refresh_at_;
  Instant revalidate_at_;
  std::uint64_t refreshes_ = 0;
  std::uint32_t expired_answers_ = 0;
  Duration least_expired_;  // of these: how long ago, by our clock
  Instant clock_warning_at_{INT64_MIN};
};

}  // namespace ethnet::discv4
